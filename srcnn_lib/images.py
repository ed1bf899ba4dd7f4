"""Reading and writing image files: the only place that knows about formats and colour modes."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from srcnn_lib.errors import ImageError
from srcnn_lib.files import whole

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp")


def read(path: Path) -> np.ndarray:
    """Read an image file.

    Returns
    -------
    uint8 array of shape (H, W, 3), RGB, values in [0, 255], turned as its EXIF orientation asks.
    Grey files are repeated over the channels; an alpha channel is laid over white.

    Raises
    ------
    ImageError
        If the file is missing, empty, truncated, no image, or of implausible size.
    """
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file)
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            elif picture.mode.startswith("I"):  # 16 bits a pixel, which convert() would clip
                picture = Image.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8))
            return np.array(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageError(
            f"{path}: cannot be read as an image ({error}); expected a whole file of one of "
            f"the kinds {', '.join(SUFFIXES)}"
        ) from error


def write(path: Path, image: np.ndarray, *, quality: int | None = None) -> None:
    """Write a uint8 RGB array of shape (H, W, 3); the suffix chooses the format.

    `quality` is JPEG's and WebP's (1 to 100); None takes the format's default.
    Raises ValueError for other shapes or types.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"{path}: expected a uint8 array of shape (H, W, 3), received {image.dtype} of shape {image.shape}"
        )
    options = {} if quality is None else {"quality": quality}
    if Path(path).suffix.lower() == ".png":
        options["compress_level"] = 3  # a third of the time of the default for a few per cent of size
    with whole(path) as temporary:
        Image.fromarray(image).save(temporary, **options)
