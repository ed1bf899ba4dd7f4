"""Section 2.7: one training loop for every model."""

import dataclasses
import hashlib
import json
import logging
import math
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from tqdm import tqdm

from srcnn_lib.errors import ForeseenError
from srcnn_lib.files import whole
from srcnn_lib.metrics import charbonnier, frequency_distance, gradient_distance, pixel_mse
from srcnn_lib.models import blocks  # noqa: F401 (so that `load` knows its layers)

LOSSES = {
    "mse": pixel_mse,
    "charbonnier": charbonnier,
    "frequency": frequency_distance,
    "gradient": gradient_distance,
}
OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": partial(keras.optimizers.SGD, momentum=0.9, nesterov=True),
}
_EXPLODED = 10  # times the loss of the best epoch so far
_CHECKPOINT = "checkpoint.npz"
_LOG = logging.getLogger(__name__)
_compiled = weakref.WeakKeyDictionary()  # model -> what it is compiled for, its optimizer, what that began with


class TrainingError(ForeseenError):
    """A training that went wrong; the message says when and what to try."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. Where nothing else is said, as the original did: Adam on the pixel MSE."""

    epochs: int
    learning_rate: float
    """The optimiser's step size, the highest of the schedule."""
    optimizer: str = "adam"
    """A name in `OPTIMIZERS`."""
    weight_decay: float | None = None
    """Share of the step size by which every step shrinks all weights, apart from the gradient (arXiv:1711.05101)."""
    schedule: Literal["constant", "cosine"] = "constant"
    """cosine: up from 0 in the first twentieth of all updates, then down to 0 along a half cosine."""
    loss: str = "mse"
    """A name in `LOSSES`."""
    clip_norm: float | None = None
    """Longest gradient, over all weights together; longer ones are shortened."""
    averaging: float | None = None
    """Momentum of a running mean of the weights, such as 0.999: validation and result then use the mean."""
    keep: Literal["last", "best"] = "last"
    """Which weights to end with: the last ones, or those of the lowest validation loss."""
    validate_every: int = 1
    """Epochs from one validation to the next; the last epoch is always validated."""
    precision: Literal["float32", "mixed_bfloat16", "auto"] = "float32"
    """What layers compute in (weights stay float32). auto: bfloat16 where the processor multiplies it."""

    def __post_init__(self) -> None:
        for what, name, known in (("loss", self.loss, LOSSES), ("optimizer", self.optimizer, OPTIMIZERS)):
            if name not in known:
                raise ValueError(f"unknown {what} {name!r}; the known ones are {', '.join(known)}")


class Batches(Protocol):
    """Training data as `fit` needs them; `srcnn_lib.batches.Shuffled` gives them."""

    @property
    def steps(self) -> int:
        """Batches an epoch."""

    def from_epoch(self, first: int) -> tf.data.Dataset:
        """All batches (low, high) from epoch `first` (from 0) on, without end, the same at every call."""


