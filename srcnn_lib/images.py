"""Reading and writing image files: the only place that knows about formats and colour modes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from srcnn_lib.errors import ImageError
from srcnn_lib.files import whole

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp")
# By content, whatever the suffix. Nothing else is tried: some of Pillow's readers start other programs.
_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP")


def read(path: Path) -> np.ndarray:
    """Read an image file.

    Returns
    -------
    uint8 array of shape (H, W, 3), RGB, values in [0, 255], turned as its EXIF orientation asks.
    Grey files are repeated over the channels; an alpha channel is laid over white.

    Raises
    ------
    ImageError
        If the file is missing, empty, truncated, no image, of implausible size, of several pages or frames, or of
        values whose range is not known (floating point, or 32 bits a pixel).
    """
    with _opened(path) as file:
        if file.mode in ("F", "I"):
            raise ValueError(f"its pixels are {'floating-point' if file.mode == 'F' else '32-bit'} numbers")
        ImageOps.exif_transpose(file, in_place=True)
        return _rgb(file)


def describe(path: Path) -> dict[str, object]:
    """What the head of an image file says, without decoding it.

    Returns format ("JPEG"), mode (Pillow's, "RGB"), orientation (EXIF's, 1 is upright), width and height
    in pixels as stored. Raises ImageError as `read` does, where the head cannot be read.
    """
    with _opened(path) as file:
        return {
            "format": file.format,
            "mode": file.mode,
            "orientation": file.getexif().get(ExifTags.Base.Orientation, 1),
            "width": file.width,
            "height": file.height,
        }


def _rgb(picture: Image.Image) -> np.ndarray:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    elif picture.mode.startswith("I"):  # 16 bits a pixel, which convert() would clip
        picture = Image.fromarray((np.asarray(picture) / 257).round().astype(np.uint8))
    return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The opened file; whatever goes wrong with it becomes an ImageError."""
    try:
        # Given a path, Pillow maps some TIFFs into memory, and scrambles those that it then turns.
        with path.open("rb") as stream, Image.open(stream, formats=_FORMATS) as file:
            # An MPO is a JPEG with further pictures behind it, as telephones write them: its first is the picture.
            if file.format != "MPO" and (count := getattr(file, "n_frames", 1)) > 1:
                raise ValueError(f"it holds {count} pages or frames")
            yield file
    except Exception as error:  # a damaged file can raise anything in a decoder
        reason = _reason(error)
        expected = f"expected a whole file of one of the kinds {', '.join(SUFFIXES)}"
        raise ImageError(f"{path}: cannot be read as an image ({reason}); {expected}", reason) from error


def _reason(error: Exception) -> str:
    """What went wrong, without the file's name, which messages of the system hold."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image of a known format"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


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
