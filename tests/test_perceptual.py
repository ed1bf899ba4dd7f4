import socket

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srcnn_lib import metrics, perceptual, recogniser
from srcnn_lib.specimens import typefaces


@pytest.fixture(scope="module")
def reader():
    return recogniser.build()


@pytest.fixture(scope="module")
def trunk(reader):
    return perceptual.features(reader, recogniser.FEATURES)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was asked for something")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def noisy(image, strength):
    noise = np.random.default_rng(1).normal(0, strength, image.shape)
    return np.clip(image + noise, 0, 255).round().astype(np.uint8)


def passing():
    """A network whose features are the image itself, and twice that."""
    image = keras.Input((None, None, 3))
    same = keras.layers.Rescaling(1.0, name="same")(image)
    return keras.Model(image, keras.layers.Rescaling(2.0, name="twice")(same), name="passing")


def test_over_the_pixels_themselves_it_is_the_pixel_mse(rng):
    truth, image = rng.integers(0, 256, (2, 9, 11, 3), dtype=np.uint8)
    mse = metrics.mse(truth, image, data_range=255)
    for layer, factor in (("same", 1), ("twice", 4)):
        features = perceptual.features(passing(), layer)
        assert perceptual.distance(features, truth, image) == pytest.approx(factor * mse, rel=1e-5)


@settings(max_examples=10, deadline=None)
@given(size=st.tuples(st.integers(24, 70), st.integers(24, 70)), seed=st.integers(0, 99))
def test_distance_is_symmetric_and_grows_with_noise(trunk, size, seed):
    truth = np.random.default_rng(seed).integers(60, 200, (*size, 3), dtype=np.uint8)
    faint, strong = noisy(truth, 4), noisy(truth, 40)
    near, far = (perceptual.distance(trunk, truth, image) for image in (faint, strong))
    assert perceptual.distance(trunk, truth, truth) == 0 < near < far
    assert perceptual.distance(trunk, strong, truth) == pytest.approx(far, rel=1e-5)


def test_the_loss_has_one_value_an_image(trunk, rng):
    truth, image = rng.integers(0, 256, (2, 3, 30, 40, 3), dtype=np.uint8)
    values = perceptual.loss(trunk)(*(keras.ops.convert_to_tensor(side / np.float32(255)) for side in (truth, image)))
    assert values.shape == (3,)
    expected = [perceptual.distance(trunk, *pair) for pair in zip(truth, image, strict=True)]
    assert np.asarray(values) == pytest.approx(expected, rel=1e-4)


def test_beside_the_pixels_features_count_by_their_weight(trunk, rng):
    truth, image = rng.random((2, 3, 24, 24, 3), dtype=np.float32)
    both = perceptual.with_pixels(trunk, 0.5)(truth, image)
    expected = metrics.pixel_mse(truth, image) + 0.5 * perceptual.loss(trunk)(truth, image)
    assert np.allclose(both, expected)


def test_a_network_learns_by_the_loss_and_the_features_stay(reader, trunk, rng):
    truth = rng.random((8, 24, 24, 3), dtype=np.float32)
    image = keras.Input((None, None, 3))
    network = keras.Model(image, keras.layers.Conv2D(3, 1, kernel_initializer=keras.initializers.Constant(0.1))(image))
    before = [weight.copy() for weight in reader.get_weights()]
    network.compile(keras.optimizers.Adam(0.05), perceptual.loss(trunk))
    history = network.fit(truth, truth, epochs=30, batch_size=8, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert all(map(np.array_equal, before, reader.get_weights()))


@pytest.mark.parametrize(
    ("truth", "image", "message"),
    [
        (np.zeros((9, 9, 3), np.uint8), np.zeros((9, 8, 3), np.uint8), r"\(9, 9, 3\) and \(9, 8, 3\)"),
        (np.zeros((9, 9, 3)), np.zeros((9, 9, 3)), r"received float64 \(9, 9, 3\)"),
        (np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint8), r"received uint8 \(9, 9\)"),
    ],
)
def test_other_images_are_refused(truth, image, message):
    with pytest.raises(ValueError, match=message):
        perceptual.distance(perceptual.features(passing(), "same"), truth, image)


def test_an_unknown_layer_is_named_beside_the_known_ones():
    with pytest.raises(ValueError, match=r"passing has no layer 'thrice'; its layers are .*, same, twice"):
        perceptual.features(passing(), "thrice")


def test_vgg19_is_never_downloaded(monkeypatch, tmp_path, no_network):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert perceptual.vgg19() is None and perceptual.vgg19(None) is None
    with pytest.raises(ValueError, match=r"none\.h5: expected the weights of VGG19 .* found no file"):
        perceptual.vgg19(tmp_path / "none.h5")
    assert not list(tmp_path.iterdir())


def test_vgg19_with_weights_takes_what_our_images_are(monkeypatch, tmp_path, no_network, rng):
    theirs = keras.applications.VGG19(include_top=False, weights=None)
    file = tmp_path / "given.weights.h5"
    theirs.save_weights(file)
    features = perceptual.vgg19(file, layer_name="block1_conv1")
    image = rng.integers(0, 256, (1, 32, 40, 3)).astype(np.float32)
    expected = theirs.get_layer("block1_conv1")(keras.applications.vgg19.preprocess_input(image.copy()))
    assert np.asarray(features(image / 255)) == pytest.approx(np.asarray(expected), abs=1e-3)

    file.write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"given\.weights\.h5: expected the weights of VGG19"):
        perceptual.vgg19(file)


def test_every_character_is_of_one_class():
    characters = "".join(recogniser.CLASSES)
    assert len(characters) == len(set(characters)) == 26 + 26 + 10 + 1


def test_drawn_characters_depend_on_the_seed_alone():
    (images, labels), again, other = (recogniser.draw(40, seed) for seed in (1, 1, 2))
    assert images.shape == (40, 24, 24, 3) and images.dtype == np.uint8
    assert np.array_equal(images, again[0]) and np.array_equal(labels, again[1])
    assert not np.array_equal(images, other[0])
    assert images.std(axis=(1, 2)).min() > 1  # something is on each
    assert recogniser.draw(3, 0, size=32, faces=typefaces.typefaces()["test"])[0].shape == (3, 32, 32, 3)


def test_the_network_is_small_and_works_at_any_size(reader, trunk):
    assert 50_000 <= reader.count_params() <= 100_000
    for height, width in ((24, 24), (37, 90)):
        image = np.zeros((1, height, width, 3), np.float32)
        assert reader(image).shape == (1, len(recogniser.CLASSES))
        assert trunk(image).shape[1:3] == (-(-height // 4), -(-width // 4))


def test_the_recogniser_learns_to_read_typefaces_it_has_not_seen():
    trained, history = recogniser.train(seed=0, characters=3000, epochs=4)
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    assert history["accuracy"].iloc[-1] > history["accuracy"].iloc[0]
    images, labels = recogniser.draw(600, 99, faces=typefaces.typefaces()["test"])
    correct = np.asarray(trained(images / np.float32(255))).argmax(axis=1) == labels
    untrained = np.asarray(recogniser.build()(images / np.float32(255))).argmax(axis=1) == labels
    assert correct.mean() > 0.12 > 2 * untrained.mean()  # by chance 0.02


def test_training_is_the_same_for_a_seed():
    first, again = (recogniser.train(seed=3, characters=256, epochs=1)[0].get_weights() for _ in range(2))
    assert all(map(np.array_equal, first, again))
    other = recogniser.build(seed=4).get_weights()
    assert not all(map(np.array_equal, recogniser.build(seed=3).get_weights(), other))
