"""Section 2.4: what each pre-processing technique does to images and to a network trained on them.

Techniques are those of `preprocess.STEPS`, each with one parameter that is chosen by a small search. Images are uint8
RGB. A score always compares with images that no technique has touched, since scores against differently
processed labels cannot be compared with each other.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd

from srcnn_lib import (
    batches,
    evaluation,
    files,
    frequency,
    images,
    metrics,
    models,
    pairs,
    parallel,
    preprocess,
    quality,
    training,
)
from srcnn_lib.models import srcnn
from srcnn_lib.specimens import degradations

_MEASURING = (preprocess, frequency, quality, metrics, degradations)
_LEARNING = (training, batches, models, srcnn, metrics, frequency, evaluation.predict)
"""The code that measures of a card and short trainings depend on: where it has changed, they are made anew."""

Technique = Callable[[np.ndarray], np.ndarray]
SIDES = ("label", "input")
NONE = "none"

GRIDS: dict[str, tuple[str, tuple[float, ...]]] = {
    "denoise": ("strength", (0, 2, 3.5, 5, 8, 12)),
    "bilateral": ("sigma_color", (0, 8, 15, 30, 60)),
    "median": ("radius", (0, 1, 2)),
    "sharpen": ("amount", (0, 0.25, 0.5, 1, 1.5)),
    "weighted_addition_guarded": ("weight_sharp", (0, 0.2, 0.5, 0.8)),
    "clahe": ("clip_limit", (0, 0.5, 1, 2, 4)),
    "wiener": ("sigma", (0, 0.4, 0.7, 1.0)),
    "richardson_lucy": ("sigma", (0, 0.4, 0.7, 1.0)),
}
"""The parameter that is searched for each technique, and its values.

The weighted addition without guard keeps weights that overflow, since its overflow is what the original reports, and
the notch filter finds its own settings.
"""


class Card(NamedTuple):
    """One pair."""

    name: str
    low: np.ndarray
    high: np.ndarray
    clean: np.ndarray | None
    """The card before anything was done to either side, where the data set knows it."""
    boxes: np.ndarray
    """Places of text as rows x0, y0, x1, y1 in pixels; none where they are not known."""

    def side(self, side: str) -> np.ndarray:
        """The image of one of `SIDES`."""
        return self.high if side == "label" else self.low

    def reference(self, side: str) -> np.ndarray | None:
        """What one of `SIDES` should look like: the clean card for the label, the untouched label for the input."""
        return self.clean if side == "label" else self.high


def read_cards(folder: Path, table: pd.DataFrame, size: int | None = None) -> list[Card]:
    """The pairs of some rows of the pair index, squashed to `size` pixels, or as they are."""
    known = evaluation.fields(folder, table, table["name"].tolist())

    def one(pair) -> Card:
        low, high = pairs.read_pair(folder, pair)
        path = pairs.clean_file(folder, pair)
        boxes = np.empty((0, 4)) if known is None else known[pair.name][["x0", "y0", "x1", "y1"]].to_numpy(float)
        sides = [low, high, images.read(path) if path else None]
        if size:
            boxes = boxes * ([size / high.shape[1], size / high.shape[0]] * 2)
            sides = [None if image is None else pairs.squash(image, size) for image in sides]
        return Card(pair.name, *sides, boxes)

    return list(parallel.over(table.itertuples(index=False), one, "reading pairs"))


def search(cards: Sequence[Card], side: str, cache_folder: Path) -> pd.DataFrame:
    """Try every value of `GRIDS` on one of `SIDES`.

    Returns one row a card, technique and value: name, technique, parameter, value, psnr (dB over RGB, no border,
    against `Card.reference`). Empty where there is no reference.
    """

    def one(card: Card) -> list[dict]:
        reference = card.reference(side)
        return [
            {
                "name": card.name,
                "technique": technique,
                "parameter": parameter,
                "value": float(value),
                "psnr": metrics.psnr(
                    reference, preprocess.STEPS[technique](card.side(side), **{parameter: value}), data_range=255
                ),
            }
            for technique, (parameter, values) in GRIDS.items()
            for value in values
        ]

    known = [card for card in cards if card.reference(side) is not None]
    return _cached(one, known, cache_folder, f"searching parameters, {side} side", side, GRIDS)


def chosen(found: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The best value of each technique by mean PSNR, not counting 0, with which there would be nothing to try.

    The techniques' defaults (an empty mapping) where nothing was found.
    """
    means = found[found["value"] > 0].groupby(["technique", "parameter", "value"])["psnr"].mean() if len(found) else []
    best = {name: {} for name in preprocess.STEPS}
    for name in GRIDS if len(means) else ():
        parameter, value = means[name].idxmax()
        best[name] = {parameter: int(value) if parameter == "radius" else value}
    return best


