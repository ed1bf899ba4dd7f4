import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from srcnn_lib import images, intensity, pairs


def test_statistics_of_a_known_image(make_pairs):
    folder = make_pairs(["a"])
    image = np.zeros((48, 64, 3), np.uint8)
    image[:12] = 200
    images.write(folder / pairs.LOW / "a.png", image)
    table = intensity.of_pairs(folder, pairs.index(folder, max_megapixels=1).pairs).set_index("side")
    assert table.loc["low", list(intensity.STATISTICS)].tolist() == [50.0, 0.0, 200.0, 0.0]
    assert set(table.index) == {"low", "high"}


def test_skewness_has_the_sign_of_the_longer_tail():
    assert intensity.skewness(pd.Series([1, 9, 10, 10, 10])) < 0 < intensity.skewness(pd.Series([1, 1, 1, 2, 9]))


@given(st.integers(0, 999), st.integers(1, 12), st.integers(1, 12))
def test_statistics_agree_with_numpy_and_scipy(seed, height, width):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = intensity.of_image(image)
    assert found["mean"] == pytest.approx(image.mean())
    assert found["median"] == np.median(image)
    assert (found["minimum"], found["maximum"]) == (image.min(), image.max())
    if image.std() > 0:
        assert found["skewness"] == pytest.approx(stats.skew(image.ravel().astype(float)), abs=1e-9)
    assert [found[name] for name in intensity.CHANNELS] == pytest.approx(image.reshape(-1, 3).mean(axis=0))
    backgrounds = [found[f"background_{name}"] for name in intensity.CHANNELS]
    assert backgrounds == np.median(image.reshape(-1, 3), axis=0).tolist()


def test_a_spectrum_shows_a_pattern_where_it_is():
    x = np.arange(300)
    stripes = np.broadcast_to((128 + 60 * np.sin(2 * np.pi * x / 8))[None, :, None], (300, 300, 3)).astype(np.uint8)
    spectrum = intensity.spectrum(stripes)
    assert np.argmax(spectrum[5:]) + 5 == 256 // 8
    assert intensity.spectrum(stripes[:200]) is None
