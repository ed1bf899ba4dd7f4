"""A folder of pairs with everything that can be wrong with a file, made by code, and what is expected of each kind."""

import io
import os
import socket
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from srcnn_lib.pairs import HIGH, LOW

SOUND = ""
"""What is expected of a pair that nothing is wrong with: that it is in the index."""


@dataclass(frozen=True)
class Kind:
    """One way in which a pair can be hostile."""

    name: str
    expected: str
    """What the reason must contain, as a regular expression; `SOUND` where the pair must be in the index."""
    make: Callable[[Path, Path, np.ndarray], None]
    """Writes it, given where the low and the high file go (suffix .png) and a sharp image."""


def page(number: int, size: tuple[int, int] = (96, 140)) -> np.ndarray:
    """A page of lines of text-like strokes, uint8 RGB, different for every number."""
    rng = np.random.default_rng([3, number])
    image = np.full((*size, 3), rng.integers(200, 250, 3), np.uint8)
    height, width = size
    for row in range(8, height - 10, 10):
        strokes = rng.random(width // 3) < 0.5
        image[row : row + 6, : 3 * len(strokes)][:, np.repeat(strokes, 3)] = rng.integers(0, 80)
    return image


def blurred(image: np.ndarray) -> np.ndarray:
    """A hazy copy in which every pixel is the mean of its neighbours."""
    soft = np.mean([np.roll(image, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)], axis=0)
    return (0.8 * soft + 30).astype(np.uint8)


def encoded(image: np.ndarray | Image.Image, kind: str, **options) -> bytes:
    """An image as the bytes of a file."""
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, kind, **options)
    return buffer.getvalue()


def write_all(folder: Path) -> dict[str, Kind]:
    """Write one pair of every kind, and return the kinds by the stems of their names."""
    for side in (LOW, HIGH):
        (folder / side).mkdir(parents=True)
    kinds = {}
    for number, kind in enumerate(KINDS):
        low, high = (folder / side / f"{number:03d} {kind.name}.png" for side in (LOW, HIGH))
        kind.make(low, high, page(number))
        kinds[low.stem] = kind
    return kinds


def exif() -> Image.Exif:
    """What a telephone says of a photograph that it took lying on its side."""
    found = Image.Exif()
    found[0x0112] = 6
    found[0x010F] = "a camera"
    return found


def planted_secret(folder: Path) -> str:
    """Write the owner's name into the EXIF of a sound photograph, and return it."""
    author = Image.Exif()
    author[0x9C9D] = "Erika Meier".encode("utf-16-le")  # XPAuthor
    author[0x013B] = "Erika Meier"  # Artist
    for side, image in ((LOW, blurred(page(999))), (HIGH, page(999))):
        (folder / side / "Erika Meier, passport.jpg").write_bytes(encoded(image, "JPEG", exif=author))
    return "Erika Meier"


def _png(width: int, height: int, *chunks: tuple[bytes, bytes], bits: int = 8, colour: int = 2) -> bytes:
    """A PNG with the given head and chunks; the head may promise what the chunks do not hold."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def _low(content: Callable[[np.ndarray], bytes], suffix: str = ".png") -> Callable[[Path, Path, np.ndarray], None]:
    """The low side holds what `content` makes of the blurred page; the high side is sound."""

    def make(low: Path, high: Path, sharp: np.ndarray) -> None:
        low.with_name(low.stem + suffix).write_bytes(content(blurred(sharp)))
        high.write_bytes(encoded(sharp, "PNG"))

    return make


def _both(image: Callable[[np.ndarray], bytes], suffix: str = ".png") -> Callable[[Path, Path, np.ndarray], None]:
    """Both sides go through `image`, so that they match."""

    def make(low: Path, high: Path, sharp: np.ndarray) -> None:
        low.with_name(low.stem + suffix).write_bytes(image(blurred(sharp)))
        high.with_name(high.stem + suffix).write_bytes(image(sharp))

    return make


def _other(act: Callable[[Path], None]) -> Callable[[Path, Path, np.ndarray], None]:
    """The low side is whatever `act` puts there; the high side is sound."""

    def make(low: Path, high: Path, sharp: np.ndarray) -> None:
        high.write_bytes(encoded(sharp, "PNG"))
        act(low)

    return make


def _named(rename: Callable[[str], str | bytes]) -> Callable[[Path, Path, np.ndarray], None]:
    """A sound pair whose two files have an odd name, made from the plain one."""

    def make(low: Path, high: Path, sharp: np.ndarray) -> None:
        for path, image in ((low, blurred(sharp)), (high, sharp)):
            target = os.path.join(os.fsencode(path.parent), os.fsencode(rename(path.name)))
            with open(target, "wb") as file:
                file.write(encoded(image, "PNG"))

    return make


def _sized(width: int, height: int) -> Callable[[Path, Path, np.ndarray], None]:
    def make(low: Path, high: Path, sharp: np.ndarray) -> None:
        image = np.resize(sharp, (height, width, 3))
        low.write_bytes(encoded(image // 2 + 60, "PNG"))
        high.write_bytes(encoded(image, "PNG"))

    return make


def _truncated(share: float, kind: str) -> Callable[[np.ndarray], bytes]:
    def content(image: np.ndarray) -> bytes:
        whole = encoded(image, kind)
        return whole[: int(share * len(whole))]

    return content


def _flipped(kind: str, place: float) -> Callable[[np.ndarray], bytes]:
    """One byte in the file's head or body turned around."""

    def content(image: np.ndarray) -> bytes:
        whole = bytearray(encoded(image, kind))
        whole[int(place * len(whole))] ^= 0xFF
        return bytes(whole)

    return content


