import dataclasses
import hashlib
import json
import math
import os
import re
import signal
import struct
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from srcnn_lib import enhancer, evaluation, export, models, photos, scenes
from srcnn_lib.__main__ import main
from srcnn_lib.errors import DataError, ForeseenError, ImageError, RunError
from srcnn_lib.files import write_json
from srcnn_lib.specimens import degradations
from tests.conftest import ROOT

EXIF_IFD, EXIF_GPS = 34665, 34853


@pytest.fixture
def image(rng):
    """Smooth and in the middle of the range, so that nothing is cut off."""
    small = Image.fromarray(rng.integers(80, 180, (9, 11, 3), dtype=np.uint8))
    return np.array(small.resize((150, 118), Image.Resampling.BICUBIC))


def enhance(*arguments, check=False):
    command = [sys.executable, "-m", "srcnn_lib", "enhance", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=check)


@settings(max_examples=8)
@given(
    height=st.integers(1, 500),
    width=st.integers(1, 500),
    tile=st.integers(5, 40).map(lambda cells: 8 * cells),
    model=st.sampled_from(sorted(enhancer.models())),
    seed=st.integers(0, 99),
)
def test_tiles_agree_with_the_whole(height, width, tile, model, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    whole = enhancer.enhance(image, model=model).astype(int)
    assert np.abs(enhancer.enhance(image, model=model, tile=tile) - whole).max() <= 1


@pytest.mark.parametrize("name", sorted(enhancer.models()))
def test_the_file_gives_what_keras_gives(rng, tmp_path, monkeypatch, name):
    network = models.build(enhancer.models()[name]["network"])
    # The wider a layer, the less, or values explode and with them what rounding does.
    weights = [
        values + rng.normal(0, 0.5 / (16 + math.prod(values.shape[:-1])) ** 0.5, values.shape)
        for values in network.get_weights()
    ]
    network.set_weights(export.rounded(weights))
    export.write_onnx(network, tmp_path / "made.onnx")
    digest = hashlib.sha256((tmp_path / "made.onnx").read_bytes()).hexdigest()
    write_json(tmp_path / "weights.json", {"made": enhancer.models()[name] | {"file": "made.onnx", "sha256": digest}})
    monkeypatch.setattr(enhancer, "WEIGHTS", tmp_path)
    monkeypatch.setattr(enhancer, "_session", enhancer._session.__wrapped__)
    image = rng.integers(0, 256, (304, 352, 3), dtype=np.uint8)
    expected = evaluation.predict(network, image).astype(int)
    assert np.abs(enhancer.enhance(image, model="made") - expected).max() <= 1
    assert np.abs(expected - image).max() > 1

    again = models.build(enhancer.models()["made"]["network"])
    export.read_onnx(again, tmp_path / "made.onnx")
    for values, wanted in zip(again.get_weights(), network.get_weights(), strict=True):
        assert np.array_equal(values, wanted)


def test_weights_of_another_network_are_refused():
    network = models.build("house", width=8, blocks=1, light=0)
    with pytest.raises(RunError, match=r"house-large\.onnx: expected weights of shapes .* for layer \w+"):
        export.read_onnx(network, enhancer.WEIGHTS / "house-large.onnx")


def test_what_is_called_before_a_tile_can_end_the_work(image):
    calls = []

    def count():
        calls.append(None)
        if len(calls) > 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        enhancer.enhance(image, tile=40, model="srcnn", before_tile=count)
    assert len(calls) == 3


def test_every_kind_of_array_comes_back_as_it_was(image):
    before = image.copy()
    colour = enhancer.enhance(image)
    assert np.array_equal(image, before) and colour.shape == image.shape and colour.dtype == np.uint8
    alpha = np.arange(image[..., 0].size, dtype=np.uint8).reshape(image.shape[:2])
    with_alpha = enhancer.enhance(np.dstack([image, alpha]))
    assert np.array_equal(with_alpha[..., 3], alpha) and np.array_equal(with_alpha[..., :3], colour)
    deep = enhancer.enhance(image.astype(np.uint16) * 257)
    assert deep.dtype == np.uint16 and np.abs(deep / 257 - colour).max() <= 0.51
    grey = enhancer.enhance(image[..., 0])
    assert grey.shape == image.shape[:2] and np.array_equal(grey[..., None], enhancer.enhance(image[..., :1]))
    grey_alpha = enhancer.enhance(np.dstack([image[..., 0], alpha]))
    assert np.array_equal(grey_alpha[..., 0], grey) and np.array_equal(grey_alpha[..., 1], alpha)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 40), (7, 5, 4), (33, 8, 3)])
