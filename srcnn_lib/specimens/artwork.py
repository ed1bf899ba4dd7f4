"""Everything on a card that is not text: backgrounds, fine lines, portrait, emblem, signature."""

import colorsys

import cv2
import numpy as np

# Which shades and line patterns each pool's cards use.
SHADES = {"train": ("linear", "patches"), "validation": ("radial",), "test": ("folded",)}
PATTERNS = {
    "train": ("waves", "rosette", "lozenges"),
    "validation": ("zigzag", "rays", "ripples"),
    "test": ("lace", "polygons", "bows"),
}
_SUBPIXEL = 4  # bits of a pixel that OpenCV's drawing is given

Colour = tuple[float, float, float]


def colour(hue: float, saturation: float, value: float) -> Colour:
    """Return an RGB colour of 0 to 255 from shares of 0 to 1; the hue wraps round."""
    return tuple(255 * part for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))


def blend(image: np.ndarray, mask: np.ndarray, ink: Colour, opacity: float = 1.0) -> None:
    """Colour a float32 or uint8 RGB `image` (H, W, 3) in place where the uint8 `mask` (H, W) covers it."""
    share = (mask * np.float32(opacity / 255))[..., None]
    mixed = image + (np.float32(ink) - image) * share
    image[:] = np.rint(mixed) if image.dtype == np.uint8 else mixed


def background(rng: np.random.Generator, width: int, height: int, hue: float, pool: str) -> np.ndarray:
    """Return a pale graded ground with fine lines in the manner of `pool`: uint8 RGB (height, width, 3)."""
    ground = _shaded(rng, width, height, hue, str(rng.choice(SHADES[pool])))
    for pattern in rng.choice(PATTERNS[pool], size=2, replace=False):
        mask = lines_mask(_DRAWN[pattern](rng, width, height), width, height)
        dark = rng.random() < 0.7
        value = rng.uniform(0.45, 0.7) if dark else 1.0
        ink = colour(hue + rng.uniform(-0.25, 0.25), rng.uniform(0.3, 0.7), value)
        blend(ground, mask, ink, rng.uniform(0.12, 0.34) if dark else rng.uniform(0.3, 0.7))
    return np.clip(np.rint(ground), 0, 255).astype(np.uint8)


def lines_mask(lines: list[np.ndarray], width: int, height: int) -> np.ndarray:
    """Draw hairlines, each float (N, 2) of x and y in pixels, as a uint8 mask (height, width)."""
    mask = np.zeros((height, width), np.uint8)
    cv2.polylines(mask, [_fixed(line) for line in lines], False, 255, 1, cv2.LINE_AA, _SUBPIXEL)
    return mask


def _fixed(points) -> np.ndarray:
    return np.rint(np.asarray(points) * 2**_SUBPIXEL).astype(np.int32)


def _shaded(rng: np.random.Generator, width: int, height: int, hue: float, shade: str) -> np.ndarray:
    """Mix three pale colours along a smooth field; drawn small and enlarged, for it has no detail."""
    columns, rows = max(width // 8, 2), max(height // 8, 2)
    x, y = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(-1, 1, rows))
    turn = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(turn) + y * np.sin(turn)
    if shade == "patches":
        coarse = rng.random((3, 5), dtype=np.float32)
        field = np.clip(cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC), 0, 1)
    elif shade == "radial":
        field = np.clip(np.hypot(x - rng.uniform(-0.8, 0.8), y - rng.uniform(-0.8, 0.8)) / 1.8, 0, 1)
    elif shade == "folded":
        field = np.abs(np.sin(along * rng.uniform(1, 2.2) + rng.uniform(0, np.pi)))
    else:
        field = (along / 1.42 + 1) / 2
    stops = [colour(hue + rng.normal(0, 0.09), rng.uniform(0.03, 0.36), rng.uniform(0.8, 0.99)) for _ in range(3)]
    mixed = [np.interp(field, (0, 0.5, 1), channel) for channel in zip(*stops, strict=True)]
    return cv2.resize(np.dstack(mixed).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)