def fit(
    model: keras.Model,
    train: Batches,
    validation: tf.data.Dataset,
    recipe: Recipe,
    *,
    folder: Path | None = None,
    loss: Callable | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: bool = True,
) -> pd.DataFrame:
    """Train `model` in place.

    Call it within `strategy(...).scope()`, with a model built there, to train on several devices.

    Parameters
    ----------
    model
        Maps batches (batch, H, W, C) in [0, 1] to images in the same range.
    train
        Training batches, float32 in [0, 1].
    validation
        Batches (low, high) as `srcnn_lib.batches.stream` gives them.
    recipe
        How to train.
    folder
        Where to keep a checkpoint after each epoch, from which the same call continues after an
        interruption to the same final weights (it is removed at the end), and logs for TensorBoard
        in `tensorboard/`. None keeps nothing.
    loss
        Instead of the recipe's, one that needs more than the two images (see `perceptual.loss`). A checkpoint does
        not know of it, so it goes without `folder`.
    callbacks
        Called after the training's own; what they raise ends it.
    progress
        Whether to show a bar; a search of many short trainings shows its own.

    Returns
    -------
    One row an epoch: epoch (from 1), loss and val_loss (of the recipe), val_mse (mean squared error of values in
    [0, 1]; both missing where there was no validation), steps, training_seconds (the steps alone) and
    seconds (with the validation that follows).

    Raises
    ------
    TrainingError
        If the loss is not finite or explodes (the model then has the weights of the last good epoch), if
        shapes do not fit, or if a checkpoint cannot be written.
    """
    if loss is not None and folder is not None:
        raise ValueError("a training with a loss of its own keeps no checkpoint: expected folder=None")
    fitting = _Fitting(model, train, recipe, folder, progress)
    with _computing_in(model, recipe.precision):
        _compile(model, recipe, train.steps, loss or LOSSES[recipe.loss])
        first = fitting.resume()
        callbacks = [fitting, *callbacks]
        if folder is not None:
            callbacks.append(keras.callbacks.TensorBoard(Path(folder) / "tensorboard", write_graph=False))
        every = recipe.validate_every
        try:
            model.fit(
                train.from_epoch(first),
                steps_per_epoch=train.steps,
                initial_epoch=first,
                epochs=recipe.epochs,
                validation_data=validation,
                validation_freq=sorted({*range(every, recipe.epochs + 1, every), recipe.epochs}),
                shuffle=False,  # the batches are shuffled
                verbose=0,
                callbacks=callbacks,
            )
        except tf.errors.InvalidArgumentError as error:
            raise TrainingError(f"the network or the loss refused the data: {error.message}") from error
        finally:
            fitting.bar.close()
    fitting.finish()
    return pd.DataFrame(fitting.rows)


def strategy(name: Literal["one", "mirrored"]) -> tf.distribute.Strategy:
    """How a training is spread: on one device, or mirrored on all GPUs (on all virtual CPUs where there is none).

    Mirrored replicas share each batch and average their gradients. Several machines are not supported:
    `fit` of Keras 3 fails there (keras issue 20585).
    """
    if name == "one":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
        return tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices(kind)])
    raise ValueError(f"unknown strategy {name!r}; the known ones are one, mirrored")


def fast_bfloat16() -> bool:
    """Whether this machine multiplies bfloat16 in hardware: a CPU with AVX512_BF16 or AMX, or a GPU from Ampere on."""
    if gpus := tf.config.list_physical_devices("GPU"):
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        return all(detail.get("compute_capability", (0, 0)) >= (8, 0) for detail in details)
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def precision_here(precision: str) -> str:
    """What layers compute in on this machine under a recipe's `precision`: float32 or mixed_bfloat16."""
    if precision != "auto":
        return precision
    return "mixed_bfloat16" if fast_bfloat16() else "float32"


def reading(history: pd.DataFrame) -> dict[str, float]:
    """What a learning curve says, as numbers.

    From a history as `fit` returns it: best_epoch (lowest validation loss), gap (how much the validation loss
    exceeds the training loss at the end, as a share of it: large and growing means overfitting), still_falling (share
    by which the lowest validation loss so far fell over the last quarter of the epochs, never below 0, since single
    epochs go up and down: well above 0 means underfitting, and that more epochs would help) and enough_epoch (the first
    epoch within 1 % of the best validation loss).
    """
    validated = history.dropna(subset="val_loss")
    best = validated.loc[validated["val_loss"].idxmin()]
    last = validated.iloc[-1]
    before = validated[validated["epoch"] <= max(validated["epoch"].iloc[0], 0.75 * last["epoch"])]
    return {
        "best_epoch": int(best["epoch"]),
        "gap": float(last["val_loss"] / last["loss"] - 1),
        "still_falling": float(1 - best["val_loss"] / before["val_loss"].min()),
        "enough_epoch": int(validated.loc[validated["val_loss"] <= 1.01 * best["val_loss"], "epoch"].iloc[0]),
    }


def save(model: keras.Model, path: Path) -> None:
    """Save architecture and weights as one .keras file, whole or not at all."""
    with whole(path) as temporary:
        model.save(temporary)


