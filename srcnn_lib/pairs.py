"""Section 2.1: which images belong together, what is wrong with them, and how they are imported."""

import hashlib
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd

from srcnn_lib import images, parallel
from srcnn_lib.errors import DataError, ImageError

SIDES = ("blurred_images", "sharpened_images")
LOW, HIGH = SIDES
_CARD_NAME = re.compile(r"^f\.(?P<variant>[a-z])\.fornt\.(?P<number>\d+)$")
# Control characters, which tear tables and terminals apart, and Python's signs for bytes that are no text.
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\udc80-\udcff]")

COLUMNS = ("name", "low", "high", "number", "variant", "pool", "width", "height", "low_sha256", "high_sha256")
FILE_COLUMNS = ("file", "format", "mode", "orientation", "width", "height", "bytes")
SMALLEST = 16
"""Least width and height of an image, in pixels: less cannot show a letter, and filters need a neighbourhood."""


class Index(NamedTuple):
    """What a data folder holds."""

    pairs: pd.DataFrame
    """One row a sound pair, in natural order of the names, with the columns of `COLUMNS`: paths relative to
    the folder; number and variant where the name is like the original's (f.h.fornt.5000), else empty; pool
    where the data set was drawn with pools; width and height in pixels, the same on both sides; SHA-256 of
    each file."""
    set_aside: pd.DataFrame
    """One row for each entry of the two folders that is in no sound pair: file, reason."""
    files: pd.DataFrame
    """One row for each image file whose head can be read: the columns of `FILE_COLUMNS`; see `images.describe`."""


def index(folder: Path, *, max_megapixels: float) -> Index:
    """Match the images of the two folders by name, and look into every one.

    Parameters
    ----------
    folder
        Holds `blurred_images` and `sharpened_images`. Two files belong together when their names
        agree up to the suffix.
    max_megapixels
        Larger images are set aside without decoding them.

    Raises
    ------
    DataError
        If not one sound pair is found, or a folder cannot be listed.
    """
    folder = Path(folder)
    listed = {side: _files(folder / side) for side in SIDES}
    set_aside = [(file, reason) for side in SIDES for file, reason in listed[side][1]]
    low, high = (listed[side][0] for side in SIDES)
    for mine, side, others, other_side in ((low, LOW, high, HIGH), (high, HIGH, low, LOW)):
        set_aside += [(f"{side}/{mine[stem]}", f"no partner in {other_side}") for stem in sorted(mine.keys() - others)]
    stems = sorted(low.keys() & high.keys(), key=_natural)
    rows, heads = [], []
    for row, faults, described in parallel.over(
        stems, lambda stem: _examine(folder, stem, low[stem], high[stem], max_megapixels), "reading pairs"
    ):
        set_aside += faults
        heads += described
        rows += [row] if not faults else []
    if not rows:
        reasons = "; ".join(f"{file}: {reason}" for file, reason in set_aside[:3])
        raise DataError(
            f"{folder}: no sound pair among {len(low)} blurred and {len(high)} sharpened images"
            + (f" ({reasons} …)" if reasons else "")
        )
    pairs = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "pool"]).astype({"number": "Int64"})
    pairs["pool"] = pairs["number"].map(_pools(folder)).astype("string")
    return Index(
        pairs[list(COLUMNS)],
        pd.DataFrame(set_aside, columns=["file", "reason"]),
        pd.DataFrame(heads, columns=list(FILE_COLUMNS)),
    )


def data_hash(pairs: pd.DataFrame) -> str:
    """One SHA-256 over the names and contents of all sound pairs, whatever folder they lie in."""
    lines = (pairs["low"] + pairs["low_sha256"] + pairs["high"] + pairs["high_sha256"]).sort_values()
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_pair(folder: Path, pair) -> tuple[np.ndarray, np.ndarray]:
    """Read both sides of a row of the pair index: two uint8 RGB arrays of the same shape (H, W, 3)."""
    return images.read(Path(folder) / pair.low), images.read(Path(folder) / pair.high)


def clean_file(folder: Path, pair) -> Path | None:
    """Where the clean card behind a row of the pair index lies: drawn data sets have one a number, others none."""
    file = Path(folder) / "truth" / "clean" / f"{pair.number}.png"
    return file if file.exists() else None