def test_any_size(rng, shape):
    assert enhancer.enhance(rng.integers(0, 256, shape, dtype=np.uint8)).shape == shape


def test_strength_blends(image):
    assert np.array_equal(enhancer.enhance(image, strength=0), image)
    full, half = (enhancer.enhance(image, strength=strength).astype(float) for strength in (1, 0.5))
    inside = (full > 0) & (full < 255)
    assert np.abs(half - (full + image) / 2)[inside].max() <= 1


@pytest.fixture(scope="module")
def waved():
    """An image without and with lines all over it, as a screen leaves them."""
    rng = np.random.default_rng(4)
    calm = cv2.GaussianBlur(rng.integers(0, 256, (430, 610, 3), dtype=np.uint8), (0, 0), 4)
    calm = np.clip(4.0 * (calm - 127.5) + 127.5, 40, 215).astype(np.uint8)
    wave = {"amplitude": 16.0, "period": 6.3, "angle": 35.0, "phase": 1.0}
    return calm, degradations.periodic(calm, **wave)


@pytest.mark.parametrize("model", sorted(enhancer.models()))
def test_waves_are_taken_away_before_the_network_sees_them(waved, model):
    calm, lines = waved
    wanted = enhancer.enhance(calm, model=model).astype(int)
    without, with_them = (
        np.abs(enhancer.enhance(lines, model=model, waves=waves) - wanted).mean() for waves in (True, False)
    )
    assert without < 0.2 * with_them
    assert np.array_equal(enhancer.enhance(calm, model=model, waves=False), wanted), "where there are none, none go"


def test_waves_go_in_tiles_as_in_the_whole_by_half_and_in_every_kind_of_array(waved):
    lines = waved[1]
    whole = enhancer.enhance(lines).astype(int)
    assert np.abs(enhancer.enhance(lines, tile=160) - whole).max() <= 2
    assert np.array_equal(enhancer.enhance(lines, strength=0), lines)
    half = enhancer.enhance(lines, strength=0.5)
    inside = (whole > 0) & (whole < 255)
    assert np.abs(half - (whole + lines) / 2)[inside].max() <= 1
    deep = enhancer.enhance(lines.astype(np.uint16) * 257)
    assert np.abs(deep / 257 - whole).max() <= 0.51
    grey = enhancer.enhance(lines[..., 0])
    alpha = np.full(grey.shape, 9, np.uint8)
    grey_alpha = enhancer.enhance(np.dstack([lines[..., 0], alpha]))
    assert np.array_equal(grey_alpha, np.dstack([grey, alpha]))
    assert np.abs(grey.astype(int) - enhancer.enhance(lines[..., 0], waves=False)).mean() > 3


@pytest.fixture(scope="module", params=["an unsteady hand", "a lens out of focus"])
def blurred_pair(request):
    """A drawn piece of a document, and the same by an unsteady hand or a lens out of focus."""
    sharp = scenes.draw(np.random.default_rng([1, 0]), scenes.families((), "train")).image
    if request.param == "an unsteady hand":
        return sharp, degradations.motion(sharp, length=9.0, angle=30.0)
    return sharp, degradations.disc(sharp, radius=4.5)


def test_a_blur_is_taken_back_before_the_network_sees_it(blurred_pair):
    sharp, blurred = blurred_pair
    taken_back, left = (cv2.PSNR(enhancer.enhance(blurred, blur=blur), sharp) for blur in (True, False))
    assert taken_back > left + 1
    prepared = enhancer.prepare(blurred)
    assert prepared.shape == blurred.shape and prepared.dtype == np.uint8
    assert np.array_equal(enhancer.prepare(blurred, blur=False), blurred)
    assert enhancer.prepare(blurred[..., 0]).shape == blurred.shape[:2]
    with pytest.raises(ValueError, match="uint16"):
        enhancer.prepare(blurred.astype(np.uint16))
    assert np.array_equal(enhancer.enhance(sharp), enhancer.enhance(sharp, blur=False)), "where none is seen"


def test_a_blur_goes_in_tiles_as_in_the_whole_and_by_half(blurred_pair):
    blurred = blurred_pair[1]
    whole = enhancer.enhance(blurred).astype(int)
    assert np.abs(enhancer.enhance(blurred, tile=160) - whole).max() <= 3
    assert np.array_equal(enhancer.enhance(blurred, strength=0), blurred)
    deep = enhancer.enhance(blurred.astype(np.uint16) * 257)
    assert np.abs(deep / 257 - whole).max() <= 0.51


