"""The house model: pieces of documents drawn for training, so that letters are learned and not words.

A scene is a piece of an invented document: grounds, panels and pictures like those of the specimen cards of the
training pool, and lines of text in many typefaces and sizes. The text is chance, letter by letter or syllable by
syllable, so that no word can be guessed; small and pale print is frequent. `degraded` then spoils a crop of it in
one of many ways, milder and stronger than the specimen cards are spoilt. Nothing here knows test cards: typefaces
are those of the training pool and further families found in folders, never one of another pool.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from srcnn_lib.specimens import artwork, degradations, typefaces
from srcnn_lib.specimens.artwork import Colour, blend, colour
from srcnn_lib.specimens.degradations import Step
from srcnn_lib.specimens.typefaces import Style, Typeface

SIZE = 512
"""Side of a scene in pixels."""
WATCHED_SHARE = 5  # every fifth further family is kept out of training, to watch it by

_SMALLEST, _LARGEST = 10.5, 52.0  # pixels an em
_CONSONANTS, _VOWELS = "bcdfghjklmnpqrstvwxz", "aeiouy"
_ACCENTED = "àáâäãåæçčćđèéêëěìíîïłñňòóôöõøřšśťùúûüůýžźż"
_CAPITALS, _DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"


@dataclass(frozen=True)
class Scene:
    """A clean drawing, uint8 RGB (H, W, 3), or several of one place side by side in its channels; its lines of text,
    float32 (N, 4): x0, y0, x1, y1 in pixels, and what they say."""

    image: np.ndarray
    lines: np.ndarray
    texts: tuple[str, ...]


_Line = tuple[tuple[float, float, float, float], str]


def families(folders: Sequence[Path], part: str) -> tuple[tuple[Typeface, ...], ...]:
    """The typefaces to draw in, by family: for "train" the training pool's and most of those found, for "watched" the
    others.

    Families that come with matplotlib belong to a pool of the specimen cards already: those found again in a folder
    are left out. Raises ValueError for an unknown part, and DataError for a folder without usable fonts.
    """
    if part not in ("train", "watched"):
        raise ValueError(f"part: expected train or watched, received {part!r}")
    bundled = typefaces.typefaces()
    names = {face.name for faces in bundled.values() for face in faces}
    found: dict[str, list[Typeface]] = {}
    for faces in typefaces.typefaces(tuple(folders)).values():
        for face in faces:
            if face.name not in names:
                found.setdefault(typefaces._family(face.path), []).append(face)
    ordered = [tuple(found[family]) for family in sorted(found)]
    watched = ordered[::WATCHED_SHARE] or [bundled["validation"]]
    if part == "watched":
        return tuple(watched)
    further = [faces for place, faces in enumerate(ordered) if place % WATCHED_SHARE]
    return (*((face,) for face in bundled["train"]), *further)


def draw(rng: np.random.Generator, faces: Sequence[Sequence[Typeface]]) -> Scene:
    """Draw a scene with the typefaces of some of the families `faces`."""
    hue = rng.random()
    image, dark = _ground(rng, hue)
    chosen = [_one(rng, _one(rng, faces)) for _ in range(int(rng.integers(2, 5)))]
    lines: list[_Line] = []
    if rng.random() < 0.35:
        _picture(rng, image, hue)
    left = float(rng.uniform(4, 30))
    while left < SIZE - 60:
        width = float(rng.uniform(110, 380))
        lines += _column(rng, image, dark, chosen, hue, left, min(left + width, SIZE - 4))
        left += width + float(rng.uniform(8, 40))
    places = np.array([place for place, _ in lines], np.float32).reshape(-1, 4)
    return Scene(image, places, tuple(written for _, written in lines))


def text(rng: np.random.Generator, accents: str = "") -> str:
    """A line of text made by chance: names, numbers, dates, codes, labels, lines of a machine-readable zone.

    `accents` are the accented small letters that may be used; their capitals may, too.
    """
    kind = rng.random()
    if kind < 0.32:
        return _words(rng, int(rng.integers(1, 5)), accents)
    if kind < 0.5:
        return _code(rng, _one(rng, _PATTERNS))
    if kind < 0.66:
        return _one(rng, ("{0:02}.{1:02}.{2}", "{0:02}/{1:02}/{2}", "{2}-{1:02}-{0:02}", "{0:02} {3} {2}")).format(
            int(rng.integers(1, 32)), int(rng.integers(1, 13)), int(rng.integers(1930, 2040)), _word(rng, "")[:3]
        )
    if kind < 0.76:
        return "".join(rng.choice(list(_CAPITALS + _DIGITS), int(rng.integers(3, 16))))
    if kind < 0.82:
        letters = list(_CAPITALS + _CAPITALS + _DIGITS + "<<<<<<")
        return "".join(rng.choice(letters, int(rng.integers(12, 37))))
    if kind < 0.93:
        return f"{_words(rng, int(rng.integers(1, 3)), accents)}{_one(rng, (':', ' /', '.', ' -', ''))} " + _words(
            rng, 1, accents
        )
    return "".join(rng.choice(list(_CAPITALS + _CAPITALS.lower() + _DIGITS + ".,:/-()"), int(rng.integers(4, 24))))


def recipe(rng: np.random.Generator) -> list[Step]:
    """Sample how a crop is spoilt: mostly as specimen cards are, from hardly at all to beyond reading.

    One crop in twelve only gets the faint noise of a sharp photograph, so that what is sharp is left alone.
    """
    if rng.random() < 1 / 12:
        return degradations.light(rng)
    steps = degradations.recipe(rng, float(rng.uniform(0.1, 0.85)), letter=float(rng.uniform(7, 15)))
    if rng.random() < 0.25:  # seldom is a photograph compressed only once
        steps.append(Step("jpeg", {"quality": int(rng.integers(35, 95))}))
    return steps


def degraded(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Spoil a crop, uint8 RGB (H, W, 3), by a recipe drawn for it; `image` stays as it is."""
    spoilt = degradations.apply(image, recipe(rng))
    if rng.random() < 0.2:  # what telephones do of themselves
        spoilt = _sharpened(spoilt, float(rng.uniform(0.8, 2.0)), float(rng.uniform(0.2, 1.0)))
    if rng.random() < 0.15:
        spoilt = _grain(spoilt, rng)
    return spoilt


