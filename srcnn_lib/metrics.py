"""Section 2.8: how far an image is from the one it should be."""

import numpy as np
from keras import ops


def mse(truth: np.ndarray, image: np.ndarray, *, data_range: float) -> float:
    """Mean squared error over all pixels and channels, with values divided by `data_range`; lower is better.

    Two arrays of one shape, (H, W, 3) RGB; no border is cut. `data_range` is 255 for uint8 images and 1
    for floats in [0, 1]. The result is in [0, 1] for images within their range.
    """
    if truth.shape != image.shape:
        raise ValueError(f"expected two images of one shape, received {truth.shape} and {image.shape}")
    difference = (truth.astype(np.float64) - image.astype(np.float64)) / data_range
    return float(np.mean(difference**2))


def psnr(truth: np.ndarray, image: np.ndarray, *, data_range: float) -> float:
    """Peak signal-to-noise ratio in dB, -10 log10 of `mse` over all RGB values; higher is better.

    Arguments as for `mse`. Identical images give infinity.
    """
    return psnr_from_mse(mse(truth, image, data_range=data_range))


def psnr_from_mse(value: float) -> float:
    """PSNR in dB of a mean squared error of values in [0, 1]; infinity for 0."""
    return float("inf") if value == 0 else float(-10 * np.log10(value))


def log10(x):
    """Base-10 logarithm of a tensor, which the original had to build from the natural one."""
    return ops.log10(x)


def pixel_mse(truth, image):
    """Mean squared error of each image of a batch, as a Keras loss: (batch, H, W, C) in [0, 1]; (batch,) out.

    Keras takes the mean over the batch, and over devices where there are several (a single value it would take
    as it is, and count once for each device).
    """
    return ops.mean(ops.square(_difference(truth, image)), axis=(1, 2, 3))


def charbonnier(truth, image):
    """Charbonnier loss, as a Keras loss: mean of sqrt(difference² + 0.001²), a smooth absolute difference.

    Tensors (batch, H, W, C) in [0, 1]; shape (batch,) out. P. Charbonnier et al., ICIP 1994,
    doi:10.1109/ICIP.1994.413553.
    """
    return ops.mean(ops.sqrt(ops.square(_difference(truth, image)) + 1e-6), axis=(1, 2, 3))


def batch_psnr(truth, image):
    """PSNR in dB of each image of a batch: tensors (batch, H, W, C) in [0, 1]; shape (batch,) out."""
    return -10 * log10(pixel_mse(truth, image))


def _difference(truth, image):
    """In the precision of the truth, also where a network computes in a lower one."""
    return truth - ops.cast(image, truth.dtype)
