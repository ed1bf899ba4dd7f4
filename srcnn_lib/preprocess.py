"""Section 2.4: what is done to the squashed images before a network sees them.

Every technique takes and returns uint8 images, grey (H, W) or RGB (H, W, 3), of any size and in [0, 255]. It
gives back a new image and leaves its argument as it is. ValueError names what was received instead.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from skimage import restoration

from srcnn_lib import frequency, images, parallel, quality
from srcnn_lib.pairs import read_pair, squash

_DETAIL = 20.0  # grey levels: standard deviation of a sharp image's Laplacian, best of 5 to 80 on training cards
_LARGEST_BLUR = 5.0  # pixels; wider ones leave nothing of small print to bring back


def denoise(image: np.ndarray, *, strength: float = 5.0) -> np.ndarray:
    """Non-local means: each pixel becomes an average over pixels with similar surroundings.

    `strength` is OpenCV's filter parameter h for luminance and colour, in grey levels: differences of patches
    well below it count as noise, and 0 changes nothing. Patches of 7 pixels, searched in a window of 21.
    A. Buades, B. Coll, J.-M. Morel, CVPR 2005, doi:10.1109/CVPR.2005.38.
    """
    _check(image, strength=strength)
    if strength == 0:
        return image.copy()
    if image.ndim == 2:
        return cv2.fastNlMeansDenoising(image, None, strength, 7, 21)
    denoised = cv2.fastNlMeansDenoisingColored(image[..., ::-1].copy(), None, strength, strength, 7, 21)  # takes BGR
    return denoised[..., ::-1].copy()


def bilateral(image: np.ndarray, *, sigma_color: float = 30.0, sigma_space: float = 3.0) -> np.ndarray:
    """Bilateral filter: averages neighbours that are near (pixels) and alike (grey levels); 0 changes nothing.

    C. Tomasi, R. Manduchi, ICCV 1998, doi:10.1109/ICCV.1998.710815.
    """
    _check(image, sigma_color=sigma_color, sigma_space=sigma_space)
    if sigma_color == 0 or sigma_space == 0:
        return image.copy()
    return cv2.bilateralFilter(image, -1, sigma_color, sigma_space)


def median(image: np.ndarray, *, radius: int = 1) -> np.ndarray:
    """Median over a square of 2 · `radius` + 1 pixels, of each channel by itself; radius 0 changes nothing.

    T. S. Huang, G. J. Yang, G. Y. Tang, IEEE Transactions on Acoustics, Speech, and Signal Processing 27(1),
    1979, doi:10.1109/TASSP.1979.1163188.
    """
    _check(image, radius=radius)
    return cv2.medianBlur(image, 2 * radius + 1) if radius else image.copy()


def sharpen(image: np.ndarray, *, sigma: float = 2.0, amount: float = 1.5) -> np.ndarray:
    """Unsharp masking: add `amount` times the difference from a Gaussian blur of `sigma` pixels.

    What leaves [0, 255] is cut off there. `sigma` or `amount` 0 changes nothing. The linear method of A. Polesel,
    G. Ramponi, V. J. Mathews, IEEE Transactions on Image Processing 9(3), 2000, doi:10.1109/83.826787.
    """
    _check(image, sigma=sigma, amount=amount)
    if sigma == 0 or amount == 0:
        return image.copy()
    return cv2.addWeighted(image, 1 + amount, cv2.GaussianBlur(image, (0, 0), sigma), -amount, 0)


def weighted_addition(
    image: np.ndarray,
    *,
    weight_sharp: float = 0.7,
    weight_smooth: float = 0.5,
    sigma: float = 2.0,
    amount: float = 1.5,
    strength: float = 5.0,
    guard: bool = False,
) -> np.ndarray:
    """Add the sharpened (`sigma`, `amount`) and the denoised (`strength`) image with weights, as the original tried.

    Weights that sum to more than 1 overflow, and overflow is cut off at 255: the original saw its backgrounds
    turn white. It does not give its weights. With `guard`, the weights are divided by their sum: an average of
    two images in [0, 255] cannot leave that range, and areas without detail keep their brightness. Then nothing
    changes if `amount` and `strength` are 0. Raises ValueError, too, for weights of which none is above 0.
    """
    _check(image, weight_sharp=weight_sharp, weight_smooth=weight_smooth)
    total = weight_sharp + weight_smooth
    if total == 0:
        raise ValueError("weight_sharp, weight_smooth: expected one of them above 0, received 0 for both")
    scale = total if guard else 1.0
    sharp, smooth = sharpen(image, sigma=sigma, amount=amount), denoise(image, strength=strength)
    return cv2.addWeighted(sharp, weight_sharp / scale, smooth, weight_smooth / scale, 0)


def clahe(image: np.ndarray, *, clip_limit: float = 2.0, tiles: int = 8) -> np.ndarray:
    """Contrast-limited adaptive histogram equalisation of the lightness (CIE L*; a grey image's values).

    The image is divided into `tiles` × `tiles` regions, fewer where it has fewer pixels. `clip_limit` bounds the
    height of their histograms, as a multiple of that of an even one, and with it the gain in contrast. 0 allows
    none and changes nothing (for OpenCV, 0 means no limit). K. Zuiderveld, Graphics Gems IV, 1994, pages 474–485.
    Raises ValueError, too, for less than one tile.
    """
    _check(image, clip_limit=clip_limit)
    if tiles < 1:
        raise ValueError(f"tiles: expected an integer from 1, received {tiles!r}")
    if clip_limit == 0:
        return image.copy()
    height, width = image.shape[:2]
    equaliser = cv2.createCLAHE(clip_limit, (min(tiles, width), min(tiles, height)))
    if image.ndim == 2:
        return equaliser.apply(image)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = equaliser.apply(lab[..., 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


def blur_width(image: np.ndarray) -> float:
    """Standard deviation in pixels, 0 to 5, of the Gaussian blur that the edges of an image show.

    A blurred step has the gradient of a Gaussian of the blur's width s. Blurred again by 1 and by 2 pixels, the
    gradients on the edge stand in the ratio R = sqrt((s² + 4) / (s² + 1)), which gives s² (central differences
    add 1/3 to it). The strongest tenth of the gradient's ridges count as edges, and the 90th percentile of their
    widths is taken, since a thin stroke looks sharper than a step: still, on small print a blur of 1 pixel is
    taken for one of 0.7 or so. An image without edges has 0. After S. Zhuo, T. Sim, Pattern Recognition 44(9), 2011,
    doi:10.1016/j.patcog.2011.03.009, who blur once.
    """
    luma = frequency.grey(image).astype(np.float32)
    near, far = (_gradient(cv2.GaussianBlur(luma, (0, 0), sigma)) for sigma in (1.0, 2.0))
    steep = near[_ridges(near)]
    if len(steep) == 0:
        return 0.0
    edges = _ridges(near) & (near >= np.quantile(steep, 0.9))
    ratio = np.maximum((near[edges] / np.maximum(far[edges], 1e-6)) ** 2, 1 + 1e-6)
    variance = np.clip((4 - ratio) / (ratio - 1) - 1 / 3, 0, _LARGEST_BLUR**2)
    return float(np.sqrt(np.quantile(variance, 0.9)))


def wiener(image: np.ndarray, *, sigma: float | None = None, noise: float | None = None) -> np.ndarray:
    """Wiener deconvolution of a Gaussian blur of `sigma` pixels, each channel by itself.

    None takes `blur_width`; 0 changes nothing. `noise` is its standard deviation in grey levels; None estimates it
    (`quality.noise`), and at least 1 is assumed, for compression and rounding. Scikit-image's filter, with the
    Laplacian as regulariser and the weight (noise / 20)²: the Laplacian of a sharp image is taken for white
    noise of 20 grey levels. Edges are mirrored.
    F. Orieux, J.-F. Giovannelli, T. Rodet, Journal of the Optical Society of America A 27(7), 2010,
    doi:10.1364/JOSAA.27.001593.
    """
    _check(image, sigma=sigma, noise=noise)
    noise = quality.noise(frequency.grey(image).astype(np.float32)) if noise is None else noise
    balance = (max(noise, 1.0) / _DETAIL) ** 2
    return _deconvolve(image, sigma, lambda channel, psf: restoration.wiener(channel, psf, balance))


def richardson_lucy(image: np.ndarray, *, sigma: float | None = None, iterations: int = 10) -> np.ndarray:
    """Richardson–Lucy deconvolution of a Gaussian blur of `sigma` pixels, each channel by itself.

    None takes `blur_width`; 0 changes nothing, and nor do 0 `iterations`. More of them sharpen more and raise
    more noise. Edges are mirrored. W. H. Richardson, Journal of the Optical Society of America 62(1), 1972,
    doi:10.1364/JOSA.62.000055; L. B. Lucy, Astronomical Journal 79, 1974, doi:10.1086/111605.
    """
    _check(image, sigma=sigma, iterations=iterations)
    if iterations == 0:
        return image.copy()

    def sharper(channel: np.ndarray, psf: np.ndarray) -> np.ndarray:
        return restoration.richardson_lucy(channel, psf, iterations, filter_epsilon=1e-6)

    return _deconvolve(image, sigma, sharper)


STEPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "denoise": denoise,
    "bilateral": bilateral,
    "median": median,
    "sharpen": sharpen,
    "weighted_addition": weighted_addition,
    "weighted_addition_guarded": partial(weighted_addition, guard=True),
    "clahe": clahe,
    "wiener": wiener,
    "richardson_lucy": richardson_lucy,
    "notch": frequency.notch,
}


def apply(image: np.ndarray, steps: Sequence[str]) -> np.ndarray:
    """Apply the named `STEPS` one after the other; uint8 RGB (H, W, 3) in and out.

    Raises ValueError, listing the known names, for an unknown step.
    """
    for step in steps:
        if step not in STEPS:
            raise ValueError(f"unknown pre-processing step {step!r}; the known ones are {', '.join(STEPS)}")
        image = STEPS[step](image)
    return image


def saturated_share(image: np.ndarray) -> float:
    """Share of the values of a uint8 image that are 0 or 255, where information may have been cut off."""
    return float(((image == 0) | (image == 255)).mean())


def contrast_of_text(image: np.ndarray, boxes: Sequence[Sequence[float]]) -> np.ndarray:
    """Difference between ink and ground in each text box, in grey levels, 0 to 255; higher is easier to read.

    The luma inside a box is divided at Otsu's threshold into a dark and a light class; the result is the
    difference of their means, 0 where a box has one value only.
    N. Otsu, IEEE Transactions on Systems, Man, and Cybernetics 9(1), 1979, doi:10.1109/TSMC.1979.4310076.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, 3), RGB.
    boxes
        Rows of x0, y0, x1, y1 in pixels, right and bottom edges excluded. Parts of pixels count as whole ones,
        and what lies outside the image is left out.

    Returns
    -------
    float64 (N,), one value a box.

    Raises
    ------
    ValueError
        For other types and shapes, and for a box that holds no pixel of the image.
    """
    luma = frequency.grey(image)
    return np.array([_two_classes(_inside(luma, box)) for box in boxes], dtype=float)


def prepare(
    folder: Path,
    pairs: pd.DataFrame,
    target: Path,
    *,
    size: int,
    input_steps: Sequence[str],
    label_steps: Sequence[str],
) -> None:
    """Write every pair squashed and pre-processed to `target/low/<name>.png` and `target/high/<name>.png`."""

    def one(pair) -> None:
        for side, image, steps in zip(
            ("low", "high"), read_pair(folder, pair), (input_steps, label_steps), strict=True
        ):
            images.write(target / side / f"{pair.name}.png", apply(squash(image, size), steps))

    for _ in parallel.over(pairs.itertuples(index=False), one, "preparing images"):
        pass


def _check(image: np.ndarray, **parameters: float | None) -> None:
    """Raise ValueError for other images than the techniques take, and for a parameter below 0 or not finite."""
    frequency.check_image(image)
    for name, value in parameters.items():
        if value is not None and not 0 <= value < np.inf:
            raise ValueError(f"{name}: expected a number from 0, received {value!r}")


def _gradient(values: np.ndarray) -> np.ndarray:
    """Magnitude of the gradient, in grey levels a pixel."""
    across, down = (cv2.Scharr(values, cv2.CV_32F, *order, scale=1 / 32) for order in ((1, 0), (0, 1)))
    return np.hypot(across, down)


def _ridges(gradient: np.ndarray) -> np.ndarray:
    """Where a gradient of at least half a grey level a pixel has a maximum along rows or columns; no border."""
    ridge = np.zeros(gradient.shape, bool)
    middle = gradient[1:-1, 1:-1]
    across = (middle >= gradient[1:-1, :-2]) & (middle > gradient[1:-1, 2:])
    down = (middle >= gradient[:-2, 1:-1]) & (middle > gradient[2:, 1:-1])
    ridge[1:-1, 1:-1] = (across | down) & (middle >= 0.5)
    return ridge


def _deconvolve(
    image: np.ndarray, sigma: float | None, method: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Apply `method` to each channel, in [0, 1] and with mirrored edges, and a Gaussian of `sigma` pixels."""
    sigma = blur_width(image) if sigma is None else sigma
    if sigma < 0.3:  # all but a single pixel
        return image.copy()
    reach = int(np.ceil(4 * sigma))
    line = cv2.getGaussianKernel(2 * reach + 1, sigma)
    padded = cv2.copyMakeBorder(image, *[2 * reach] * 4, cv2.BORDER_REFLECT_101) / 255.0
    channels = padded.reshape(*padded.shape[:2], -1)
    restored = np.dstack([method(channels[..., index], line @ line.T) for index in range(channels.shape[2])])
    inner = restored[2 * reach : -2 * reach, 2 * reach : -2 * reach]
    return np.clip(np.rint(255 * inner), 0, 255).astype(np.uint8).reshape(image.shape)


def _inside(luma: np.ndarray, box: Sequence[float]) -> np.ndarray:
    height, width = luma.shape
    x0, y0 = (max(int(np.floor(value)), 0) for value in box[:2])
    x1, y1 = min(int(np.ceil(box[2])), width), min(int(np.ceil(box[3])), height)
    if x0 >= x1 or y0 >= y1:
        raise ValueError(f"expected boxes that hold pixels of an image of {width}×{height}, received {tuple(box)}")
    return luma[y0:y1, x0:x1]


def _two_classes(values: np.ndarray) -> float:
    threshold, _ = cv2.threshold(np.ascontiguousarray(values), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    light = values > threshold
    return float(values[light].mean() - values[~light].mean()) if light.any() and not light.all() else 0.0