def test_waves_are_looked_for_in_the_middle_of_a_large_image(waved):
    wide = np.tile(waved[1], (1, 4, 1))
    wide[:, : wide.shape[1] // 4] = 128
    assert np.abs(enhancer.enhance(wide).astype(int) - enhancer.enhance(wide, waves=False)).mean() > 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": np.zeros((4, 4, 3))}, "received float64"),
        ({"image": np.zeros((4, 4, 5), np.uint8)}, r"\(4, 4, 5\)"),
        ({"image": np.zeros((0, 4), np.uint8)}, r"\(0, 4\)"),
        ({"strength": 1.5}, "strength: .* received 1.5"),
        ({"strength": math.nan}, "strength: .* received nan"),
        ({"tile": 100}, "tile: expected a multiple of 8, received 100"),
        ({"threads": 0}, "threads: expected at least 1, received 0"),
        ({"threads": -1}, "threads: expected at least 1, received -1"),
        ({"model": "nothing"}, "unknown model 'nothing'; .* house, srcnn"),
    ],
)
def test_what_cannot_be_is_named(change, message):
    arguments = {"image": np.zeros((8, 8, 3), np.uint8)} | change
    with pytest.raises(ValueError, match=message):
        enhancer.enhance(**arguments)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_what_is_of_another_type_is_named(image):
    for slip in (
        Image.fromarray(image),
        image.tolist(),
        "a.png",
        None,
        np.asmatrix(image[..., 0]),
        np.ma.masked_array(image),
    ):
        with pytest.raises(TypeError, match=f"image: expected a NumPy array .*, received {type(slip).__name__}"):
            enhancer.enhance(slip)
    for name, slips in {
        "strength": ("1", None),
        "tile": (8.0, "8"),
        "threads": (1.5, "2"),
        "waves": ("no", 1, None),
        "blur": ("no", 0, None),
        "model": (None, ["house"]),
    }.items():
        for slip in slips:
            with pytest.raises(TypeError, match=rf"{name}: expected .* received {re.escape(repr(slip))}"):
                enhancer.enhance(image, **{name: slip})


def test_of_threads_no_more_than_cores_are_taken(image, monkeypatch):
    asked = []
    session = enhancer._session
    monkeypatch.setattr(enhancer, "_session", lambda model, threads: asked.append(threads) or session(model, threads))
    monkeypatch.setattr(enhancer.os, "cpu_count", lambda: 2)
    for threads in (1, 2, 3, 10**6, None):
        enhancer.enhance(image[:8, :8], threads=threads)
    assert asked == [1, 2, 2, 2, 2]


def test_the_byte_order_of_other_machines_is_known(image):
    deep = image.astype(np.uint16) * 250 + 13
    for order in ("<u2", ">u2"):
        result = enhancer.enhance(deep.astype(order))
        assert result.dtype == np.uint16 and np.array_equal(result, enhancer.enhance(deep))


def test_changed_weights_are_refused(tmp_path, monkeypatch):
    (tmp_path / "weights.json").write_text((enhancer.WEIGHTS / "weights.json").read_text())
    (tmp_path / "house.onnx").write_bytes(b"something else")
    monkeypatch.setattr(enhancer, "WEIGHTS", tmp_path)
    monkeypatch.setattr(enhancer, "_session", enhancer._session.__wrapped__)
    with pytest.raises(ForeseenError, match=r"house\.onnx: expected the file with SHA-256"):
        enhancer.enhance(np.zeros((8, 8, 3), np.uint8))


