from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2ycbcr

from srcnn_lib import images, superresolution
from srcnn_lib.errors import DataError

SET5 = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "set5"


def test_brightness_is_that_of_scikit_image(rng):
    image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    difference = superresolution.brightness(image) - rgb2ycbcr(image)[..., 0]
    assert np.abs(difference).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("shape", [(20, 24), (90, 108), (31, 71), (60, 72)])
def test_resizing_agrees_with_pillow_away_from_the_border(rng, shape):
    # Pillow has the same kernel and widens it as well, but treats the border differently.
    image = rng.random((60, 72))
    theirs = np.asarray(Image.fromarray(image.astype(np.float32)).resize(shape[::-1], Image.Resampling.BICUBIC))
    border = 2 + 2 * max(shape) // 60
    inside = (slice(border, -border),) * 2
    assert np.allclose(superresolution.imresize(image, shape)[inside], theirs[inside], atol=1e-5)


def test_resizing_keeps_flat_images_and_sizes():
    assert np.allclose(superresolution.imresize(np.full((7, 9), 0.3), (3, 20)), 0.3)
    image = np.random.default_rng(0).random((5, 6))
    assert np.allclose(superresolution.imresize(image, (5, 6)), image)


def test_images_are_cut_to_a_multiple_of_the_scale(rng):
    low, truth = superresolution.degraded(rng.integers(0, 256, (23, 34), dtype=np.uint8), 3)
    assert low.shape == truth.shape == (21, 33) and low.dtype == np.float32


def test_training_pairs_come_in_several_sizes(tmp_path, rng):
    images.write(tmp_path / "a.png", rng.integers(0, 256, (30, 40, 3), dtype=np.uint8))
    pairs = superresolution.training_pairs(tmp_path, 2, shrinkings=(1, 0.5))
    assert [low.shape for low, _ in pairs] == [(30, 40, 1), (14, 20, 1)]
    assert all(low.shape == high.shape and high.dtype == np.float32 and high.max() <= 1 for low, high in pairs)


def test_a_folder_without_images_is_named(tmp_path):
    with pytest.raises(DataError, match=r"expected image files, found none"):
        superresolution.image_files(tmp_path)


@pytest.mark.skipif(not SET5.exists(), reason="Set5 is not beside the project")
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_on_set5_is_the_published_figure(scale):
    scores = superresolution.score(SET5, scale, lambda image: image)
    assert scores["bicubic"].mean() == pytest.approx(superresolution.PUBLISHED["bicubic"][scale], abs=0.005)
    assert (scores["bicubic"] == scores["enhanced"]).all()
