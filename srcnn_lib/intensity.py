"""Section 2.2: how bright the images are."""

from pathlib import Path

import numpy as np
import pandas as pd

from srcnn_lib import images, parallel

STATISTICS = ("mean", "median", "maximum", "minimum")
CHANNELS = ("red", "green", "blue")
_SPECTRUM_SIDE = 256  # pixels of the square that a spectrum is taken of


def of_image(image: np.ndarray) -> dict[str, float]:
    """Brightness of a uint8 RGB image (H, W, 3), in grey levels, 0 to 255.

    mean, median, maximum and minimum are over all pixels and channels, skewness (third standardised moment)
    likewise. red, green and blue are means of the channels. background_red, _green and _blue are medians of
    the channels: most of a card is background, so the median pixel is one.
    """
    values = image.reshape(-1, 3)
    histograms = np.stack([np.bincount(values[:, channel], minlength=256) for channel in range(3)])
    together, levels = histograms.sum(axis=0), np.arange(256)
    share = together / together.sum()
    mean = float(share @ levels)
    deviation = float(np.sqrt(share @ (levels - mean) ** 2))
    present = np.flatnonzero(together)
    skew = float(share @ (levels - mean) ** 3) / deviation**3 if deviation > 0 else 0.0
    return (
        {"mean": mean, "median": _median(together), "maximum": float(present[-1]), "minimum": float(present[0])}
        | {"skewness": skew}
        | {name: float(counts @ levels / counts.sum()) for name, counts in zip(CHANNELS, histograms, strict=True)}
        | {f"background_{name}": _median(counts) for name, counts in zip(CHANNELS, histograms, strict=True)}
    )


def _median(counts: np.ndarray) -> float:
    """The median of values 0, 1, 2 … that occur so many times: the mean of the middle two."""
    cumulative = np.cumsum(counts)
    middle = np.array([(cumulative[-1] - 1) // 2, cumulative[-1] // 2])
    return float(np.searchsorted(cumulative, middle, side="right").mean())


def spectrum(image: np.ndarray) -> np.ndarray | None:
    """log10 of the radial mean of the power of the grey values in the middle 256×256 pixels, under a Hann window.

    uint8 RGB (H, W, 3) in; float64 (128,) out, for frequencies of 0 to 127/256 cycles a pixel. Blur lowers
    its right end, white noise makes it level, a periodic pattern raises one place. None for smaller images.
    """
    side = _SPECTRUM_SIDE
    if min(image.shape[:2]) < side:
        return None
    y, x = ((length - side) // 2 for length in image.shape[:2])
    grey = image[y : y + side, x : x + side].mean(axis=2)
    window = np.hanning(side)
    power = np.abs(np.fft.fftshift(np.fft.fft2((grey - grey.mean()) * np.outer(window, window)))) ** 2
    rows, columns = np.indices(power.shape) - side // 2
    radius = np.hypot(rows, columns).round().astype(int).ravel()
    sums, counts = (np.bincount(radius, weights)[: side // 2] for weights in (power.ravel(), None))
    return np.log10(sums / counts + 1e-3)


def mean_spectra(folder: Path, pairs: pd.DataFrame) -> pd.DataFrame:
    """Mean `spectrum` over some pairs: one row a frequency, in cycles a pixel, with columns low and high.

    Pairs that are too small are left out; with none left the table is empty.
    """

    def one(pair) -> list[np.ndarray | None]:
        return [spectrum(images.read(Path(folder) / file)) for file in (pair.low, pair.high)]

    found = parallel.over(pairs.itertuples(index=False), one, "measuring spectra")
    kept = [both for both in found if both[0] is not None]
    if not kept:
        return pd.DataFrame(columns=["frequency", "low", "high"])
    low, high = np.mean(kept, axis=0)
    return pd.DataFrame({"frequency": np.arange(len(low)) / _SPECTRUM_SIDE, "low": low, "high": high})


def of_pairs(folder: Path, pairs: pd.DataFrame) -> pd.DataFrame:
    """The statistics of both sides of every pair, at native resolution.

    One row an image: name, side ("low" or "high") and the columns of `of_image`. Few images are
    in memory at a time, so that memory does not grow with their number.
    """
    files = [
        (pair.name, side, getattr(pair, side)) for pair in pairs.itertuples(index=False) for side in ("low", "high")
    ]
    rows = parallel.over(files, lambda file: of_image(images.read(Path(folder) / file[2])), "measuring intensities")
    return pd.DataFrame([{"name": name, "side": side} | row for (name, side, _), row in zip(files, rows, strict=True)])


def skewness(values: pd.Series) -> float:
    """Fisher–Pearson skewness (pandas' unbiased estimate): negative where the tail is on the dark side."""
    return float(values.skew())
