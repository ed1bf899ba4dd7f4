"""Photographs of users: read with everything that must survive, enhanced, and written beside, never over them."""

import fcntl
import io
import json
import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

import cv2
import numpy as np
import tifffile
from PIL import Image, ImageOps, UnidentifiedImageError

from srcnn_lib.errors import DataError, ImageError
from srcnn_lib.files import remove_left_behind, whole

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
_QUALITY = {"JPEG": 95, "WEBP": 95}
_ORIENTATION, _EXIF_IFD, _GPS_IFD = 274, 34665, 34853
_RESOLUTION, _EXTRA_SAMPLES = 282, 338
_SIDES = (40962, 40963)  # width and height in pixels, which each format has elsewhere, too
_DESCRIPTIVE = (270, 271, 272, 305, 306, 315, 33432)  # what is shown, by which camera and software, when, by whom


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
    dpi: tuple[float, float] | None = None
    """Pixels per inch, by which OCR judges the size of letters."""
    packed: bool = False
    """Whether a TIFF was compressed."""
    lossless: bool = False
    """Whether a WebP kept every pixel."""
    premultiplied: bool = False
    """Whether the alpha of a TIFF with sixteen bits is multiplied into its colours already."""


def read(path: Path, *, max_megapixels: float = 178) -> Photo:
    """Read an image of up to `max_megapixels` (Pillow refuses what has more than 178).

    Palettes become colours, and CMYK becomes RGB. Sixteen bits are kept (OpenCV and tifffile read them in colour
    images, since Pillow cannot). Of the several pictures that some cameras put into one JPEG, the first is taken.
    Raises ImageError for what is no whole image of one page in one of the formats of `SUFFIXES`.
    """
    path = Path(path)
    try:
        # Given a path, Pillow maps some TIFFs into memory, and scrambles those that it then turns.
        with path.open("rb") as stream, Image.open(stream) as file:
            kind = "JPEG" if file.format == "MPO" else file.format
            if kind not in ("JPEG", "PNG", "TIFF", "WEBP"):
                raise ValueError(f"its format is {kind}")
            if file.width * file.height > max_megapixels * 1e6:
                raise ValueError(f"{file.width}×{file.height} pixels are more than {max_megapixels:g} megapixels")
            if file.format != "MPO" and getattr(file, "n_frames", 1) > 1:
                raise ValueError(f"it holds {file.n_frames} pages or frames, of which all but one would be lost")
            if file.mode in ("I", "F"):
                raise ValueError("its pixels are numbers of 32 bits")
            if _is_deep_colour(path, file):
                orientation, about = file.getexif().get(_ORIENTATION, 1), _about(file, stream)
                file.close()  # Pillow decodes a PNG in search of EXIF, and would hold that beside what comes now
                return Photo(_upright(_read_deep(path, kind), orientation), kind, False, **about)
            ImageOps.exif_transpose(file, in_place=True)  # else it would copy what stands upright, too
            return Photo(_pixels(file), kind, file.mode == "CMYK", **_about(file, stream))
    except (
        OSError,
        ValueError,
        SyntaxError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
        cv2.error,
    ) as error:
        reason = "not an image of a known format" if isinstance(error, UnidentifiedImageError) else str(error)
        raise ImageError(
            f"{path}: cannot be enhanced ({reason}); expected one whole image, {', '.join(SUFFIXES)}", reason
        ) from error


def write(path: Path, photo: Photo, pixels: np.ndarray, *, strip: bool = False) -> None:
    """Write enhanced `pixels` (shaped as those of `photo`) in the format of `photo`, whole or not at all.

    The colour profile is kept, and so is EXIF (the orientation apart, which is upright now) unless `strip`. The EXIF of
    a colour TIFF with sixteen bits is lost.
    """
    with whole(path) as temporary:
        if pixels.dtype == np.uint16 and pixels.ndim == 3:
            _write_deep(temporary, photo, pixels, strip)
            return
        picture = Image.fromarray(pixels)
        if photo.cmyk:
            picture = picture.convert("CMYK")
        options = {"quality": _QUALITY[photo.kind]} if photo.kind in _QUALITY else {}
        if photo.lossless:
            options = {"lossless": True, "exact": True}  # colours under transparency, too
        if photo.icc_profile:
            options["icc_profile"] = photo.icc_profile
        if photo.exif and not strip:
            options["exif"] = photo.exif
        if photo.dpi:
            options["dpi"] = photo.dpi
        if photo.packed:
            options["compression"] = "tiff_adobe_deflate"  # Pillow's name; loses nothing
        picture.save(temporary, photo.kind, **options)


