"""What spoils a photograph of a card: pure functions with parameters in pixels, degrees and grey levels.

Every function takes a uint8 RGB array of shape (H, W, 3) and returns a new one of the same shape and type.
Those that draw random numbers take an explicit generator. `recipe` samples a mixture in the order in which
a photograph is spoilt (light, optics, sampling, veil, dirt, noise, compression), and `apply` carries it out;
a recipe holds every parameter and the seed of each random step, so it can be written down and repeated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import cv2
import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Kind:
    """One kind of degradation: its function, whether that draws random numbers, and what it models."""

    function: Callable
    random: bool
    models: str
    parameters: str


@dataclass(frozen=True)
class Step:
    """One degradation with its parameters; a random kind has a `seed` among them."""

    kind: str
    parameters: dict


def tint(image: np.ndarray, *, red: float, green: float, blue: float) -> np.ndarray:
    """Multiply each channel by a factor (1: unchanged), as coloured light does."""
    return _bytes(image * np.float32((red, green, blue)))


def uneven_light(image: np.ndarray, *, drop: float, angle: float) -> np.ndarray:
    """Darken linearly across the card, from nothing on one side to a share `drop` (0 to 1) on the other.

    `angle` is the direction of falling light in degrees, clockwise from the right.
    """
    along = _along(image, angle)
    ramp = (along - along.min()) / max(float(np.ptp(along)), 1.0)
    return _bytes(image * (1 - np.float32(drop) * ramp)[..., None])


def glare(image: np.ndarray, *, x: float, y: float, radius: float, peak: float) -> np.ndarray:
    """Add a round reflex of `peak` grey levels that falls off as a Gaussian.

    Its centre (`x`, `y`) is given in shares of width and height, and `radius`, the Gaussian's standard
    deviation, as a share of the width.
    """
    height, width = image.shape[:2]
    scale = max(radius * width, 1e-6)
    across = np.exp(-(((np.arange(width, dtype=np.float32) - x * width) / scale) ** 2) / 2)
    down = np.exp(-(((np.arange(height, dtype=np.float32) - y * height) / scale) ** 2) / 2)
    return _bytes(image + (np.float32(peak) * down[:, None] * across)[..., None])


def gaussian(image: np.ndarray, *, sigma: float) -> np.ndarray:
    """Blur with a Gaussian of standard deviation `sigma` pixels."""
    if sigma == 0:
        return image.copy()  # where OpenCV would choose a width of its own
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def disc(image: np.ndarray, *, radius: float) -> np.ndarray:
    """Blur as a lens out of focus: the mean over a disc of `radius` pixels with a smooth edge."""
    radius = np.float64(radius)  # NumPy computes in float32 with Python's numbers: drawn and read back must agree
    reach = int(np.ceil(radius))
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    return _convolve(image, np.clip(radius + 0.5 - np.hypot(down, across), 0, 1))


def motion(image: np.ndarray, *, length: float, angle: float) -> np.ndarray:
    """Blur as a hand that moves `length` pixels during the exposure, along `angle` (degrees, clockwise)."""
    length, angle = np.float64(length), np.float64(angle)  # as for `disc`
    reach = int(np.ceil(length / 2))
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    past_end = np.maximum(np.abs(across * cosine + down * sine) - length / 2, 0)
    return _convolve(image, np.clip(1 - np.hypot(past_end, down * cosine - across * sine), 0, 1))


def downup(image: np.ndarray, *, factor: float) -> np.ndarray:
    """Shrink by `factor` (1 or more) averaging areas, and enlarge again bicubically: a coarse sensor."""
    height, width = image.shape[:2]
    small = max(round(width / factor), 1), max(round(height / factor), 1)
    return cv2.resize(
        cv2.resize(image, small, interpolation=cv2.INTER_AREA), (width, height), interpolation=cv2.INTER_CUBIC
    )


def haze(image: np.ndarray, *, veil: float, level: float) -> np.ndarray:
    """Mix with a grey `level` (0 to 255) by a share `veil` (0: clear, 1: nothing seen)."""
    return cv2.convertScaleAbs(image, alpha=1 - veil, beta=level * veil)


def contrast(image: np.ndarray, *, gain: float, offset: float) -> np.ndarray:
    """Scale the distance of each value from middle grey (127.5) by `gain`, then add `offset` grey levels."""
    table = _bytes((np.arange(256, dtype=np.float32) - 127.5) * np.float32(gain) + np.float32(127.5 + offset))
    return cv2.LUT(image, table)


def marks(image: np.ndarray, rng: np.random.Generator, *, count: int, radius: float, opacity: float) -> np.ndarray:
    """Lay `count` round marks over the card, rings and spots, light or dark.

    `radius` is the mean radius in pixels, `opacity` the share of the card that a mark hides.
    """
    height, width = image.shape[:2]
    marked = image.copy()
    for _ in range(count):
        centre = (int(rng.uniform(0, width) * 16), int(rng.uniform(0, height) * 16))
        size = max(int(radius * rng.uniform(0.5, 1.5) * 16), 1)
        thickness = -1 if rng.random() < 0.5 else max(int(radius * rng.uniform(0.1, 0.3)), 1)
        colour = tuple(int(value) for value in rng.choice((30, 90, 235)) + rng.integers(-20, 20, 3))
        cv2.circle(marked, centre, size, colour, thickness, cv2.LINE_AA, shift=4)
    return cv2.addWeighted(marked, opacity, image, 1 - opacity, 0)


def periodic(image: np.ndarray, *, amplitude: float, period: float, angle: float, phase: float) -> np.ndarray:
    """Add a sine of `amplitude` grey levels and `period` pixels: a screen's or a scanner's regular lines.

    `angle` is the direction across the lines in degrees, clockwise from the right; `phase` in radians.
    """
    wave = np.sin(_along(image, angle) * np.float32(2 * np.pi / period) + np.float32(phase))
    return _bytes(image + (np.float32(amplitude) * wave)[..., None])


def noise(image: np.ndarray, rng: np.random.Generator, *, read: float, shot: float) -> np.ndarray:
    """Add normal noise of variance `read`² + `shot` · value, in grey levels, to each channel.

    The first term is the amplifier's, the second the photons' (it grows with the light).
    """
    deviation = np.sqrt(np.float32(read) ** 2 + np.float32(shot) * np.arange(256, dtype=np.float32))
    grain = rng.standard_normal(image.shape, dtype=np.float32)
    grain *= cv2.LUT(image, deviation)
    return cv2.add(image, grain, dtype=cv2.CV_8U)  # rounds and saturates


def salt_pepper(image: np.ndarray, rng: np.random.Generator, *, share: float) -> np.ndarray:
    """Turn a `share` (0 to 1) of the pixels white or black, half each on average; places may coincide."""
    height, width = image.shape[:2]
    count = round(share * height * width)
    spotted = image.copy()
    colours = np.where(rng.random(count) < 0.5, 0, 255).astype(np.uint8)
    spotted[rng.integers(0, height, count), rng.integers(0, width, count)] = colours[:, None]
    return spotted


def jpeg(image: np.ndarray, *, quality: int) -> np.ndarray:
    """Compress as JPEG of `quality` (1 to 100), colours at half resolution, and read again."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


