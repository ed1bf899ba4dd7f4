"""Section 2.8: how far an image is from the one it should be.

The metrics on arrays share their conventions. Two images of one shape, uint8 or float: (H, W, 3) RGB, or
(H, W) where only one channel is at hand; they compute in float64. `data_range` is the distance from black
to white: 255 for uint8 images, 1 for floats in [0, 1]. `channel` is "rgb" for the values as they are, all
channels counting alike, or "y" for `luminance`, unrounded. `border` is how many pixels are cut from each
of the four sides first. All raise ValueError, saying what was received, for images of different shapes, of
no such shape, or too small for the border, and for a `data_range`, `channel` or `border` that cannot be.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
import tensorflow as tf
from keras import ops
from scipy import ndimage
from skimage import measure
from skimage import metrics as skimage_metrics

Channel = Literal["rgb", "y"]

_WINDOW, _SIGMA = 11, 1.5  # side and standard deviation of Wang's Gaussian window, in pixels
_WANG = {"gaussian_weights": True, "sigma": _SIGMA, "use_sample_covariance": False}  # how scikit-image calls it
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # weights of MS-SSIM, from the finest on
_SMALLEST_MULTISCALE = 176  # side that the window still fits into after four halvings
_GRADIENT_CONSTANT = 170 / 255**2  # of GMSD, for values in [0, 1]


def luminance(image: np.ndarray, *, data_range: float) -> np.ndarray:
    """Y of MATLAB's `rgb2ycbcr` (ITU-R BT.601), not rounded: (H, W, 3) RGB in, float64 (H, W) out.

    Black is at 16 and white at 235 where `data_range` is 255, and in proportion for others.
    Raises ValueError, naming the shape, for an image of another kind.
    """
    if image.ndim != 3 or image.shape[-1] != 3:
        raise ValueError(f"expected an RGB image (H, W, 3), received {image.shape}")
    return (16 * data_range + image.astype(np.float64) @ np.array([65.481, 128.553, 24.966])) / 255


def mse(truth: np.ndarray, image: np.ndarray, *, data_range: float, channel: Channel = "rgb", border: int = 0) -> float:
    """Mean squared error over all pixels and channels, with values divided by `data_range`; lower is better.

    Two uint8 or float arrays of one shape, (H, W, 3) RGB or (H, W). The result is in [0, 1] for images within
    their range. Conventions and errors are those of this module.
    """
    truth, image = _compared(truth, image, data_range, channel, border)
    return float(np.mean(((truth - image) / data_range) ** 2))


def psnr(
    truth: np.ndarray, image: np.ndarray, *, data_range: float, channel: Channel = "rgb", border: int = 0
) -> float:
    """Peak signal-to-noise ratio in dB, -10 log10 of `mse`; higher is better.

    Arguments and errors as for `mse`. The peak is `data_range`, for "y" too, as in the literature on
    super-resolution, although Y itself spans less. Not negative for images within their range; identical
    images give infinity. Q. Huynh-Thu, M. Ghanbari, Electronics Letters 44(13), 2008, doi:10.1049/el:20080522.
    """
    return psnr_from_mse(mse(truth, image, data_range=data_range, channel=channel, border=border))


def psnr_from_mse(value: float) -> float:
    """PSNR in dB of a mean squared error of values in [0, 1]; infinity for 0."""
    return float("inf") if value == 0 else float(-10 * np.log10(value))


def ssim(truth: np.ndarray, image: np.ndarray, *, data_range: float, channel: Channel, border: int) -> float:
    """Structural similarity, mean over all windows and channels; higher is better.

    Two uint8 or float arrays of one shape, (H, W, 3) RGB or (H, W), of at least 11×11 pixels after the border is
    cut. The result is in [-1, 1], and 1 only for identical images; it is symmetric. The windows are Wang's: 11×11,
    Gaussian of standard deviation 1.5, each wholly inside the image, with population variances, K1 = 0.01 and
    K2 = 0.03. Conventions are those of this module.

    It is the map of scikit-image, which leaves out 5 pixels at each side, and so the windows of `tf.image.ssim`.
    That one's formula agrees to 14 digits in float64, but it computes in float32: on noise 5 to 6 digits agree, and
    where an image is smooth, and its variance a small difference of large numbers, the 4th can differ. Given an image
    of several channels, rather than each channel as an image, its sum alone loses up to 4e-4.

    Z. Wang et al., IEEE TIP 13(4), 2004, doi:10.1109/TIP.2003.819861.

    Raises ValueError as this module says, and for images smaller than the window.
    """
    truth, image = _compared(truth, image, data_range, channel, border)
    _hold(truth, _WINDOW)
    return _over_channels(lambda *pair: _ssim_map(*pair, data_range).mean(), truth, image)


def ms_ssim(truth: np.ndarray, image: np.ndarray, *, data_range: float, channel: Channel, border: int) -> float:
    """Structural similarity over five scales, each half of the one before, mean over channels; higher is better.

    Two uint8 or float arrays of one shape, (H, W, 3) RGB or (H, W). The result is in [0, 1], and 1 for identical
    images; it is symmetric. It is NaN where a side has fewer than 176 pixels after the border is cut, since the
    window of `ssim` must fit into the smallest scale. Conventions and errors are those of this module.

    It is built from the map of `ssim`, in float64. The scales' weights, and the mirrored row or column where a side
    is odd, are those of `tf.image.ssim_multiscale`, with which it agrees as far as that one's float32 goes (see
    `ssim`), in a twentieth of the time.

    Z. Wang, E. P. Simoncelli, A. C. Bovik, Asilomar 2003, doi:10.1109/ACSSC.2003.1292216.
    """
    truth, image = _compared(truth, image, data_range, channel, border)
    if min(truth.shape[:2]) < _SMALLEST_MULTISCALE:
        return float("nan")
    return _over_channels(partial(_multiscale, data_range=data_range), truth, image)


def gmsd(truth: np.ndarray, image: np.ndarray, *, data_range: float, channel: Channel, border: int) -> float:
    """Gradient magnitude similarity deviation, which looks at edges alone; lower is better.

    Two uint8 or float arrays of one shape, (H, W, 3) RGB or (H, W), of at least 4×4 pixels after the border is cut.
    Both are averaged over squares of 2×2 pixels; their Prewitt gradients' magnitudes a and b are compared at each
    pixel, as (2ab + c) / (a² + b² + c) with c = 170 for a `data_range` of 255; the result is the sample standard
    deviation of that map, for "rgb" the mean of three. It is 0 for identical images, always below 0.58, and
    symmetric. Conventions are those of this module.

    As in the authors' program, what lies outside the image is black. They used a luminance from 0 to 255; "y"
    spans 219 of 255 steps, and comes out a little smaller.

    W. Xue et al., IEEE TIP 23(2), 2014, doi:10.1109/TIP.2013.2293423, arXiv:1308.3052.

    Raises ValueError as this module says, and for smaller images.
    """
    truth, image = (side / data_range for side in _compared(truth, image, data_range, channel, border))
    _hold(truth, 4)
    return _over_channels(_deviation, truth, image)


def agreement(truth: np.ndarray, image: np.ndarray) -> pd.DataFrame:
    """Our metrics on one pair beside the same ones of scikit-image and of TensorFlow.

    Two uint8 RGB images of one shape, (H, W, 3), at least 11×11; all channels, no border. Returns one row a
    metric: metric, ours, scikit-image and tf.image; NaN where that library has none, and for a multi-scale
    SSIM of images that are too small. log10 is that of the MSE; where a library has none of its own, its PSNR over -10.
    How far the similarities of tf.image can agree is said at `ssim`; each channel is given as an image of its own.

    Raises ValueError, saying what was received, for images of another kind.
    """
    if truth.dtype != np.uint8 or image.dtype != np.uint8:
        raise ValueError(f"expected two uint8 images, received {truth.dtype} and {image.dtype}")
    options = {"data_range": 255, "channel": "rgb", "border": 0}
    named = {"MSE": mse, "PSNR": psnr, "SSIM": ssim, "MS-SSIM": ms_ssim}
    ours = {name: metric(truth, image, **options) for name, metric in named.items()}
    ours["log10"] = float(log10(np.float64(ours["MSE"])))
    columns = {"ours": ours, "scikit-image": _in_scikit_image(truth, image), "tf.image": _in_tensorflow(truth, image)}
    return pd.DataFrame(columns, index=list(ours)).rename_axis("metric").reset_index()


def log10(x):
    """Base-10 logarithm of a tensor, which the original had to build from the natural one."""
    return ops.log10(x)


def pixel_mse(truth, image):
    """Mean squared error of each image of a batch, as a Keras loss: (batch, H, W, C) in [0, 1]; (batch,) out.

    In [0, 1], lower is better; all channels, no border cut. Keras takes the mean over the batch, and over
    devices where there are several (a single value it would take as it is, and count once for each device).
    """
    return ops.mean(ops.square(_difference(truth, image)), axis=(1, 2, 3))


def charbonnier(truth, image):
    """Charbonnier loss, as a Keras loss: mean of sqrt(difference² + 0.001²), a smooth absolute difference.

    Tensors (batch, H, W, C) in [0, 1]; shape (batch,) out, at least 0.001; lower is better. P. Charbonnier et
    al., ICIP 1994, doi:10.1109/ICIP.1994.413553.
    """
    return ops.mean(ops.sqrt(ops.square(_difference(truth, image)) + 1e-6), axis=(1, 2, 3))


def frequency_distance(truth, image):
    """Mean absolute difference of the spectra, as a Keras loss: (batch, H, W, C) in [0, 1]; (batch,) out.

    Of the two-dimensional Fourier transforms, scaled to keep the energy, so that fine detail counts as much as
    flat grounds. At least 0, lower is better. S.-J. Cho et al., ICCV 2021, doi:10.1109/ICCV48922.2021.00460.
    """
    by_channel = ops.transpose(_difference(truth, image), (0, 3, 1, 2))
    real, imaginary = ops.fft2((by_channel, ops.zeros_like(by_channel)))
    pixels = ops.cast(ops.prod(ops.shape(by_channel)[2:]), by_channel.dtype)
    power = (ops.square(real) + ops.square(imaginary)) / pixels
    return ops.mean(ops.sqrt(power + 1e-12), axis=(1, 2, 3))  # where the power is 0, a root has no gradient


def gradient_distance(truth, image):
    """Charbonnier loss plus that of the slopes across and down, as a Keras loss: edges count twice.

    Tensors (batch, H, W, C) in [0, 1], of at least 2×2 pixels; shape (batch,) out, at least 0.003; lower is better.
    M. Mathieu, C. Couprie, Y. LeCun, ICLR 2016, arXiv:1511.05440 (there with powers other than 1).
    """
    image = ops.cast(image, truth.dtype)
    across, down = ([side[:, :, 1:] - side[:, :, :-1], side[:, 1:] - side[:, :-1]] for side in (truth, image))
    return charbonnier(truth, image) + sum(map(charbonnier, across, down))


def batch_psnr(truth, image):
    """PSNR in dB of each image of a batch: tensors (batch, H, W, C) in [0, 1]; shape (batch,) out; higher is better."""
    return -10 * log10(pixel_mse(truth, image))


def _difference(truth, image):
    """In the precision of the truth, also where a network computes in a lower one."""
    return truth - ops.cast(image, truth.dtype)


def _compared(
    truth: np.ndarray, image: np.ndarray, data_range: float, channel: Channel, border: int
) -> tuple[np.ndarray, np.ndarray]:
    """What a metric compares: the wanted channel without the border, float64."""
    if truth.shape != image.shape:
        raise ValueError(f"expected two images of one shape, received {truth.shape} and {image.shape}")
    if truth.ndim not in (2, 3):
        raise ValueError(f"expected images (H, W, 3) or (H, W), received {truth.shape}")
    if not data_range > 0:
        raise ValueError(f"expected a data_range above 0, received {data_range}")
    if channel not in ("rgb", "y"):
        raise ValueError(f"unknown channel {channel!r}; the known ones are rgb, y")
    height, width = truth.shape[:2]
    if not 0 <= 2 * border < min(height, width):
        raise ValueError(f"expected a border that leaves something of {height}×{width} pixels, received {border}")
    inside = (slice(border, height - border), slice(border, width - border))
    if channel == "y":
        return tuple(luminance(side[inside], data_range=data_range) for side in (truth, image))
    return tuple(side[inside].astype(np.float64) for side in (truth, image))


def _over_channels(metric: Callable, truth: np.ndarray, image: np.ndarray) -> float:
    """The mean of a metric of two (H, W) images over channels."""
    channels = (np.moveaxis(np.atleast_3d(side), -1, 0) for side in (truth, image))
    return float(np.mean([metric(*pair) for pair in zip(*channels, strict=True)]))


def _ssim_map(truth: np.ndarray, image: np.ndarray, data_range: float) -> np.ndarray:
    """Wang's SSIM of each window that lies inside two (H, W) images."""
    return _valid(skimage_metrics.structural_similarity(truth, image, data_range=data_range, full=True, **_WANG)[1])


