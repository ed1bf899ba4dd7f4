"""Section 2.7: one training loop for every model."""

import math
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from tqdm import tqdm

from srcnn_lib import models, original
from srcnn_lib.files import whole
from srcnn_lib.metrics import pixel_mse


class TrainingError(RuntimeError):
    """A training that went wrong; the message says when and what to try."""


def fit(
    model: keras.Model,
    train: tf.data.Dataset,
    validation: tf.data.Dataset,
    *,
    epochs: int,
    learning_rate: float,
    validate_every: int = 1,
) -> pd.DataFrame:
    """Train `model` in place with Adam on the pixel mean squared error, as the original did.

    Parameters
    ----------
    model
        Maps batches (batch, H, W, 3) in [0, 1] to the same shape.
    train, validation
        Batches (low, high) as `srcnn_lib.batches.stream` gives them.
    epochs
        Passes over the training data.
    learning_rate
        Adam's step size.
    validate_every
        Epochs from one validation to the next; the last epoch is always validated.

    Returns
    -------
    One row an epoch: epoch (from 1), loss and val_loss (mean squared error of values in [0, 1]; val_loss is
    missing where there was no validation), steps,
    training_seconds (the steps alone) and seconds (with the validation that follows).

    Raises
    ------
    TrainingError
        As soon as the loss is not finite.
    """
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=pixel_mse)
    log = _Log(epochs, int(train.cardinality()))
    model.fit(
        train,
        validation_data=validation,
        validation_freq=sorted({*range(validate_every, epochs + 1, validate_every), epochs}),
        epochs=epochs,
        shuffle=False,  # the stream shuffles
        verbose=0,
        callbacks=[log],
    )
    return pd.DataFrame(log.rows)


def scale_trial(low: np.ndarray, high: np.ndarray, *, scales: Sequence[float], updates: int, seed: int) -> pd.DataFrame:
    """Train SRCNN for a few updates on the same images with their values scaled to [0, scale].

    Parameters
    ----------
    low, high
        uint8 images, both of shape (N, H, W, 3).
    scales
        The largest values to try, such as 1 and 255.
    updates
        Number of steps, each on all images, with Adam at the original's learning rate.

    Returns
    -------
    One row a scale: "largest value", "MSE before" and "MSE after", both divided by the scale squared so that
    they compare.
    """
    rows = []
    for scale in scales:
        keras.utils.set_random_seed(seed)
        network = models.build("srcnn-9-1-5")
        network.compile(optimizer=keras.optimizers.Adam(original.LEARNING_RATE), loss=pixel_mse)
        inputs, labels = (side.astype(np.float32) * (scale / 255) for side in (low, high))
        before = network.evaluate(inputs, labels, batch_size=4, verbose=0)
        size = min(32, low.shape[1])
        rng = np.random.default_rng(seed)
        for _ in range(updates):
            y, x = (int(rng.integers(0, side - size + 1)) for side in low.shape[1:3])
            window = (slice(None), slice(y, y + size), slice(x, x + size))
            network.train_on_batch(inputs[window], labels[window])
        after = network.evaluate(inputs, labels, batch_size=4, verbose=0)
        rows.append({"largest value": scale, "MSE before": before / scale**2, "MSE after": after / scale**2})
    return pd.DataFrame(rows)


def save(model: keras.Model, path: Path) -> None:
    """Save architecture and weights as one .keras file, whole or not at all."""
    with whole(path) as temporary:
        model.save(temporary)


def load(path: Path) -> keras.Model:
    """Load what `save` wrote, without executing code from the file. Raises ValueError if it is no model."""
    return keras.saving.load_model(path, compile=False, safe_mode=True)


def steps_per_epoch(pairs: int, batch_size: int) -> int:
    """Updates an epoch: the last batch may be smaller, but it counts."""
    return math.ceil(pairs / batch_size)


class _Log(keras.callbacks.Callback):
    """Keeps a row an epoch, shows a progress bar over all steps, stops when the loss is not finite."""

    def __init__(self, epochs: int, steps: int) -> None:
        super().__init__()
        self.rows: list[dict] = []
        self.bar = tqdm(total=epochs * steps, desc="training", unit="step", mininterval=1, dynamic_ncols=True)
        self.epochs, self.steps = epochs, steps

    def on_epoch_begin(self, epoch, logs=None):
        self.started, self.trained = time.perf_counter(), None

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update()
        if not math.isfinite(logs["loss"]):
            self.bar.close()
            raise TrainingError(
                f"the loss became {logs['loss']} in epoch {len(self.rows) + 1}, step {batch + 1}: "
                "try a smaller learning_rate"
            )

    def on_test_begin(self, logs=None):
        self.trained = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        ended = time.perf_counter()
        row = {
            "epoch": epoch + 1,
            "loss": logs["loss"],
            "val_loss": logs.get("val_loss", math.nan),
            "steps": self.steps,
            "training_seconds": round((self.trained or ended) - self.started, 3),
            "seconds": round(ended - self.started, 3),
        }
        self.rows.append(row)
        validation = f", val_loss {row['val_loss']:.5f}" if "val_loss" in logs else ""
        self.bar.set_description(f"epoch {epoch + 1}/{self.epochs}, loss {row['loss']:.5f}{validation}")

    def on_train_end(self, logs=None):
        self.bar.close()