def techniques(parameters: Mapping[str, Mapping[str, float]]) -> dict[str, Technique]:
    """Every technique with its parameters, and none at all."""
    return {NONE: lambda image: image} | {
        name: partial(preprocess.STEPS[name], **values) for name, values in parameters.items()
    }


def measure(
    cards: Sequence[Card], side: str, parameters: Mapping[str, Mapping[str, float]], cache_folder: Path
) -> pd.DataFrame:
    """What every technique does to one of `SIDES`.

    Returns
    -------
    One row a card and technique (`NONE` first): name, technique; noise (see `quality.noise`), contrast (standard
    deviation), brightness (mean), text_contrast (mean over the places of text, see `preprocess.contrast_of_text`) and
    histogram (earth mover's distance to that of the untouched image), in grey levels; saturated (share of 0 or
    255); psnr and psnr_clean (dB, against the untouched label and the clean card). NaN where something is not known.
    """

    def one(card: Card) -> list[dict]:
        before = np.sort(frequency.grey(card.side(side)), axis=None).astype(float)
        rows = []
        for name, technique in techniques(parameters).items():
            after = technique(card.side(side))
            grey = frequency.grey(after).astype(np.float32)
            text = preprocess.contrast_of_text(after, card.boxes)
            rows.append(
                {
                    "name": card.name,
                    "technique": name,
                    "noise": quality.noise(grey),
                    "contrast": quality.contrast(grey),
                    "brightness": float(grey.mean()),
                    "text_contrast": float(text.mean()) if len(text) else np.nan,
                    "histogram": float(np.abs(before - np.sort(grey, axis=None)).mean()),
                    "saturated": preprocess.saturated_share(after),
                    "psnr": metrics.psnr(card.high, after, data_range=255),
                    "psnr_clean": np.nan if card.clean is None else metrics.psnr(card.clean, after, data_range=255),
                }
            )
        return rows

    return _cached(one, cards, cache_folder, f"measuring techniques, {side} side", side, parameters)


class Chain(NamedTuple):
    """What is done to the input and to the label before a network is trained on them."""

    to_input: Technique
    to_label: Technique


def train(
    chains: Mapping[str, Chain],
    train_cards: Sequence[Card],
    validation_cards: Sequence[Card],
    *,
    updates: int,
    seeds: Sequence[int],
    batch_size: int,
    crop_size: int,
    learning_rate: float,
    cache_folder: Path,
) -> pd.DataFrame:
    """Train SRCNN for a short while on what each chain makes of the same pairs.

    Every network begins as the identity and gets the same crops. Its outputs for the validation inputs, processed by
    the same chain, are compared with untouched labels and clean cards. What each training came to is kept in
    `cache_folder` by the images that it saw, its settings and the code.

    Returns one row a chain and seed: chain, seed, psnr, psnr_clean (dB, mean over images), brightness (of the outputs,
    in grey levels).
    """
    rows = []
    recipe = training.Recipe(epochs=1, learning_rate=learning_rate, schedule="cosine", clip_norm=0.1)
    network = models.build("srcnn-9-1-5", start="identity")  # one for all, which is compiled once
    for name, chain in chains.items():

        def processed(card: Card, chain=chain) -> batches.Pair:
            return chain.to_input(card.low), chain.to_label(card.high)

        own = list(parallel.over(train_cards, processed, f"preparing for {name}"))
        watched = [processed(card) for card in validation_cards[:batch_size]]
        inputs = [chain.to_input(card.low) for card in validation_cards]
        seen = _digest(
            (*_LEARNING, _scores), [*(side for pair in own for side in pair), *inputs, *_images(validation_cards)]
        )
        for seed in seeds:
            identity = seen.copy()
            identity.update(repr((updates, seed, batch_size, crop_size, recipe)).encode())
            file = cache_folder / f"{identity.hexdigest()}.json"
            if not file.exists():
                keras.utils.set_random_seed(seed)
                network.set_weights(models.build("srcnn-9-1-5", start="identity").get_weights())
                data = batches.Shuffled(own, batch_size, seed, crop_size, epoch_steps=updates)
                training.fit(network, data, batches.stream(watched, batch_size=batch_size), recipe)
                outputs = [evaluation.predict(network, image) for image in inputs]
                files.write_json(file, _scores(outputs, validation_cards))
            rows.append({"chain": name, "seed": seed, **json.loads(file.read_text(encoding="utf-8"))})
    return pd.DataFrame(rows)