def _write_deep(path: Path, photo: Photo, pixels: np.ndarray, strip: bool) -> None:
    """Write sixteen bits in several channels, which Pillow cannot."""
    if photo.kind == "TIFF":
        options = {"compression": "adobe_deflate"} if photo.packed else {}
        if photo.dpi:
            options |= {"resolution": photo.dpi, "resolutionunit": "INCH"}
        if pixels.shape[2] == 4:
            options["extrasamples"] = ["ASSOCALPHA" if photo.premultiplied else "UNASSALPHA"]
        tifffile.imwrite(path, pixels, photometric="rgb", iccprofile=photo.icc_profile, metadata=None, **options)
        return
    kept = {cv2.IMAGE_METADATA_ICCP: photo.icc_profile, cv2.IMAGE_METADATA_EXIF: None if strip else photo.exif}
    kept = {name: np.frombuffer(value, np.uint8) for name, value in kept.items() if value}
    pixels = _swapped(np.require(pixels, requirements="CW"))
    try:
        if not cv2.imwriteWithMetadata(os.fsencode(path), pixels, list(kept), list(kept.values())):
            raise OSError("OpenCV could not write it")
    finally:
        _swapped(pixels)
    if photo.dpi:
        _note_resolution(path, photo.dpi)


def _note_resolution(path: Path, dpi: tuple[float, float]) -> None:
    """Put pixels per metre into a PNG, which OpenCV cannot: right after its head, which is 33 bytes."""
    chunk = b"pHYs" + struct.pack(">IIB", *(round(side / 0.0254) for side in dpi), 1)
    with whole(path) as longer, path.open("rb") as old, longer.open("wb") as new:
        new.write(old.read(33))
        new.write(struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk)))
        shutil.copyfileobj(old, new)


def targets(sources: Sequence[Path], out: Path) -> dict[Path, Path]:
    """Which file each image of some files and folders is written to, in `out`; folders keep their inner paths.

    What is hidden in a folder is left out: besides others', temporary files of a call that was killed are.

    Raises DataError if a source does not exist or is neither a regular file nor a folder, if there is no image, if two
    would be written to one file, or if one would be written over an image that is read.
    """
    found: dict[Path, Path] = {}
    written = out.resolve()
    for source in map(Path, sources):
        if source.is_dir():
            inside = sorted(file for file in source.rglob("*") if file.is_file() and is_image(file.relative_to(source)))
            if source.resolve() in written.parents:  # outputs of an earlier call are no inputs
                inside = [file for file in inside if not file.resolve().is_relative_to(written)]
            found |= {file: out / file.relative_to(source) for file in inside}
        elif source.is_file():
            found[source] = out / source.name
        elif source.exists():  # a pipe, say, at which reading would wait for ever
            raise DataError(f"{source}: expected a file or folder, found something else")
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


def make_folder(out: Path) -> None:
    """Make a folder for outputs. Raises DataError if that cannot be, or if nothing can be written there.

    It is not made if it is named like an image: then a file was meant.
    """
    if out.suffix.lower() in SUFFIXES and not out.is_dir():
        raise DataError(f"{out}: outputs cannot be written there (it must be a folder); choose another with -o")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise DataError(f"{out}: outputs cannot be written there ({error.strerror}); choose another folder") from error


@contextmanager
def working_in(out: Path, targets: Mapping[Path, Path]) -> Iterator[None]:
    """Hold the folder for outputs during a block, once what killed calls left beside the `targets` is removed.

    Where another call holds it, too, nothing is removed, since those may be its files. The system takes the hold back
    when a process ends, however it ends.
    """
    descriptor = os.open(out, os.O_RDONLY)
    try:
        with suppress(OSError):  # another holds it, or the file system knows no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for folder in {target.parent for target in targets.values()}:
                remove_left_behind(folder.glob("*"))
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def is_image(path: PurePath) -> bool:
    """Whether a path within a folder looks like that of an image, and is not hidden."""
    return path.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in path.parts)


def text_of(pixels: np.ndarray) -> str:
    """What RapidOCR reads on an image, as JSON: text, box and confidence of every line."""
    from srcnn_lib import ocr  # loads its models

    lines = ocr.engines()["RapidOCR"](_rgb(pixels))
    return json.dumps(
        [{"text": line.text, "box": line.box, "confidence": line.confidence} for line in lines],
        indent=2,
        ensure_ascii=False,
    )


def preview(path: Path, *, side: int = 1200) -> bytes:
    """An image file as a JPEG no larger than `side` pixels, for browsers, of which few show TIFF."""
    picture = Image.fromarray(_rgb(read(path).pixels))
    picture.thumbnail((side, side))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _rgb(pixels: np.ndarray) -> np.ndarray:
    """Any pixels as uint8 RGB (H, W, 3), without alpha."""
    pixels = pixels if pixels.dtype == np.uint8 else (pixels / 257).round().astype(np.uint8)
    channels = pixels.reshape(*pixels.shape[:2], -1)
    return np.ascontiguousarray(channels[..., :3] if channels.shape[2] > 2 else np.repeat(channels[..., :1], 3, axis=2))


