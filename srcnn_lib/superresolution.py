"""Super-resolution by the SRCNN paper's protocol, to hold our networks against published figures.

The brightness channel of MATLAB's `rgb2ycbcr` is cut to a multiple of the scale, made smaller and larger
again by MATLAB's bicubic `imresize`, given to the network, rounded to 8 bits, and compared without a border
as wide as the scale (C. Dong et al., doi:10.1109/TPAMI.2015.2439281, section 4).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from srcnn_lib import images, metrics, records
from srcnn_lib.errors import DataError

PUBLISHED = {
    "bicubic": {2: 33.66, 3: 30.39, 4: 28.42},
    "SRCNN 9-1-5, 91 images": {2: 36.34, 3: 32.39, 4: 30.09},
    "SRCNN 9-5-5, ImageNet": {2: 36.66, 3: 32.75, 4: 30.49},
}
"""Mean PSNR in dB on Set5 by scale; the first two rows of SRCNN's own paper, as quoted by DRRN's authors."""

_DRRN, _SWINIR = "README of tyshiwo/DRRN_CVPR17", "table of SwinIR, arXiv:2108.10257"
_EDSR = "README of sanghyun-son/EDSR-PyTorch"
SURVEY = (
    # network, parameters, multiply-adds, Set5 by scale, source
    ("SRCNN 9-5-5", 57_281, 57_184, PUBLISHED["SRCNN 9-5-5, ImageNet"], _DRRN),
    ("ESPCN", 21_284, 5_296, {3: 33.13, 4: 30.90}, "tables of surveys"),
    ("FSRCNN", 12_464, 3_116, {2: 36.94, 3: 33.06, 4: 30.55}, "README of yjn870/FSRCNN-pytorch"),
    ("VDSR", 664_704, 664_704, {2: 37.53, 3: 33.66, 4: 31.35}, _DRRN),
    ("DRRN B1U25", 297_216, 7_375_104, {2: 37.74, 3: 34.03, 4: 31.68}, _DRRN),
    ("LapSRN", 870_112, 109_268, {2: 37.52, 4: 31.54}, "phoenix104104/LapSRN"),
    ("SRResNet", 1_547_350, 360_432, {4: 32.05}, "README of Lornatang/SRGAN-PyTorch"),
    ("SRGAN", 1_547_350, 360_432, {4: 29.40}, "README of Lornatang/SRGAN-PyTorch"),
    ("EDSR baseline", 1_369_859, 343_152, {2: 37.99}, _EDSR),
    ("EDSR", 40_729_603, 10_183_104, {2: 38.11, 3: 34.65, 4: 32.46}, _EDSR),
    ("MDSR", 7_953_987, 1_625_200, {2: 38.11, 3: 34.66}, _EDSR),
    ("RCAN", 15_592_355, 3_826_803, {2: 38.27, 3: 34.74, 4: 32.63}, _SWINIR),
    ("SAN", 15_674_732, 3_951_814, {2: 38.31, 3: 34.75, 4: 32.64}, _SWINIR),
    ("IMDN", 700_000, None, {2: 38.00, 3: 34.36, 4: 32.21}, _SWINIR),
    ("SwinIR-light", 900_000, None, {2: 38.14, 3: 34.62, 4: 32.44}, "README of JingyunLiang/SwinIR"),
    ("SwinIR", 11_800_000, None, {2: 38.42, 3: 34.97, 4: 32.92}, "README of JingyunLiang/SwinIR"),
)
"""Published mean Y-PSNR on Set5 in dB, with parameters as built here (as published for the last three, which are not)
and multiply-adds per pixel of the enlarged image at scale 2. Training data differ: SRCNN's was ImageNet, FSRCNN's 91
images, VDSR's and DRRN's 291, that of EDSR and later ones DIV2K or more. WRAN and SPAN: no comparable figure was
found."""


def survey() -> pd.DataFrame:
    """`SURVEY` as a table: network, parameters, multiply-adds per pixel, ×2, ×3 and ×4, source; NaN: not known."""
    rows = [
        {"network": name, "parameters": parameters, "multiply-adds per pixel": multiply_adds, "source": source}
        | {f"×{scale}": psnr.get(scale) for scale in (2, 3, 4)}
        for name, parameters, multiply_adds, psnr, source in SURVEY
    ]
    columns = ["network", "parameters", "multiply-adds per pixel", "×2", "×3", "×4", "source"]
    return pd.DataFrame(rows)[columns].astype({"multiply-adds per pixel": float})


def reached() -> dict[str, str]:
    """Y-PSNR in dB on Set5 at ×2 / ×3 / ×4 of the networks that `make benchmark-set5` trained, by registered name."""
    found = records.read_table("set5/scores")
    kept = {} if found is None else {"srcnn-9-1-5": found["SRCNN 9-1-5"], "house": found["house"]}
    return {name: " / ".join(f"{psnr:.2f}" for psnr in scores) for name, scores in kept.items()}


def brightness(image: np.ndarray) -> np.ndarray:
    """Y of MATLAB's `rgb2ycbcr` (ITU-R BT.601, 16 to 235): uint8 (H, W, 3) RGB in, uint8 (H, W) out."""
    y = 16 + image.astype(np.float64) @ (np.array([65.481, 128.553, 24.966]) / 255)
    return _rounded(y).astype(np.uint8)


