from functools import partial

import numpy as np
import pytest

from srcnn_lib import experiments, models


@pytest.fixture
def pairs(rng):
    return [(image // 2, image) for image in rng.integers(0, 256, (6, 24, 24, 3), dtype=np.uint8)]


def test_networks_get_equal_budgets(pairs):
    networks = {name: partial(models.build, name) for name in ("srcnn-9-1-5", "house")}
    curves = experiments.compare(
        networks, pairs, pairs, updates=16, seeds=(1, 2), batch_size=3, crop_size=12, learning_rate=1e-3
    )
    assert len(curves) == 2 * 2 * experiments.MARKS
    assert (curves.groupby(["model", "seed"])["updates"].max() == 16).all()
    assert curves.groupby(["model", "seed"])["psnr"].nunique().min() > 1
    assert curves[curves["seed"] == 1]["psnr"].tolist() != curves[curves["seed"] == 2]["psnr"].tolist()


def test_error_is_bias_plus_variance(pairs):
    table = experiments.complexity(
        [4, 8],
        pairs,
        pairs,
        updates=3,
        seeds=(1, 2, 3),
        pairs_each=2,
        batch_size=3,
        crop_size=12,
        learning_rate=1e-3,
    )
    assert table["filters"].tolist() == [4, 8] and table["parameters"].is_monotonic_increasing
    assert np.allclose(table["error"], table["bias²"] + table["variance"], rtol=1e-4)
    assert (table[["training error", "bias²", "variance"]] > 0).all(axis=None)


def test_scales_compare_on_one_scale(pairs):
    low, high = (np.stack(side) for side in zip(*pairs, strict=True))
    table = experiments.scales(low, high, largest=(1.0, 255.0), updates=3, learning_rate=1e-3, seed=0)
    first, second = table["MSE before"]
    assert first == pytest.approx(second, rel=0.2)  # biases start at 0, so that the untrained network scales along
    assert (table["MSE after"] < table["MSE before"]).all()
