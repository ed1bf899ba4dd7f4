"""Section 2.10: searching hyperparameters on validation images.

Trials are kept in a database, so that a search goes on where it was stopped, and several machines can work on one.
They belong to a study whose name says what was searched on which data with which code: if any of it changes, a new
study begins.
"""

import hashlib
import inspect
import itertools
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import optuna
import pandas as pd
import sqlalchemy
import tensorflow as tf
from optuna.trial import TrialState
from tqdm import tqdm

from srcnn_lib import batches, metrics, models, original, perceptual, training
from srcnn_lib.models import house, srcnn

Parameters = Mapping[str, Any]

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
PERCEPTUAL = "perceptual"
"""The loss that needs a network, beside those of `training.LOSSES`."""
SHRUNK = 0.03, 0.1, 0.3
"""Shares that weight decay may take of the weights in a training: much less would be no regularisation."""
_FEATURE_WEIGHT = 0.1  # of the features beside the pixels, whose error is about a tenth of theirs
_BEAT, _GRACE = 30, 120  # seconds between signs of life of a shared trial, and until it counts as dead
_ASKED = "asked for"  # attribute of a trial: the parameters that it was given, none where the search chose them
_PATIENCE = 100  # tenths of a second to wait for another process to say what its trial is
_STAGES = 12  # of a schedule, at which trials of different lengths are compared
_STARTUP = 5  # trials at random before TPE begins to reason, and before anything is pruned

optuna.logging.set_verbosity(optuna.logging.WARNING)
tf.get_logger().setLevel("ERROR")  # it warns of functions that are traced again and again, as in a search they must be


class Database(NamedTuple):
    """Where trials are kept."""

    url: str
    """As SQLAlchemy takes it. A password in it would be read by all who see the profile: give it by the environment."""
    shared: bool
    """Whether several processes work on it at a time. If not, a trial that is running at the start was killed."""

    @classmethod
    def at(cls, url: str | None, file: Path) -> "Database":
        """A shared database by its URL, or SQLite in `file`."""
        return cls(url, True) if url else cls(f"sqlite:///{Path(file).resolve()}", False)