def striped(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A faint wave of random amplitude (4 to 12 grey levels), period (3 to 8 pixels) and angle, laid over an image."""
    return degradations.periodic(
        image,
        amplitude=float(rng.uniform(4, 12)),
        period=float(rng.uniform(3, 8)),
        angle=float(rng.uniform(0, 180)),
        phase=float(rng.uniform(0, 2 * np.pi)),
    )


def patterns(cards: Sequence[Card], cache_folder: Path, *, seed: int) -> pd.DataFrame:
    """Lay a wave over the input of each card, and let `frequency.notch` find and remove it.

    Returns one row a card: name, before and after (PSNR in dB of the card with the wave, and of what the filter
    leaves, against the same card without), unharmed (the same of the filtered card that has no wave; inf where it was
    left as it is), found, false (waves found on the card with and without the planted one).
    """

    numbers = {card.name: number for number, card in enumerate(cards)}

    def one(card: Card) -> list[dict]:
        spoilt = striped(card.low, np.random.default_rng([seed, numbers[card.name]]))
        waves, own = frequency.peaks(spoilt), frequency.peaks(card.low)
        return [
            {
                "name": card.name,
                "before": metrics.psnr(card.low, spoilt, data_range=255),
                "after": metrics.psnr(card.low, frequency.notch(spoilt, waves), data_range=255),
                "unharmed": metrics.psnr(card.low, frequency.notch(card.low, own), data_range=255),
                "found": len(waves),
                "false": len(own),
            }
        ]

    return _cached(one, cards, cache_folder, "removing patterns", seed, numbers)


def flagged_cards(
    folder: Path, index: pd.DataFrame, flags: pd.DataFrame, set_aside: pd.DataFrame, size: int
) -> list[Card]:
    """The pairs that the rules of section 2.1 flag, squashed: those that were set aside, and those still in the index.

    Takes the tables `pairs`, `flags` and `set_aside` of the inspection.
    """
    still = index[index["name"].isin(flags["name"])]
    aside = set_aside.assign(name=set_aside["file"].map(lambda file: Path(file).stem))
    aside = aside[aside["name"].isin(set(flags["name"]) - set(index["name"]))]
    couples = [files for _, files in aside.groupby("name")["file"] if len(files) == 2]
    cards = read_cards(folder, still, size)
    for low, high in map(sorted, couples):  # blurred_images comes before sharpened_images
        sides = (pairs.squash(images.read(folder / file), size) for file in (low, high))
        cards.append(Card(Path(low).stem, *sides, None, np.empty((0, 4))))
    return cards


def _scores(outputs: Sequence[np.ndarray], cards: Sequence[Card]) -> dict[str, float]:
    clean = [(card.clean, output) for card, output in zip(cards, outputs, strict=True) if card.clean is not None]
    labels = [metrics.psnr(card.high, output, data_range=255) for card, output in zip(cards, outputs, strict=True)]
    return {
        "psnr": float(np.mean(labels)),
        "psnr_clean": float(np.mean([metrics.psnr(*pair, data_range=255) for pair in clean])) if clean else np.nan,
        "brightness": float(np.mean([frequency.grey(output).mean() for output in outputs])),
    }


def _cached(
    function: Callable[[Card], list[dict]], cards: Sequence[Card], folder: Path, description: str, *settings: object
) -> pd.DataFrame:
    """`function` of each card, kept by the content of the card, the settings and the code that was used."""
    code = (*_MEASURING, striped, function)

    def one(card: Card) -> pd.DataFrame:
        digest = _digest(code, _images([card]))
        digest.update(repr(settings).encode())
        file = folder / f"{digest.hexdigest()}.csv"
        if not file.exists():
            with files.whole(file) as temporary:
                pd.DataFrame(function(card)).to_csv(temporary, index=False)
        return pd.read_csv(file, dtype={"name": "string"})

    tables = list(parallel.over(cards, one, description))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _images(cards: Sequence[Card]) -> list[np.ndarray | None]:
    return [image for card in cards for image in (card.low, card.high, card.clean)]


def _digest(code: Sequence[object], images: Sequence[np.ndarray | None]):
    """A SHA-256 of the source of modules and functions, and of images with their shapes, to be updated further."""
    digest = hashlib.sha256("".join(map(inspect.getsource, code)).encode())
    for image in images:
        digest.update(b"none" if image is None else repr(image.shape).encode() + np.ascontiguousarray(image).tobytes())
    return digest