def _waves(rng: np.random.Generator, width: int, height: int) -> list[np.ndarray]:
    x = np.linspace(0, width, 120)
    gap, length = height / rng.uniform(28, 60), width / rng.uniform(2, 9)
    swing, drift = height * rng.uniform(0.01, 0.06), rng.uniform(-0.12, 0.12)
    rows = np.arange(-0.1 * height, 1.1 * height, gap)
    return [
        np.stack(
            [
                x,
                y + swing * np.sin(2 * np.pi * x / length + drift * number) * (1 + 0.5 * np.sin(2 * np.pi * x / width)),
            ],
            1,
        )
        for number, y in enumerate(rows)
    ]


def _rosette(rng: np.random.Generator, width: int, height: int) -> list[np.ndarray]:
    centre = np.array([rng.uniform(0.2, 0.95) * width, rng.uniform(0.2, 0.85) * height])
    size, petals, turns = height * rng.uniform(0.3, 0.65), int(rng.integers(7, 19)), int(rng.integers(3, 7))
    angle = np.linspace(0, 2 * np.pi, 90 * turns + 1)
    rosette = []
    for ring in np.linspace(0.35, 1, int(rng.integers(3, 6))):
        for shift in np.arange(turns) / turns:
            radius = size * ring * (0.8 + 0.2 * np.cos(petals * angle + 2 * np.pi * shift))
            rosette.append(centre + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1))
    return rosette


def _lozenges(rng: np.random.Generator, width: int, height: int) -> list[np.ndarray]:
    gap, slope = width / rng.uniform(30, 70), rng.uniform(0.4, 1.6)
    starts = np.arange(-height / slope, width + height / slope, gap)
    return [np.array([(x, 0), (x + lean * height / slope, height)]) for x in starts for lean in (-1, 1)]


def _zigzag(rng: np.random.Generator, width: int, height: int) -> list[np.ndarray]:
    teeth = int(rng.integers(20, 60))
    x = np.linspace(0, width, teeth)
    swing = height * rng.uniform(0.008, 0.03) * (-1) ** np.arange(teeth)
    return [np.stack([x, y + swing], 1) for y in np.arange(0, height, height / rng.uniform(25, 50))]


def _rays(rng: np.random.Generator, width: int, height: int) -> list[np.ndarray]:
    centre = np.array([rng.uniform(0, 1) * width, rng.uniform(0, 1) * height])
    reach = np.linspace(0.06, 1.1, 40) * np.hypot(width, height)
    bend = rng.uniform(0.03, 0.25) * np.sin(reach / width * rng.uniform(8, 20))
    return [
        centre + reach[:, None] * np.stack([np.cos(angle + bend), np.sin(angle + bend)], 1)
        for angle in np.linspace(0, 2 * np.pi, int(rng.integers(60, 130)), endpoint=False)
    ]


def _ripples(rng: np.random.Generator, width: int, height: int) -> list[np.ndarray]:
    angle = np.linspace(0, 2 * np.pi, 160)
    wobble = 1 + 0.03 * np.sin(rng.integers(5, 14) * angle)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1) * wobble[:, None]
    radii = np.arange(4, 0.55 * width, width / rng.uniform(50, 110))
    centres = [(rng.uniform(0, 1) * width, rng.uniform(0, 1) * height) for _ in range(2)]
    return [np.array(centre) + radius * ring for centre in centres for radius in radii]


def _lace(rng: np.random.Generator, width: int, height: int) -> list[np.ndarray]:
    x, bands = np.linspace(0, width, 140), []
    length = width / rng.uniform(1.5, 5)
    for middle in np.arange(0, 1.1, rng.uniform(0.16, 0.3)) * height:
        envelope = height * rng.uniform(0.05, 0.13) * (0.3 + np.abs(np.sin(np.pi * x / length)))
        bands += [
            np.stack([x, middle + envelope * np.cos(4 * np.pi * x / length + phase)], 1)
            for phase in np.linspace(0, 2 * np.pi, 10, endpoint=False)
        ]
    return bands


