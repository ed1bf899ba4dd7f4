import numpy as np
import pandas as pd
import pytest

from srcnn_lib import claims, scaling
from srcnn_lib.claims import AGREES, DIFFERS, NOT_TESTED, PARTLY, UNDECIDED
from srcnn_lib.runs import EXECUTING, Run


@pytest.mark.parametrize(
    ("gain", "verdict"), [(0.3, AGREES), (-0.3, DIFFERS), (0.1, UNDECIDED), (-0.2, UNDECIDED), (0.0, UNDECIDED)]
)
def test_only_what_chance_would_not_make_decides(gain, verdict):
    assert claims._beyond(gain, 0.2) == verdict
    assert claims._beyond(gain, np.nan) == UNDECIDED


def test_a_tie_decides_nothing():
    assert claims._beyond(0.0, 0) == UNDECIDED and claims._beyond(0.01, 0) == AGREES


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.68, 1.05, UNDECIDED),
        (0.01, 0.3, AGREES),
        (-0.3, -0.01, DIFFERS),
        (0, 1, UNDECIDED),
        (np.nan, np.nan, UNDECIDED),
    ],
)
def test_an_interval_that_contains_0_decides_nothing(low, high, verdict):
    assert claims._beyond_interval(low, high) == verdict
    assert claims._beyond_interval(low, high, p=0.5) == UNDECIDED


def test_differences_decide_by_their_interval():
    assert claims._positive(pd.Series([1.0, 2.0, 1.5])) == AGREES
    assert claims._positive(pd.Series([-1.0, -2.0, -1.5])) == DIFFERS
    assert claims._positive(pd.Series([-1.0, 2.0, -1.5, 1.0])) == UNDECIDED


def test_several_verdicts_are_one():
    assert claims._together([AGREES, AGREES]) == AGREES and claims._together([UNDECIDED]) == UNDECIDED
    assert claims._together([AGREES, DIFFERS]) == claims._together([UNDECIDED, AGREES]) == PARTLY
    assert claims._together([DIFFERS, DIFFERS]) == DIFFERS
    assert claims._together([UNDECIDED, DIFFERS]) == UNDECIDED


def _curves(**psnr):
    return pd.DataFrame(
        [
            {"model": model, "seed": 1, "updates": 50 * (look + 1), "psnr": value}
            for model, values in psnr.items()
            for look, value in enumerate(values)
        ]
    )


def test_a_curve_leads_by_its_second_half_and_not_by_its_end():
    lead = claims._lead(_curves(base=[10, 10, 18, 18], other=[20, 20, 18.1, 20]), "other", "base")
    assert lead.gain == pytest.approx(1.05) and lead.chance == pytest.approx(1.9)
    assert claims._beyond(*lead) == UNDECIDED
    steady = claims._lead(_curves(base=[10, 10, 18, 19], other=[10, 10, 19, 20.1]), "other", "base")
    assert claims._beyond(*steady) == AGREES


def test_a_single_look_decides_nothing():
    lead = claims._lead(_curves(base=[18], other=[20]), "other", "base")
    assert lead.gain == 2 and np.isnan(lead.chance) and claims._beyond(*lead) == UNDECIDED
    assert claims._leads({"other": lead}) == "other +2.00 dB (chance not known)"


def test_of_several_seeds_the_means_are_compared():
    first, second = (
        _curves(base=[10, 10, 18, 18], other=[10, 10, *late]).assign(seed=seed)
        for seed, late in enumerate(([19, 21], [21.5, 19.5]))
    )
    lead = claims._lead(pd.concat([first, second]), "other", "base")
    assert lead.gain == pytest.approx(2.25) and lead.chance == pytest.approx(0.5)


def _trials(*rows):
    return pd.DataFrame(rows, columns=["optimizer", "loss", "psnr"])