def test_nothing_is_loaded_that_takes_longer_than_a_card():
    code = (
        "import sys, numpy, srcnn_lib; srcnn_lib.enhance(numpy.zeros((96, 96, 3), numpy.uint8));"
        "loaded = {'tensorflow', 'keras', 'pandas', 'scipy'} & sys.modules.keys(); assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_photos_come_back_upright_with_profile_and_exif(tmp_path, image):
    exif = Image.Exif()
    exif[274], exif[271], exif[EXIF_GPS] = 6, "a camera", {1: "N"}
    exif.get_ifd(EXIF_IFD).update({40962: 150, 40963: 118, 36867: "2024:01:02 03:04:05"})
    Image.fromarray(image).save(tmp_path / "a.jpg", exif=exif, icc_profile=b"a profile", quality=95)
    photo = photos.read(tmp_path / "a.jpg")
    assert photo.pixels.shape == (150, 118, 3)
    for strip in (False, True):
        photos.write(tmp_path / "out" / "a.jpg", photo, photo.pixels, strip=strip)
        with Image.open(tmp_path / "out" / "a.jpg") as written:
            assert written.info["icc_profile"] == b"a profile" and written.size == (118, 150)
            assert written.getexif().get(274, 1) == 1
            assert written.getexif().get(271) == (None if strip else "a camera")
            assert (EXIF_GPS in written.getexif()) != strip
            inner = written.getexif().get_ifd(EXIF_IFD)
            assert 40962 not in inner and 40963 not in inner and (36867 in inner) != strip


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [
        *((suffix, mode) for suffix in (".png", ".tiff") for mode in ("L", "RGB", "RGBA", "LA", "P", "1")),
        (".webp", "RGB"),
        (".webp", "RGBA"),
    ],
)
def test_formats_without_loss_keep_every_pixel(tmp_path, image, suffix, mode):
    Image.fromarray(image).convert(mode).save(tmp_path / f"a{suffix}")
    photo = photos.read(tmp_path / f"a{suffix}")
    photos.write(tmp_path / "out" / f"a{suffix}", photo, photo.pixels)
    again = photos.read(tmp_path / "out" / f"a{suffix}")
    assert again.pixels.shape == photo.pixels.shape and again.kind == photo.kind
    if suffix != ".webp":
        assert np.array_equal(again.pixels, photo.pixels)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_without_loss_stays_one(tmp_path, image, mode):
    picture = Image.fromarray(image).convert(mode)
    if mode == "RGBA":
        picture.putalpha(
            Image.fromarray(
                np.where(np.arange(image.shape[1]) % 3, 255, 0).astype(np.uint8)[None].repeat(image.shape[0], 0)
            )
        )
    picture.save(tmp_path / "a.webp", lossless=True, exact=True, exif=Image.Exif())
    photo = photos.read(tmp_path / "a.webp")
    changed = 255 - photo.pixels
    photos.write(tmp_path / "b.webp", photo, changed)
    again = photos.read(tmp_path / "b.webp")
    assert photo.lossless and again.lossless and np.array_equal(again.pixels, changed)
    picture.save(tmp_path / "c.webp", quality=80)
    assert not photos.read(tmp_path / "c.webp").lossless


def test_sixteen_bits_and_the_colours_of_print_are_kept(tmp_path, image):
    deep = image.astype(np.uint16) * 250 + 13
    for suffix in (".png", ".tif"):
        photos.write(tmp_path / f"deep{suffix}", photos.Photo(deep, "PNG", False, None, None), deep)
        assert np.array_equal(photos.read(tmp_path / f"deep{suffix}").pixels, deep)
    Image.fromarray(deep[..., 0]).save(tmp_path / "grey.png")
    assert np.array_equal(photos.read(tmp_path / "grey.png").pixels, deep[..., 0])
    Image.fromarray(image).convert("CMYK").save(tmp_path / "print.tif")
    printed = photos.read(tmp_path / "print.tif")
    photos.write(tmp_path / "out.tif", printed, printed.pixels)
    with Image.open(tmp_path / "out.tif") as written:
        assert written.mode == "CMYK"
    assert np.abs(photos.read(tmp_path / "out.tif").pixels.astype(int) - image).max() <= 1


def test_colours_of_sixteen_bits_keep_profile_and_orientation(tmp_path, image):
    deep = image.astype(np.uint16) * 250 + 13
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()  # libpng takes no other
    exif = Image.Exif()
    exif[274], exif[271] = 6, "a camera"
    stored = {cv2.IMAGE_METADATA_EXIF: exif.tobytes()[6:], cv2.IMAGE_METADATA_ICCP: profile}
    cv2.imwriteWithMetadata(
        str(tmp_path / "a.png"),
        deep[..., ::-1],
        list(stored),
        [np.frombuffer(part, np.uint8) for part in stored.values()],
    )
    turned = [(274, "H", 1, 6, True)]
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="rgb", iccprofile=profile, extratags=turned)
    for name in ("a.png", "a.tif"):
        photo = photos.read(tmp_path / name)
        assert np.array_equal(photo.pixels, np.rot90(deep, -1))
        photos.write(tmp_path / "out" / name, photo, photo.pixels)
        again = photos.read(tmp_path / "out" / name)
        assert np.array_equal(again.pixels, photo.pixels) and again.icc_profile == profile