def _multiscale(truth: np.ndarray, image: np.ndarray, data_range: float) -> float:
    """MS-SSIM of two (H, W) images: contrast and structure at every scale, luminance at the last one."""
    result = 1.0
    for scale, weight in enumerate(_SCALES, start=1):
        similarity = _ssim_map(truth, image, data_range)
        if scale < len(_SCALES):
            similarity /= _luminance_map(truth, image, data_range)
            truth, image = _halved(truth), _halved(image)
        result *= max(similarity.mean(), 0) ** weight
    return result


def _luminance_map(truth: np.ndarray, image: np.ndarray, data_range: float) -> np.ndarray:
    """The factor of SSIM that compares windows' means."""
    a, b = (_valid(ndimage.gaussian_filter(side, _SIGMA, radius=_WINDOW // 2)) for side in (truth, image))
    constant = (0.01 * data_range) ** 2
    return (2 * a * b + constant) / (a**2 + b**2 + constant)


def _valid(windows: np.ndarray) -> np.ndarray:
    reach = _WINDOW // 2
    return windows[reach:-reach, reach:-reach]


def _halved(channel: np.ndarray) -> np.ndarray:
    """Mean of squares of 2×2 pixels, the last row or column mirrored where there is an odd number."""
    even = np.pad(channel, [(0, side % 2) for side in channel.shape], mode="symmetric")
    return measure.block_reduce(even, (2, 2), np.mean)


def _in_scikit_image(truth: np.ndarray, image: np.ndarray) -> dict[str, float]:
    """Its metrics of two uint8 RGB images."""
    with np.errstate(divide="ignore"):  # identical images
        peak = skimage_metrics.peak_signal_noise_ratio(truth, image, data_range=255)
    return {
        "MSE": skimage_metrics.mean_squared_error(truth, image) / 255**2,
        "PSNR": peak,
        "SSIM": skimage_metrics.structural_similarity(truth, image, data_range=255, channel_axis=-1, **_WANG),
        "log10": -peak / 10,
    }


def _in_tensorflow(truth: np.ndarray, image: np.ndarray) -> dict[str, float]:
    """Its metrics of two uint8 RGB images, similarities of each channel by itself."""
    peak = float(tf.image.psnr(truth, image, 255))
    channels = [np.moveaxis(side, -1, 0)[..., None] for side in (truth, image)]
    large = min(truth.shape[:2]) >= _SMALLEST_MULTISCALE
    similarities = {"SSIM": tf.image.ssim} | ({"MS-SSIM": tf.image.ssim_multiscale} if large else {})
    means = {name: float(np.mean(metric(*channels, 255), dtype=float)) for name, metric in similarities.items()}
    return {"PSNR": peak, **means, "log10": -peak / 10}


def _gradient(channel: np.ndarray) -> np.ndarray:
    """Magnitude of Prewitt's gradient of an (H, W) image averaged over 2×2 pixels; beyond its edges all is 0."""
    small = measure.block_reduce(channel, (2, 2), np.mean)
    return np.hypot(*(ndimage.prewitt(small, axis, mode="constant") / 3 for axis in (0, 1)))


def _deviation(truth: np.ndarray, image: np.ndarray) -> float:
    """GMSD of two (H, W) images of values in [0, 1]."""
    a, b = _gradient(truth), _gradient(image)
    return np.std((2 * a * b + _GRADIENT_CONSTANT) / (a**2 + b**2 + _GRADIENT_CONSTANT), ddof=1)


def _hold(image: np.ndarray, side: int) -> None:
    if min(image.shape[:2]) < side:
        height, width = image.shape[:2]
        raise ValueError(f"expected at least {side}×{side} pixels inside the border, received {height}×{width}")


def error_of_doing_nothing(data) -> float:
    """Mean squared error of the low against the high side over batches (low, high) of values in [0, 1]."""
    errors = np.concatenate([np.mean((np.asarray(low) - np.asarray(high)) ** 2, axis=(1, 2, 3)) for low, high in data])
    return float(errors.mean())
