"""Photographs of users: read with everything that must survive, enhanced, and written beside, never over them."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from srcnn_lib.errors import DataError, ImageError
from srcnn_lib.files import whole

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
_QUALITY = {"JPEG": 95, "WEBP": 95}


@dataclass(frozen=True)
class Photo:
    """One image as it was stored, turned upright."""

    pixels: np.ndarray
    """uint8 or uint16: (H, W) grey, (H, W, 3) RGB, or (H, W, 2 or 4) with alpha last."""
    kind: str
    """Pillow's name of the format: JPEG, PNG, TIFF or WEBP."""
    cmyk: bool
    """Whether it was stored in the colours of print."""
    icc_profile: bytes | None
    exif: bytes | None


def read(path: Path, *, max_megapixels: float = 200) -> Photo:
    """Read an image of up to `max_megapixels`.

    Palettes become colours, and CMYK becomes RGB. Sixteen bits are kept; of colour images with sixteen bits only
    the pixels are (OpenCV reads them, since Pillow cannot). Raises ImageError for what is no whole image of one
    page in one of the formats of `SUFFIXES`.
    """
    path = Path(path)
    try:
        with Image.open(path) as file:
            if file.format not in ("JPEG", "PNG", "TIFF", "WEBP"):
                raise ValueError(f"its format is {file.format}")
            if file.width * file.height > max_megapixels * 1e6:
                raise ValueError(f"{file.width}×{file.height} pixels are more than {max_megapixels:g} megapixels")
            if getattr(file, "n_frames", 1) > 1:
                raise ValueError(f"it holds {file.n_frames} pages or frames, of which all but one would be lost")
            kind = file.format
            if _is_deep_colour(path, file):
                return Photo(_read_deep(path), kind, False, None, None)
            icc_profile = file.info.get("icc_profile")
            file.load()
            picture = ImageOps.exif_transpose(file)
            exif = picture.getexif().tobytes() if len(picture.getexif()) else None
            cmyk = picture.mode == "CMYK"
            return Photo(_pixels(picture), kind, cmyk, icc_profile, exif)
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError, cv2.error) as error:
        reason = "not an image of a known format" if isinstance(error, UnidentifiedImageError) else str(error)
        raise ImageError(
            f"{path}: cannot be enhanced ({reason}); expected one whole image, {', '.join(SUFFIXES)}", reason
        ) from error


def write(path: Path, photo: Photo, pixels: np.ndarray, *, strip: bool = False) -> None:
    """Write enhanced `pixels` (shaped as those of `photo`) in the format of `photo`, whole or not at all.

    The colour profile is kept, and so is EXIF (the orientation apart, which is upright now) unless `strip`.
    """
    with whole(path) as temporary:
        if pixels.dtype == np.uint16 and pixels.ndim == 3:
            order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[2]]
            if not cv2.imwrite(str(temporary), pixels[..., order]):
                raise OSError(f"{path}: OpenCV could not write it")
            return
        picture = Image.fromarray(pixels)
        if photo.cmyk:
            picture = picture.convert("CMYK")
        options = {"quality": _QUALITY[photo.kind]} if photo.kind in _QUALITY else {}
        if photo.icc_profile:
            options["icc_profile"] = photo.icc_profile
        if photo.exif and not strip:
            options["exif"] = photo.exif
        picture.save(temporary, photo.kind, **options)


def targets(sources: Sequence[Path], out: Path) -> dict[Path, Path]:
    """Which file each image of some files and folders is written to, in `out`; folders keep their inner paths.

    Raises DataError if a source does not exist, if there is no image, if two would be written to one file, or if one
    would be written over an image that is read.
    """
    found: dict[Path, Path] = {}
    written = out.resolve()
    for source in map(Path, sources):
        if source.is_dir():
            inside = sorted(file for file in source.rglob("*") if file.is_file() and file.suffix.lower() in SUFFIXES)
            if source.resolve() in written.parents:  # outputs of an earlier call are no inputs
                inside = [file for file in inside if not file.resolve().is_relative_to(written)]
            found |= {file: out / file.relative_to(source) for file in inside}
        elif source.exists():
            found[source] = out / source.name
        else:
            raise DataError(f"{source}: no such file or folder")
    if not found:
        raise DataError(f"{', '.join(map(str, sources))}: expected images ({', '.join(SUFFIXES)}), found none")
    inputs = {file.resolve() for file in found}
    taken: dict[Path, Path] = {}
    for file, target in found.items():
        resolved = target.resolve()
        if resolved in inputs:
            raise DataError(f"{target}: an image that is read would be written over; choose another folder with -o")
        if resolved in taken:
            raise DataError(f"{file} and {taken[resolved]} would both be written to {target}; enhance them one by one")
        taken[resolved] = file
    return found


def text_of(pixels: np.ndarray) -> str:
    """What RapidOCR reads on an image, as JSON: text, box and confidence of every line."""
    from srcnn_lib import ocr  # loads its models

    grey_or_colour = pixels if pixels.dtype == np.uint8 else (pixels / 257).round().astype(np.uint8)
    channels = grey_or_colour.reshape(*grey_or_colour.shape[:2], -1)
    rgb = channels[..., :3] if channels.shape[2] > 2 else np.repeat(channels[..., :1], 3, axis=2)
    lines = ocr.engines()["RapidOCR"](np.ascontiguousarray(rgb))
    return json.dumps(
        [{"text": line.text, "box": line.box, "confidence": line.confidence} for line in lines],
        indent=2,
        ensure_ascii=False,
    )


def _pixels(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith("I"):
        return np.asarray(picture).clip(0, 65535).astype(np.uint16)
    transparent = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    if picture.mode in ("L", "LA", "1"):
        return np.array(picture.convert("LA" if transparent else "L"))
    return np.array(picture.convert("RGBA" if transparent else "RGB"))


def _is_deep_colour(path: Path, file: Image.Image) -> bool:
    """Sixteen bits in several channels, which Pillow would cut to eight without a word."""
    if file.format == "PNG":
        with path.open("rb") as stream:
            head = stream.read(26)
        return head[24] == 16 and head[25] in (2, 6)
    if file.format == "TIFF":
        bits = file.tag_v2.get(258, (8,))
        return len(bits) > 1 and set(bits) == {16}
    return False


def _read_deep(path: Path) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("OpenCV cannot decode it")
    return image[..., [2, 1, 0] if image.shape[2] == 3 else [2, 1, 0, 3]]