# What a viewer does with each value of the tag.
TURNED = {
    1: lambda pixels: pixels,
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: np.rot90(np.fliplr(pixels)),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(np.fliplr(pixels), -1),
    8: np.rot90,
}


@pytest.mark.parametrize("compression", ["raw", "tiff_adobe_deflate"])
@pytest.mark.parametrize("mode", ["L", "LA", "I;16", "RGB", "RGBA", "CMYK", "P"])
def test_a_tiff_is_turned_upright(tmp_path, image, mode, compression):
    deep = Image.fromarray(image[..., 0].astype(np.uint16) * 250 + 13)
    picture = deep if mode == "I;16" else Image.fromarray(image).convert("RGB" if mode == "CMYK" else mode)
    stored = picture.convert("CMYK") if mode == "CMYK" else picture
    expected = np.asarray(picture.convert("RGB") if mode == "P" else picture)
    for orientation, turn in TURNED.items():
        stored.save(tmp_path / "a.tif", compression=compression, tiffinfo={274: orientation})
        assert np.array_equal(photos.read(tmp_path / "a.tif").pixels, turn(expected)), orientation


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    ("planarconfig", "compression"),
    [("contig", None), ("contig", "zlib"), ("separate", None), ("separate", "zlib"), ("contig", "lzw")],
)
def test_a_tiff_of_sixteen_bits_in_colour(tmp_path, rng, channels, byteorder, planarconfig, compression):
    deep = rng.integers(0, 65536, (40, 60, channels), dtype=np.uint16)
    file = tmp_path / "a.tif"
    for orientation, turn in TURNED.items():
        if compression == "lzw":  # which tifffile cannot write
            bgr = np.ascontiguousarray(deep[..., [2, 1, 0, 3][:channels]])
            cv2.imwrite(str(file), bgr, [cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_LZW])
            with Image.open(file) as written:
                assert written.info["compression"] == "tiff_lzw"
            _set_orientation(file, orientation)
        else:
            tifffile.imwrite(
                file,
                np.moveaxis(deep, 2, 0) if planarconfig == "separate" else deep,
                photometric="rgb",
                extrasamples=["UNASSALPHA"] * (channels - 3),
                planarconfig=planarconfig,
                compression=compression,
                byteorder=byteorder,
                extratags=[(274, "H", 1, orientation, True)],
            )
        assert np.array_equal(photos.read(file).pixels, turn(deep)), orientation


@pytest.mark.parametrize("alpha", [tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA])
def test_the_kind_of_alpha_and_the_resolution_of_sixteen_bits_are_kept(tmp_path, rng, alpha):
    deep = rng.integers(0, 65536, (40, 60, 4), dtype=np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif", deep, photometric="rgb", extrasamples=[alpha], resolution=(300, 200), resolutionunit="INCH"
    )
    photo = photos.read(tmp_path / "a.tif")
    for suffix, kind in ((".tif", "TIFF"), (".png", "PNG")):
        file = tmp_path / "out" / f"a{suffix}"
        photos.write(file, dataclasses.replace(photo, kind=kind), photo.pixels)
        with Image.open(file) as written:
            assert np.allclose(written.info["dpi"], (300, 200), atol=0.02)
            written.load()
        assert np.array_equal(photos.read(file).pixels, deep) and len(list(file.parent.glob(".*"))) == 0
    with tifffile.TiffFile(tmp_path / "out" / "a.tif") as file:
        assert file.pages.first.extrasamples == (alpha,)


def _set_orientation(file, orientation):
    """Add the tag to a TIFF that lacks it: its list of tags goes to the end of the file, one longer."""
    content = bytearray(file.read_bytes())
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    tags = [bytes(content[start + 2 + 12 * index :][:12]) for index in range(count)]
    tags = [tag for tag in tags if struct.unpack_from("<H", tag)[0] != 274]
    tags = sorted(
        [*tags, struct.pack("<HHIHH", 274, 3, 1, orientation, 0)], key=lambda tag: struct.unpack("<H", tag[:2])
    )
    struct.pack_into("<I", content, 4, len(content))
    file.write_bytes(content + struct.pack("<H", len(tags)) + b"".join(tags) + bytes(4))


