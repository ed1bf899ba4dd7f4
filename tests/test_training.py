import keras
import numpy as np
import pytest
import tensorflow as tf

from srcnn_lib import evaluation, images, metrics, models, training, tuning


@pytest.fixture
def data(rng):
    high = rng.random((8, 16, 16, 3), dtype=np.float32)
    return tf.data.Dataset.from_tensor_slices((high / 2, high)).batch(4)


def test_training_learns_and_logs_every_epoch(data):
    keras.utils.set_random_seed(0)
    history = training.fit(models.build("srcnn-9-1-5"), data, data, epochs=8, learning_rate=0.002)
    assert history["epoch"].tolist() == list(range(1, 9))
    assert (history["steps"] == 2).all() and (history["seconds"] >= history["training_seconds"]).all()
    assert history["val_loss"].iloc[-1] < history["val_loss"].iloc[0] / 2


def test_validation_can_be_rarer_but_the_last_epoch_has_it(data):
    history = training.fit(models.build("srcnn-9-1-5"), data, data, epochs=5, learning_rate=0.001, validate_every=2)
    assert history["val_loss"].notna().tolist() == [False, True, False, True, True]


def test_the_same_seed_trains_the_same_weights(data):
    def weights():
        keras.utils.set_random_seed(3)
        network = models.build("srcnn-9-1-5")
        training.fit(network, data, data, epochs=1, learning_rate=0.001)
        return network.get_weights()

    assert all(np.array_equal(a, b) for a, b in zip(weights(), weights(), strict=True))


def test_a_loss_that_is_not_finite_stops_with_a_message(data):
    broken = data.map(lambda low, high: (low * float("nan"), high))
    with pytest.raises(training.TrainingError, match=r"epoch 1, step 1.*learning_rate"):
        training.fit(models.build("srcnn-9-1-5"), broken, data, epochs=1, learning_rate=0.001)


@pytest.mark.parametrize(("pairs", "steps"), [(700, 70), (701, 71), (5, 1)])
def test_steps_per_epoch(pairs, steps):
    assert training.steps_per_epoch(pairs, 10) == steps


def test_learning_rates_start_from_the_same_weights_and_see_the_same_batches(data):
    trials = tuning.learning_rates(
        lambda: models.build("srcnn-9-1-5"),
        lambda: data.shuffle(2, seed=1),
        data,
        rates=[1e-3, 1e-3, 1e-9],
        epochs=1,
        seed=0,
    )
    assert trials["val_loss"][0] == trials["val_loss"][1] < trials["val_loss"][2]


def test_scores_include_doing_nothing_and_both_averages(tmp_path, rng):
    for name in ("a", "b"):
        high = rng.integers(0, 200, (16, 16, 3), dtype=np.uint8)
        images.write(tmp_path / "high" / f"{name}.png", high)
        images.write(tmp_path / "low" / f"{name}.png", high + (10 if name == "a" else 40))
    scores = evaluation.score(models.build("srcnn-9-1-5"), "network", tmp_path, ["a", "b"])
    assert scores["method"].tolist() == [evaluation.UNTOUCHED, evaluation.CLASSICAL, "network"] * 2
    untouched = evaluation.summary(scores).set_index("method").loc[evaluation.UNTOUCHED]
    errors = np.array([10, 40]) ** 2 / 255**2
    assert untouched["mse"] == pytest.approx(errors.mean())
    assert untouched["psnr_of_mean_mse"] == pytest.approx(metrics.psnr_from_mse(errors.mean()))
    assert untouched["psnr_mean"] == pytest.approx(np.mean([metrics.psnr_from_mse(error) for error in errors]))
    assert untouched["psnr_mean"] > untouched["psnr_of_mean_mse"]


def test_predictions_are_images(rng):
    image = rng.integers(0, 256, (21, 34, 3), dtype=np.uint8)
    predicted = evaluation.predict(models.build("srcnn-9-1-5"), image)
    assert predicted.shape == image.shape and predicted.dtype == np.uint8
