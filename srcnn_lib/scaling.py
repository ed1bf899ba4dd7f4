"""Section 2.10: what more training pairs bring, measured and predicted."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import keras
import numpy as np
import optuna
import pandas as pd
from scipy.optimize import nnls

from srcnn_lib import batches, evaluation, metrics, training, tuning

_TEST_GAIN = "test gain"
_EXPONENTS = np.linspace(0.1, 2.0, 39)


class Subject(NamedTuple):
    """A network, and the images that it learns from and is judged by."""

    build: Callable[[], keras.Model]
    train: Sequence[batches.Pair]
    """In random order: fewer pairs are the first of them."""
    validation: Sequence[batches.Pair]
    """Of one size."""
    batch_size: int
    crop_size: int
    learning_rate: float
    test: Sequence[batches.Pair] = ()
    """Whole images, uint8; only the networks of the largest number of pairs are ever scored on them."""


def measure(
    subjects: Mapping[str, Subject],
    counts: Sequence[int],
    seeds: Sequence[int],
    *,
    updates: int,
    database: tuning.Database,
) -> pd.DataFrame:
    """Train each network on more and more pairs, with the same number of updates each time.

    Returns one row a subject, number of pairs and seed: network, pairs, seed, mse (of values in [0, 1], on the
    validation images), psnr (dB, of it) and test_gain (dB over the untouched test images, of their mean errors; missing
    but for the largest number of pairs). Trials are kept in `database`, see `tuning.run`.
    """

    def objective(trial: optuna.Trial) -> float:
        name = trial.suggest_categorical("network", list(subjects))
        count = trial.suggest_categorical("pairs", list(counts))
        seed = trial.suggest_categorical("seed", list(seeds))
        subject = subjects[name]
        recipe = training.Recipe(
            epochs=1, learning_rate=subject.learning_rate, schedule="cosine", clip_norm=0.1, precision="auto"
        )
        keras.utils.set_random_seed(seed)
        data = batches.Shuffled(subject.train[:count], subject.batch_size, seed, subject.crop_size, epoch_steps=updates)
        watched = batches.stream(subject.validation, batch_size=subject.batch_size)
        network = subject.build()
        history = training.fit(network, data, watched, recipe, progress=False)
        if count == max(counts) and len(subject.test):
            trial.set_user_attr(_TEST_GAIN, _gain(network, subject.test))
        return metrics.psnr_from_mse(history["val_mse"].iloc[-1])

    points = tuning.combinations({}, {"network": list(subjects), "pairs": counts, "seed": seeds})
    arrays = [
        side
        for subject in subjects.values()
        for pair in (subject.train[0], *subject.validation, *subject.test)
        for side in pair
    ]
    settings = [
        (name, len(own.train), own.batch_size, own.crop_size, own.learning_rate) for name, own in subjects.items()
    ]
    name = f"pairs {tuning.identity((settings, counts, seeds, updates), arrays)}"
    study = tuning.run(name, objective, database, points, seed=seeds[0])
    done = tuning.table(study)
    done["mse"] = 10 ** (-done["psnr"] / 10)
    finished = study.get_trials(deepcopy=False, states=tuning.FINISHED)
    done["test_gain"] = [trial.user_attrs.get(_TEST_GAIN, np.nan) for trial in finished]
    columns = ["network", "pairs", "seed", "mse", "psnr", "test_gain"]
    return done[columns].sort_values(["network", "pairs", "seed"], ignore_index=True)


class Prediction(NamedTuple):
    """A power law, error = floor + slope · pairs^-exponent, and what it says about other numbers of pairs."""

    floor: float
    slope: float
    exponent: float
    curve: pd.DataFrame
    """One row a number of pairs: pairs, psnr, low and high (dB; 90 % of the bootstrap samples lie between the two).
    The ends are missing where fewer than four numbers of pairs were measured: any three fit a law of three numbers."""

    @property
    def falls(self) -> bool:
        """Whether there is a law. Errors that do not keep falling with the number of pairs fit none, and tell nothing.

        They end with a slope of 0, or with an exponent at an end of those that are tried.
        """
        return bool(self.slope > 0 and _EXPONENTS[0] < self.exponent < _EXPONENTS[-1])


def chance(points: pd.DataFrame, between_seeds: float) -> pd.Series:
    """dB by which another seed changes each network of such trainings; NaN where it is not known.

    A network with one seed has no spread of its own. `between_seeds` was measured with SRCNN on squashed images, so it
    stands in for that network and for no other. `points` is what `measure` returns.
    """
    psnr = points.groupby(["network", "pairs"])["psnr"]
    spread = (psnr.max() - psnr.min()).where(psnr.size() > 1).groupby("network").max()
    return spread.fillna({name: between_seeds for name in spread.index if name.startswith("SRCNN, squashed")})


def predict(points: pd.DataFrame, pairs: Sequence[int], *, seed: int, draws: int = 300) -> Prediction:
    """Fit a power law to measured errors, and say how far its prediction can be trusted.

    Error against amount of data follows such a law over wide ranges (J. Hestness et al., arXiv:1712.00409), but
    a few points on it hold its three numbers badly. So the fit is repeated on points drawn with replacement.

    Parameters
    ----------
    points
        One row a training, with pairs and mse, of at least two numbers of pairs.
    pairs
        What to predict for.
    draws
        Samples of the points; those that hold fewer than three numbers of pairs are left out.

    Raises ValueError if `points` has a single number of pairs.
    """
    numbers, errors = points["pairs"].to_numpy(float), points["mse"].to_numpy(float)
    if len(np.unique(numbers)) < 2:
        raise ValueError(f"expected at least two numbers of pairs, received {sorted(set(points['pairs']))}")
    best = _fit(numbers, errors)
    target = np.asarray(pairs, float)
    low = high = np.full(len(target), np.nan)
    if len(np.unique(numbers)) > 3:
        rng = np.random.default_rng(seed)
        chosen = [rng.integers(0, len(points), len(points)) for _ in range(draws)]
        samples = [_fit(numbers[rows], errors[rows]) for rows in chosen if len(np.unique(numbers[rows])) > 2]
        low, high = np.quantile([_psnr(law, target) for law in samples], (0.05, 0.95), axis=0)
    return Prediction(*best, pd.DataFrame({"pairs": pairs, "psnr": _psnr(best, target), "low": low, "high": high}))


def _gain(network: keras.Model, images: Sequence[batches.Pair]) -> float:
    """dB by which a network's mean error on whole uint8 images is below that of leaving them alone."""
    errors = [
        [metrics.mse(high, image, data_range=255) for image in (low, evaluation.predict(network, low))]
        for low, high in images
    ]
    untouched, enhanced = np.mean(errors, axis=0)
    return metrics.psnr_from_mse(enhanced) - metrics.psnr_from_mse(untouched)


def _fit(numbers: np.ndarray, errors: np.ndarray) -> tuple[float, float, float]:
    """Floor, slope and exponent of least squares: for a given exponent the other two are a linear matter."""
    fits = []
    for exponent in _EXPONENTS:
        design = np.stack([np.ones_like(numbers), numbers**-exponent], axis=1)
        (floor, slope), residual = nnls(design / errors[:, None], np.ones_like(errors))  # relative errors count
        fits.append((residual, float(floor), float(slope), float(exponent)))
    return min(fits)[1:]


def _psnr(law: tuple[float, float, float], numbers: np.ndarray) -> np.ndarray:
    floor, slope, exponent = law
    return -10 * np.log10(floor + slope * numbers**-exponent)