def test_what_would_come_out_wrong_of_sixteen_bits_is_refused(tmp_path, rng):
    deep = rng.integers(0, 65536, (40, 60, 4), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "print.tif", deep, photometric="separated")
    tifffile.imwrite(tmp_path / "signed.tif", deep[..., :3].astype(np.int16), photometric="rgb")
    tifffile.imwrite(tmp_path / "half.tif", deep[..., :3], photometric="rgb")
    cv2.imwrite(str(tmp_path / "half.png"), deep[..., :3])
    for name in ("half.tif", "half.png"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:5000])
    for name in ("print.tif", "signed.tif", "half.tif", "half.png"):
        with pytest.raises(ImageError, match=f"{name}: cannot be enhanced"):
            photos.read(tmp_path / name)


def test_resolution_compression_and_tags_of_a_tiff_are_kept(tmp_path, image):
    picture = Image.fromarray(image)
    exif = Image.Exif()
    exif[271] = "a camera"
    picture.save(tmp_path / "a.tif", compression="tiff_lzw", dpi=(300, 300), exif=exif)
    picture.save(tmp_path / "a.jpg", dpi=(300, 300))
    for name in ("a.tif", "a.jpg"):
        photo = photos.read(tmp_path / name)
        photos.write(tmp_path / "out" / name, photo, photo.pixels)
        with Image.open(tmp_path / "out" / name) as written:
            assert written.info["dpi"] == (300, 300)
    with Image.open(tmp_path / "out" / "a.tif") as written:
        assert written.getexif()[271] == "a camera" and written.info["compression"] != "raw"


def test_a_tiff_without_a_resolution_gets_none(tmp_path, image):
    Image.fromarray(image).save(tmp_path / "a.tif")
    assert photos.read(tmp_path / "a.tif").dpi is None


def test_what_the_system_says_is_said_of_the_output():
    assert enhancer.why(OSError(27, "File too large")) == "the output cannot be written (File too large)"
    assert enhancer.why(OSError("OpenCV could not write it")) == "OpenCV could not write it"


def test_a_folder_is_not_made_where_a_file_was_meant(tmp_path):
    with pytest.raises(DataError, match="must be a folder"):
        photos.make_folder(tmp_path / "new.png")
    assert not (tmp_path / "new.png").exists()
    (tmp_path / "new.png").mkdir()
    photos.make_folder(tmp_path / "new.png")


def test_the_page_shows_a_tiff_too(tmp_path, image):
    for name in ("a.tif", "out/a.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(image[..., 0].astype(np.uint16) * 257).save(tmp_path / name)
    enhancer.compare({tmp_path / "a.tif": tmp_path / "out" / "a.tif"}, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text().count("src='data:image/jpeg;base64,") == 2


def test_of_several_pictures_in_a_jpeg_the_first_is_taken(tmp_path, image):
    first = Image.fromarray(image)
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[first.resize((20, 10))])
    photo = photos.read(tmp_path / "a.jpg")
    assert photo.kind == "JPEG" and photo.pixels.shape == image.shape


def test_what_is_no_single_whole_image_is_refused(tmp_path, image):
    picture = Image.fromarray(image)
    picture.save(tmp_path / "two.tif", save_all=True, append_images=[picture])
    picture.save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:900])
    (tmp_path / "text.jpg").write_text("no image")
    picture.save(tmp_path / "bitmap.png", format="BMP")
    picture.convert("F").save(tmp_path / "float.tif")
    for name, reason in (
        ("two.tif", "2 pages"),
        ("half.png", "truncated"),
        ("text.jpg", "not an image"),
        ("bitmap.png", "its format is BMP"),
        ("float.tif", "32 bits"),
    ):
        with pytest.raises(ImageError, match=rf"{name}: cannot be enhanced \(.*{reason}"):
            photos.read(tmp_path / name)
    with pytest.raises(ImageError, match=r"more than 0\.01 megapixels"):
        photos.read(tmp_path / "whole.png", max_megapixels=0.01)


