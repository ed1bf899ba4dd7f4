"""Section 2.2: how bright the images are."""

from pathlib import Path

import numpy as np
import pandas as pd

from srcnn_lib import images, parallel

STATISTICS = ("mean", "median", "maximum", "minimum")


def of_image(image: np.ndarray) -> dict[str, float]:
    """Mean, median, maximum and minimum over all pixels and channels of a uint8 image (H, W, 3).

    In grey levels, 0 to 255.
    """
    return {
        "mean": float(image.mean()),
        "median": float(np.median(image)),
        "maximum": float(image.max()),
        "minimum": float(image.min()),
    }


def of_pairs(folder: Path, pairs: pd.DataFrame) -> pd.DataFrame:
    """The statistics of both sides of every pair, at native resolution.

    One row an image: name, side ("low" or "high") and the columns of `STATISTICS`. Few images are
    in memory at a time, so that memory does not grow with their number.
    """
    files = [
        (pair.name, side, getattr(pair, side)) for pair in pairs.itertuples(index=False) for side in ("low", "high")
    ]
    rows = parallel.over(files, lambda file: of_image(images.read(Path(folder) / file[2])), "measuring intensities")
    return pd.DataFrame([{"name": name, "side": side} | row for (name, side, _), row in zip(files, rows, strict=True)])


def summary(statistics: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over the images, of each statistic and side, in grey levels."""
    return statistics.groupby("side", sort=False)[list(STATISTICS)].agg(["mean", "std"])


def skewness(values: pd.Series) -> float:
    """Fisher–Pearson skewness (pandas' unbiased estimate): negative where the tail is on the dark side."""
    return float(values.skew())
