import numpy as np
import pytest

from srcnn_lib import models, original, training
from srcnn_lib.models import srcnn


def test_srcnn_has_the_originals_parameters_layer_by_layer():
    network = models.build("srcnn-9-1-5")
    assert network.count_params() == original.PARAMETERS
    assert tuple(layer.count_params() for layer in network.layers[1:]) == tuple(count for *_, count in original.LAYERS)


@pytest.mark.parametrize(
    ("kernels", "weights", "receptive_field"), [((9, 1, 5), 8032, 13), ((9, 3, 5), 24416, 15), ((9, 5, 5), 57184, 17)]
)
def test_one_channel_variants_have_the_papers_weights(kernels, weights, receptive_field):
    network = srcnn.build(kernels=kernels, channels=1, last_activation=None)
    assert models.cost(network)["multiply-adds per pixel"] == weights
    assert models.cost(network)["receptive field"] == receptive_field
    assert network.count_params() == weights + 64 + 32 + 1


@pytest.mark.parametrize("name", models.NAMES)
@pytest.mark.parametrize("shape", [(1, 17, 23, 3), (2, 64, 64, 3)])
def test_any_size_comes_out_as_it_went_in(name, shape):
    assert models.build(name)(np.zeros(shape, np.float32)).shape == shape


def test_a_saved_model_gives_the_same_output(tmp_path, rng):
    network = models.build("srcnn-9-1-5")
    training.save(network, tmp_path / "model.keras")
    image = rng.random((1, 20, 20, 3), dtype=np.float32)
    assert np.array_equal(network(image), training.load(tmp_path / "model.keras")(image))


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match=r"'vgg'.*srcnn-9-1-5"):
        models.build("vgg")


def test_filters_must_fit_the_kernels():
    with pytest.raises(ValueError, match=r"filters=\(64,\)"):
        srcnn.build(kernels=(9, 1, 5), filters=(64,))
