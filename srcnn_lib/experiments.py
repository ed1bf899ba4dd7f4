"""Sections 2.5 and 2.7: short trainings, each of which answers one question by measurement."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import keras
import numpy as np
import pandas as pd

from srcnn_lib import batches, metrics, models, training

BASE = "srcnn-9-1-5"
MARKS = 8  # points of a curve
WATCHED_PAIRS, WATCHED_SIZE = 40, 128  # validation images of which the middle, so many pixels wide, is looked at often


def compare(
    networks: Mapping[str, Callable[[], keras.Model]],
    pairs: Sequence[batches.Pair],
    validation: Sequence[batches.Pair],
    *,
    updates: int,
    seeds: Sequence[int],
    batch_size: int,
    crop_size: int,
    learning_rate: float,
) -> pd.DataFrame:
    """Train each network on the same crops and watch its validation PSNR.

    Parameters
    ----------
    networks
        Name of each network, and what builds it.
    pairs, validation
        (low, high) uint8 images; those of `validation` of one size.
    updates
        Steps of `batch_size` crops of `crop_size` pixels that each network gets, with Adam at a constant rate.
    seeds
        Each gives its own first weights and crops.

    Returns
    -------
    One row a network, seed and mark: model, seed, updates, psnr (dB, of the mean squared error).
    """
    watched = batches.stream(validation, batch_size=batch_size).cache()
    steps = max(1, updates // MARKS)
    recipe = training.Recipe(epochs=-(-updates // steps), learning_rate=learning_rate)
    rows = []
    for name, build in networks.items():
        network = build()  # one for all seeds, which is compiled once
        for seed in seeds:
            keras.utils.set_random_seed(seed)
            network.set_weights(build().get_weights())
            data = batches.Shuffled(pairs, batch_size, seed, crop_size, epoch_steps=steps)
            history = training.fit(network, data, watched, recipe)
            rows += [
                {
                    "model": name,
                    "seed": seed,
                    "updates": row.epoch * steps,
                    "psnr": metrics.psnr_from_mse(row.val_mse),
                }
                for row in history.itertuples()
            ]
    return pd.DataFrame(rows)


def complexity(
    widths: Sequence[int],
    pairs: Sequence[batches.Pair],
    validation: Sequence[batches.Pair],
    *,
    updates: int,
    seeds: Sequence[int],
    pairs_each: int,
    batch_size: int,
    crop_size: int,
    learning_rate: float,
) -> pd.DataFrame:
    """Split the validation error of SRCNN into bias² and variance, against its number of filters.

    For each width w, networks with w and w/2 (at least 3) filters are trained, one a seed, each on its own draw of
    `pairs_each` training pairs. Over the drawn networks, the mean error is exactly the error of their mean prediction
    (bias², which includes what no network could know) plus the mean squared distance from it (variance):
    S. Geman et al., Neural Computation 4(1), 1992, doi:10.1162/neco.1992.4.1.1.

    Returns one row a width: filters, parameters, training error, error, bias², variance (all of values in [0, 1]).
    """
    low, high = (np.stack(side).astype(np.float32) / 255 for side in zip(*validation, strict=True))
    watched = batches.stream(validation, batch_size=batch_size).cache()
    recipe = training.Recipe(epochs=1, learning_rate=learning_rate, schedule="cosine")
    rows = []
    for width in widths:
        build = partial(models.build, BASE, filters=(width, max(3, width // 2)), start="identity")
        network = build()  # one for all seeds, which is compiled once
        predictions, training_errors = [], []
        for seed in seeds:
            keras.utils.set_random_seed(seed)
            drawn = np.random.default_rng(seed).permutation(len(pairs))[:pairs_each]
            own = [pairs[index] for index in drawn]
            network.set_weights(build().get_weights())
            training.fit(
                network, batches.Shuffled(own, batch_size, seed, crop_size, epoch_steps=updates), watched, recipe
            )
            seen = batches.stream(batches.Centres(own, low.shape[1]), batch_size=batch_size)
            training_errors.append(network.evaluate(seen, verbose=0, return_dict=True)["loss"])
            parts = range(0, len(low), batch_size)
            predictions.append(np.concatenate([network(low[start : start + batch_size]) for start in parts]))
        mean = np.mean(predictions, axis=0)
        rows.append(
            {
                "filters": width,
                "parameters": network.count_params(),
                "training error": float(np.mean(training_errors)),
                "error": float(np.mean([np.mean((one - high) ** 2) for one in predictions])),
                "bias²": float(np.mean((mean - high) ** 2)),
                "variance": float(np.mean([np.mean((one - mean) ** 2) for one in predictions])),
            }
        )
    return pd.DataFrame(rows)


def scales(
    low: np.ndarray, high: np.ndarray, *, largest: Sequence[float], updates: int, learning_rate: float, seed: int
) -> pd.DataFrame:
    """Train SRCNN for a few updates on the same images with their values scaled to [0, largest].

    Parameters
    ----------
    low, high
        uint8 images, both of shape (N, H, W, 3).
    largest
        The largest values to try, such as 1 and 255.
    updates
        Number of steps, each on all images.

    Returns
    -------
    One row a scale: "largest value", "MSE before" and "MSE after", both divided by the scale squared so that
    they compare.
    """
    rows = []
    for scale in largest:
        keras.utils.set_random_seed(seed)
        network = models.build(BASE)
        network.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=metrics.pixel_mse)
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