def _polygons(rng: np.random.Generator, width: int, height: int) -> list[np.ndarray]:
    corners, twist = int(rng.integers(4, 9)), rng.uniform(0.03, 0.12)
    centre = np.array([rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height])
    corner = np.linspace(0, 2 * np.pi, corners + 1)
    return [
        centre + radius * np.stack([np.cos(corner + turn), np.sin(corner + turn)], 1)
        for turn, radius in zip(np.arange(60) * twist, np.geomspace(0.03, 0.75, 60) * width, strict=True)
    ]


def _bows(rng: np.random.Generator, width: int, height: int) -> list[np.ndarray]:
    angle, (across, down) = np.linspace(0, 2 * np.pi, 260), rng.choice(np.arange(2, 8), 2, replace=False)
    return [
        np.stack(
            [width * (0.5 + 0.52 * np.sin(across * angle + phase)), height * (0.5 + 0.5 * np.sin(down * angle))], 1
        )
        for phase in np.linspace(0, np.pi / 3, int(rng.integers(4, 9)))
    ]


_DRAWN = {
    "waves": _waves,
    "rosette": _rosette,
    "lozenges": _lozenges,
    "zigzag": _zigzag,
    "rays": _rays,
    "ripples": _ripples,
    "lace": _lace,
    "polygons": _polygons,
    "bows": _bows,
}


