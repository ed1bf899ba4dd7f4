"""Section 2.10: from the published recipe to the house model, step by step.

Every network is shown the same number of pixels, so that it costs about the same number of multiplications: what
a rung gains, it gains by spending them better. All are judged on the same whole validation cards at native resolution.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import keras
import numpy as np
import pandas as pd

from srcnn_lib import batches, comparison, evaluation, files, metrics, models, original, pairs, training, tuning

EPOCHS = 4  # parts of a training, after each of which it is validated and can be continued
SQUASHED, NATIVE = "squashed", "native"


@dataclass(frozen=True)
class Rung:
    """One recipe, in full."""

    name: str
    """What has changed from the one below: all of it, where it is several things at once."""
    build: Callable[[], keras.Model]
    track: Literal["squashed", "native"] = SQUASHED
    batch_size: int = original.BATCH_SIZE
    crop_size: int = 0
    """0 takes whole squashed images."""
    learning_rate: float = original.LEARNING_RATE
    schedule: Literal["constant", "cosine"] = "constant"
    clip_norm: float | None = None
    keep: Literal["last", "best"] = "last"


class Trained(NamedTuple):
    """What came of a rung."""

    enhance: Callable[[np.ndarray], np.ndarray]
    """uint8 RGB (H, W, 3) at native resolution, in and out."""
    updates: int
    seconds: float
    """Of training and its validation."""
    own_gain: float
    """dB over doing nothing on the validation images of its own track, as the training saw them."""


def rungs(*, crop_size: int, native_batch_size: int, native_crop_size: int, learning_rate: float) -> list[Rung]:
    """The ladder. `learning_rate` is that of the sound schedule, the others the sizes of its crops on either track."""
    published = Rung("published recipe", partial(models.build, "srcnn-9-1-5"))
    cropped = replace(published, name="random crops, hence more updates", crop_size=crop_size)
    sound = replace(
        cropped,
        name="another, falling step size; clipping; best epoch",
        learning_rate=learning_rate,
        schedule="cosine",
        clip_norm=0.1,
        keep="best",
    )
    identical = replace(
        sound,
        name="starts as the identity; linear end",
        build=partial(models.build, "srcnn-9-1-5", start="identity", last_activation=None),
    )
    native = replace(
        identical,
        name="native resolution: labels as they are; its own crops and batches",
        track=NATIVE,
        batch_size=native_batch_size,
        crop_size=native_crop_size,
    )
    residual = replace(
        native, name="residual network on unshuffled pixels", build=partial(models.build, "house", light=0)
    )
    house = replace(residual, name="a part for light and haze: the house model", build=partial(models.build, "house"))
    return [published, cropped, sound, identical, native, residual, house]


def climb(
    steps: Sequence[Rung],
    train: Mapping[str, Sequence[batches.Pair]],
    validation: Mapping[str, Sequence[batches.Pair]],
    *,
    megapixels: float,
    image_size: int,
    seed: int,
    folder: Path,
) -> dict[str, Trained]:
    """Train every rung on so many megapixels of inputs.

    Parameters
    ----------
    train, validation
        (low, high) uint8 images of each track; those of `validation`, by which the best epoch is chosen, of one size.
    image_size
        Side that images are squashed to.
    folder
        Where trained networks are kept, by recipe, data and code: they are not trained again, and a training that
        was stopped goes on.

    Returns
    -------
    The rungs by name, in order. Those of the squashed track squash a card, enhance it and stretch it back.
    """
    untouched = {
        track: metrics.error_of_doing_nothing(batches.stream(images, batch_size=4))
        for track, images in validation.items()
    }
    done = {}
    for rung in steps:
        side = rung.crop_size or image_size
        updates = max(EPOCHS, round(megapixels * 1e6 / (rung.batch_size * side**2)))
        data = batches.Shuffled(
            train[rung.track], rung.batch_size, seed, rung.crop_size, epoch_steps=-(-updates // EPOCHS)
        )
        network, history = _train(rung, data, validation[rung.track], seed, folder)
        enhance = partial(evaluation.predict, network)
        if rung.track == SQUASHED:
            enhance = partial(_stretched, enhance, image_size)
        error = history["val_mse"].min() if rung.keep == "best" else history["val_mse"].iloc[-1]
        own_gain = metrics.psnr_from_mse(error) - metrics.psnr_from_mse(untouched[rung.track])
        done[rung.name] = Trained(enhance, int(history["steps"].sum()), float(history["seconds"].sum()), own_gain)
    return done


def judge(
    enhancers: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    names: Sequence[str],
    read: Callable[[str], tuple[np.ndarray, Mapping[str, np.ndarray]]],
    known: Mapping[str, pd.DataFrame] | None,
    *,
    reading: int,
    seed: int,
    cache_folder: Path,
) -> pd.DataFrame:
    """Score methods on whole cards, and let RapidOCR read the first few of them.

    Parameters
    ----------
    enhancers, names, read
        As for `evaluation.score`; the methods include doing nothing, the truths the sharp file, which comes first.
    known
        The text fields of each card that is read, as `evaluation.fields` gives them, or None.
    reading
        How many cards are read.
    seed, cache_folder
        As for `comparison.against` and `ocr.read`.

    Returns
    -------
    By method, the sharp image itself last: gain (dB over doing nothing, mean over cards), gain_low, gain_high (its 95 %
    interval) and error (character error rate, on values where fields are known).
    """
    scores = evaluation.score(names, read, enhancers).query("truth == 'sharp file'")
    gains = comparison.against(scores, evaluation.UNTOUCHED, "psnr", seed=seed).set_index("method")
    gains = gains[["difference", "difference_low", "difference_high"]].set_axis(
        ["gain", "gain_low", "gain_high"], axis=1
    )
    texts = evaluation.legibility(
        names[:reading], read, enhancers, known, engine="RapidOCR", cache_folder=cache_folder
    ).scores
    sums = evaluation.per_image(texts, "page" if known is None else "value").groupby("method").sum(numeric_only=True)
    return gains.reindex([*enhancers, evaluation.SHARP]).assign(error=sums["errors"] / sums["characters"])


def _train(
    rung: Rung, data: batches.Shuffled, validation: Sequence[batches.Pair], seed: int, folder: Path
) -> tuple[keras.Model, pd.DataFrame]:
    recipe = training.Recipe(
        epochs=EPOCHS,
        learning_rate=rung.learning_rate,
        schedule=rung.schedule,
        clip_norm=rung.clip_norm,
        keep=rung.keep,
        precision="auto",
    )
    keras.utils.set_random_seed(seed)
    network = rung.build()
    first = next(iter(data.from_epoch(0).as_numpy_iterator()))
    settings = recipe, data.steps, len(data.pairs), seed
    own = folder / tuning.identity(settings, [*first, *network.get_weights(), *np.concatenate(validation)])
    kept, log = own / "network.keras", own / "history.csv"
    if not kept.exists():
        watched = batches.stream(validation, batch_size=rung.batch_size)
        history = training.fit(network, data, watched, recipe, folder=own)
        with files.whole(log) as temporary:
            history.to_csv(temporary, index=False)
        training.save(network, kept)
    return training.load(kept), pd.read_csv(log)


def _stretched(enhance: Callable[[np.ndarray], np.ndarray], size: int, image: np.ndarray) -> np.ndarray:
    return pairs.unsquash(enhance(pairs.squash(image, size)), image.shape)