KINDS = {
    "tint": Kind(tint, False, "coloured light", "red, green, blue: factors"),
    "uneven_light": Kind(uneven_light, False, "light from one side", "drop: share lost; angle: degrees"),
    "glare": Kind(glare, False, "reflex of a lamp", "x, y, radius: shares of the size; peak: grey levels"),
    "gaussian": Kind(gaussian, False, "soft lens", "sigma: pixels"),
    "disc": Kind(disc, False, "lens out of focus", "radius: pixels"),
    "motion": Kind(motion, False, "unsteady hand", "length: pixels; angle: degrees"),
    "downup": Kind(downup, False, "too few pixels", "factor: times smaller"),
    "haze": Kind(haze, False, "mist, dirty lens", "veil: share; level: grey level"),
    "contrast": Kind(contrast, False, "flat exposure", "gain: factor; offset: grey levels"),
    "marks": Kind(marks, True, "stains, stamps, water drops", "count; radius: pixels; opacity: share; seed"),
    "periodic": Kind(
        periodic,
        False,
        "screen or scanner lines",
        "amplitude: grey levels; period: pixels; angle: degrees; phase: radians",
    ),
    "noise": Kind(noise, True, "sensor noise", "read: grey levels; shot: grey levels; seed"),
    "salt_pepper": Kind(salt_pepper, True, "dead pixels, dust", "share of pixels; seed"),
    "jpeg": Kind(jpeg, False, "compression", "quality: 1 to 100"),
}


def apply(image: np.ndarray, steps: list[Step]) -> np.ndarray:
    """Apply `steps` in order; uint8 RGB (H, W, 3) in and out, `image` itself stays as it is."""
    for step in steps:
        kind, parameters = KINDS[step.kind], dict(step.parameters)
        generator = (np.random.default_rng(parameters.pop("seed")),) if kind.random else ()
        image = kind.function(image, *generator, **parameters)
    return image


