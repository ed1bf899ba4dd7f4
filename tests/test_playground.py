import numpy as np
import pytest

from srcnn_lib import enhancer, playground


@pytest.fixture
def card(rng):
    return rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", playground.DEGRADATIONS)
def test_strength_means_more_of_it(card, kind):
    mild, strong = (
        np.abs(playground.spoil(card, kind, strength, 1).astype(int) - card).mean()
        for strength in (0.2, playground.STRONGEST)
    )
    assert strong > mild


def test_controls_redraw_the_picture(card):
    box = playground.play(card, seed=1)
    controls, picture = box.children
    kind, strength, method, number = controls.children
    assert bytes(picture.value).startswith(b"\x89PNG")
    assert set(method.options) == {*enhancer.models(), "unsharp masking"}
    for control, value in (
        (kind, "haze"),
        (strength, 1.5),
        (method, "unsharp masking"),
        (kind, playground.MIXTURE),
        (number, 9),
    ):
        before = bytes(picture.value)
        control.value = value
        assert bytes(picture.value) != before, control.description
