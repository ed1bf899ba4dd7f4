import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from srcnn_lib import pairs, specimens


def test_the_same_seed_draws_the_same_files(tmp_path):
    for name in ("a", "b"):
        specimens.draw(tmp_path / name, identities=2, seed=3)
    first, second = (pairs.index(tmp_path / name)[0] for name in ("a", "b"))
    assert list(first["name"]) == [f"f.{variant}.fornt.{number}" for variant in "hv" for number in (5000, 5001)]
    assert first.equals(second)
    (tmp_path / "a" / first["low"][1]).unlink()
    specimens.draw(tmp_path / "a", identities=2, seed=3)
    assert pairs.index(tmp_path / "a")[0].equals(second)


@given(st.integers(0, 2**32), st.floats(0, 3))
def test_degrading_keeps_shape_and_input(seed, strength):
    image = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
    before = image.copy()
    low = specimens.degrade(image, np.random.default_rng(seed), strength=strength)
    assert low.shape == image.shape and low.dtype == np.uint8
    assert (image == before).all()
    assert strength > 0 or (low == image).all()
