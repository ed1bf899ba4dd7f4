"""The default data set: fictitious identity cards and their degraded copies, drawn from a seed.

The original's images are private, so these stand in for them, under the same names: each identity
number n gives `f.h.fornt.n.jpg` and `f.v.fornt.n.jpg` in `blurred_images` and `sharpened_images`.
"""

import hashlib
import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from srcnn_lib import images
from srcnn_lib.files import ROOT, write_json

FIRST_NUMBER = 5000
_STRENGTH = {"h": 1.0, "v": 1.6}
_TYPEFACES = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "STIXGeneral", "DejaVuSansMono")
_SYLLABLES = [
    "ka",
    "lo",
    "mi",
    "ren",
    "ta",
    "vor",
    "el",
    "san",
    "du",
    "bri",
    "no",
    "ges",
    "pal",
    "or",
    "ti",
    "wen",
    "ha",
    "zu",
]
_FIELDS = ("Surname", "Given names", "Date of birth", "Place of birth", "Document no.", "Date of expiry")


def provide(*, identities: int, seed: int) -> Path:
    """Return the folder of the drawn data set, drawing it first where it is missing.

    The set is drawn anew when this module has changed since. An interrupted drawing goes on where
    it stopped.
    """
    recipe = {"identities": identities, "seed": seed, "code": hashlib.sha256(Path(__file__).read_bytes()).hexdigest()}
    folder = ROOT / "data" / "specimens" / f"{identities}-identities-seed-{seed}-{recipe['code'][:8]}"
    if not (folder / "manifest.json").exists():
        draw(folder, identities=identities, seed=seed)
        write_json(folder / "manifest.json", recipe)
    return folder


def draw(folder: Path, *, identities: int, seed: int) -> None:
    """Draw the pairs of `identities` numbers into `folder`, in parallel; pairs that exist are kept.

    The same seed gives the same files byte for byte, whatever the number of processes.
    """
    numbers = range(FIRST_NUMBER, FIRST_NUMBER + identities)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        jobs = pool.map(_draw_identity, *zip(*((folder, seed, number) for number in numbers), strict=True), chunksize=8)
        for _ in tqdm(jobs, total=identities, desc="drawing identity cards", mininterval=1, dynamic_ncols=True):
            pass


def _draw_identity(folder: Path, seed: int, number: int) -> None:
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, number])
    clean = card(rng)
    for variant, strength in _STRENGTH.items():
        name = f"f.{variant}.fornt.{number}.jpg"
        low, high = degrade(clean, rng, strength=strength), add_noise(clean, rng, sigma=3.0)
        for side, image, quality in (("blurred_images", low, 85), ("sharpened_images", high, 95)):
            if not (folder / side / name).exists():
                images.write(folder / side / name, image, quality=quality)


def card(rng: np.random.Generator) -> np.ndarray:
    """Draw one card: uint8 RGB of shape (H, W, 3), 560 to 900 pixels wide."""
    width = int(rng.integers(560, 900))
    height = int(width / rng.uniform(1.4, 1.65))
    picture = Image.fromarray(_background(rng, height, width))
    pen = ImageDraw.Draw(picture)
    ink = tuple(int(value) for value in rng.integers(10, 70, 3))
    _portrait(pen, rng, width, height)
    typeface = str(rng.choice(_TYPEFACES))
    pen.text(
        (width * 0.05, height * 0.05), _word(rng, 3) + " IDENTITY CARD", ink, _font("DejaVuSans-Bold", height // 14)
    )
    for row, label in enumerate(_FIELDS):
        y = height * (0.2 + 0.125 * row)
        pen.text((width * 0.38, y), label, tuple(value + 70 for value in ink), _font("DejaVuSans", height // 34))
        pen.text((width * 0.38, y + height * 0.035), _value(rng, label), ink, _font(typeface, height // 19))
    return np.asarray(picture)


def degrade(image: np.ndarray, rng: np.random.Generator, *, strength: float) -> np.ndarray:
    """Blur, haze and noise of a hasty photograph; uint8 RGB (H, W, 3) in and out.

    `strength` scales them all: 0 changes nothing, 1 leaves large text readable.
    """
    if strength == 0:
        return image.copy()
    blurred = cv2.GaussianBlur(image, (0, 0), strength * rng.uniform(0.8, 1.6))
    haze = min(0.6, strength * rng.uniform(0.05, 0.25))
    hazed = blurred * (1 - haze) + 235 * haze
    return add_noise(hazed, rng, sigma=strength * rng.uniform(3, 8))


def add_noise(image: np.ndarray, rng: np.random.Generator, *, sigma: float) -> np.ndarray:
    """Add Gaussian noise of standard deviation `sigma` grey levels; any real (H, W, 3) in, uint8 out."""
    noise = rng.standard_normal(image.shape, dtype=np.float32) * sigma
    return np.clip(image + noise, 0, 255).round().astype(np.uint8)


def _background(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A colour gradient under fine wave lines, as security paper has."""
    corners = rng.uniform(165, 245, (2, 2, 3)).astype(np.float32)
    paper = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = np.sin(y * rng.uniform(0.5, 0.9) + 6 * np.sin(x / width * rng.uniform(8, 20)))
    return np.clip(paper + 7 * waves[..., None], 0, 255).astype(np.uint8)


def _portrait(pen: ImageDraw.ImageDraw, rng: np.random.Generator, width: int, height: int) -> None:
    left, top, right, bottom = width * 0.05, height * 0.2, width * 0.33, height * 0.8
    skin, hair, coat = (
        tuple(int(value) for value in rng.integers(low, high, 3)) for low, high in ((120, 220), (20, 110), (30, 160))
    )
    pen.rectangle((left, top, right, bottom), (225, 228, 232))
    middle, span = (left + right) / 2, right - left
    pen.ellipse((middle - span * 0.46, bottom - span * 0.42, middle + span * 0.46, bottom + span * 0.3), coat)
    pen.rectangle((left, bottom, right, bottom + span * 0.31), (225, 228, 232))
    pen.ellipse((middle - span * 0.3, top + span * 0.1, middle + span * 0.3, top + span * 0.85), hair)
    pen.ellipse((middle - span * 0.24, top + span * 0.22, middle + span * 0.24, top + span * 0.95), skin)


def _value(rng: np.random.Generator, label: str) -> str:
    if label.startswith("Date"):
        return f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.{rng.integers(1940, 2040)}"
    if label == "Document no.":
        return "".join(rng.choice(list("ABCDEFGHJKLMNPRSTUVWXYZ0123456789"), 9))
    return _word(rng, int(rng.integers(2, 5))).upper()


def _word(rng: np.random.Generator, syllables: int) -> str:
    return "".join(rng.choice(_SYLLABLES, syllables)).capitalize()


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf", size)