def recipe(rng: np.random.Generator, strength: float, *, letter: float = 14.0) -> list[Step]:
    """Sample a mixture: one or two blurs, one to three further kinds, and JPEG last.

    `strength` scales blur, veil and noise (1: text of this size is at the edge of being read).
    `letter` is the height of a capital of the smallest value in pixels: blur grows with it, since a
    blur of 2 pixels spoils small print and spares large.
    """
    blurs = _choose(rng, {"gaussian": 3, "disc": 3, "motion": 2, "downup": 2}, 1 + (rng.random() < 0.4))
    others = {
        "tint": 1,
        "uneven_light": 1.2,
        "glare": 0.8,
        "haze": 1.5,
        "contrast": 1.2,
        "marks": 0.8,
        "periodic": 1.2,
        "noise": 2,
        "salt_pepper": 0.8,
    }
    chosen = blurs | _choose(rng, others, int(rng.integers(1, 4)))
    blur = strength * letter / np.sqrt(len(blurs))  # independent blurs add their variances
    return [_sample(rng, kind, strength, blur) for kind in KINDS if kind in chosen | {"jpeg"}]


def light(rng: np.random.Generator) -> list[Step]:
    """Sample what the sharp side carries: faint noise and a little compression."""
    faint = {"read": _draw(rng, 0.8, 2.2), "shot": _draw(rng, 0.0, 0.012), "seed": _seed(rng)}
    return [Step("noise", faint), Step("jpeg", {"quality": int(rng.integers(92, 97))})]


def _sample(rng: np.random.Generator, kind: str, strength: float, blur: float) -> Step:
    """Sample one step. The factors beside `blur` give each blur about the same effect on reading."""
    draw, seed = partial(_draw, rng), _seed(rng)
    parameters = {
        "tint": lambda: {"red": draw(0.82, 1.06), "green": draw(0.85, 1.04), "blue": draw(0.8, 1.06)},
        "uneven_light": lambda: {"drop": draw(0.15, 0.5), "angle": draw(0, 360)},
        "glare": lambda: {"x": draw(0, 1), "y": draw(0, 1), "radius": draw(0.06, 0.2), "peak": draw(50, 150)},
        "gaussian": lambda: {"sigma": blur * draw(0.1, 0.26)},
        "disc": lambda: {"radius": blur * draw(0.2, 0.45)},
        "motion": lambda: {"length": blur * draw(0.5, 1.1), "angle": draw(0, 180)},
        "downup": lambda: {"factor": 1 + blur * draw(0.12, 0.28)},
        "haze": lambda: {"veil": min(strength * draw(0.25, 0.65), 0.85), "level": draw(170, 240)},
        "contrast": lambda: {"gain": 1 - min(strength * draw(0.2, 0.55), 0.8), "offset": draw(-15, 35)},
        "marks": lambda: {
            "count": int(rng.integers(2, 9)),
            "radius": draw(6, 45),
            "opacity": draw(0.15, 0.55),
            "seed": seed,
        },
        "periodic": lambda: {
            "amplitude": strength * draw(6, 22),
            "period": draw(3, 14),
            "angle": float(rng.choice((0, 90, draw(0, 180)))),
            "phase": draw(0, 2 * np.pi),
        },
        "noise": lambda: {"read": strength * draw(3, 12), "shot": strength * draw(0.05, 0.7), "seed": seed},
        "salt_pepper": lambda: {"share": strength * draw(0.0005, 0.005), "seed": seed},
        "jpeg": lambda: {"quality": int(rng.integers(45, 91))},
    }
    sampled = parameters[kind]().items()
    return Step(kind, {name: round(value, 4) if isinstance(value, float) else value for name, value in sampled})


def _choose(rng: np.random.Generator, weights: dict[str, float], count: int) -> set[str]:
    share = np.array(list(weights.values()))
    return set(rng.choice(list(weights), size=count, replace=False, p=share / share.sum()).tolist())


def _draw(rng: np.random.Generator, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 4)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))


def _along(image: np.ndarray, angle: float) -> np.ndarray:
    """Distance of each pixel from the top left corner along a direction, in pixels, float32 (H, W)."""
    height, width = image.shape[:2]
    turn = np.deg2rad(angle)
    return np.arange(width, dtype=np.float32) * np.float32(np.cos(turn)) + np.arange(height, dtype=np.float32)[
        :, None
    ] * np.float32(np.sin(turn))


def _convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    kernel = (kernel / kernel.sum()).astype(np.float32)
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE)


def _bytes(values: np.ndarray) -> np.ndarray:
    """Round and saturate freshly made float32 values; they are overwritten."""
    np.rint(values, out=values)
    return np.clip(values, 0, 255, out=values).astype(np.uint8)
