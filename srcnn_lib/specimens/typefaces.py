"""The typefaces of each pool, and text drawn as a mask."""

import hashlib
import math
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from srcnn_lib.errors import DataError
from srcnn_lib.specimens.words import WORDS

# matplotlib brings these along; a family never serves two pools. The last of each pool also sets the zone.
BUNDLED = {
    "train": (
        "DejaVuSans-Bold",
        "DejaVuSans-Oblique",
        "DejaVuSerif",
        "DejaVuSerif-Bold",
        "DejaVuSerif-Italic",
        "DejaVuSans",
    ),
    "validation": ("cmr10", "cmb10", "DejaVuSansMono-Bold", "DejaVuSansMono"),
    "test": ("STIXGeneral", "STIXGeneralBol", "cmss10", "cmtt10"),
}
# How further families are dealt out, in alphabetical order and over again.
_DEAL = ("train", "test", "train", "validation", "train", "train")
_NEEDED = set(map(ord, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:-/()'<"))
_FOLD = str.maketrans({"ł": "l", "Ł": "L", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "ß": "ss"})
_FINER = 2  # text is drawn this many times larger and averaged, so that its size and width vary smoothly


@dataclass(frozen=True)
class Typeface:
    """A font file. `accents` says whether it has every accented letter that its pool's labels use."""

    name: str
    path: str
    accents: bool


@dataclass(frozen=True)
class Style:
    """How text is set: `squeeze` is a factor on the width, `spacing` and `weight` are shares of the size."""

    typeface: Typeface
    squeeze: float = 1.0
    spacing: float = 0.0
    weight: float = 0.0


def typefaces(fonts: tuple[Path, ...] = ()) -> dict[str, tuple[Typeface, ...]]:
    """Return the typefaces of each pool: the bundled ones, and those found in the folders `fonts`.

    Families found there are dealt out in alphabetical order. Those that are bundled already, and files
    that lack a letter, a digit or the zone's `<`, are passed over. Raises DataError for a folder that
    does not exist or holds no usable font.
    """
    folder = Path(get_data_path()) / "fonts" / "ttf"
    found = {pool: [_typeface(folder / f"{name}.ttf", pool) for name in names] for pool, names in BUNDLED.items()}
    taken = {_family(face.path) for faces in found.values() for face in faces}
    families: dict[str, list[Path]] = {}
    for fonts_folder in map(Path, fonts):
        files = sorted(path for path in fonts_folder.rglob("*") if path.suffix.lower() in (".ttf", ".otf"))
        usable = [path for path in files if _letters(path) >= _NEEDED]
        if not usable:
            raise DataError(f"{fonts_folder}: expected .ttf or .otf files with Latin letters, found none")
        for path in usable:
            families.setdefault(_family(path), []).append(path)
    for place, family in enumerate(sorted(families.keys() - taken)):
        pool = _DEAL[place % len(_DEAL)]
        found[pool][:0] = [_typeface(path, pool) for path in families[family]]
    return {pool: tuple(faces) for pool, faces in found.items()}


def digests(faces: dict[str, tuple[Typeface, ...]]) -> dict[str, dict[str, str]]:
    """Return the SHA-256 of every font file, by pool and name."""
    return {
        pool: {face.name: hashlib.sha256(Path(face.path).read_bytes()).hexdigest() for face in members}
        for pool, members in faces.items()
    }


def fold(text: str) -> str:
    """Return `text` without accents, for typefaces that have none."""
    letters = unicodedata.normalize("NFKD", text.translate(_FOLD))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def mask(text: str, style: Style, size: float) -> tuple[np.ndarray, int, int]:
    """Draw `text` at `size` pixels an em.

    Returns its coverage as uint8 (H, W), 0 to 255, cropped to the ink, and the left and top edges of
    that crop in pixels from the point on the baseline where the text starts.
    """
    font = _font(style.typeface.path, round(size * _FINER * 2) / 2)
    gap, stroke = style.spacing * size * _FINER, style.weight * size * _FINER
    starts = _starts(text, font, gap)
    margin, rise = math.ceil(stroke + size), math.ceil(size * 1.3) * _FINER
    page = Image.new("L", (math.ceil(starts[-1]) + 2 * margin, rise + math.ceil(size * 0.6) * _FINER))
    pen = ImageDraw.Draw(page)
    pieces = zip(text, starts, strict=False) if gap else ((text, 0.0),)
    for piece, start in pieces:
        pen.text((margin + start, rise), piece, 255, font, anchor="ls", stroke_width=stroke)
    drawn = np.asarray(page)
    x, y, width, height = cv2.boundingRect(drawn)
    x, y, bottom = x - 1, y - y % _FINER, -(-(y + height) // _FINER) * _FINER  # whole rows to average
    crop = drawn[y:bottom, x : x + width + 2]
    target = max(round(crop.shape[1] * style.squeeze / _FINER), 1), crop.shape[0] // _FINER
    fine = cv2.resize(crop, target, interpolation=cv2.INTER_AREA)
    return fine, round((x - margin) * style.squeeze / _FINER), y // _FINER - rise // _FINER


def _starts(text: str, font: ImageFont.FreeTypeFont, gap: float) -> list[float]:
    """Where each letter starts, and where the text ends."""
    if not gap:
        return [font.getlength(text)]
    starts = [0.0]
    for letter in text:
        starts.append(starts[-1] + font.getlength(letter) + gap)
    return starts


@lru_cache(maxsize=512)
def _font(path: str, size: float) -> ImageFont.FreeTypeFont:
    # The basic layout is part of Pillow; the other one depends on what the machine has installed.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def _letters(path: Path) -> set[int]:
    return set(FT2Font(str(path)).get_charmap())


def _family(path: str | Path) -> str:
    return FT2Font(str(path)).family_name


def _typeface(path: Path, pool: str) -> Typeface:
    used = {ord(letter) for language in WORDS[pool].labels for label in language for letter in label}
    return Typeface(path.stem, str(path), used <= _letters(path))
