"""Reading and writing image files: the only place that knows about formats and colour modes."""

from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

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
        raise _unreadable(path, error) from error


def describe(path: Path) -> dict[str, object]:
    """What the head of an image file says, without decoding it.

    Returns format ("JPEG"), mode (Pillow's, "RGB"), orientation (EXIF's, 1 is upright), width and height
    in pixels as stored. Raises ImageError as `read` does, where the head cannot be read.
    """
    try:
        with Image.open(path) as file:
            orientation = file.getexif().get(ExifTags.Base.Orientation, 1)
            return {
                "format": file.format,
                "mode": file.mode,
                "orientation": orientation,
                "width": file.width,
                "height": file.height,
            }
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ImageError:
    reason = "not an image of a known format" if isinstance(error, UnidentifiedImageError) else str(error)
    expected = f"expected a whole file of one of the kinds {', '.join(SUFFIXES)}"
    return ImageError(f"{path}: cannot be read as an image ({reason}); {expected}", reason)


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
