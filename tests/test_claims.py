import pytest

from srcnn_lib import claims
from srcnn_lib.claims import AGREES, DIFFERS, PARTLY, UNDECIDED


@pytest.mark.parametrize(
    ("gain", "verdict"), [(0.3, AGREES), (-0.3, DIFFERS), (0.1, UNDECIDED), (-0.2, UNDECIDED), (0.0, UNDECIDED)]
)
def test_only_what_another_seed_would_not_change_decides(gain, verdict):
    assert claims._beyond_seeds(gain, 0.2) == verdict


def test_several_verdicts_are_one():
    assert claims._together([AGREES, AGREES]) == AGREES and claims._together([UNDECIDED]) == UNDECIDED
    assert claims._together([AGREES, DIFFERS]) == claims._together([UNDECIDED, AGREES]) == PARTLY
    assert claims._together([UNDECIDED, DIFFERS]) == DIFFERS


def test_the_survey_has_a_best_and_costliest_network():
    claim = claims._best_and_costliest()
    assert claim.verdict == AGREES and "40,729,603" in claim.here and "MDSR" in claim.here
