"""Section 2.10: trying other hyperparameters on validation images."""

from collections.abc import Callable, Sequence

import keras
import pandas as pd
import tensorflow as tf

from srcnn_lib import batches, training


def learning_rates(
    build: Callable[[], keras.Model],
    train: batches.Shuffled,
    validation: tf.data.Dataset,
    *,
    rates: Sequence[float],
    epochs: int,
    seed: int,
) -> pd.DataFrame:
    """Train a fresh model for a few epochs at each learning rate.

    `build` makes the model anew for each rate, so that all see the same first weights and the same batches.

    Returns one row a rate: learning_rate, val_loss (mean squared error after the last epoch), seconds.
    A rate at which training breaks down has an infinite val_loss.
    """
    rows = []
    for rate in rates:
        keras.utils.set_random_seed(seed)
        try:
            recipe = training.Recipe(epochs=epochs, learning_rate=rate, validate_every=epochs)
            history = training.fit(build(), train, validation, recipe)
            rows.append(
                {"learning_rate": rate, "val_loss": history["val_loss"].iloc[-1], "seconds": history["seconds"].sum()}
            )
        except training.TrainingError:
            rows.append({"learning_rate": rate, "val_loss": float("inf"), "seconds": float("nan")})
    return pd.DataFrame(rows)