def _pixels(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith("I"):
        return np.asarray(picture).clip(0, 65535).astype(np.uint16)
    transparent = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    mode = ("LA" if transparent else "L") if picture.mode in ("L", "LA", "1") else "RGBA" if transparent else "RGB"
    return np.array(picture if picture.mode == mode else picture.convert(mode))  # which copies in any case


def _about(file: Image.Image, stream: BinaryIO) -> dict[str, object]:
    """What of a file is no pixels, by the names in `Photo`."""
    tiff = file.format == "TIFF"
    return {
        "exif": _exif(file),
        "icc_profile": file.info.get("icc_profile") if file.mode != "LAB" else None,  # LAB becomes RGB
        "dpi": file.info.get("dpi") if not tiff or _RESOLUTION in file.tag_v2 else None,  # where Pillow makes it 1
        "packed": tiff and file.info.get("compression", "raw") != "raw",
        "lossless": file.format == "WEBP" and _is_lossless(stream),
        "premultiplied": tiff and 1 in file.tag_v2.get(_EXTRA_SAMPLES, ()),
    }


def _is_lossless(webp: BinaryIO) -> bool:
    """Whether the pixels of a WebP are in a chunk of the kind that loses nothing (RFC 9649)."""
    webp.seek(12)  # past RIFF, size and WEBP
    while len(head := webp.read(8)) == 8:
        kind, size = struct.unpack("<4sI", head)
        if kind in (b"VP8L", b"VP8 "):
            return kind == b"VP8L"
        webp.seek(size + size % 2, os.SEEK_CUR)
    return False


def _exif(file: Image.Image) -> bytes | None:
    """What EXIF tells beside the orientation."""
    exif = file.getexif()
    exif.pop(_ORIENTATION, None)
    inner = exif.get_ifd(_EXIF_IFD)
    for tag in _SIDES:  # which are wrong once it is turned
        inner.pop(tag, None)
    if file.format == "TIFF":  # its tags are EXIF and layout of the file in one
        described = Image.Exif()
        described.update({tag: exif[tag] for tag in _DESCRIPTIVE if tag in exif})
        for ifd in (_EXIF_IFD, _GPS_IFD):
            if ifd in exif:
                described.get_ifd(ifd).update(exif.get_ifd(ifd))
        exif = described
    return exif.tobytes() if len(exif) else None


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror an array as EXIF says that a viewer should."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _is_deep_colour(path: Path, file: Image.Image) -> bool:
    """Sixteen bits in several channels, which Pillow would cut to eight without a word."""
    if file.format == "PNG":
        with path.open("rb") as stream:
            head = stream.read(26)
        return head[24] == 16 and head[25] in (2, 4, 6)
    if file.format == "TIFF":
        bits = file.tag_v2.get(258, (8,))
        return len(bits) > 1 and set(bits) == {16}
    return False


def _read_deep(path: Path, kind: str) -> np.ndarray:
    """Colours of sixteen bits as they are stored, not turned. Raises ValueError for what would come out wrong."""
    if kind == "PNG":
        return _swapped(_decoded(cv2.imread(os.fsencode(path), cv2.IMREAD_UNCHANGED)))
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        if page.photometric != tifffile.PHOTOMETRIC.RGB or page.samplesperpixel not in _SWAPS:
            raise ValueError(
                f"its {page.samplesperpixel} channels of sixteen bits are {page.photometric.name}, not RGB"
            )
        if page.sampleformat != tifffile.SAMPLEFORMAT.UINT:
            raise ValueError("its pixels are no whole numbers from 0")
        planar = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
        if page.compression in _OF_TIFFFILE:
            pixels = page.asarray()
            return np.ascontiguousarray(np.moveaxis(pixels, 0, 2)) if planar else pixels
        if planar:  # OpenCV would take the first plane for all of them
            raise ValueError(f"sixteen bits in separate planes, compressed by {page.compression.name}")
        orientation = page.tags.valueof(_ORIENTATION, 1)
    pixels = _swapped(_decoded(cv2.imdecode(np.memmap(path, np.uint8, "r"), cv2.IMREAD_UNCHANGED)))
    return _upright(pixels, _BACK.get(orientation, orientation))


_SWAPS = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}  # OpenCV's order of the channels, and back
_BACK = {6: 8, 8: 6}  # OpenCV turns a TIFF: what undoes it
# Compressions that tifffile reads by itself; OpenCV reads others.
_OF_TIFFFILE = (tifffile.COMPRESSION.NONE, tifffile.COMPRESSION.ADOBE_DEFLATE, tifffile.COMPRESSION.DEFLATE)


def _decoded(image: np.ndarray | None) -> np.ndarray:
    if image is None:
        raise ValueError("OpenCV cannot decode it")
    if image.ndim != 3 or image.shape[2] not in _SWAPS or image.dtype != np.uint16:
        raise ValueError(f"OpenCV makes {image.dtype} of shape {image.shape} of it")
    return image


def _swapped(pixels: np.ndarray) -> np.ndarray:
    """The same array with red and blue swapped in place: a large one must not be held twice."""
    return cv2.cvtColor(pixels, _SWAPS[pixels.shape[2]], dst=pixels)
