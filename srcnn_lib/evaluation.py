"""Section 2.9: how well a model does on images it has never seen, beside doing nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import keras
import numpy as np
import pandas as pd

from srcnn_lib import metrics, parallel, preprocess

UNTOUCHED, CLASSICAL = "untouched", "unsharp masking"


def predict(model: keras.Model, image: np.ndarray) -> np.ndarray:
    """Enhance one image: uint8 RGB (H, W, 3) in and out, cut to [0, 255] and rounded as a file would be."""
    output = np.asarray(model(image[None].astype(np.float32) / 255, training=False)[0])
    return (np.clip(output, 0, 1) * 255).round().astype(np.uint8)


def methods(models: Mapping[str, keras.Model]) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """What is always scored: doing nothing, a mild unsharp masking, and the given models; uint8 RGB in and out."""
    return {
        UNTOUCHED: lambda image: image,
        CLASSICAL: lambda image: preprocess.sharpen(image, sigma=1.0, amount=0.5),
        **{name: partial(predict, model) for name, model in models.items()},
    }


def score(
    names: Sequence[str],
    read: Callable[[str], tuple[np.ndarray, Mapping[str, np.ndarray]]],
    enhancers: Mapping[str, Callable[[np.ndarray], np.ndarray]],
) -> pd.DataFrame:
    """Score every method on every image, against every truth there is.

    Parameters
    ----------
    names
        The images to score.
    read
        Gives for a name the low image and the truths by what they are called: uint8 RGB (H, W, 3), all of one shape.
    enhancers
        The methods, see `methods`.

    Returns
    -------
    One row an image, method and truth: name, method, truth, mse (of values in [0, 1]) and psnr (dB), over all
    RGB values, no border cut.
    """

    def one(name: str) -> list[dict]:
        low, truths = read(name)
        rows = []
        for method, enhance in enhancers.items():
            enhanced = enhance(low)
            for truth, image in truths.items():
                error = metrics.mse(image, enhanced, data_range=255)
                rows.append(
                    {
                        "name": name,
                        "method": method,
                        "truth": truth,
                        "mse": error,
                        "psnr": metrics.psnr_from_mse(error),
                    }
                )
        return rows

    return pd.DataFrame([row for rows in parallel.over(names, one, "scoring") for row in rows])


def error_of_doing_nothing(data: Iterable) -> float:
    """Mean squared error of the low against the high side over batches (low, high) of values in [0, 1]."""
    errors = np.concatenate([np.mean((np.asarray(low) - np.asarray(high)) ** 2, axis=(1, 2, 3)) for low, high in data])
    return float(errors.mean())


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """One row a method and truth: mean MSE, mean PSNR over images, and the PSNR of the mean MSE.

    The two averages differ, because the logarithm of a mean is not the mean of the logarithms.
    """
    table = scores.groupby(["method", "truth"], sort=False).agg(mse=("mse", "mean"), psnr_mean=("psnr", "mean"))
    table["psnr_of_mean_mse"] = table["mse"].map(metrics.psnr_from_mse)
    return table.reset_index()
