from functools import partial

import numpy as np
import pandas as pd
import pytest

from srcnn_lib import models, scaling
from srcnn_lib.tuning import Database


def law(pairs):
    return 0.002 + 0.01 * np.asarray(pairs, float) ** -0.5


def test_a_power_law_is_found_again():
    pairs = [25, 50, 100, 200, 400, 800]
    found = scaling.predict(pd.DataFrame({"pairs": pairs, "mse": law(pairs)}), [100, 4000], seed=1)
    assert found.exponent == pytest.approx(0.5, abs=0.03) and found.floor == pytest.approx(0.002, rel=0.05)
    assert found.curve["psnr"].to_numpy() == pytest.approx(-10 * np.log10(law([100, 4000])), abs=0.02)


def test_noise_and_distance_widen_the_prediction(rng):
    pairs = [25, 100, 400, 1600]
    noisy = pd.DataFrame({"pairs": pairs, "mse": law(pairs) * (1 + 0.05 * rng.standard_normal(4))})
    curve = scaling.predict(noisy, [400, 40_000], seed=1).curve
    width = curve["high"] - curve["low"]
    exact = scaling.predict(noisy.assign(mse=law(pairs)), [40_000], seed=1).curve
    assert width.iloc[1] > width.iloc[0] and width.iloc[1] > (exact["high"] - exact["low"]).iloc[0]


def test_errors_that_do_not_fall_fit_no_law():
    pairs = [25, 50, 100, 200, 400]
    for errors, falls in (([2, 3, 2.5, 3, 3.1], False), ([3, 2.6, 2.5, 2.3, 2.2], True)):
        found = scaling.predict(pd.DataFrame({"pairs": pairs, "mse": np.array(errors) / 1000}), [4000], seed=1)
        assert found.falls is falls


def test_one_number_of_pairs_is_no_curve():
    with pytest.raises(ValueError, match=r"at least two numbers of pairs, received \[50\]"):
        scaling.predict(pd.DataFrame({"pairs": [50, 50], "mse": [0.1, 0.2]}), [100], seed=1)


@pytest.mark.tuning
def test_more_pairs_are_measured_once(rng, tmp_path):
    pairs = [(image // 2, image) for image in rng.integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)]
    build = partial(models.build, "srcnn-9-1-5", filters=(4, 3))
    tests = [(image[:9] // 3, image[:9]) for _, image in pairs[:2]]
    subjects = {"small": scaling.Subject(build, pairs, pairs[:2], 2, 8, 0.002, tests)}
    database = Database.at(None, tmp_path / "trials.db")
    measured = scaling.measure(subjects, [2, 6], [1, 2], updates=2, database=database)
    assert measured[["pairs", "seed"]].to_numpy().tolist() == [[2, 1], [2, 2], [6, 1], [6, 2]]
    assert measured["mse"].nunique() == 4
    assert measured["test_gain"].notna().tolist() == [False, False, True, True], (
        "test images are scored at the end only"
    )
    assert np.allclose(-10 * np.log10(measured["mse"]), measured["psnr"])
    again = scaling.measure(subjects, [2, 6], [1, 2], updates=2, database=database)
    pd.testing.assert_frame_equal(measured, again)


def test_few_numbers_of_pairs_have_no_interval():
    curve = scaling.predict(pd.DataFrame({"pairs": [25, 50, 100], "mse": law([25, 50, 100])}), [400], seed=1).curve
    assert curve["psnr"].notna().all() and curve[["low", "high"]].isna().all(axis=None)
