import numpy as np
import pytest
import tensorflow as tf

from srcnn_lib import ablation, models, original, training
from srcnn_lib.models import blocks, srcnn


def test_srcnn_has_the_originals_parameters_layer_by_layer():
    network = models.build("srcnn-9-1-5")
    assert network.count_params() == original.PARAMETERS
    assert tuple(layer.count_params() for layer in network.layers[1:]) == tuple(count for *_, count in original.LAYERS)


@pytest.mark.parametrize(
    ("kernels", "weights", "receptive_field"), [((9, 1, 5), 8032, 13), ((9, 3, 5), 24416, 15), ((9, 5, 5), 57184, 17)]
)
def test_one_channel_variants_have_the_papers_weights(kernels, weights, receptive_field):
    network = srcnn.build(kernels=kernels, channels=1, last_activation=None)
    cost = models.cost(network)
    assert (cost["multiply-adds per pixel"], cost["receptive field"]) == (weights, receptive_field)
    assert network.count_params() == weights + 64 + 32 + 1
    assert models.multiply_adds(srcnn.build(kernels=kernels, channels=1, padding="valid")) == weights


def test_house_models_cost_no_more_than_they_may():
    budgets = {"srcnn-9-1-5": 20_000, "house": 20_000, "house-65k": 65_000}
    costs = {name: models.cost(models.build(name))["multiply-adds per pixel"] for name in budgets}
    assert costs["srcnn-9-1-5"] == 20_000
    assert all(costs[name] <= budget for name, budget in budgets.items())
    # by hand: 3×3 windows on a sixteenth of the pixels, and the light's single ones on a sixty-fourth
    assert costs["house"] == round(9 * (48 * 60 + 4 * 2 * 60 * 60 + 60 * 48) / 16 + (12 * 32 + 32 * 32 + 32 * 6) / 64)


@pytest.mark.parametrize("change", ["blocks of SPAN", "blocks of NAFNet"])
def test_other_blocks_in_the_house_model_cost_no_more_and_do_not_look_at_the_whole(rng, change):
    network = models.build("house", **ablation.CHANGES[change]["changes"])
    assert 0.9 * models.multiply_adds(models.build("house")) < models.multiply_adds(network) <= 20_000
    network.set_weights([0.1 * rng.standard_normal(weight.shape) for weight in network.get_weights()])
    image = rng.random((1, 16, 480, 3), np.float32)
    changed = image.copy()
    changed[:, :, :8] = 0
    seen = np.abs(network(image) - network(changed)).max(axis=(0, 1, 3))
    assert seen[:8].max() > 1e-3 and seen[320:].max() == 0
    with pytest.raises(ValueError, match="expected residual, SPAN or NAFNet, received 'other'"):
        models.build("house", kind="other")


def test_the_receptive_field_of_the_house_model_is_that_of_its_arithmetic():
    # 10 convolutions of 3 on squares of 4 pixels; each of those depends on 33 cells of 8, smoothed over 9, between two
    detail, light = 4 * (1 + 2 * 10), 8 * (33 + 8 + 1)
    assert models.cost(models.build("house", light=0))["receptive field"] == detail
    assert models.cost(models.build("house"))["receptive field"] == light + detail - 4


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("shape", [(2, 12, 24, 3), (1, 13, 17, 3), (1, 5, 23, 1)])
def test_unshuffled_pixels_shuffle_back(rng, factor, shape):
    image = rng.random(shape, dtype=np.float32)
    squares = blocks.PixelUnshuffle(factor)(image)
    assert squares.shape == (shape[0], -(-shape[1] // factor), -(-shape[2] // factor), shape[3] * factor**2)
    assert np.array_equal(blocks.PixelShuffle(factor)(squares, image), image)
    if shape[1] % factor == shape[2] % factor == 0:
        assert np.array_equal(squares, tf.nn.space_to_depth(image, factor))


@pytest.mark.parametrize("network", [models.build("house"), srcnn.build(start="identity")], ids=["house", "srcnn"])
def test_networks_that_start_as_the_identity_do(rng, network):
    image = rng.random((1, 21, 34, 3), dtype=np.float32)
    assert np.abs(network(image) - image).max() < 0.05


def test_a_network_without_padding_shrinks_as_the_formula_says():
    table = models.sizes("srcnn-9-1-5", 256)
    assert table["valid, formula"].tolist() == table["valid, Keras"].tolist() == [248, 248, 244]
    assert table["same, Keras"].tolist() == [256] * 3 and table["padding that keeps the size"].tolist() == [4, 0, 2]


@pytest.mark.parametrize("name", models.NAMES)
@pytest.mark.parametrize("shape", [(1, 17, 23, 3), (2, 64, 64, 3)])
def test_any_size_comes_out_as_it_went_in(name, shape):
    assert models.build(name)(np.zeros(shape, np.float32)).shape == shape


@pytest.mark.parametrize("name", models.NAMES)
def test_a_saved_model_gives_the_same_output(tmp_path, rng, name):
    network = models.build(name)
    network.set_weights([rng.normal(0, 0.05, weight.shape) for weight in network.weights])
    training.save(network, tmp_path / "model.keras")
    image = rng.random((1, 20, 20, 3), dtype=np.float32)
    assert np.array_equal(network(image), training.load(tmp_path / "model.keras")(image))


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match=r"'vgg'.*srcnn-9-1-5"):
        models.build("vgg")


def test_filters_must_fit_the_kernels():
    with pytest.raises(ValueError, match=r"filters=\(64,\)"):
        srcnn.build(kernels=(9, 1, 5), filters=(64,))
