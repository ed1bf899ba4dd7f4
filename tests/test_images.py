import numpy as np
import pytest
from PIL import Image

from srcnn_lib import images
from srcnn_lib.errors import ImageError


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "I;16", "YCbCr"])
def test_every_mode_is_read_as_rgb(tmp_path, mode):
    path = tmp_path / ("picture.tif" if mode in ("CMYK", "YCbCr", "I;16") else "picture.png")
    if mode == "I;16":
        Image.fromarray(np.full((4, 6), 0x9999, np.uint16)).save(path)
    else:
        Image.new("RGB", (6, 4), (153, 153, 153)).convert(mode).save(path)
    image = images.read(path)
    assert image.shape == (4, 6, 3) and image.dtype == np.uint8
    if mode != "1":
        assert np.abs(image.astype(int) - 153).max() <= 2


def test_transparency_is_laid_over_white(tmp_path):
    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (images.read(tmp_path / "clear.png") == 255).all()


def test_exif_orientation_is_applied(tmp_path):
    picture = Image.new("RGB", (6, 4))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert images.read(tmp_path / "turned.jpg").shape == (6, 4, 3)


@pytest.mark.parametrize("mode", ["L", "I;16", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("orientation, turned", [(3, 2), (6, 3), (8, 1)])  # quarters to the left
def test_turned_tiffs_come_out_upright(tmp_path, rng, mode, orientation, turned):
    if mode == "I;16":
        picture = Image.fromarray(rng.integers(0, 65536, (20, 30), np.uint16))
    else:
        picture = Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).convert(mode)
    picture.save(tmp_path / "lying.tif", tiffinfo={274: orientation})
    picture.save(tmp_path / "plain.tif")
    upright = np.rot90(images.read(tmp_path / "plain.tif"), turned)
    assert np.array_equal(images.read(tmp_path / "lying.tif"), upright)


def test_png_survives_a_round_trip(tmp_path, rng):
    image = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    images.write(tmp_path / "a.png", image)
    assert (images.read(tmp_path / "a.png") == image).all()


@pytest.mark.parametrize("content", [b"", b"no image", "truncated"])
def test_unreadable_files_are_named(tmp_path, rng, content):
    path = tmp_path / "bad.jpg"
    if content == "truncated":
        images.write(path, rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
        content = path.read_bytes()[:500]
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"bad\.jpg"):
        images.read(path)


def test_writing_other_arrays_is_refused(tmp_path):
    with pytest.raises(ValueError, match="float64"):
        images.write(tmp_path / "a.png", np.zeros((4, 4, 3)))
    assert not list(tmp_path.iterdir())