class _Brush:
    """Draws on a small canvas in units of its width, twice as fine as it will be seen."""

    def __init__(self, width: int, height: int, ground: Colour):
        self.scale = 2 * width
        self.canvas = np.full((2 * height, 2 * width, 3), ground, np.uint8)

    def ellipse(self, x, y, across, down, ink, start=0, end=360, line=0.0):
        if min(across, down) < 0:  # hidden altogether, as shoulders are below a low picture
            return
        centre, axes = _fixed(np.array([(x, y), (across, down)]) * self.scale).tolist()
        thickness = max(round(line * self.scale), 1) if line else -1
        cv2.ellipse(self.canvas, centre, axes, 0, start, end, ink, thickness, cv2.LINE_AA, _SUBPIXEL)

    def polygon(self, points, ink):
        cv2.fillPoly(self.canvas, [_fixed(np.array(points) * self.scale)], ink, cv2.LINE_AA, _SUBPIXEL)

    def curve(self, points, ink, line):
        thickness = max(round(line * self.scale), 1)
        line = _fixed(np.array(points) * self.scale)
        cv2.polylines(self.canvas, [line], False, ink, thickness, cv2.LINE_AA, _SUBPIXEL)

    def finished(self) -> np.ndarray:
        height, width = self.canvas.shape[:2]
        return cv2.resize(self.canvas, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def portrait(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Draw an invented face: uint8 RGB (height, width, 3)."""
    tall = height / width
    brush = _Brush(width, height, colour(rng.random(), rng.uniform(0.02, 0.3), rng.uniform(0.65, 0.95)))
    tone = rng.uniform(0.35, 0.95)
    skin = colour(rng.uniform(0.045, 0.08), 0.62 - 0.35 * tone, tone)
    shade = tuple(0.82 * part for part in skin)
    hair = colour(rng.uniform(0.02, 0.11), rng.uniform(0.1, 0.75), rng.uniform(0.06, 0.75))
    x, y, across = rng.uniform(0.48, 0.52), tall * rng.uniform(0.42, 0.47), rng.uniform(0.2, 0.235)
    down = across * rng.uniform(1.25, 1.42)
    style = str(rng.choice(("short", "long", "fringe", "bald", "bun")))
    _hair_behind(brush, x, y, across, down, hair, style)
    _shoulders(rng, brush, x, y, across, down, tall, shade)
    for side in (-1, 1):
        brush.ellipse(x + side * across, y + 0.05 * down, 0.035, 0.06, shade)
    brush.ellipse(x, y, across, down, skin)
    _features(rng, brush, x, y, across, down, skin, hair)
    _hair_in_front(rng, brush, x, y, across, down, hair, style)
    return _lit(rng, brush.finished())


def _hair_behind(brush, x, y, across, down, hair, style):
    if style == "bun":
        brush.ellipse(x, y - 1.2 * down, 0.4 * across, 0.35 * across, hair)
    if style in ("long", "fringe"):
        brush.ellipse(x, y + 0.35 * down, 1.4 * across, 1.5 * down, hair)
    if style != "bald":
        brush.ellipse(x, y - 0.12 * down, 1.12 * across, 1.06 * down, hair)


def _shoulders(rng, brush, x, y, across, down, tall, shade):
    cloth = colour(rng.random(), rng.uniform(0, 0.7), rng.uniform(0.1, 0.8))
    brush.polygon(
        [
            (x - 0.55 * across, y + 0.5 * down),
            (x + 0.55 * across, y + 0.5 * down),
            (x + 0.7 * across, tall),
            (x - 0.7 * across, tall),
        ],
        shade,
    )
    top, broad = y + 1.42 * down, rng.uniform(0.4, 0.52)
    brush.ellipse(x, tall + 0.08, broad, tall + 0.08 - top, cloth)
    opening = rng.uniform(0.3, 0.7) * across
    point = (x, top + rng.uniform(0.05, 0.16))
    brush.polygon([(x - opening, top - 0.01), (x + opening, top - 0.01), point], shade)
    if rng.random() < 0.5:
        collar = tuple(min(1.3 * part + 20, 255) for part in cloth)
        for side in (-1, 1):
            brush.curve([(x + side * 1.3 * opening, top), (x, top + 0.17)], collar, 0.02)


def _features(rng, brush, x, y, across, down, skin, hair):
    dark, lips = tuple(0.62 * part for part in skin), (0.85 * skin[0], 0.55 * skin[1], 0.55 * skin[2])
    iris = colour(rng.choice((0.06, 0.3, 0.57)), rng.uniform(0.3, 0.7), rng.uniform(0.25, 0.6))
    apart, level = rng.uniform(0.4, 0.47) * across, y - rng.uniform(0.02, 0.1) * down
    for side in (-1, 1):
        eye = x + side * apart
        brush.ellipse(eye, level, 0.042, 0.02, (240, 238, 235))
        brush.ellipse(eye, level, 0.018, 0.019, iris)
        brush.ellipse(eye, level, 0.008, 0.009, (15, 12, 12))
        brush.ellipse(eye, level, 0.046, 0.024, dark, 190, 350, 0.009)
        brush.ellipse(eye, level - 0.02, 0.062, 0.042, hair, 205, 335, rng.uniform(0.01, 0.02))
    nose = level + rng.uniform(0.36, 0.44) * down
    brush.curve([(x + 0.01, level), (x + 0.028, nose - 0.02), (x, nose)], dark, 0.006)
    brush.ellipse(x, nose, 0.034, 0.014, dark, 20, 160, 0.009)
    if rng.random() < 0.22:
        brush.ellipse(x, y + 0.55 * down, 0.72 * across, 0.47 * down, hair)
    mouth, wide = y + rng.uniform(0.5, 0.58) * down, rng.uniform(0.06, 0.085)
    brush.ellipse(x, mouth, wide, rng.uniform(0.014, 0.026), lips)
    brush.ellipse(x, mouth - 0.012, wide, 0.014, dark, 15, 165, 0.006)
    if rng.random() < 0.25:
        for side in (-1, 1):
            brush.ellipse(x + side * apart, level, 0.075, 0.055, (40, 40, 45), line=0.009)
        brush.curve([(x - apart + 0.07, level), (x + apart - 0.07, level)], (40, 40, 45), 0.009)


def _hair_in_front(rng, brush, x, y, across, down, hair, style):
    if style == "bald":
        return
    part, low = rng.uniform(-0.6, 0.6) * across, 0.3 if style == "fringe" else rng.uniform(0.5, 0.62)
    angle = np.linspace(np.pi, 2 * np.pi, 24)
    crown = np.stack([x + 1.06 * across * np.cos(angle), y - 0.1 * down + 0.98 * down * np.sin(angle)], 1)
    hairline = [
        (x + across, y - 0.15 * down),
        (x + 0.7 * across, y - low * down),
        (x + part, y - (low + 0.14) * down),
        (x - 0.7 * across, y - low * down),
        (x - across, y - 0.15 * down),
    ]
    brush.polygon(np.concatenate([crown, hairline]), hair)
    streak = tuple(min(1.25 * part + 8, 255) for part in hair)
    for offset in rng.uniform(-0.7, 0.7, 7):
        end = (x + offset * across, y - (low + 0.1) * down)
        brush.curve([(x + part, y - 0.95 * down), end], streak, 0.004)


def _lit(rng: np.random.Generator, face: np.ndarray) -> np.ndarray:
    """Soften the drawing, light it from one side and give it a film's grain."""
    height, width = face.shape[:2]
    soft = cv2.GaussianBlur(face, (0, 0), max(width / 220, 0.6)).astype(np.float32)
    if rng.random() < 0.25:
        soft[:] = soft.mean(axis=2, keepdims=True)
    ramp = np.linspace(*rng.uniform(0.82, 1.1, 2), width, dtype=np.float32)
    grain = rng.normal(0, 2.5, (height, width)).astype(np.float32)
    return np.clip(np.rint(soft * ramp[None, :, None] + grain[..., None]), 0, 255).astype(np.uint8)


def emblem(rng: np.random.Generator, width: int, height: int, hue: float) -> np.ndarray:
    """Draw an invented flag or badge: uint8 RGB (height, width, 3)."""
    inks = [
        colour(hue + turn + rng.uniform(-0.05, 0.05), rng.uniform(0.5, 0.95), rng.uniform(0.3, 0.9))
        for turn in (0, 0.33, 0.62)
    ]
    brush, tall = _Brush(width, height, inks[0]), height / width
    across = rng.random() < 0.5
    for place, ink in ((1, (245, 245, 240)), (2, inks[1])):
        low, high = place / 3, 1.01
        corners = (
            [(low, 0), (high, 0), (high, tall), (low, tall)]
            if across
            else [(0, low * tall), (1, low * tall), (1, high * tall), (0, high * tall)]
        )
        brush.polygon(corners, ink)
    points, radius = int(rng.integers(4, 9)), 0.32 * min(1, tall)
    angle = np.arange(2 * points) * np.pi / points - np.pi / 2
    star = np.where(np.arange(2 * points) % 2, 0.45, 1.0) * radius
    centre = np.array([0.5, tall / 2])
    if rng.random() < 0.5:
        brush.ellipse(*centre, 1.15 * radius, 1.15 * radius, inks[0])
    brush.polygon(centre + star[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), inks[2])
    return brush.finished()


def signature(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Scribble a signature: uint8 mask (height, width)."""
    knots = int(rng.integers(9, 16))
    time = np.linspace(0, knots, 14 * knots)
    loops = 0.9 * np.cos(2.2 * time + rng.uniform(0, 6))
    x = time / knots + 0.04 * loops
    swing = np.interp(time, np.arange(knots + 1), rng.uniform(0.2, 1.3, knots + 1))
    y = 0.5 + 0.3 * swing * np.sin(2.2 * time + rng.uniform(0, 6)) + 0.12 * (0.5 - time / knots)
    mask = np.zeros((height, width), np.uint8)
    points = np.stack([(0.06 + 0.86 * (x - x.min()) / np.ptp(x)) * width, np.clip(y, 0.04, 0.96) * height], 1)
    cv2.polylines(mask, [_fixed(points)], False, 255, max(round(height / 30), 1), cv2.LINE_AA, _SUBPIXEL)
    return mask


def seal(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw the fine lines of a round seal, like a hologram's: uint8 mask (size, size)."""
    angle = np.linspace(0, 2 * np.pi, 120)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    petals = 1 + 0.12 * np.sin(rng.integers(6, 15) * angle)[:, None]
    middle = size / 2
    circles = [middle + share * middle * ring for share in (0.97, 0.92, 0.42)]
    flowers = [middle + share * middle * ring * petals for share in np.linspace(0.46, 0.8, 8)]
    return lines_mask(circles + flowers, size, size)