def test_a_folder_is_enhanced_and_nothing_is_lost(tmp_path, image):
    inside, out = tmp_path / "in", tmp_path / "out"
    (inside / "more").mkdir(parents=True)
    for name in ("a.png", "more/a.png", "more/b <i>.jpg"):
        Image.fromarray(image).save(inside / name)
    (inside / "bad.png").write_bytes(b"")
    (inside / ".left.1.tmp.png").write_bytes(b"hidden")
    said = enhance(inside, "-o", out, "--jobs", 2, "--read", "--compare")
    assert said.returncode == 1 and "bad.png" in said.stderr and "3 enhanced, 0 there already, 1 failed" in said.stdout
    written = {str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()}
    images = {"a.png", "more/a.png", "more/b <i>.jpg"}
    assert written == images | {f"{name}.json" for name in images} | {"compare.html"}
    assert json.loads((out / "a.png.json").read_text()) == []
    page = (out / "compare.html").read_text()
    assert page.count("<figure>") == 3 and "b &lt;i&gt;.jpg" in page and "<i>" not in page

    (out / "a.png").write_bytes(b"edited")
    said = enhance(inside, "-o", out, "--strip").stdout
    assert "0 enhanced, 3 there already" in said and "only with --force; their EXIF was not stripped" in said
    assert (out / "a.png").read_bytes() == b"edited"
    assert "3 enhanced" in enhance(inside, "-o", out, "--force").stdout
    assert photos.read(out / "a.png").pixels.shape == image.shape
    assert np.array_equal(photos.read(inside / "a.png").pixels, image)


