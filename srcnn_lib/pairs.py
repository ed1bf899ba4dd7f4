"""Section 2.1: which images belong together, what is wrong with them, and how they are imported."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from srcnn_lib import images, parallel
from srcnn_lib.errors import DataError, ImageError

SIDES = ("blurred_images", "sharpened_images")
LOW, HIGH = SIDES
_CARD_NAME = re.compile(r"^f\.(?P<variant>[a-z])\.fornt\.(?P<number>\d+)$")

COLUMNS = ("name", "low", "high", "number", "variant", "width", "height", "low_sha256", "high_sha256")


def index(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Match the images of the two folders by name, and look into every one.

    Parameters
    ----------
    folder
        Holds `blurred_images` and `sharpened_images`. Two files belong together when their names
        agree up to the suffix.

    Returns
    -------
    pairs
        One row a sound pair, sorted by name, with the columns of `COLUMNS`: paths relative to
        `folder`; number and variant where the name is like the original's (f.h.fornt.5000), else
        empty; width and height in pixels, the same on both sides; SHA-256 of each file.
    set_aside
        One row for each file that is in no sound pair: file, reason.

    Raises
    ------
    DataError
        If not one sound pair is found.
    """
    folder = Path(folder)
    files = {side: _files(folder / side) for side in SIDES}
    set_aside = [(file, reason) for side in SIDES for file, reason in files[side][1]]
    low, high = (files[side][0] for side in SIDES)
    for mine, side, others, other_side in ((low, LOW, high, HIGH), (high, HIGH, low, LOW)):
        set_aside += [(f"{side}/{mine[stem]}", f"no partner in {other_side}") for stem in sorted(mine.keys() - others)]
    stems = sorted(low.keys() & high.keys(), key=_natural)
    rows = []
    for row, faults in parallel.over(
        stems, lambda stem: _examine(folder, stem, low[stem], high[stem]), "reading pairs"
    ):
        set_aside += faults
        rows += [row] if not faults else []
    if not rows:
        reasons = "; ".join(f"{file}: {reason}" for file, reason in set_aside[:3])
        raise DataError(
            f"{folder}: no sound pair among {len(low)} blurred and {len(high)} sharpened images"
            + (f" ({reasons} …)" if reasons else "")
        )
    return (
        pd.DataFrame(rows, columns=list(COLUMNS)).astype({"number": "Int64"}),
        pd.DataFrame(set_aside, columns=["file", "reason"]),
    )


def data_hash(pairs: pd.DataFrame) -> str:
    """One SHA-256 over the names and contents of all sound pairs, whatever folder they lie in."""
    lines = (pairs["low"] + pairs["low_sha256"] + pairs["high"] + pairs["high_sha256"]).sort_values()
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_pair(folder: Path, pair) -> tuple[np.ndarray, np.ndarray]:
    """Read both sides of a row of the pair index: two uint8 RGB arrays of the same shape (H, W, 3)."""
    return images.read(Path(folder) / pair.low), images.read(Path(folder) / pair.high)


def squash(image: np.ndarray, size: int) -> np.ndarray:
    """Resize to a square of `size` pixels, as the original did, whatever the proportions were.

    uint8 (H, W, 3) in, uint8 (size, size, 3) out. Averages over the area that each new pixel covers
    (OpenCV's INTER_AREA), since the original does not name its interpolation and others alias.
    """
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def gaps(numbers: Iterable[int]) -> list[int]:
    """The numbers missing between the smallest and the largest of `numbers`."""
    present = set(numbers)
    return sorted(set(range(min(present), max(present) + 1)) - present) if present else []


def _files(folder: Path) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """File names by stem, and what was set aside with its reason."""
    by_stem: dict[str, list[str]] = {}
    set_aside = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            set_aside.append((f"{folder.name}/{entry.name}", "a hidden file"))
        elif entry.suffix.lower() in images.SUFFIXES and entry.is_file():
            by_stem.setdefault(entry.stem, []).append(entry.name)
        else:
            set_aside.append((f"{folder.name}/{entry.name}", "not an image file, by its name"))
    for stem in [stem for stem, names in by_stem.items() if len(names) > 1]:
        names = by_stem.pop(stem)
        set_aside += [
            (f"{folder.name}/{name}", f"the same name as {' and '.join(set(names) - {name})}") for name in names
        ]
    return {stem: names[0] for stem, names in by_stem.items()}, set_aside


def _examine(folder: Path, stem: str, low_name: str, high_name: str) -> tuple[tuple, list[tuple[str, str]]]:
    """The index row of a pair, and its faults."""
    sizes, hashes, faults = [], [], []
    for side, name in ((LOW, low_name), (HIGH, high_name)):
        path = folder / side / name
        try:
            sizes.append(images.read(path).shape[1::-1])
            hashes.append(hashlib.sha256(path.read_bytes()).hexdigest())
        except ImageError as error:
            faults.append((f"{side}/{name}", str(error.__cause__)))
    if faults:
        other = {LOW: f"{HIGH}/{high_name}", HIGH: f"{LOW}/{low_name}"}
        if len(faults) == 1:
            faults.append((other[faults[0][0].split("/")[0]], "its partner cannot be read"))
        return (), faults
    if sizes[0] != sizes[1]:
        reason = f"sizes differ: blurred {sizes[0][0]}×{sizes[0][1]}, sharpened {sizes[1][0]}×{sizes[1][1]}"
        return (), [(f"{LOW}/{low_name}", reason), (f"{HIGH}/{high_name}", reason)]
    card = _CARD_NAME.match(stem)
    number, variant = (int(card["number"]), card["variant"]) if card else (None, None)
    return (stem, f"{LOW}/{low_name}", f"{HIGH}/{high_name}", number, variant, *sizes[0], *hashes), []


def _natural(stem: str) -> list:
    """Sort key that puts 9 before 10."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", stem)]