def _turned(image: np.ndarray) -> bytes:
    return encoded(image, "JPEG", exif=exif(), quality=95)


def _sixteen_bits(image: np.ndarray) -> bytes:
    return encoded(image[..., 0].astype(np.uint16) * 257, "PNG")


def _as(mode: str, kind: str) -> Callable[[np.ndarray], bytes]:
    return lambda image: encoded(Image.fromarray(image).convert(mode), kind)


def _frames(kind: str) -> Callable[[np.ndarray], bytes]:
    return lambda image: encoded(image, kind, save_all=True, append_images=[Image.fromarray(255 - image)])


def _sparse(low: Path) -> None:
    with low.open("wb") as file:
        file.truncate(6 * 2**30)


def _link(target: str) -> Callable[[Path], None]:
    return lambda low: low.symlink_to(target.format(name=low.name))


def _linked_outside(low: Path, high: Path, sharp: np.ndarray) -> None:
    """Links to sound files elsewhere, as those make who do not want to copy their images."""
    for path, image in ((low, blurred(sharp)), (high, sharp)):
        elsewhere = path.parent.parent / "elsewhere" / f"{path.parent.name}.png"
        elsewhere.parent.mkdir(exist_ok=True)
        elsewhere.write_bytes(encoded(image, "PNG"))
        path.symlink_to(elsewhere)


def _socket(low: Path) -> None:
    here = os.getcwd()
    os.chdir(low.parent)  # a socket's path may be no longer than some 100 bytes
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(low.name)
    finally:
        os.chdir(here)


def _folder(low: Path) -> None:
    low.mkdir()
    (low / "inside.png").write_bytes(encoded(page(0), "PNG"))


def _two_suffixes(low: Path, high: Path, sharp: np.ndarray) -> None:
    _both(lambda image: encoded(image, "PNG"))(low, high, sharp)
    low.with_suffix(".bmp").write_bytes(encoded(blurred(sharp), "BMP"))


def _read_only(low: Path, high: Path, sharp: np.ndarray) -> None:
    _both(lambda image: encoded(image, "PNG"))(low, high, sharp)
    low.chmod(0o444)
    high.chmod(0o444)


def _without_partner(low: Path, high: Path, sharp: np.ndarray) -> None:
    low.write_bytes(encoded(blurred(sharp), "PNG"))


def _without_input(low: Path, high: Path, sharp: np.ndarray) -> None:
    high.write_bytes(encoded(sharp, "PNG"))


def _other_size(low: Path, high: Path, sharp: np.ndarray) -> None:
    low.write_bytes(encoded(blurred(sharp)[:-1], "PNG"))
    high.write_bytes(encoded(sharp, "PNG"))


def _identical(low: Path, high: Path, sharp: np.ndarray) -> None:
    low.write_bytes(encoded(sharp, "PNG"))
    high.write_bytes(encoded(sharp, "PNG"))


def _decomposed(low: Path, high: Path, sharp: np.ndarray) -> None:
    low.with_name(f"{low.stem} é.png").write_bytes(encoded(blurred(sharp), "PNG"))
    high.with_name(f"{high.stem} e\u0301.png").write_bytes(encoded(sharp, "PNG"))