_PATTERNS = (
    "LLDDDDDDD", "DDDDDDDDD", "LDDDDDDLL", "LL DDDDDD", "DDLLDDDDD", "DDDDDD/DDDD", "DDD DDD DDD", "D.DD m", "DDD cm",
    "LLL DDDDDD", "DDDDDDDL", "DD-DDDDDD", "DDD-DD-DDDD", "L", "DDDD", "LLL", "DDDDDDDDDDDD", "LD LD LD",
)  # fmt: skip


@lru_cache(maxsize=512)
def _accents(path: str) -> str:
    """The accented small letters that a font has together with their capitals."""
    letters = typefaces._letters(Path(path))
    return "".join(letter for letter in _ACCENTED if {ord(letter), ord(letter.upper())} <= letters)


def _one(rng: np.random.Generator, choices: Sequence):
    return choices[int(rng.integers(len(choices)))]


def _word(rng: np.random.Generator, accents: str) -> str:
    """Syllables by chance, or letters by chance."""
    if rng.random() < 0.35:
        letters = _CAPITALS.lower() + (accents if rng.random() < 0.5 else "")
        return "".join(rng.choice(list(letters), int(rng.integers(2, 11))))
    syllables = (
        _one(rng, _CONSONANTS) + _one(rng, _VOWELS) + (_one(rng, _CONSONANTS) if rng.random() < 0.4 else "")
        for _ in range(int(rng.integers(1, 5)))
    )
    word = "".join(syllables)
    if accents and rng.random() < 0.3:
        place = int(rng.integers(len(word)))
        word = word[:place] + _one(rng, accents) + word[place + 1 :]
    return word


def _words(rng: np.random.Generator, count: int, accents: str) -> str:
    case = _one(rng, (str.upper, str.title, str.title, str.lower))
    return " ".join(case(_word(rng, accents)) for _ in range(count))


def _code(rng: np.random.Generator, pattern: str) -> str:
    signs = {"L": _CAPITALS, "D": _DIGITS}
    return "".join(_one(rng, signs[sign]) if sign in signs else sign for sign in pattern)