def imresize(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resize like MATLAB's `imresize(image, shape, 'bicubic')`: float (H, W) in, float64 of `shape` out.

    When an image gets smaller, the kernel (Keys, a = -0.5, doi:10.1109/TASSP.1981.1163711) gets wider, so that nothing
    aliases; beyond the border the image is mirrored.
    """
    rows, columns = (_weights(old, new) for old, new in zip(image.shape, shape, strict=True))
    return rows @ image.astype(np.float64) @ columns.T


def degraded(image: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut a uint8 (H, W) image to a multiple of `scale`; the bicubically degraded float32 version in [0, 1], and it."""
    height, width = (side // scale * scale for side in image.shape)
    truth = image[:height, :width]
    small = imresize(truth / 255, (height // scale, width // scale))
    return imresize(small, (height, width)).astype(np.float32), truth


def score(folder: Path, scale: int, enhance: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
    """Score bicubic enlargement, and what `enhance` makes of it, on every image of a folder.

    `enhance` maps float32 (H, W) in [0, 1] to the same shape. Returns one row an image: name, bicubic and
    enhanced, both Y-PSNR in dB, 8 bits, without a border of `scale` pixels.

    Raises DataError if there is no image in the folder.
    """
    rows = []
    for file in image_files(folder):
        low, truth = degraded(brightness(images.read(file)), scale)
        inside = (slice(scale, -scale),) * 2
        bicubic, enhanced = (
            metrics.psnr(truth[inside], _rounded(255 * image)[inside], data_range=255) for image in (low, enhance(low))
        )
        rows.append({"name": file.stem, "bicubic": bicubic, "enhanced": enhanced})
    return pd.DataFrame(rows)


def training_pairs(
    folder: Path, scale: int, shrinkings: Sequence[float] = (1, 0.8, 0.6)
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training pairs (low, high) from every image of a folder: float32 (H, W, 1) in [0, 1].

    Each image comes in its own size and shrunk by each of `shrinkings`, as FSRCNN's authors do
    (arXiv:1608.00367), since 91 images are few.
    """
    pairs = []
    for file in image_files(folder):
        whole = brightness(images.read(file))
        for shrinking in shrinkings:
            shape = tuple(round(side * shrinking) for side in whole.shape)
            image = whole if shrinking == 1 else _rounded(imresize(whole, shape)).astype(np.uint8)
            low, truth = degraded(image, scale)
            pairs.append((low[..., None], (truth[..., None] / 255).astype(np.float32)))
    return pairs


def image_files(folder: Path) -> list[Path]:
    """The image files of a folder, by name. Raises DataError if there is none."""
    folder = Path(folder)
    found = sorted(file for file in folder.glob("*") if file.suffix.lower() in images.SUFFIXES)
    if not found:
        raise DataError(f"{folder}: expected image files, found none")
    return found


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.floor(np.clip(values, 0, 255) + 0.5)


def _weights(old: int, new: int) -> np.ndarray:
    """The matrix (new, old) that resizes one dimension."""
    scale = new / old
    stretch = max(1.0, 1 / scale)
    centres = (np.arange(new) + 0.5) / scale - 0.5
    reach = int(np.ceil(2 * stretch)) + 1
    sources = np.floor(centres)[:, None].astype(int) + np.arange(-reach, reach + 1)
    weights = _keys((centres[:, None] - sources) / stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = np.concatenate([np.arange(old), np.arange(old)[::-1]])[sources % (2 * old)]
    matrix = np.zeros((new, old))
    np.add.at(matrix, (np.arange(new)[:, None], mirrored), weights)
    return matrix


def _keys(x: np.ndarray) -> np.ndarray:
    """Keys' cubic kernel with a = -0.5."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))