def _bomb(image: np.ndarray) -> bytes:
    """A small file that says it holds 100,000 × 100,000 pixels."""
    return _png(100_000, 100_000, (b"IDAT", zlib.compress(bytes(1000))))


def _large(image: np.ndarray) -> bytes:
    """A small file that really holds 12,000 × 9,000 grey pixels, which is over the profile's limit."""
    return _png(12_000, 9_000, (b"IDAT", zlib.compress(bytes(9_000 * 12_001), 1)), colour=0)


def _text_bomb(image: np.ndarray) -> bytes:
    """A text of 128 MiB, compressed, in the head of a PNG."""
    bomb = (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**27), 9))
    return _png(64, 64, bomb, (b"IDAT", zlib.compress(bytes(64 * 193))))


UNKNOWN = "not an image of a known format"
CONTROL = "its name holds control characters or is not UTF-8"
NAME = "not an image file, by its name"
TRUNCATED = f"(?i)truncated|could not create decoder|corrupt EXIF|{UNKNOWN}"

KINDS = (
    Kind("sound", SOUND, _both(lambda image: encoded(image, "PNG"))),
    # files that are no images, or no longer
    Kind("empty", UNKNOWN, _low(lambda image: b"")),
    Kind("one byte", UNKNOWN, _low(lambda image: b"\xff")),
    Kind("zeros", UNKNOWN, _low(lambda image: bytes(5000))),
    Kind("text", UNKNOWN, _low(lambda image: b"no image at all\n")),
    Kind("a page of the web", UNKNOWN, _low(lambda image: b"<html><script>alert(1)</script></html>", ".jpg")),
    Kind(
        "a drawing that names a program",
        UNKNOWN,
        _low(lambda image: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9"),
    ),
    Kind("a PDF", UNKNOWN, _low(_as("RGB", "PDF"))),
    Kind("a GIF", UNKNOWN, _low(_as("P", "GIF"))),
    Kind("a portable pixmap", UNKNOWN, _low(_as("RGB", "PPM"))),
    *(
        Kind(
            f"a {kind} cut at {share:.0%}",
            TRUNCATED,
            _low(_truncated(share, kind), suffix),
        )
        for kind, suffix in (("PNG", ".png"), ("JPEG", ".jpg"), ("WEBP", ".webp"), ("TIFF", ".tif"), ("BMP", ".bmp"))
        for share in (0.0005, 0.3, 0.9)
    ),
    Kind("a PNG with a byte flipped in its head", UNKNOWN, _low(_flipped("PNG", 0.004))),
    Kind("a PNG with a byte flipped in its body", "unrecognized data|broken", _low(_flipped("PNG", 0.5))),
    Kind("a WebP with its sign flipped", UNKNOWN, _low(_flipped("WEBP", 0.0), ".webp")),
    Kind("no pixels at all", "cannot load this image", _low(lambda image: _png(64, 64))),
    Kind("no width", UNKNOWN, _low(lambda image: _png(0, 64, (b"IDAT", b"")))),
    Kind("six gigabytes of nothing", UNKNOWN, _other(_sparse)),
    # files that are something else than their names say, and yet good
    Kind("a PNG named jpg", SOUND, _both(lambda image: encoded(image, "PNG"), ".jpg")),
    Kind("a JPEG named png", SOUND, _both(lambda image: encoded(image, "JPEG", quality=95))),
    Kind("a BMP named webp", SOUND, _both(lambda image: encoded(image, "BMP"), ".webp")),
    # frames and pages
    Kind("an animated PNG", "it holds 2 pages or frames", _low(_frames("PNG"))),
    Kind("an animated WebP", "it holds 2 pages or frames", _low(_frames("WEBP"), ".webp")),
    Kind("a TIFF of two pages", "it holds 2 pages or frames", _low(_frames("TIFF"), ".tif")),
    Kind("a JPEG with a second picture", SOUND, _both(_frames("MPO"), ".jpg")),
    # sizes
    Kind("1×1", "under 16 pixels", _sized(1, 1)),
    Kind("1×20000", "under 16 pixels", _sized(1, 20_000)),
    Kind("15×400", "under 16 pixels", _sized(15, 400)),
    Kind("16×16", SOUND, _sized(16, 16)),
    Kind("16×2000", SOUND, _sized(16, 2000)),
    Kind("a huge size declared", "exceeds limit", _low(_bomb)),
    Kind("a size over the limit", "12000×9000 is over 100 megapixels|exceeds limit", _low(_large)),
    Kind("a text bomb", "Decompressed data too large", _low(_text_bomb)),
    # modes
    Kind("16 bits", SOUND, _both(_sixteen_bits)),
    Kind("32 bits", "32-bit", _low(_as("I", "TIFF"), ".tif")),
    Kind("floating point", "floating-point", _low(_as("F", "TIFF"), ".tif")),
    Kind("black and white", SOUND, _both(_as("1", "PNG"))),
    Kind("grey", SOUND, _both(_as("L", "PNG"))),
    Kind("grey with transparency", SOUND, _both(_as("LA", "PNG"))),
    Kind("palette", SOUND, _both(_as("P", "PNG"))),
    Kind("transparency", SOUND, _both(_as("RGBA", "PNG"))),
    Kind("CMYK", SOUND, _both(_as("CMYK", "JPEG"), ".jpg")),
    Kind("the colours of Lab", SOUND, _low(_as("LAB", "TIFF"), ".tif")),
    Kind("grey on one side, colour on the other", SOUND, _low(_as("L", "PNG"))),
    Kind("turned by EXIF", SOUND, _both(_turned, ".jpg")),
    Kind("turned by EXIF on one side", "sizes differ", _low(_turned, ".jpg")),
    # names
    Kind("upper-case suffix", SOUND, _named(lambda name: name.replace(".png", ".PNG"))),
    Kind("  spaces  ", SOUND, _both(lambda image: encoded(image, "PNG"))),
    Kind("a tab\t", CONTROL, _both(lambda image: encoded(image, "PNG"))),
    Kind("a line\nbreak", CONTROL, _both(lambda image: encoded(image, "PNG"))),
    Kind("a carriage\rreturn", CONTROL, _both(lambda image: encoded(image, "PNG"))),
    Kind("<script>alert('name')<", SOUND, _both(lambda image: encoded(image, "PNG"))),
    Kind("quote \" and 'quote', comma; $x^2$ `tick` \\", SOUND, _both(lambda image: encoded(image, "PNG"))),
    Kind("Ünïcödé 身份证 بطاقة", SOUND, _both(lambda image: encoded(image, "PNG"))),
    Kind("composed é on one side", "no partner", _decomposed),
    Kind("leading dashes", SOUND, _named(lambda name: f"--{name}")),
    Kind("a name as long as can be", SOUND, _named(lambda name: f"{name[:-4]:x<251}.png")),
    Kind("two dots", SOUND, _named(lambda name: name.replace(".png", "..png"))),
    Kind("not UTF-8", CONTROL, _named(lambda name: name.encode().replace(b".png", b"\xff.png"))),
    Kind("hidden", "a hidden file", _named(lambda name: f".{name}")),
    Kind("no suffix", NAME, _named(lambda name: name[:-4])),
    Kind("two suffixes", "the same name as", _two_suffixes),
    Kind("another suffix", NAME, _low(lambda image: encoded(image, "GIF"), ".gif")),
    # what is no file
    Kind("a folder", "a folder", _other(_folder)),
    Kind("a pipe", "neither a file nor a folder", _other(os.mkfifo)),
    Kind("a socket", "neither a file nor a folder", _other(_socket)),
    Kind("a link to itself", "cannot be found", _other(_link("{name}"))),
    Kind("a link to nowhere", "cannot be found", _other(_link("nowhere.png"))),
    Kind("a link to a folder", "a folder", _other(_link(".."))),
    Kind("a link to a file that is no image", UNKNOWN, _other(_link("/etc/hosts"))),
    Kind("links to images elsewhere", SOUND, _linked_outside),
    Kind("read-only", SOUND, _read_only),
    # partners
    Kind("no sharp side", "no partner in sharpened_images", _without_partner),
    Kind("no blurred side", "no partner in blurred_images", _without_input),
    Kind("partners of two sizes", "sizes differ", _other_size),
    Kind("identical sides", SOUND, _identical),
    *(
        Kind(f"flat {grey}", SOUND, _both(lambda image, grey=grey: encoded(np.full_like(image, grey), "PNG")))
        for grey in (0, 255)
    ),
)
