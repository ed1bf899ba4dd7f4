import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from srcnn_lib import batches, metrics, models, training
from srcnn_lib.training import Recipe

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def pairs(rng):
    high = [rng.integers(0, 256, (24, 24, 3), dtype=np.uint8) for _ in range(8)]
    return [(image // 2, image) for image in high]


@pytest.fixture
def train(pairs):
    return batches.Shuffled(pairs, batch_size=4, seed=5, crop_size=16)


@pytest.fixture
def validation(pairs):
    return batches.stream(pairs, batch_size=4)


def fresh(name="srcnn-9-1-5", seed=0, **changes):
    keras.utils.set_random_seed(seed)
    return models.build(name, **changes)


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


@pytest.mark.parametrize("recipe", [Recipe(2, 1e-3), Recipe(2, 1e-3, schedule="cosine", averaging=0.9)])
def test_a_network_that_is_trained_again_forgets_all_but_how_it_was_compiled(train, validation, recipe):
    expected, again = fresh(), fresh()
    training.fit(again, train, validation, recipe)
    compiled = again.train_function
    again.set_weights(expected.get_weights())
    training.fit(expected, train, validation, recipe)
    training.fit(again, train, validation, recipe)
    assert again.train_function is compiled and same(again, expected)
    again.compile(optimizer="sgd", loss="mae")
    again.set_weights(fresh().get_weights())
    training.fit(again, train, validation, recipe)
    assert same(again, expected)


def test_training_learns_and_logs_every_epoch(train, validation):
    history = training.fit(fresh(), train, validation, Recipe(epochs=8, learning_rate=0.002))
    assert history["epoch"].tolist() == list(range(1, 9))
    assert (history["steps"] == 2).all() and (history["seconds"] >= history["training_seconds"]).all()
    assert history["val_loss"].iloc[-1] < history["val_loss"].iloc[0] / 2
    assert np.allclose(history["val_loss"], history["val_mse"])


def test_validation_can_be_rarer_but_the_last_epoch_has_it(train, validation):
    recipe = Recipe(epochs=5, learning_rate=0.001, validate_every=2)
    history = training.fit(fresh(), train, validation, recipe)
    assert history["val_loss"].notna().tolist() == [False, True, False, True, True]


def test_the_same_seed_trains_the_same_weights(train, validation):
    networks = [fresh(seed=3), fresh(seed=3), fresh(seed=4)]
    for network in networks:
        training.fit(network, train, validation, Recipe(epochs=1, learning_rate=0.001))
    assert same(*networks[:2]) and not same(*networks[1:])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "schedule": "cosine",
            "averaging": 0.9,
            "keep": "best",
            "clip_norm": 0.1,
            "loss": "charbonnier",
            "validate_every": 2,
        },
    ],
    ids=["the original's", "everything else"],
)
def test_an_interrupted_training_continues_to_the_same_weights(tmp_path, train, validation, monkeypatch, changes):
    recipe = Recipe(epochs=5, learning_rate=0.002, **changes)
    whole, resumed = fresh(), fresh()
    expected = training.fit(whole, train, validation, recipe)

    with monkeypatch.context() as patch:
        save = training._Fitting._save

        def save_and_die(self):
            save(self)
            if len(self.rows) == 3:
                raise KeyboardInterrupt

        patch.setattr(training._Fitting, "_save", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            training.fit(fresh(), train, validation, recipe, folder=tmp_path)
    assert (tmp_path / "checkpoint.npz").exists()
    history = training.fit(resumed, train, validation, recipe, folder=tmp_path)
    assert same(whole, resumed)
    columns = ["epoch", "loss", "val_loss", "val_mse", "steps"]
    pd.testing.assert_frame_equal(history[columns], expected[columns])
    assert not (tmp_path / "checkpoint.npz").exists()
    assert list((tmp_path / "tensorboard").rglob("events*"))


@pytest.mark.parametrize("damage", ["another training", "not a checkpoint"])
def test_a_checkpoint_that_does_not_fit_is_not_used(tmp_path, train, validation, damage, caplog):
    recipe = Recipe(epochs=1, learning_rate=0.002)
    checkpoint = tmp_path / "checkpoint.npz"
    if damage == "another training":
        np.savez(
            checkpoint,
            memory='{"identity": "other"}',
            **{f"{kind} {n}": 0 for kind in ("state", "best") for n in range(99)},
        )
    else:
        checkpoint.write_bytes(b"PK nothing")
    network, expected = fresh(), fresh()
    training.fit(network, train, validation, recipe, folder=tmp_path)
    training.fit(expected, train, validation, recipe)
    assert same(network, expected) and "anew" in caplog.text


def test_the_best_weights_are_kept(train, validation):
    network = fresh()
    history = training.fit(network, train, validation, Recipe(epochs=6, learning_rate=0.02, keep="best"))
    network.compile(loss=metrics.pixel_mse)
    assert network.evaluate(validation, verbose=0, return_dict=True)["loss"] == pytest.approx(
        history["val_loss"].min(), rel=1e-5
    )
    assert history["val_loss"].idxmin() < 5  # else this test shows nothing


def test_averaged_weights_are_validated_and_kept(train, validation):
    plain, averaged = fresh(), fresh()
    training.fit(plain, train, validation, Recipe(epochs=3, learning_rate=0.002))
    history = training.fit(averaged, train, validation, Recipe(epochs=3, learning_rate=0.002, averaging=0.9))
    assert not same(plain, averaged)
    averaged.compile(loss=metrics.pixel_mse)
    assert averaged.evaluate(validation, verbose=0, return_dict=True)["loss"] == pytest.approx(
        history["val_loss"].iloc[-1], rel=1e-5
    )


def test_the_step_size_rises_and_falls_to_nothing():
    rate = training._optimizer(Recipe(epochs=10, learning_rate=0.01, schedule="cosine"), 20)._learning_rate
    rates = [float(rate(step)) for step in range(201)]
    assert rates[0] == 0 and max(rates) == pytest.approx(0.01) and rates.index(max(rates)) == 10
    assert rates[-1] == pytest.approx(0, abs=1e-9) and rates[11:] == sorted(rates[11:], reverse=True)


def test_a_loss_that_is_not_finite_stops_with_a_message_and_the_last_good_weights(pairs, validation):
    class Broken(batches.Shuffled):
        def from_epoch(self, first):
            data = super().from_epoch(first)
            return data.take(2).concatenate(data.map(lambda low, high: (low, high * float("nan"))))

    network, good = fresh(), fresh()
    train = Broken(pairs, 4, 5, 16)
    with pytest.raises(training.TrainingError, match=r"epoch 2, step 1; .*weights of epoch 1 again.*learning_rate"):
        training.fit(network, train, validation, Recipe(epochs=3, learning_rate=0.001))
    training.fit(good, batches.Shuffled(pairs, 4, 5, 16), validation, Recipe(epochs=1, learning_rate=0.001))
    assert same(network, good)


def test_an_exploding_loss_stops(pairs, validation):
    class Strange(batches.Shuffled):
        def from_epoch(self, first):
            data = super().from_epoch(first)
            return data.take(2).concatenate(data.map(lambda low, high: (low, high * 100)))

    with pytest.raises(training.TrainingError, match=r"rose from .* in epoch 2"):
        training.fit(fresh(), Strange(pairs, 4, 5, 16), validation, Recipe(epochs=3, learning_rate=0.001))


def test_shapes_that_do_not_fit_are_named(pairs, validation):
    train = batches.Shuffled(pairs, 4, 5, 16, label_border=2)
    with pytest.raises(training.TrainingError, match="refused the data"):
        training.fit(fresh(), train, validation, Recipe(epochs=1, learning_rate=0.001))


def test_a_checkpoint_that_cannot_be_written_is_named(tmp_path, train, validation, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training.np, "savez", full)
    with pytest.raises(training.TrainingError, match=r"checkpoint\.npz: cannot be written .*No space left"):
        training.fit(fresh(), train, validation, Recipe(epochs=1, learning_rate=0.001), folder=tmp_path)
    assert not list(tmp_path.glob("*checkpoint*"))


def test_bfloat16_costs_no_quality_and_leaves_a_float32_model(tmp_path, train, validation):
    errors = {}
    for precision in ("float32", "mixed_bfloat16"):
        network = fresh("house", width=8, blocks=1)
        history = training.fit(
            network, train, validation, Recipe(epochs=15, learning_rate=0.005, precision=precision, schedule="cosine")
        )
        errors[precision] = history["val_loss"].iloc[-1]
        assert {layer.dtype_policy.name for layer in network.layers} == {"float32"}
        training.save(network, tmp_path / "model.keras")
        assert same(training.load(tmp_path / "model.keras"), network)
    assert errors["mixed_bfloat16"] == pytest.approx(errors["float32"], rel=0.1)
    assert errors["float32"] < history["val_loss"].iloc[0] / 1.5


def test_bfloat16_is_automatic_only_where_the_processor_has_it(train, validation, monkeypatch):
    used = []
    monkeypatch.setattr(training, "fast_bfloat16", lambda: used.append(1) or False)
    network, expected = fresh(), fresh()
    training.fit(network, train, validation, Recipe(epochs=1, learning_rate=0.001, precision="auto"))
    training.fit(expected, train, validation, Recipe(epochs=1, learning_rate=0.001))
    assert used and same(network, expected)


def test_a_loss_of_its_own_keeps_no_checkpoint(train, validation, tmp_path):
    with pytest.raises(ValueError, match="expected folder=None"):
        training.fit(fresh(), train, validation, Recipe(1, 0.1), folder=tmp_path, loss=metrics.pixel_mse)


def test_unknown_losses_and_strategies_list_the_known_ones():
    with pytest.raises(ValueError, match=r"'huber'.*mse, charbonnier"):
        Recipe(epochs=1, learning_rate=0.1, loss="huber")
    with pytest.raises(ValueError, match=r"'lbfgs'.*adam, rmsprop, sgd"):
        Recipe(epochs=1, learning_rate=0.1, optimizer="lbfgs")
    with pytest.raises(ValueError, match=r"'many'.*one, mirrored"):
        training.strategy("many")


@pytest.mark.slow
def test_two_devices_train_to_the_same_weights_as_one():
    script = ROOT / "tests" / "two_devices.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    devices, difference, moved = done.stdout.split()[-3:]
    assert devices == "2" and float(difference) < 1e-5 < 1e-3 < float(moved)


def test_weights_of_another_model_and_files_that_are_no_model_are_named(tmp_path):
    training.save(fresh("srcnn-9-3-5"), tmp_path / "other.keras")
    with pytest.raises(training.TrainingError, match=r"other\.keras.*srcnn-9-1-5 \(20,099.*srcnn-9-3-5 \(36,483"):
        training.load_weights(fresh(), tmp_path / "other.keras")
    (tmp_path / "broken.keras").write_bytes(b"no model")
    with pytest.raises(training.TrainingError, match=r"broken\.keras: expected a model"):
        training.load(tmp_path / "broken.keras")
    with pytest.raises(training.TrainingError, match=r"missing\.keras: expected a model"):
        training.load(tmp_path / "missing.keras")
    good = fresh(seed=8)
    training.save(good, tmp_path / "good.keras")
    network = fresh(seed=9)
    training.load_weights(network, tmp_path / "good.keras")
    assert same(network, good)


def test_a_model_that_holds_code_is_refused(tmp_path):
    inputs, mark = keras.Input((4, 4, 3)), str(tmp_path / "ran")
    held = keras.layers.Lambda(lambda image: (open(mark, "w").close(), image)[1])
    keras.Model(inputs, held(inputs)).save(tmp_path / "code.keras")
    (tmp_path / "ran").unlink()  # it ran when the model was built
    with pytest.raises(training.TrainingError, match=r"code\.keras: expected a model"):
        training.load(tmp_path / "code.keras")
    assert not (tmp_path / "ran").exists()


def test_reading_a_learning_curve():
    history = pd.DataFrame(
        {"epoch": range(1, 9), "loss": [8, 7, 6, 5, 4, 3, 2, 1.0], "val_loss": [8, 7, 6, 5.02, 5.0, 5.5, np.nan, 6.6]}
    )
    reading = training.reading(history)
    assert (reading["best_epoch"], reading["enough_epoch"]) == (5, 4)
    assert reading["gap"] == pytest.approx(5.6) and reading["still_falling"] == 0, (
        "the best came before the last quarter"
    )


def test_a_curve_still_falls_where_its_last_quarter_brings_a_new_best():
    history = pd.DataFrame({"epoch": range(1, 9), "loss": 1.0, "val_loss": [8, 7, 5, 4, 5, 6, 3, 5.0]})
    assert training.reading(history)["still_falling"] == pytest.approx(1 - 3 / 4), "the noise of epochs 6 and 8 is none"
    assert training.reading(history[:1])["still_falling"] == 0
