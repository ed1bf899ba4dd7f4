import numpy as np
import pandas as pd

from srcnn_lib import images, intensity, pairs


def test_statistics_of_a_known_image(make_pairs):
    folder = make_pairs(["a"])
    image = np.zeros((48, 64, 3), np.uint8)
    image[:12] = 200
    images.write(folder / pairs.LOW / "a.png", image)
    table = intensity.of_pairs(folder, pairs.index(folder)[0]).set_index("side")
    assert table.loc["low", list(intensity.STATISTICS)].tolist() == [50.0, 0.0, 200.0, 0.0]
    assert set(table.index) == {"low", "high"}


def test_skewness_has_the_sign_of_the_longer_tail():
    assert intensity.skewness(pd.Series([1, 9, 10, 10, 10])) < 0 < intensity.skewness(pd.Series([1, 1, 1, 2, 9]))