class Task:
    """SRCNN on small crops: what all trials of a search have in common."""

    def __init__(
        self,
        train: Sequence[batches.Pair],
        validation: Sequence[batches.Pair],
        features: keras.Model,
        *,
        epochs: int,
        epoch_steps: int,
        crop_size: int,
        seed: int,
    ) -> None:
        """Take (low, high) uint8 images, those of `validation` of one size; `features` is for the perceptual loss.

        A trial trains for at most `epochs` of `epoch_steps` steps, on crops of at most `crop_size` pixels.
        """
        self.train, self.validation, self.features = train, validation, features
        self.epochs, self.epoch_steps, self.crop_size, self.seed = epochs, epoch_steps, crop_size, seed

    @property
    def original(self) -> dict[str, Any]:
        """The original's hyperparameters, where it chose them; crops and epochs are as many as a trial may have."""
        return {
            "learning_rate": original.LEARNING_RATE,
            "batch_size": original.BATCH_SIZE,
            "epochs": self.epochs,
            "activation": "relu",
            "optimizer": "adam",
            "loss": "mse",
            "filters": original.LAYERS[0][0],
            "crop_size": self.crop_size,
            "weight_decay": 0.0,
        }

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        """Let a study choose every hyperparameter of one trial."""
        return {
            "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
            "batch_size": trial.suggest_int("batch_size", 4, 20, step=2),
            "epochs": trial.suggest_int("epochs", 1, self.epochs),
            "activation": trial.suggest_categorical("activation", ["relu", "leaky_relu", "elu"]),
            "optimizer": trial.suggest_categorical("optimizer", list(training.OPTIMIZERS)),
            "loss": trial.suggest_categorical("loss", [*training.LOSSES, PERCEPTUAL]),
            "filters": trial.suggest_int("filters", 16, 64, step=16),
            "crop_size": trial.suggest_categorical("crop_size", [self.crop_size // 2, self.crop_size]),
            "weight_decay": trial.suggest_categorical("weight_decay", [0.0, *(self.decay(share) for share in SHRUNK)]),
        }

    def decay(self, share: float) -> float:
        """The weight decay that by itself would shrink weights by this share in the original's training.

        Decoupled decay (I. Loshchilov, F. Hutter, ICLR 2019, arXiv:1711.05101) takes step size · decay of a weight at
        each update, and the step size falls along a cosine, which is half of it on average.
        """
        return float(f"{-2 * np.log1p(-share) / (original.LEARNING_RATE * self.epochs * self.epoch_steps):.3g}")

    def fit(
        self,
        parameters: Parameters,
        *,
        seed: int,
        validation: tf.data.Dataset | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> pd.DataFrame:
        """Train with one choice of hyperparameters, from the identity on, with a step size that falls along a cosine.

        Returns the history (see `training.fit`), on the task's validation images or on others.
        """
        recipe = training.Recipe(
            epochs=parameters["epochs"],
            learning_rate=parameters["learning_rate"],
            schedule="cosine",
            loss="mse" if parameters["loss"] == PERCEPTUAL else parameters["loss"],
            optimizer=parameters["optimizer"],
            weight_decay=parameters["weight_decay"] or None,
            clip_norm=0.1,
            precision="auto",
        )
        keras.utils.set_random_seed(seed)
        filters = parameters["filters"], parameters["filters"] // 2
        network = models.build("srcnn-9-1-5", filters=filters, activation=parameters["activation"], start="identity")
        return training.fit(
            network,
            batches.Shuffled(
                self.train, parameters["batch_size"], seed, parameters["crop_size"], epoch_steps=self.epoch_steps
            ),
            self.watched if validation is None else validation,
            recipe,
            loss=perceptual.with_pixels(self.features, _FEATURE_WEIGHT) if parameters["loss"] == PERCEPTUAL else None,
            callbacks=callbacks,
            progress=False,
        )

    def objective(self, trial: optuna.Trial) -> float:
        """Validation PSNR in dB of one trial. A training that breaks down counts as pruned."""
        try:
            history = self.fit(self.suggest(trial), seed=self.seed, callbacks=[_Reporting(trial)])
        except training.TrainingError as error:
            trial.set_user_attr("broke down", str(error))
            raise optuna.TrialPruned(str(error)) from error
        return metrics.psnr_from_mse(history["val_mse"].iloc[-1])

    @cached_property
    def watched(self) -> tf.data.Dataset:
        """The validation images as `training.fit` takes them, read once."""
        return batches.stream(self.validation, batch_size=10).cache()

    @cached_property
    def identity(self) -> str:
        """Equal for the same data, settings and code only."""
        first = next(
            iter(batches.Shuffled(self.train, 10, self.seed, self.crop_size).from_epoch(0).as_numpy_iterator())
        )
        settings = self.epochs, self.epoch_steps, self.crop_size, self.seed
        return identity(settings, [*first, *np.concatenate(self.validation), *self.features.get_weights()])


def identity(settings: object, arrays: Sequence[np.ndarray]) -> str:
    """A short hash of settings, of data, and of the code that trains."""
    digest = hashlib.sha256(repr(settings).encode())
    for code in (training, metrics, srcnn, house, Task):
        digest.update(inspect.getsource(code).encode())
    for values in arrays:
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]


def combinations(base: Parameters, choices: Mapping[str, Sequence]) -> list[dict[str, Any]]:
    """Every combination of some parameters' choices, with the others as in `base`."""
    return [{**base, **dict(zip(choices, values, strict=True))} for values in itertools.product(*choices.values())]


def grid(task: Task, choices: Mapping[str, Sequence], database: Database) -> optuna.Study:
    """Try every combination of some hyperparameters' choices, with the others as the original has them."""
    points = combinations(task.original, choices)
    return run(f"grid {task.identity} {identity(choices, [])}", task.objective, database, points, seed=task.seed)


def tpe(task: Task, trials: int, database: Database) -> optuna.Study:
    """Search all hyperparameters, from the original's on, with what earlier trials taught; poor trials end early.

    A tree-structured Parzen estimator (J. Bergstra et al., NeurIPS 2011) proposes; a trial is pruned when it is among
    the poorest at the same share of its schedule. `trials` is their number in all, those of earlier calls included.
    """
    pruning = hashlib.sha256(b"".join(inspect.getsource(part).encode() for part in (_Reporting, _pruner)))
    name = f"TPE {task.identity} {pruning.hexdigest()[:8]}"
    return run(name, task.objective, database, [task.original], total=trials, seed=task.seed, prune=True)


def run(
    name: str,
    objective: Callable[[optuna.Trial], float],
    database: Database,
    first: Sequence[Parameters],
    *,
    total: int = 0,
    seed: int,
    prune: bool = False,
) -> optuna.Study:
    """Bring a study to so many finished trials: those of `first`, then what TPE proposes until there are `total`.

    What an earlier call, or another machine, has finished is not done again. A trial that was killed is done anew. In
    one process the same seed gives the same trials, however often the search was interrupted. Where two machines miss
    the same one of `first` at the same time, the later trial fails at once, so that nothing is done twice.
    """
    study = _open(name, database)
    study.pruner = _pruner() if prune else optuna.pruners.NopPruner()
    with tqdm(desc="trials", unit="trial", total=max(total, len(first)), dynamic_ncols=True) as bar:
        while True:
            trials = study.get_trials(deepcopy=False)
            known = [_given(trial) for trial in trials if trial.state != TrialState.FAIL]
            missing = [dict(parameters) for parameters in first if dict(parameters) not in known]
            count = sum(trial.state in (*FINISHED, TrialState.RUNNING) for trial in trials)
            bar.update(count - bar.n)
            if count >= total and not missing:
                return study
            # Where machines share a study, the same seed would make them all do the same.
            chance = None if database.shared else seed + count
            asked = missing[0] if missing else {}
            study.sampler = _Sampler(asked, seed=chance, n_startup_trials=_STARTUP)
            study.optimize(partial(_once, study, objective, asked), n_trials=1, catch=_Repeated)


def _pruner() -> optuna.pruners.BasePruner:
    """Gives up the poorest quarter, from the middle of the schedule on.

    Large steps do worse than small ones until they are taken back: who judged earlier, or by the median, would leave
    only those with small steps.
    """
    return optuna.pruners.PercentilePruner(75.0, n_startup_trials=_STARTUP, n_warmup_steps=_STAGES // 2)


def table(study: optuna.Study) -> pd.DataFrame:
    """One row a finished trial, in order: trial, psnr (dB; missing where pruned), pruned, seconds, parameters.

    Trials that were killed do not count, so that a search that was interrupted gives the table of one that was not.
    """
    return pd.DataFrame(
        [
            {
                "trial": number,
                "psnr": trial.value if trial.state == TrialState.COMPLETE else np.nan,
                "pruned": trial.state == TrialState.PRUNED,
                "seconds": trial.duration.total_seconds(),
                **trial.params,
            }
            for number, trial in enumerate(study.get_trials(deepcopy=False, states=FINISHED))
        ]
    )


def importance(study: optuna.Study) -> pd.Series:
    """The share that each hyperparameter has in being among the better trials, largest first; they sum to 1.

    PED-ANOVA (S. Watanabe et al., IJCAI 2023, arXiv:2304.10255) over the trials that were not pruned: it compares where
    the best of them lie (a tenth, but five where there are ten) with where all lie.
    """
    finished = sum(trial.state == TrialState.COMPLETE for trial in study.get_trials(deepcopy=False))
    best = min(0.5, max(0.1, 5 / max(finished, 1)))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=best)
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return pd.Series(shares, dtype=float).sort_values(ascending=False)


def halves(groups: Sequence) -> tuple[list[int], list[int]]:
    """Places of the images of every other group (such as a card), and those of the others.

    With a single group, either half is everything.
    """
    numbers = pd.factorize(pd.Series(list(groups)))[0]
    places = [np.flatnonzero(numbers % 2 == half).tolist() for half in (0, 1)]
    return places[0], places[1] or places[0]


def confirm(
    task: Task, candidates: Mapping[str, Parameters], validation: Sequence[batches.Pair], seeds: Sequence[int]
) -> pd.DataFrame:
    """Train some choices again with other seeds, and score them on images that the search has not seen.

    The best of many trials is partly the luckiest; here luck is drawn anew.

    Returns one row a candidate and seed: candidate, seed, psnr, training_psnr (dB, the latter of the last epoch's loss
    and missing for losses other than MSE), seconds.
    """
    watched = batches.stream(validation, batch_size=10).cache()
    rows = []
    trainings = list(itertools.product(candidates.items(), seeds))
    for (name, parameters), seed in tqdm(trainings, desc="confirming", unit="training", dynamic_ncols=True):
        history = task.fit(parameters, seed=seed, validation=watched)
        last = history.iloc[-1]
        rows.append(
            {
                "candidate": name,
                "seed": seed,
                "psnr": metrics.psnr_from_mse(last["val_mse"]),
                "training_psnr": metrics.psnr_from_mse(last["loss"]) if parameters["loss"] == "mse" else np.nan,
                "seconds": history["seconds"].sum(),
            }
        )
    return pd.DataFrame(rows)


class _Reporting(keras.callbacks.Callback):
    """Tells a study how its trial is doing, and ends the trial where the study gives it up.

    Trials are compared at the same share of their schedules, not after as many epochs: a short one is nearly done where
    a long one still takes large steps.
    """

    def __init__(self, trial: optuna.Trial) -> None:
        super().__init__()
        self.trial = trial

    def on_epoch_end(self, epoch, logs=None):
        done = (epoch + 1) / self.trial.params["epochs"]
        self.trial.report(metrics.psnr_from_mse(logs["val_pixel_mse"]), round(_STAGES * done))
        if done < 1 and self.trial.should_prune():
            raise optuna.TrialPruned


def _open(name: str, database: Database) -> optuna.Study:
    create = partial(
        optuna.create_study,
        study_name=name,
        direction="maximize",
        load_if_exists=True,
    )
    if database.shared:
        with warnings.catch_warnings():  # heartbeats are called experimental, and are the one way to find dead trials
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return create(storage=_storage(database.url, heartbeat_interval=_BEAT, grace_period=_GRACE))
    study = create(storage=_storage(database.url))
    for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        study.tell(trial.number, state=TrialState.FAIL)
    return study


def _storage(url: str, **options) -> optuna.storages.BaseStorage:
    """Where trials are kept: a database whose connections are closed after each use, or memory."""
    where = sqlalchemy.make_url(url)
    if where.get_backend_name() == "sqlite" and where.database in (None, "", ":memory:"):
        return optuna.storages.InMemoryStorage()
    return optuna.storages.RDBStorage(url, engine_kwargs={"poolclass": sqlalchemy.NullPool}, **options)


def _given(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    """The parameters of a trial: those that it has, and those that it was to have where it has not come to them."""
    asked = trial.user_attrs.get(_ASKED) or trial.params
    return {name: trial.params.get(name, value) for name, value in asked.items()}


class _Sampler(optuna.samplers.TPESampler):
    """Proposes some parameters as they are given, and the others as TPE does.

    Unlike with Optuna's queue, no two processes can take the same trial, whatever the database.
    """

    def __init__(self, given: Parameters, **options) -> None:
        super().__init__(**options)
        self.given = given

    def infer_relative_search_space(self, study, trial):
        """What TPE proposes together, and without being asked again: never what is given."""
        space = super().infer_relative_search_space(study, trial)
        return {name: distribution for name, distribution in space.items() if name not in self.given}

    def sample_independent(self, study, trial, param_name, param_distribution):
        if param_name in self.given:
            return self.given[param_name]
        return super().sample_independent(study, trial, param_name, param_distribution)


def _once(
    study: optuna.Study, objective: Callable[[optuna.Trial], float], asked: Parameters, trial: optuna.Trial
) -> float:
    """An objective that fails where an earlier trial has the parameters that this one is asked for."""
    trial.set_user_attr(_ASKED, dict(asked))
    if asked and _is_repeated(study, trial.number, asked):
        raise _Repeated
    return objective(trial)


def _is_repeated(study: optuna.Study, number: int, asked: Parameters) -> bool:
    """Whether a trial before the one of this number has the same parameters and did not fail."""
    for _ in range(_PATIENCE):
        earlier = [trial for trial in study.get_trials(deepcopy=False)[:number] if trial.state != TrialState.FAIL]
        if any(_given(trial) == asked for trial in earlier):
            return True
        if all(_ASKED in trial.user_attrs or trial.state in FINISHED for trial in earlier):
            return False
        time.sleep(0.1)  # another process has just begun a trial, and will say at once what it is
    return False


class _Repeated(Exception):  # noqa: N818 (it is no error)
    """Another process has begun the same trial before."""
