"""Section 2.4: what is done to the squashed images before a network sees them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from srcnn_lib import images, parallel, quality
from srcnn_lib.pairs import read_pair, squash


def denoise(image: np.ndarray, *, strength: float = 5.0) -> np.ndarray:
    """Non-local means: each pixel becomes an average over pixels with similar surroundings.

    uint8 RGB (H, W, 3) in and out. `strength` is OpenCV's filter parameter h for luminance and colour,
    in grey levels: differences of patches well below it count as noise. Patches of 7 pixels, searched
    in a window of 21. A. Buades, B. Coll, J.-M. Morel, CVPR 2005, doi:10.1109/CVPR.2005.38.
    """
    return cv2.fastNlMeansDenoisingColored(image, None, strength, strength, 7, 21)


def bilateral(image: np.ndarray, *, sigma_color: float = 30.0, sigma_space: float = 3.0) -> np.ndarray:
    """Bilateral filter: averages neighbours that are near (pixels) and alike (grey levels).

    uint8 RGB (H, W, 3) in and out. C. Tomasi, R. Manduchi, ICCV 1998, doi:10.1109/ICCV.1998.710815.
    """
    return cv2.bilateralFilter(image, -1, sigma_color, sigma_space)


def sharpen(image: np.ndarray, *, sigma: float = 2.0, amount: float = 1.5) -> np.ndarray:
    """Unsharp masking: add `amount` times the difference from a Gaussian blur of `sigma` pixels.

    uint8 RGB (H, W, 3) in and out; what leaves [0, 255] is cut off there.
    """
    return cv2.addWeighted(image, 1 + amount, cv2.GaussianBlur(image, (0, 0), sigma), -amount, 0)


def weighted_addition(image: np.ndarray, *, weight_sharp: float = 0.7, weight_smooth: float = 0.5) -> np.ndarray:
    """Add the sharpened and the denoised image with weights, as the original tried.

    uint8 RGB (H, W, 3) in and out. Weights that sum to more than 1 overflow, and overflow is cut off
    at 255: the original saw its backgrounds turn white. It does not give its weights.
    """
    return cv2.addWeighted(sharpen(image), weight_sharp, denoise(image), weight_smooth, 0)


def clahe(image: np.ndarray, *, clip_limit: float = 2.0, tiles: int = 8) -> np.ndarray:
    """Contrast-limited adaptive histogram equalisation of the lightness (CIE L*), in tiles × tiles regions.

    uint8 RGB (H, W, 3) in and out. K. Zuiderveld, Graphics Gems IV, 1994, pages 474–485.
    """
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clip_limit, (tiles, tiles)).apply(lab[..., 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


STEPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "denoise": denoise,
    "bilateral": bilateral,
    "sharpen": sharpen,
    "weighted_addition": weighted_addition,
    "clahe": clahe,
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


def trial(folder: Path, pairs: pd.DataFrame, *, size: int, side: str) -> pd.DataFrame:
    """Measure each technique on one side of some pairs, squashed to `size` pixels.

    Returns one row an image and technique ("none" first): name, technique, noise (estimated standard
    deviation in grey levels, median absolute deviation of the Laplacian), saturated (share of values at
    0 or 255) and contrast (standard deviation of the grey image, in grey levels).
    """

    def measure(pair) -> list[dict]:
        image = squash(read_pair(folder, pair)[side == "high"], size)
        return [
            {"name": pair.name, "technique": name, **_measurements(apply(image, steps))}
            for name, steps in [("none", ()), *((step, (step,)) for step in STEPS)]
        ]

    rows = parallel.over(pairs.itertuples(index=False), measure, f"trying techniques, {side} side")
    return pd.DataFrame([row for several in rows for row in several])


def _measurements(image: np.ndarray) -> dict[str, float]:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return {
        "noise": quality.noise(grey),
        "saturated": saturated_share(image),
        "contrast": quality.contrast(grey),
    }


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