def squash(image: np.ndarray, size: int) -> np.ndarray:
    """Resize to a square of `size` pixels, as the original did, whatever the proportions were.

    uint8 (H, W, 3) in, uint8 (size, size, 3) out. Averages over the area that each new pixel covers
    (OpenCV's INTER_AREA), since the original does not name its interpolation and others alias.
    """
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def unsquash(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Stretch a squashed image back to the height and width of `shape`, bicubically; uint8 (…, …, 3) in and out."""
    return cv2.resize(image, shape[1::-1], interpolation=cv2.INTER_CUBIC)


def gaps(numbers: Iterable[int]) -> list[int]:
    """The numbers missing between the smallest and the largest of `numbers`."""
    present = set(numbers)
    return sorted(set(range(min(present), max(present) + 1)) - present) if present else []


def _files(folder: Path) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """File names by stem, and what was set aside with its reason."""
    by_stem: dict[str, list[str]] = {}
    set_aside = []
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror.lower()})") from error
    for name in names:
        if reason := _useless(folder / name):
            legible = _NO_TEXT.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", name)
            set_aside.append((f"{folder.name}/{legible}", reason))
        else:
            by_stem.setdefault(Path(name).stem, []).append(name)
    for stem in [stem for stem, names in by_stem.items() if len(names) > 1]:
        names = by_stem.pop(stem)
        set_aside += [
            (f"{folder.name}/{name}", f"the same name as {' and '.join(set(names) - {name})}") for name in names
        ]
    return {stem: names[0] for stem, names in by_stem.items()}, set_aside


def _useless(path: Path) -> str | None:
    """Why an entry of a data folder is no image, as far as its name and kind tell; None where it may be one."""
    if path.name.startswith("."):
        return "a hidden file"
    if _NO_TEXT.search(path.name):
        return "its name holds control characters or is not UTF-8"
    try:
        kind = path.stat().st_mode
    except OSError as error:  # a link to nowhere or in a circle, or vanished since it was listed
        return f"cannot be found ({error.strerror.lower()})"
    if stat.S_ISDIR(kind):
        return "a folder; what is in it was not looked at"
    if not stat.S_ISREG(kind):
        return "neither a file nor a folder"
    return None if path.suffix.lower() in images.SUFFIXES else "not an image file, by its name"


def _examine(folder: Path, stem: str, low_name: str, high_name: str, max_megapixels: float):
    """The index row of a pair, its faults, and what the heads of its files say."""
    sizes, hashes, faults, heads = [], [], [], []
    for side, name in ((LOW, low_name), (HIGH, high_name)):
        file = f"{side}/{name}"
        try:
            head = images.describe(folder / file)
            size = f"{head['width']}×{head['height']}"
            with open(folder / file, "rb") as content:
                heads.append((file, *head.values(), os.fstat(content.fileno()).st_size))
                if head["width"] * head["height"] > max_megapixels * 1e6:
                    raise ImageError(file, f"{size} is over {max_megapixels:g} megapixels")
                if min(head["width"], head["height"]) < SMALLEST:
                    raise ImageError(file, f"{size} is under {SMALLEST} pixels")
                sizes.append(images.read(folder / file).shape[1::-1])
                hashes.append(hashlib.file_digest(content, "sha256").hexdigest())
        except ImageError as error:
            faults.append((file, error.reason))
        except OSError as error:  # it vanished meanwhile
            faults.append((file, error.strerror.lower()))
    if len(faults) == 1:
        other = f"{HIGH}/{high_name}" if faults[0][0].startswith(LOW) else f"{LOW}/{low_name}"
        faults.append((other, "its partner cannot be used"))
    elif not faults and sizes[0] != sizes[1]:
        reason = f"sizes differ: blurred {sizes[0][0]}×{sizes[0][1]}, sharpened {sizes[1][0]}×{sizes[1][1]}"
        faults = [(f"{LOW}/{low_name}", reason), (f"{HIGH}/{high_name}", reason)]
    if faults:
        return (), faults, heads
    card = _CARD_NAME.match(stem)
    number, variant = (int(card["number"]), card["variant"]) if card else (None, None)
    return (stem, f"{LOW}/{low_name}", f"{HIGH}/{high_name}", number, variant, *sizes[0], *hashes), [], heads


def _pools(folder: Path) -> dict[int, str]:
    """The pool of every number of a drawn data set; nothing for other folders."""
    table = folder / "truth" / "pools.csv"
    return pd.read_csv(table).set_index("number")["pool"].to_dict() if table.exists() else {}


def _natural(stem: str) -> list:
    """Sort key that puts 9 before 10."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", stem)]