# The command, which waits before it gives its second output the final name until there is a file `go on`. Where tests
# run in the background of a script, their processes begin with interrupts ignored: here they count in any case.
HELD = """
import os, signal, sys, time
from pathlib import Path
from srcnn_lib.__main__ import main

move, go_on = os.replace, Path(sys.argv.pop(1))

def hold(source, target):
    while any(Path(target).parent.glob("[!.]*")) and not go_on.exists():
        time.sleep(0.01)
    move(source, target)

os.replace = hold
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


def test_an_interrupted_call_leaves_no_half_file_and_the_next_goes_on(tmp_path, rng):
    photos_in, go_on = tmp_path / "in", tmp_path / "go on"
    photos_in.mkdir()
    for name in "abcdef":
        Image.fromarray(rng.integers(0, 256, (700, 900, 3), dtype=np.uint8)).save(photos_in / f"{name}.png")
    out = tmp_path / "out"
    command = [sys.executable, "-c", HELD, str(go_on), "enhance", str(photos_in), "-o", str(out)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not (list(out.glob("[!.]*")) and list(out.glob(".*.tmp.png"))):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        go_on.touch()
        _, said = process.communicate()
    assert process.returncode == 130
    done = sorted(file.name for file in out.iterdir())
    assert f"stopped; {len(done)} of 6 images are done" in said.decode()
    assert 1 <= len(done) < 6 and all(photos.read(out / name).pixels.shape == (700, 900, 3) for name in done)
    assert f"{6 - len(done)} enhanced, {len(done)} there already, 0 failed" in enhance(photos_in, "-o", out).stdout


def test_a_running_network_is_ended_by_an_interrupt(tmp_path, rng, monkeypatch):
    Image.fromarray(rng.integers(0, 256, (1500, 1500, 3), dtype=np.uint8)).save(tmp_path / "a.png")

    class Interrupted(enhancer.ThreadPoolExecutor):
        def map(self, *arguments):
            super().map(*arguments)
            time.sleep(1)  # by when the network is at work
            raise KeyboardInterrupt

    monkeypatch.setattr(enhancer, "ThreadPoolExecutor", Interrupted)
    with pytest.raises(enhancer.Stopped) as stop:
        enhancer.enhance_files({tmp_path / "a.png": tmp_path / "out" / "a.png"}, model="house-large")
    assert not stop.value.summary.done and not (tmp_path / "out").exists()
    assert "terminate" in stop.value.summary.failed[tmp_path / "a.png"]


OF_OTHERS = [{"text": "mine"}]


def test_notes_and_pages_of_others_are_kept(tmp_path, image):
    Image.fromarray(image).save(tmp_path / "a.png")
    out, note, page = tmp_path / "out", tmp_path / "out" / "a.png.json", tmp_path / "out" / "compare.html"
    out.mkdir()
    write_json(note, OF_OTHERS)
    with pytest.raises(DataError, match=r"a\.png\.json is there already"):
        enhancer.enhance_file(tmp_path / "a.png", out / "a.png", read=True)
    assert not (out / "a.png").exists()
    enhancer.enhance_file(tmp_path / "a.png", out / "a.png", force=True)
    assert json.loads(note.read_text()) == OF_OTHERS
    with pytest.raises(DataError, match=r"a\.png\.json is there already"):
        enhancer.enhance_file(tmp_path / "a.png", out / "a.png", read=True)
    enhancer.enhance_file(tmp_path / "a.png", out / "a.png", read=True, force=True)
    assert json.loads(note.read_text()) == []

    page.write_text("<!DOCTYPE html>\nmine")
    with pytest.raises(DataError, match=r"compare\.html is there already"):
        enhancer.check_page(page)
    enhancer.compare({tmp_path / "a.png": out / "a.png"}, page)
    enhancer.check_page(page)


def test_a_note_on_an_earlier_output_does_not_stay(tmp_path, image, monkeypatch):
    source, target = tmp_path / "a.png", tmp_path / "out" / "a.png"
    note = target.with_name("a.png.json")
    Image.fromarray(image).save(source)
    found = json.dumps([{"text": "x", "box": [], "confidence": 1.0}])
    monkeypatch.setattr(photos, "text_of", lambda pixels: found if target.exists() else "the image is not there yet")
    enhancer.enhance_file(source, target, read=True)
    assert note.read_text() == found + "\n"
    enhancer.enhance_file(source, target, force=True)
    assert not note.exists()
    enhancer.enhance_file(source, target, read=True)  # which the next call makes up for
    assert note.read_text() == found + "\n"


def test_a_name_of_other_bytes_than_utf8_has_its_place_on_the_page(tmp_path, image):
    name = os.fsdecode(b"latin\xe9.png")
    Image.fromarray(image).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / name)
    said = enhance(tmp_path, "-o", tmp_path / "out", "--compare", check=True)
    assert "1 enhanced" in said.stdout
    page = (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")
    assert "src='../latin%E9.png'" in page and "latin\N{REPLACEMENT CHARACTER}.png: before, after" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["", "-o", "out"], "it is empty; expected a path"),
        (["a.png", "-o", ""], "it is empty; expected a path"),
        (["a.png", "-o", "out", "--strength", "nan"], "nan is not in the range"),
    ],
)
def test_slips_in_the_command_are_refused(arguments, message):
    result = CliRunner().invoke(main, ["enhance", *arguments])
    assert result.exit_code == 2 and message in result.output


def test_a_pipe_is_no_source(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png: expected a file or folder"):
        photos.targets([tmp_path / "a.png"], tmp_path / "out")


def test_what_a_killed_call_left_behind_goes_at_the_next_unless_another_call_is_at_work(tmp_path):
    out = tmp_path / "out"
    targets = {tmp_path / "a.png": out / "a.png", tmp_path / "b.png": out / "more" / "b.png"}
    left = [out / ".0123456789ab.tmp.png", out / "more" / ".0123456789ab.tmp.png"]
    own = [out / ".mine.tmp.png", out / "elsewhere" / ".0123456789ab.tmp.png"]
    for file in (*left, *own):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    with photos.working_in(out, {}), photos.working_in(out, targets):
        assert all(file.exists() for file in left), "they may be the other's"
    with photos.working_in(out, targets):
        assert not any(file.exists() for file in left) and all(file.exists() for file in own)


def test_inputs_are_never_written_over(tmp_path, image):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        Image.fromarray(image).save(tmp_path / folder / "a.png")
    with pytest.raises(DataError, match="written over"):
        photos.targets([tmp_path / "x"], tmp_path / "x")
    with pytest.raises(DataError, match="both be written"):
        photos.targets([tmp_path / "x" / "a.png", tmp_path / "y" / "a.png"], tmp_path / "out")
    with pytest.raises(DataError, match="no such file"):
        photos.targets([tmp_path / "none"], tmp_path / "out")
    with pytest.raises(DataError, match="cannot be written there"):
        photos.make_folder(tmp_path / "x" / "a.png" / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="found none"):
        photos.targets([tmp_path / "empty"], tmp_path / "out")
    within = photos.targets([tmp_path], tmp_path / "x")  # what lies in the output folder is not an input
    assert list(within) == [tmp_path / "y" / "a.png"]
    above = photos.targets([tmp_path / "x"], tmp_path)  # the output folder may lie above
    assert above == {tmp_path / "x" / "a.png": tmp_path / "a.png"}


def test_other_steps_before_a_network_make_it_another(monkeypatch):
    from srcnn_lib import blur

    before = enhancer.hashes()
    assert all(before[name].startswith(network["sha256"]) for name, network in enhancer.models().items())
    monkeypatch.setattr(blur, "RISE", blur.RISE + 1)
    assert not set(before.values()) & set(enhancer.hashes().values())