def _ground(rng: np.random.Generator, hue: float) -> tuple[np.ndarray, np.ndarray]:
    """A ground with panels, and where (bool, (SIZE, SIZE)) it is dark."""
    if rng.random() < 0.75:
        image = artwork.background(rng, SIZE, SIZE, hue, "train")
    else:
        grey = np.array(colour(hue, rng.uniform(0, 0.25), rng.uniform(0.7, 1.0)), np.float32)
        grain = rng.normal(0, rng.uniform(0, 6), (SIZE, SIZE, 1)).astype(np.float32)
        image = np.clip(np.rint(grey + cv2.GaussianBlur(grain, (0, 0), 1.2)[..., None]), 0, 255).astype(np.uint8)
    dark = np.zeros((SIZE, SIZE), bool)
    for _ in range(int(rng.integers(0, 4))):
        x0, y0 = (int(rng.integers(-60, SIZE)) for _ in range(2))
        x1, y1 = x0 + int(rng.integers(60, 400)), y0 + int(rng.integers(24, 200))
        place = np.s_[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        value = rng.uniform(0.15, 0.5) if rng.random() < 0.4 else rng.uniform(0.75, 1.0)
        ink = colour(hue + rng.uniform(-0.4, 0.4), rng.uniform(0.05, 0.9 if value < 0.6 else 0.35), value)
        cover = np.full(image[place].shape[:2], 255, np.uint8)
        blend(image[place], cover, ink, float(rng.uniform(0.6, 1)))
        dark[place] = value < 0.6
    return image, dark


def _picture(rng: np.random.Generator, image: np.ndarray, hue: float) -> None:
    width = int(rng.integers(80, 200))
    height = round(width * rng.uniform(0.7, 1.4))
    x, y = int(rng.integers(0, SIZE - width)), int(rng.integers(0, SIZE - min(height, SIZE - 1)))
    height = min(height, SIZE - y)
    drawn = artwork.portrait(rng, width, height) if rng.random() < 0.7 else artwork.emblem(rng, width, height, hue)
    image[y : y + height, x : x + width] = drawn


def _column(
    rng: np.random.Generator, image: np.ndarray, dark: np.ndarray, faces: list[Typeface], hue: float,
    left: float, right: float,
) -> list[_Line]:  # fmt: skip
    """Write lines one below the other; their places and what they say."""
    lines = []
    style, size = _style(rng, faces), _size(rng)
    inks = _inks(rng, hue)
    y = float(rng.uniform(0, 30))
    while True:
        if rng.random() < 0.3:  # a label, a value, a heading
            style, size, inks = _style(rng, faces), _size(rng), _inks(rng, hue)
        y += size * float(rng.uniform(1.1, 2.0))
        if y > SIZE - 0.3 * size:
            return lines
        written = text(rng, _accents(style.typeface.path))
        cover, right_of, below = _mask(written, style, round(size * 2) / 2)
        x, top = max(round(left + right_of), 0), round(y + below)
        room, right_end = min(round(right) - x, SIZE - x), cover.shape[1]
        cover = cover[max(-top, 0) : SIZE - top, : max(room, 0)]
        top = max(top, 0)
        height, width = cover.shape
        if width < 6 or height < 4:
            continue
        if room < right_end:  # cut off by its column: what is left of it cannot be told
            written = ""
        place = np.s_[top : top + height, x : x + width]
        light_on_dark = dark[place].mean() > 0.5
        blend(image[place], cover, inks[1] if light_on_dark else inks[0], float(rng.uniform(0.75, 1)))
        if rng.random() < 0.06:
            image[min(top + height + 2, SIZE - 1), x : x + width] = np.uint8(inks[0])
        lines.append(((x, top, x + width, top + height), written))


def _style(rng: np.random.Generator, faces: list[Typeface]) -> Style:
    spacing = float(rng.uniform(0.02, 0.15)) if rng.random() < 0.2 else 0.0
    weight = float(rng.uniform(0, 0.03)) if rng.random() < 0.3 else 0.0
    return Style(_one(rng, faces), float(rng.uniform(0.8, 1.15)), spacing, weight)


def _size(rng: np.random.Generator) -> float:
    """Small sizes are frequent: they are what gets lost."""
    return _SMALLEST * (_LARGEST / _SMALLEST) ** float(rng.beta(1, 2.2))


def _inks(rng: np.random.Generator, hue: float) -> tuple[Colour, Colour]:
    """One for light grounds, sometimes pale, and one for dark grounds."""
    value = float(rng.uniform(0.3, 0.62)) if rng.random() < 0.3 else float(rng.uniform(0.02, 0.32))
    tone = rng.random() if rng.random() < 0.5 else hue
    return colour(tone, float(rng.uniform(0, 0.9)), value), colour(
        tone, float(rng.uniform(0, 0.2)), float(rng.uniform(0.8, 1))
    )


_mask = lru_cache(maxsize=16)(typefaces.mask)


def _sharpened(image: np.ndarray, sigma: float, amount: float) -> np.ndarray:
    soft = cv2.GaussianBlur(image, (0, 0), sigma)
    return cv2.addWeighted(image, 1 + amount, soft, -amount, 0)


def _grain(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise that neighbouring pixels share, as denoising and scaling leave it."""
    grain = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(rng.uniform(3, 14))
    return cv2.add(image, cv2.GaussianBlur(grain, (0, 0), float(rng.uniform(0.6, 1.2))), dtype=cv2.CV_8U)
