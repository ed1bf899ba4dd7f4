import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srcnn_lib import images, pairs, preprocess


@pytest.mark.parametrize("name", preprocess.STEPS)
@settings(max_examples=10, deadline=None)
@given(height=st.integers(16, 40), width=st.integers(16, 40), seed=st.integers(0, 99))
def test_steps_keep_shape_type_and_input(name, height, width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    before = image.copy()
    result = preprocess.STEPS[name](image)
    assert result.shape == image.shape and result.dtype == np.uint8
    assert (image == before).all()


def test_denoising_removes_noise_and_sharpening_adds_contrast(rng):
    flat = np.clip(128 + rng.normal(0, 4, (64, 64, 3)), 0, 255).astype(np.uint8)
    assert preprocess.denoise(flat).std() < flat.std() / 2
    assert preprocess.bilateral(flat).std() < flat.std() / 2
    assert preprocess.sharpen(flat).std() > flat.std()


def test_weighted_addition_overflows_where_its_weights_exceed_one():
    bright = np.full((32, 32, 3), 230, np.uint8)
    assert preprocess.saturated_share(preprocess.weighted_addition(bright)) == 1
    assert preprocess.saturated_share(preprocess.weighted_addition(bright, weight_sharp=0.5, weight_smooth=0.5)) == 0


def test_unknown_steps_list_the_known_ones():
    with pytest.raises(ValueError, match=r"'polish'.*denoise"):
        preprocess.apply(np.zeros((8, 8, 3), np.uint8), ["polish"])


def test_prepared_images_are_squashed_and_processed(make_pairs, tmp_path):
    folder = make_pairs(["a", "b"])
    table = pairs.index(folder, max_megapixels=1).pairs
    preprocess.prepare(folder, table, tmp_path / "out", size=32, input_steps=[], label_steps=["denoise"])
    low, high = (images.read(tmp_path / "out" / side / "a.png") for side in ("low", "high"))
    raw = images.read(folder / pairs.HIGH / "a.png")
    assert (low == pairs.squash(images.read(folder / pairs.LOW / "a.png"), 32)).all()
    assert (high == preprocess.denoise(pairs.squash(raw, 32))).all()