def load(path: Path) -> keras.Model:
    """Load what `save` wrote, without executing code from the file.

    Raises TrainingError, naming the file, if it is no model.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # the reader raises whatever its parts do
        raise TrainingError(f"{path}: expected a model as training.save writes it ({error})") from error


def load_weights(model: keras.Model, path: Path) -> None:
    """Give `model` the weights of a saved model of the same architecture.

    Raises TrainingError, naming the file, if it is no model or one of another architecture.
    """
    theirs = load(path)
    shapes, expected = ([weight.shape for weight in network.weights] for network in (theirs, model))
    if shapes != expected:
        raise TrainingError(
            f"{path}: expected the weights of {model.name} ({model.count_params():,} parameters), "
            f"received those of {theirs.name} ({theirs.count_params():,})"
        )
    model.set_weights(theirs.get_weights())


def _compile(model: keras.Model, recipe: Recipe, steps: int, loss: Callable) -> None:
    """Make ready for training from the beginning.

    A model that was trained by the same recipe before is not compiled anew, since TensorFlow would then trace its steps
    again, which takes longer than a short training; only its optimizer forgets.
    """
    purpose, optimizer, beginning = _compiled.get(model, (None, None, None))
    if purpose != (recipe, steps, loss) or optimizer is not model.optimizer:
        optimizer = _optimizer(recipe, steps)
        model.compile(optimizer=optimizer, loss=loss, metrics=[pixel_mse])
        optimizer.build(model.trainable_variables)
        beginning = [variable.numpy() for variable in optimizer.variables]
        _compiled[model] = (recipe, steps, loss), optimizer, beginning
    for variable, value in zip(optimizer.variables, beginning, strict=True):
        variable.assign(value)


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    rate = recipe.learning_rate
    if recipe.schedule == "cosine":
        updates = recipe.epochs * steps
        warmup = updates // 20
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, updates - warmup, warmup_target=recipe.learning_rate, warmup_steps=warmup
        )
    averaging = {} if recipe.averaging is None else {"use_ema": True, "ema_momentum": recipe.averaging}
    return OPTIMIZERS[recipe.optimizer](
        rate, weight_decay=recipe.weight_decay, global_clipnorm=recipe.clip_norm, **averaging
    )


@contextmanager
def _computing_in(model: keras.Model, precision: str) -> Iterator[None]:
    """Let the layers compute in another precision; afterwards the model is as before, so that it can be saved."""
    precision = precision_here(precision)
    layers = _layers(model) if precision != "float32" else []
    before = [layer.dtype_policy for layer in layers]
    for layer in layers:
        layer.dtype_policy = keras.DTypePolicy(precision)
    try:
        yield
    finally:
        for layer, policy in zip(layers, before, strict=True):
            layer.dtype_policy = policy


def _layers(model: keras.Model) -> list[keras.Layer]:
    """The layers of a model, and those of models among them."""
    return [
        inner for layer in model.layers for inner in (_layers(layer) if isinstance(layer, keras.Model) else [layer])
    ]


class _Fitting(keras.callbacks.Callback):
    """What one training remembers: log, progress bar, best and last good weights, checkpoint."""

    def __init__(self, model: keras.Model, train: Batches, recipe: Recipe, folder: Path | None, progress: bool) -> None:
        super().__init__()
        self.network, self.train, self.recipe = model, train, recipe
        self.checkpoint = None if folder is None else Path(folder) / _CHECKPOINT
        self.rows: list[dict] = []
        self.good = model.get_weights()
        self.best = self.good
        self.lowest = math.inf  # validation loss of `best`
        self.bar = tqdm(
            total=recipe.epochs * train.steps,
            desc="training",
            unit="step",
            mininterval=1,
            dynamic_ncols=True,
            disable=not progress,
        )

    # Keras calls what follows.

    def on_epoch_begin(self, epoch, logs=None):
        self.started, self.trained = time.perf_counter(), None

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update()
        if not math.isfinite(logs["loss"]):
            self._stop(f"the loss became {logs['loss']} in epoch {len(self.rows) + 1}, step {batch + 1}")

    def on_test_begin(self, logs=None):
        self.trained = time.perf_counter()
        if self.recipe.averaging is not None:
            self.current = self.network.get_weights()
            self.network.optimizer.finalize_variable_values(self.network.trainable_variables)

    def on_test_end(self, logs=None):
        if logs["loss"] < self.lowest:
            self.lowest, self.best = logs["loss"], self.network.get_weights()
        if self.recipe.averaging is not None:
            self.network.set_weights(self.current)

    def on_epoch_end(self, epoch, logs=None):
        ended = time.perf_counter()
        lowest = min((row["loss"] for row in self.rows), default=math.inf)
        if logs["loss"] > _EXPLODED * lowest:
            self._stop(f"the loss rose from {lowest:g} to {logs['loss']:g} in epoch {epoch + 1}")
        row = {
            "epoch": epoch + 1,
            "loss": logs["loss"],
            "val_loss": logs.get("val_loss", math.nan),
            "val_mse": logs.get("val_pixel_mse", math.nan),
            "steps": self.train.steps,
            "training_seconds": round((self.trained or ended) - self.started, 3),
            "seconds": round(ended - self.started, 3),
        }
        self.rows.append(row)
        self.good = self.network.get_weights()
        validation = f", val_loss {row['val_loss']:.5f}" if "val_loss" in logs else ""
        self.bar.set_description(f"epoch {epoch + 1}/{self.recipe.epochs}, loss {row['loss']:.5f}{validation}")
        self._save()

    # Keras calls what precedes.

    def resume(self) -> int:
        """Continue from a checkpoint of this very training, if there is one; the number of epochs done."""
        if self.checkpoint is None:
            return 0
        self.identity = self._identify()
        try:
            with np.load(self.checkpoint, allow_pickle=False) as stored:
                memory = json.loads(str(stored["memory"]))
                values = [stored[f"state {number}"] for number in range(len(self._state()))]
                best = [stored[f"best {number}"] for number in range(len(self.best))]
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError) as error:
            _LOG.warning("%s cannot be read (%s): training starts anew", self.checkpoint, error)
            return 0
        if memory["identity"] != self.identity:
            _LOG.warning("%s is of another training: this one starts anew", self.checkpoint)
            return 0
        for variable, value in zip(self._state(), values, strict=True):
            variable.assign(value)
        self.rows, self.best, self.lowest = memory["rows"], best, memory["lowest"]
        self.good = self.network.get_weights()
        self.bar.initial = self.bar.n = len(self.rows) * self.train.steps
        return len(self.rows)

    def finish(self) -> None:
        """Choose the weights to end with; the checkpoint has done its work."""
        if self.recipe.keep == "best":
            self.network.set_weights(self.best)
        if self.checkpoint is not None:
            self.checkpoint.unlink(missing_ok=True)

    def _stop(self, what: str) -> None:
        self.network.set_weights(self.good)
        raise TrainingError(
            f"{what}; the model has the weights of "
            + (f"epoch {len(self.rows)}" if self.rows else "before the training")
            + f" again. Try a smaller learning_rate than {self.recipe.learning_rate:g}, or clip_norm"
        )

    def _state(self) -> list[keras.Variable]:
        return [*self.network.variables, *self.network.optimizer.variables]

    def _save(self) -> None:
        if self.checkpoint is None:
            return
        memory = {"identity": self.identity, "rows": self.rows, "lowest": self.lowest}
        arrays = {f"state {number}": variable.numpy() for number, variable in enumerate(self._state())}
        arrays |= {f"best {number}": value for number, value in enumerate(self.best)}
        try:
            with whole(self.checkpoint) as temporary:
                np.savez(temporary, memory=json.dumps(memory), **arrays)
        except OSError as error:
            raise TrainingError(f"{self.checkpoint}: cannot be written ({error}); earlier epochs are kept") from error

    def _identify(self) -> str:
        """A hash of recipe, network's name, first weights and first batch: equal for the same training only."""
        digest = hashlib.sha256(json.dumps(dataclasses.asdict(self.recipe), sort_keys=True).encode())
        digest.update(self.network.name.encode())
        batch = next(iter(self.train.from_epoch(0).as_numpy_iterator()))
        for values in (*self.good, *keras.tree.flatten(batch)):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()