def test_optimisers_compare_by_enough_trials_of_one_loss():
    adam = [("adam", "mse", psnr) for psnr in (20.0, 20.1, 20.2)]
    assert claims._adam(_trials(*adam), 0.3) == NOT_TESTED
    assert claims._adam(_trials(*adam, *[("rmsprop", "mse", 25.0)] * 2), 0.3) == UNDECIDED  # too few
    assert claims._adam(_trials(*adam, *[("rmsprop", "gradient", 25.0)] * 3), 0.3) == UNDECIDED  # another loss
    assert claims._adam(_trials(("adam", "mse", 20), ("rmsprop", "mse", 20)), 0.3) == UNDECIDED
    assert claims._adam(_trials(*adam, *[("rmsprop", "mse", 25.0)] * 3), 0.3) == DIFFERS
    assert claims._adam(_trials(*adam, *[("rmsprop", "mse", 20.3)] * 3), 0.3) == AGREES


def test_what_another_seed_changes_is_taken_from_another_network_only_where_it_fits():
    points = pd.DataFrame(
        [(name, pairs, 1, 20.0) for name in ("SRCNN, squashed", "house, native") for pairs in (25, 700)],
        columns=["network", "pairs", "seed", "psnr"],
    )
    chance = scaling.chance(points, 0.29)
    assert chance["SRCNN, squashed"] == 0.29 and np.isnan(chance["house, native"])
    both = scaling.chance(pd.concat([points, points.assign(seed=2, psnr=20.5)]), 0.29)
    assert (both == 0.5).all()


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ("agrees", AGREES),
        ("differs", DIFFERS),
        ("undecided", UNDECIDED),
        ("not known", NOT_TESTED),
        ("partly: less noise, no better network", PARTLY),
    ],
)
def test_verdicts_of_section_2_4_are_in_the_words_of_the_map(word, verdict):
    assert claims._in_words_of_the_map(word) == verdict


def test_the_survey_has_a_costliest_network_and_a_tie_for_the_best():
    claim = claims._best_and_costliest()
    assert claim.verdict == PARTLY and "40,729,603" in claim.here and "a tie with MDSR" in claim.here


def _evaluated(folder, low, high, p):
    """A run with no more than what the claims on section 2.9 and on reading take."""
    run = Run(folder)
    scores = {"method": ["untouched", "net"], "psnr_mean": [22.0, 22.2], "mse": [0.01, 0.009]}
    run.write_table("07_evaluation/summary.csv", pd.DataFrame(scores))
    compared = {"method": ["net"], "difference": [0.2], "difference_low": [low], "difference_high": [high], "p": [p]}
    run.write_table("07_evaluation/compared.csv", pd.DataFrame(compared))
    read = {
        "engine": "a reader",
        "method": ["untouched", "house", "the sharp image itself"],
        "error_rate": [0.3, 0.2, 0.1],
        "difference": [0, -0.1, -0.2],
        "difference_low": [0, -high, -0.3],
        "difference_high": [0, -low, -0.1],
        "p": p,
        "recovered": [0, 0.5, 1],
    }
    run.write_table("07_evaluation/reading_summary.csv", pd.DataFrame(read))
    return run


@pytest.mark.parametrize(
    ("low", "high", "p", "verdict"),
    [
        (-0.1, 0.3, 0.001, UNDECIDED),
        (0.1, 0.3, 0.001, AGREES),
        (-0.3, -0.1, 0.001, DIFFERS),
        (0.1, 0.3, 0.5, UNDECIDED),
    ],
)
def test_what_test_images_say_is_judged_by_interval_and_p(tmp_path, monkeypatch, low, high, p, verdict):
    monkeypatch.setenv(EXECUTING, "1")  # results go where they are read from
    run = _evaluated(tmp_path, low, high, p)
    improves = next(claim for claim in claims._evaluation(run, "net") if "improves" in claim.claim)
    reads = claims._conclusion(run, "house")[0]
    assert improves.verdict == reads.verdict == verdict
    assert f"({low:+.2f} to {high:+.2f}" in improves.here
