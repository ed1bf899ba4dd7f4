"""Section 2.9: how well a model does on images it has never seen, beside doing nothing."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd

from srcnn_lib import images, metrics, parallel, preprocess

UNTOUCHED, CLASSICAL = "untouched", "unsharp masking"


def predict(model: keras.Model, image: np.ndarray) -> np.ndarray:
    """Enhance one image: uint8 RGB (H, W, 3) in and out, cut to [0, 255] and rounded as a file would be."""
    output = np.asarray(model(image[None].astype(np.float32) / 255, training=False)[0])
    return (np.clip(output, 0, 1) * 255).round().astype(np.uint8)


def score(model: keras.Model, name: str, prepared: Path, names: list[str]) -> pd.DataFrame:
    """Score a model, doing nothing, and a mild unsharp masking on prepared images against their labels.

    Parameters
    ----------
    model, name
        The trained model and what to call it.
    prepared
        Folder with `low/<name>.png` and `high/<name>.png`, as `preprocess.prepare` writes them.
    names
        The images to score.

    Returns
    -------
    One row an image and method: name, method, mse (of values in [0, 1]) and psnr (dB), over all RGB
    values, no border cut.
    """

    def one(stem: str) -> list[dict]:
        low, high = (images.read(prepared / side / f"{stem}.png") for side in ("low", "high"))
        methods = {UNTOUCHED: low, CLASSICAL: preprocess.sharpen(low, sigma=1.0, amount=0.5), name: predict(model, low)}
        errors = {method: metrics.mse(high, image, data_range=255) for method, image in methods.items()}
        return [
            {"name": stem, "method": method, "mse": error, "psnr": metrics.psnr_from_mse(error)}
            for method, error in errors.items()
        ]

    return pd.DataFrame([row for rows in parallel.over(names, one, "scoring") for row in rows])


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """One row a method: mean MSE, mean PSNR over images, and the PSNR of the mean MSE.

    The two averages differ, because the logarithm of a mean is not the mean of the logarithms.
    """
    table = scores.groupby("method", sort=False).agg(mse=("mse", "mean"), psnr_mean=("psnr", "mean"))
    table["psnr_of_mean_mse"] = table["mse"].map(metrics.psnr_from_mse)
    return table.reset_index()
