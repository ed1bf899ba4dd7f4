"""Section 2.1: how good each image is, how its two sides agree, and which pairs to doubt.

Nothing here needs the truth of a drawn data set: the measures work on any folder of pairs, and their
thresholds stand in the profile.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import imagehash
import numpy as np
import pandas as pd
from PIL import Image

from srcnn_lib import parallel
from srcnn_lib.pairs import read_pair

FLAGS = {
    "too bad": "hardly any fine structure of the sharp side is left in the blurred one",
    "too hazy": "the blurred side has lost most of its contrast",
    "too good": "the blurred side is all but the sharp one",
    "other card": "the two sides do not show the same card",
    "misaligned": "one side is shifted against the other",
}
_HASH_SIDE = 16  # of the perceptual hash: 256 bits


def sharpness(grey: np.ndarray) -> float:
    """Standard deviation, in grey levels, of the Laplacian after a Gaussian of 1 pixel; higher is sharper.

    Takes float32 (H, W) in [0, 255]. The Gaussian keeps noise of single pixels from passing for edges.
    After J. L. Pech-Pacheco et al., ICPR 2000, doi:10.1109/ICPR.2000.903548.
    """
    return float(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.CV_32F).std())


def noise(grey: np.ndarray) -> float:
    """Estimated standard deviation of white noise, in grey levels; lower is cleaner.

    Takes float32 (H, W) in [0, 255]. The median of the absolute Laplacian ignores edges, which are few;
    on white noise the Laplacian has sqrt(20) times its standard deviation.
    After J. Immerkær, Computer Vision and Image Understanding 64(2), 1996, doi:10.1006/cviu.1996.0060.
    """
    return 1.4826 * float(np.median(np.abs(cv2.Laplacian(grey, cv2.CV_32F)))) / 20**0.5


def contrast(grey: np.ndarray) -> float:
    """Standard deviation of the grey levels of float32 (H, W) in [0, 255]; haze lowers it."""
    return float(grey.std())


def compare(low: np.ndarray, high: np.ndarray) -> dict[str, float]:
    """Measure a pair: two uint8 RGB images of one shape (H, W, 3).

    Returns
    -------
    low_sharpness, high_sharpness, low_noise, high_noise, low_contrast, high_contrast
        Of each side, in grey levels; see the functions of these names.
    detail
        Correlation, -1 to 1, of the fine structure of both sides (text, lines): how much of it is left.
    layout
        Correlation, -1 to 1, of both sides shrunk to 64 pixels: whether they show the same card.
    contrast_kept
        Contrast of the low side over that of the high side.
    shift
        Distance in pixels by which one side must move for the fine structures to agree best
        (phase correlation); 0 where no shift stands out.
    """
    sides = {"low": low, "high": high}
    grey = {side: cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for side, image in sides.items()}
    fine = {side: _fine_structure(image) for side, image in grey.items()}
    small = [cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA) for image in grey.values()]
    measures = {
        f"{side}_{measure.__name__}": measure(image)
        for side, image in grey.items()
        for measure in (sharpness, noise, contrast)
    }
    return measures | {
        "detail": _correlation(fine["low"], fine["high"]),
        "layout": _correlation(*small),
        "contrast_kept": measures["low_contrast"] / max(measures["high_contrast"], 1e-6),
        "shift": _shift(fine["low"], fine["high"]),
    }


def measure(folder: Path, pairs: pd.DataFrame) -> pd.DataFrame:
    """Measure every pair: one row a pair, its name, the columns of `compare`, and its perceptual hash.

    The hash (ImageHash's phash of the high side, 256 bits, as hexadecimal) is nearly the same for nearly
    the same picture. Images are read one pair at a time, so that memory does not grow with their number.
    """

    def one(pair) -> dict:
        low, high = read_pair(folder, pair)
        return {
            "name": pair.name,
            **compare(low, high),
            "hash": str(imagehash.phash(Image.fromarray(high), hash_size=_HASH_SIDE)),
        }

    return pd.DataFrame(list(parallel.over(pairs.itertuples(index=False), one, "measuring pairs")))


def flags(measures: pd.DataFrame, thresholds: Mapping[str, float]) -> pd.DataFrame:
    """Doubtful pairs: one row a pair and flag, with name, flag and reason (the measure that gave it away), the
    clearest of a flag first.

    `thresholds` holds min_detail, max_detail, min_contrast_kept, min_layout and max_shift. A pair that
    shows two cards gets no further flag, since comparing its sides means nothing.
    """
    other = measures["layout"] < thresholds["min_layout"]
    rules = {
        "other card": (other, "layout", True),
        "too bad": (~other & (measures["detail"] < thresholds["min_detail"]), "detail", True),
        "too good": (~other & (measures["detail"] > thresholds["max_detail"]), "detail", False),
        "too hazy": (~other & (measures["contrast_kept"] < thresholds["min_contrast_kept"]), "contrast_kept", True),
        "misaligned": (~other & (measures["shift"] > thresholds["max_shift"]), "shift", False),
    }
    found = []
    for flag, (hit, column, low_first) in rules.items():
        rows = measures[hit].sort_values([column, "name"], ascending=[low_first, True])
        found.append(rows[["name"]].assign(flag=flag, reason=[f"{column} {value:.3f}" for value in rows[column]]))
    return pd.concat(found, ignore_index=True)


def near_duplicates(hashes: pd.Series, *, max_distance: int) -> pd.DataFrame:
    """Pairs of different rows whose perceptual hashes differ in at most `max_distance` of 256 bits.

    Returns the row labels of both and the distance, each couple once. Compares every hash with every
    other, a block of rows at a time: 4,060 hashes take about a second and little memory.
    """
    bits = np.array([np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8)) for text in hashes], np.float32)
    signs, found = 2 * bits - 1, []
    for start in range(0, len(signs), 512):
        distance = (signs.shape[1] - signs[start : start + 512] @ signs.T) / 2
        rows, columns = np.nonzero(distance <= max_distance)
        for row, column in zip(rows + start, columns, strict=True):
            if row < column:
                found.append((hashes.index[row], hashes.index[column], int(distance[row - start, column])))
    return pd.DataFrame(found, columns=["first", "second", "distance"])


def _fine_structure(grey: np.ndarray) -> np.ndarray:
    """What is between 1.5 and 6 pixels wide: strokes of letters, without noise and without shading."""
    return cv2.GaussianBlur(grey, (0, 0), 1.5) - cv2.GaussianBlur(grey, (0, 0), 6.0)


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson correlation of two arrays of one shape; 0 where one of them is flat."""
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / scale if scale > 0 else 0.0


def _shift(low: np.ndarray, high: np.ndarray) -> float:
    window = cv2.createHanningWindow(low.shape[::-1], cv2.CV_32F)
    (x, y), response = cv2.phaseCorrelate(low, high, window)
    return float(np.hypot(x, y)) if response > 0.05 else 0.0


def found_and_planted(found: Mapping[str, set[str]], planted: Mapping[str, set[str]]) -> pd.DataFrame:
    """How well faults were found: one row a kind of `planted`, and one for all kinds together.

    Both arguments map a kind of fault to the names of the pairs that have it. Returns kind, planted, found,
    right (in both), precision (right / found) and recall (right / planted); an empty division is missing.
    """
    rows = [(kind, planted[kind], found.get(kind, set())) for kind in planted]
    everything = ("any fault", set().union(*planted.values()), set().union(*found.values()))
    table = pd.DataFrame(
        [(kind, len(true), len(said), len(true & said)) for kind, true, said in [*rows, everything]],
        columns=["kind", "planted", "found", "right"],
    )
    table["precision"] = table["right"] / table["found"].replace(0, np.nan)
    table["recall"] = table["right"] / table["planted"].replace(0, np.nan)
    return table
