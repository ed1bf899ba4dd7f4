"""The house model: networks trained so that cards can be read (`make legible`).

Training crops come from drawn scenes (`scenes`) and from the clean renderings of training cards (in one experiment
from real pages as well), and are spoilt anew each time they are shown, or once where the enhancer's steps are taken
first; the label is the clean drawing. So these recipes use the truth of training cards
(`uses_truth`). Beside the distance of pixels and of their gradients, the loss can ask where RapidOCR finds text
and what its recogniser sees in it (`reading`). Validation cards decide, by what is read on them; no test card has a
say.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import cv2
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import ops
from tqdm import tqdm

from srcnn_lib import (
    batches,
    comparison,
    enhancer,
    evaluation,
    export,
    files,
    images,
    metrics,
    models,
    pairs,
    parallel,
    provenance,
    reading,
    records,
    scenes,
    training,
)
from srcnn_lib.errors import ForeseenError
from srcnn_lib.models import srgan
from srcnn_lib.runs import Run
from srcnn_lib.scenes import Scene
from srcnn_lib.specimens import dataset, degradations

FOLDER = files.ROOT / "data" / "specimens"
RESULTS = records.FOLDER / "legible"

WATCHED = 60  # scenes in typefaces of their own, to watch a training by
SEED = 1
EPOCH_STEPS = 100
CARDS = {"identities": 700, "seed": 1, "fault_share": 0.03}  # those of the profile `standard`
UNSHARP = ("unsharp masking: 1, 1.5", "unsharp masking: 2, 1.5")
READ_CARDS, READ_SCENES = 24, 16  # that decide between experiments: validation cards, and watched scenes
READ_LAST = 50  # validation cards that decide between finalists


@dataclass(frozen=True)
class Experiment:
    """One way to train a network for reading."""

    network: str
    """A name of the registry."""
    epochs: int
    """Of `EPOCH_STEPS` updates."""
    cards: float = 0.3
    """Share of the crops that come from clean training cards; the others come from scenes."""
    text: float = 0.0
    """How much more than other pixels those count that are in a line of text."""
    reading: float = 0.0
    """Weight of what the recogniser sees."""
    telling: float = 0.0
    """Weight of which characters it takes that for, colours aside."""
    finding: float = 0.0
    """Weight of where the detector finds text."""
    batch_size: int = 4
    crop_size: int = 128
    lines: int = 6
    """Windows a batch that the recogniser looks at."""
    learning_rate: float = 1e-3
    averaging: float | None = 0.999
    scenes: int = 1600
    """Drawn scenes to learn from."""
    start: str | None = None
    """The experiment whose weights it begins with."""
    changes: Mapping = field(default_factory=dict)
    """Arguments of the network's `build` that are not the registry's."""
    uses_truth: bool = True
    """Whether labels are clean drawings; else they carry the faint noise of a sharp photograph."""
    spectra: float = 0.0
    """Weight of the distance of the Fourier spectra."""
    fooling: float = 0.0
    """Weight of being taken for a clean drawing by a discriminator, which learns beside."""
    teacher: str | None = None
    """An experiment or blend whose images are learned from as much as the clean ones; trained here, or shipped."""
    colour: float = 1.0
    """Share of the changes of colour that is made: 0 leaves changes of brightness alone."""
    further_typefaces: bool = True
    """Whether scenes are drawn in more typefaces than those of the training cards."""
    without: tuple[str, ...] = ()
    """Kinds of degradation that it never sees."""
    prepared: int = 0
    """Images, spoilt once and shown as the enhancer's steps before a network leave them, that crops are cut from, with
    what the teacher makes of them; 0: crops are spoilt anew each time, and no step is taken."""
    pages: float = 0.0
    """Share of the crops that come from clean scans of real pages, in place of scenes."""
    seed: int = SEED


_MANY = {"text": 4.0, "reading": 0.5, "finding": 3.0, "batch_size": 32, "crop_size": 192, "lines": 48, "scenes": 2400}
_TELL = _MANY | {"reading": 0.0, "telling": 0.3, "finding": 1.0}
_SOFTLY = _MANY | {"reading": 0.0, "telling": 0.1, "finding": 0.3}
_DEEP = _MANY | {"reading": 0.0, "telling": 0.15, "finding": 0.5, "scenes": 4000}
_FEW = {"text": 4.0, "reading": 0.03, "batch_size": 8}
EXPERIMENTS = {
    "cards alone": Experiment("house-large", 5, cards=1.0, crop_size=192, averaging=None),
    "cards and scenes": Experiment("house-large", 5, crop_size=192, averaging=None),
    "with a reader": Experiment("house-large", 5, reading=0.05, crop_size=192, averaging=None),
    "large": Experiment("house-large", 80, text=4.0, learning_rate=7e-4),
    "large, then a reader": Experiment("house-large", 12, text=4.0, reading=0.05, learning_rate=3e-4, start="large"),
    "small, the reader first": Experiment("house", 28, text=4.0, reading=0.5, lines=8, learning_rate=1e-3),
    "large, finding and reading": Experiment("house-large", 80, learning_rate=6e-4, **_MANY),
    "large, longer": Experiment("house-large", 140, learning_rate=6e-4, start="large, finding and reading", **_MANY),
    "large, cooled": Experiment("house-large", 50, learning_rate=3.5e-4, start="large, longer", **_MANY),
    "small, finding and reading": Experiment("house", 80, learning_rate=1e-3, **_MANY),
    "small, longer": Experiment("house", 140, learning_rate=1e-3, start="small, finding and reading", **_MANY),
    "large, telling": Experiment("house-large", 180, learning_rate=6e-4, start="large, cooled", **_TELL),
    "large, telling softly": Experiment("house-large", 180, learning_rate=6e-4, start="large, cooled", **_SOFTLY),
    "small, telling": Experiment("house", 180, learning_rate=1e-3, start="small, longer", **_TELL),
    "deep, telling": Experiment(
        "house-large", 352, changes={"blocks": (5, 3, 4)}, learning_rate=6e-4, start="large, telling softly", **_DEEP
    ),
    "large, pixels again": Experiment("house-large", 40, learning_rate=3e-4, start="large, cooled", **_FEW),
    "small, after the steps": Experiment(
        "house",
        160,
        text=4.0,
        batch_size=8,
        lines=8,
        learning_rate=3e-4,
        scenes=2400,
        start="small, longer",
        teacher="large, cooled, brightness 70%",
        colour=0.0,
        prepared=2400,
    ),
}
"""What was tried, in this order; `records/legible` keeps what came of it."""


class Blend(NamedTuple):
    """What becomes of a network's changes to its input: see `blended`."""

    experiment: str
    brightness: float
    """How much of the change of brightness is made."""
    colour: float
    """How much of the rest of it."""


def _name(blend: Blend) -> str:
    """As it stands in tables: "…, 70%", or "…, brightness 70%" where less of the colour or none is taken."""
    if blend.colour == blend.brightness:
        return f"{blend.experiment}, {blend.brightness:.0%}"
    return f"{blend.experiment}, brightness {blend.brightness:.0%}" + (
        f", colour {blend.colour:.0%}" * bool(blend.colour)
    )


BLENDS = {
    _name(blend): blend
    for blend in (
        *(Blend("small, longer", share, share) for share in (0.5, 0.7)),
        *(Blend("large, cooled", share, share) for share in (0.5, 0.7, 0.85)),
        Blend("deep, telling", 0.7, 0.7),
        Blend("small, the reader first", 1, 0),
        *(Blend("small, longer", share, 0) for share in (0.5, 0.7, 1)),
        Blend("small, longer", 0.7, 0.3),
        *(Blend("large, cooled", share, 0) for share in (0.7, 0.85, 1)),
        Blend("large, cooled", 0.85, 0.3),
        Blend("large, telling softly", 1, 0),
        *(Blend("deep, telling", share, 0) for share in (0.7, 1)),
    )
}
"""Networks that change their input by a part of what an experiment's network changes."""

SHIPPED = {"house": "small, longer, brightness 100%", "house-large": "large, cooled, brightness 70%"}
"""What the enhancer calls its networks, and the experiments or blends that they come from."""
BEFORE_STEPS = "small, longer, brightness 100%", "large, cooled, brightness 70%"
"""What the enhancer came with before networks learned what its steps leave."""
FINALISTS = (
    *("small, the reader first", "small, longer", "small, telling"),
    *("large, cooled", "large, pixels again", "large, telling", "large, telling softly", "deep, telling"),
    *BLENDS,
)
"""Those that were judged once more, on more cards, to choose by."""

_Y = 0.299, 0.587, 0.114
_MARGIN = 16  # pixels round a crop, so that its border is spoilt as the rest is
_WHOLE = scenes.SIZE - 2 * _MARGIN  # pixels: side of the images that the enhancer's steps are taken with
_WINDOW = 160  # pixels: width of a window on a line, at the recogniser's height


def experiment(name: str) -> Experiment:
    """One of `EXPERIMENTS`. Raises ForeseenError, listing the known names, for an unknown one."""
    if name not in EXPERIMENTS:
        raise ForeseenError(f"unknown experiment {name!r}; the known ones are {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]


def bank(count: int, seed: int, part: str, fonts: Sequence[Path] = ()) -> "Bank":
    """Scenes for training ("train") or for watching it ("watched"), drawn once and kept in `data/specimens`.

    `fonts` are folders of further typefaces. The same arguments give the same scenes, with the same versions of
    Pillow and OpenCV.
    """
    faces = scenes.families(fonts, part)
    names = [[face.name for face in family] for family in faces]
    recipe = repr((count, seed, names, Path(scenes.__file__).read_text(encoding="utf-8")))
    folder = FOLDER / f"scenes-{part}-{count}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if not (folder / "scenes.csv").exists():
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=_one_thread) as pool:
            drawn = pool.map(partial(_scene, seed, faces), range(count), chunksize=8)
            _keep(tqdm(drawn, total=count, desc="drawing scenes", mininterval=1), count, folder)
    return Bank(folder)


def prepared(lessons: "Lessons", count: int, teacher: keras.Model) -> "Bank":
    """The first crops of `lessons` after the steps of the enhancer, made once and kept in `data/specimens`.

    Each scene has nine channels: what the steps leave, the clean crop, and what `teacher` makes of the first.
    """
    weights = hashlib.sha256(b"".join(values.tobytes() for values in teacher.get_weights())).hexdigest()
    recipe = repr(
        (
            [(share, source.name) for share, source in lessons.sources],
            *(lessons.crop_size, lessons.seed, lessons.clean, lessons.without, weights, enhancer.steps_hash()),
            *(Path(module.__file__).read_text(encoding="utf-8") for module in (scenes, degradations)),
        )
    )
    folder = FOLDER / f"prepared-{count}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"

    def one(number: int) -> Scene:
        spoilt, clean, lines = lessons.crop(number)
        low = enhancer.prepare(spoilt)
        return Scene(np.dstack([low, clean, evaluation.predict(teacher, low)]), lines, [""] * len(lines))

    if not (folder / "scenes.csv").exists():
        _keep(parallel.over(range(count), one, "taking the enhancer's steps"), count, folder)
    return Bank(folder)


class Bank(Sequence):
    """Drawn scenes in a folder; their pixels are mapped into memory."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.table = pd.read_csv(folder / "scenes.csv", dtype={"text": "string"}, keep_default_na=False)
        self.images = np.load(folder / "scenes.npy", mmap_mode="r")
        places = self.table[["x0", "y0", "x1", "y1"]].to_numpy(np.float32)
        self.lines = np.split(places, np.searchsorted(self.table["scene"], np.arange(1, len(self.images))))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Scene:
        return Scene(self.images[index], self.lines[index], ())


class Cards(Sequence):
    """Clean renderings of the cards of one pool of a specimen data set, with the places of their text."""

    def __init__(self, folder: Path, pool: str) -> None:
        fields = pd.read_csv(folder / "truth" / "fields.csv", dtype={"text": "string"}, keep_default_na=False)
        self.name = f"{folder.name}, {pool}"
        upright = fields[(fields["kind"] != "heading") & (fields["number"].map(dataset.pool_of) == pool)]
        self.lines = [
            (folder / dataset.CLEAN / f"{number}.png", rows[["x0", "y0", "x1", "y1"]].to_numpy(np.float32))
            for number, rows in upright.groupby("number")
        ]

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, index: int) -> Scene:
        file, lines = self.lines[index]
        return Scene(images.read(file), lines, ())


class Pages(Sequence):
    """The sharp sides of the pairs in a folder; where their text is nobody has written down."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        found = pairs.index(folder, max_megapixels=100).pairs
        alike = {hashlib.sha256((folder / file).read_bytes()).digest(): folder / file for file in found["high"]}
        self.files = sorted(alike.values())

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Scene:
        return Scene(images.read(self.files[index]), np.zeros((0, 4), np.float32), ())


@dataclass(frozen=True)
class Lessons:
    """Training batches (low, (high, lines)), made up as they are needed; see `training.Batches`.

    low is float32 in [0, 1], (batch_size, crop_size, crop_size, 3); high has a fourth channel, which is 1 in lines of
    text and 0 elsewhere, and may have three more, a teacher's image; lines, float32 (lines, 5), are windows on text:
    the number of the crop, y0, x0, y1, x1 in pixels. They depend on nothing but seed, epoch and step.
    """

    sources: Sequence[tuple[float, Sequence[Scene]]]
    """Where crops come from, each source with its share of them."""
    batch_size: int
    crop_size: int
    lines: int
    """Windows a batch."""
    seed: int
    steps: int
    """Batches an epoch."""
    clean: bool = True
    """Whether high is the clean drawing; else it has the faint noise of a sharp photograph."""
    without: tuple[str, ...] = ()
    """Kinds of degradation that are left out."""
    _labels = 4  # channels of high

    def from_epoch(self, first: int) -> tf.data.Dataset:
        """All batches from epoch `first` (from 0) on, without end."""
        crops = self.batch_size, self.crop_size, self.crop_size
        shapes = [(*crops, 3), (*crops, self._labels), (self.lines, 5)]

        def tensors(number: tf.Tensor) -> tuple:
            made = tf.numpy_function(self.batch, [number], [tf.float32] * 3, stateful=False)
            low, high, lines = (tf.ensure_shape(part, shape) for part, shape in zip(made, shapes, strict=True))
            return low, (high, lines)

        numbers = tf.data.Dataset.range(first * self.steps, np.iinfo(np.int64).max)
        return numbers.map(tensors, num_parallel_calls=2).prefetch(4)

    def batch(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One batch as arrays: low, high, lines."""
        rng = np.random.default_rng([self.seed, int(number)])
        low, high, windows = [], [], []
        for place in range(self.batch_size):
            spoilt, clean, lines = self._crop(rng)
            low.append(spoilt)
            high.append(np.dstack([clean[..., :3], _in_text(lines, self.crop_size), clean[..., 3:]]))
            windows += [(place, *window) for window in _windows(rng, lines, self.crop_size)]
        if not windows:
            windows = [(0, 0, 0, self.crop_size / 4, self.crop_size - 1)]
        chosen = rng.choice(len(windows), self.lines, replace=len(windows) < self.lines)
        return (
            *(np.stack(side).astype(np.float32) / np.float32(255) for side in (low, high)),
            np.array(windows, np.float32)[chosen],
        )

    def crop(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One crop as uint8, spoilt and clean, and the places of its lines."""
        return self._crop(np.random.default_rng([self.seed, number]))

    def _crop(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        shares = [share for share, _ in self.sources]
        source = self.sources[rng.choice(len(shares), p=np.array(shares) / sum(shares))][1]
        scene = source[int(rng.integers(len(source)))]
        size = self.crop_size + 2 * _MARGIN
        image = scene.image
        short = [max(size - side, 0) for side in image.shape[:2]]
        if any(short):
            image = cv2.copyMakeBorder(image, 0, short[0], 0, short[1], cv2.BORDER_REFLECT)
        y, x = (int(rng.integers(0, side - size + 1)) for side in image.shape[:2])
        clean = np.ascontiguousarray(image[y : y + size, x : x + size])
        clean = clean[..., rng.permutation(3)]  # no design's own colours are learned
        if rng.random() < 0.06:
            clean = 255 - clean
        inside = np.s_[_MARGIN : size - _MARGIN, _MARGIN : size - _MARGIN]
        clean = np.ascontiguousarray(clean)
        spoilt = scenes.degraded(clean, self._spoiling(rng))
        if not self.clean:
            clean = degradations.apply(clean, degradations.light(rng))
        return spoilt[inside], clean[inside], scene.lines - np.float32([x, y, x, y]) - _MARGIN

    def _spoiling(self, rng: np.random.Generator) -> np.random.Generator:
        """What a crop is spoilt by: a generator whose first recipe has none of the kinds that are left out."""
        while self.without:
            seed = int(rng.integers(2**32))
            if not any(step.kind in self.without for step in scenes.recipe(np.random.default_rng(seed))):
                return np.random.default_rng(seed)
        return rng


class Prepared(Lessons):
    """Lessons cut from scenes that `prepared` made: nothing is spoilt, and high has the teacher's image, too."""

    _labels = 7

    def _crop(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ((_, source),) = self.sources
        scene = source[int(rng.integers(len(source)))]
        y, x = (int(rng.integers(0, side - self.crop_size + 1)) for side in scene.image.shape[:2])
        inside = scene.image[y : y + self.crop_size, x : x + self.crop_size]
        low, clean, taught = (inside[..., first : first + 3] for first in (0, 3, 6))
        colours = rng.permutation(3)
        labels = np.dstack([clean[..., colours], taught[..., colours]])
        return low[..., colours], labels, scene.lines - np.float32([x, y, x, y])


class Reader(keras.Model):
    """A network and what it is taught by, as one model that `training.fit` trains; called, it is the network.

    At each step it learns from pixels and their gradients (`metrics.gradient_distance`), those in lines of text
    counting `how.text` times more, from `how.reading` times the mean absolute difference between what RapidOCR's
    recogniser sees in lines of the enhanced and of the clean crop, from `how.telling` times the cross entropy of the
    characters that it takes their brightness for, and from `how.finding` times the cross entropy of where its detector
    finds text in the one and in the other, both enlarged twice. `how.spectra` weights the distance of Fourier spectra
    (S.-J. Cho et al., ICCV 2021, arXiv:2108.05054), `how.fooling` an adversarial loss (arXiv:1609.04802), and a
    teacher's images, made now or given with the clean ones, count as much as those (G. Hinton et al.,
    arXiv:1503.02531, with images in place of probabilities). What is validated is the compiled loss.
    """

    def __init__(self, network: keras.Model, how: Experiment, teacher: keras.Model | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.network, self.how, self.teacher = network, how, teacher
        if teacher:
            teacher.trainable = False
        self.discriminator = srgan.discriminator(size=how.crop_size, width=16, units=64) if how.fooling else None
        self.recogniser = reading.recogniser() if how.reading else None
        self.letters = reading.letters() if how.telling else None
        self.detector = reading.detector() if how.finding else None
        self.built = True

    def call(self, image, training=False):
        return self.network(image, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if not isinstance(y, tuple):
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        high, text, taught, lines = y[0][..., :3], y[0][..., 3:4], y[0][..., 4:], y[1]
        made = ops.cast(y_pred, "float32")
        weights = 1 + self.how.text * text
        loss = self._distance(high, made, weights)
        if self.teacher:
            taught = ops.cast(self.teacher(x), "float32")
        if taught.shape[-1]:
            loss = (loss + self._distance(taught, made, weights)) / 2
        if self.how.spectra:
            loss += self.how.spectra * _spectral_distance(high, made)
        if self.discriminator:
            loss += self._judged(high, made)
        made = ops.clip(made, 0, 1)
        if self.recogniser:
            wanted = ops.stop_gradient(self._seen(high, lines))
            loss += self.how.reading * ops.mean(ops.abs(self._seen(made, lines) - wanted))
        if self.letters:
            wanted = ops.stop_gradient(ops.softmax(self._told(high, lines)))
            told = self._told(made, lines)
            loss += self.how.telling * ops.mean(ops.categorical_crossentropy(wanted, told, from_logits=True))
        if self.detector:
            wanted = ops.stop_gradient(ops.sigmoid(self._found(high)))
            loss += self.how.finding * ops.mean(ops.binary_crossentropy(wanted, self._found(made), from_logits=True))
        return loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, y[0][..., :3] if isinstance(y, tuple) else y, y_pred, sample_weight)

    @staticmethod
    def _distance(truth: keras.KerasTensor, made: keras.KerasTensor, weights: keras.KerasTensor) -> keras.KerasTensor:
        """`metrics.gradient_distance`, with a weight a pixel."""
        difference = truth - made
        parts = (
            (difference, weights),
            (difference[:, :, 1:] - difference[:, :, :-1], weights[:, :, 1:]),
            (difference[:, 1:] - difference[:, :-1], weights[:, 1:]),
        )
        return sum(ops.mean(its * ops.sqrt(ops.square(part) + 1e-6)) / ops.mean(its) for part, its in parts)

    def _judged(self, high: keras.KerasTensor, made: keras.KerasTensor) -> keras.KerasTensor:
        """What either side loses: the network where it does not fool the discriminator, that where it is wrong."""
        of_true, of_made = (
            ops.cast(self.discriminator(side, training=True), "float32") for side in (high, ops.stop_gradient(made))
        )
        judging = ops.mean(ops.softplus(-of_true) + ops.softplus(of_made)) / 2
        held = [ops.stop_gradient(ops.convert_to_tensor(weight)) for weight in self.discriminator.trainable_variables]
        others = [ops.convert_to_tensor(weight) for weight in self.discriminator.non_trainable_variables]
        taken_for, _ = self.discriminator.stateless_call(held, others, made, training=True)
        return judging + self.how.fooling * ops.mean(ops.softplus(-ops.cast(taken_for, "float32")))

    def _seen(self, crops: keras.KerasTensor, lines: keras.KerasTensor) -> keras.KerasTensor:
        return self.recogniser(_cut(crops, lines))

    def _told(self, crops: keras.KerasTensor, lines: keras.KerasTensor) -> keras.KerasTensor:
        grey = ops.repeat(ops.image.rgb_to_grayscale(_cut(crops, lines)), 3, -1)  # colours are left to the pixels
        return self.letters(grey)

    def _found(self, crops: keras.KerasTensor) -> keras.KerasTensor:
        return self.detector(ops.image.resize(crops, [2 * side for side in crops.shape[1:3]]))


def _spectral_distance(truth: keras.KerasTensor, made: keras.KerasTensor) -> keras.KerasTensor:
    """Mean absolute difference of the coefficients of orthonormal two-dimensional Fourier transforms."""
    difference = tf.transpose(truth - made, (0, 3, 1, 2))
    side = float(difference.shape[-1])
    return tf.reduce_mean(tf.abs(tf.signal.rfft2d(difference)) / side)


def seen(network: keras.Model, lessons: Lessons, count: int) -> pd.DataFrame:
    """What RapidOCR's networks make of `count` batches after a network, in place of whole texts.

    Returns one row a batch: batch, letters (cross entropy, nats a step of the recogniser, of the characters that it
    takes the lines for, against those of the clean crop) and finding (the same of where its detector finds text).
    Lower is better, and both have the entropy of the clean crop's answers as their floor.
    """
    reader = Reader(network, Experiment("", 0, telling=1.0, finding=1.0))

    @tf.function
    def both(low, high, lines):
        made = ops.clip(network(low, training=False), 0, 1)
        letters, place = ops.softmax(reader._told(high, lines)), ops.sigmoid(reader._found(high))
        return (
            ops.mean(ops.categorical_crossentropy(letters, reader._told(made, lines), from_logits=True)),
            ops.mean(ops.binary_crossentropy(place, reader._found(made), from_logits=True)),
        )

    rows = []
    for number in tqdm(range(count), desc="letters", unit="batch", mininterval=1):
        low, high, lines = lessons.batch(number)
        letters, finding = map(float, both(low, high[..., :3], lines))
        rows.append({"batch": number, "letters": letters, "finding": finding})
    return pd.DataFrame(rows)


def _cut(crops: keras.KerasTensor, lines: keras.KerasTensor) -> keras.KerasTensor:
    return reading.lines(crops, lines[:, 1:], ops.cast(lines[:, 0], "int32"), _WINDOW)


def watched(lessons: Lessons, count: int) -> list[batches.Pair]:
    """The first crops of so many batches as pairs (low, high), uint8 (size, size, 3)."""
    shown = []
    for number in range(count):
        low, high, _ = lessons.batch(number)
        shown.append(tuple(np.rint(255 * side[0, ..., :3]).astype(np.uint8) for side in (low, high)))
    return shown


def is_trained(name: str, work: Path) -> bool:
    """Whether the weights of an experiment lie finished in a folder."""
    return (work / f"{_file(name)}.keras").exists()


def train(
    name: str,
    experiment: Experiment,
    *,
    fonts: Sequence[Path],
    work: Path,
    pages: Path | None = None,
    keep: Path = RESULTS,
) -> keras.Model:
    """Train one experiment and keep its log in `keep`; an interrupted training goes on from its last epoch.

    `work` is a folder for checkpoints and weights; what lies there finished is not trained again. `pages` is a folder
    of pairs whose sharp sides are real pages; only an experiment that learns from them needs it.
    """
    file = work / f"{_file(name)}.keras"
    if file.exists():
        return training.load(file)
    keras.utils.set_random_seed(experiment.seed)
    lessons, watching = _lessons(experiment, fonts, work, pages)
    seen_while_training = watched(watching, 24)
    network = models.build(experiment.network, **experiment.changes)
    if experiment.colour < 1:
        network = blended(network, 1, experiment.colour)
    if experiment.start:
        _begin_with(network, known(experiment.start, work))
    recipe = training.Recipe(
        epochs=experiment.epochs,
        learning_rate=experiment.learning_rate,
        schedule="cosine",
        loss="gradient",
        clip_norm=0.2,
        averaging=experiment.averaging,
        validate_every=5,
        precision="auto",
    )
    teacher = known(experiment.teacher, work) if experiment.teacher and not experiment.prepared else None
    taught = Reader(network, experiment, teacher, name=_file(name))
    history = training.fit(
        taught,
        lessons,
        batches.stream(seen_while_training, batch_size=4),
        recipe,
        folder=work / f"{_file(name)}.training",
    )
    training.save(network, file)
    training.save(training.load(file), file)  # without the optimizer's state, three times as large
    record = {
        "experiment": name,
        **dataclasses.asdict(experiment),
        "parameters": network.count_params(),
        "multiply-adds per pixel": models.multiply_adds(network),
        "typefaces": sum(map(len, scenes.families(fonts, "train"))),
        "typefaces_sha256": _digest(fonts),
        "seconds": round(history["seconds"].sum(), 1),
        "watched gain": metrics.psnr_from_mse(history["val_mse"].iloc[-1])
        - metrics.psnr_from_mse(metrics.error_of_doing_nothing(batches.stream(seen_while_training, batch_size=4))),
        "date": date.today().isoformat(),
        **{key: value for key, value in provenance.collect().items() if key in ("commit", "device")},
        "history": history.to_dict("records"),
    }
    files.write_json(keep / f"{_file(name)}.json", record)
    return training.load(file)


def _lessons(experiment: Experiment, fonts: Sequence[Path], work: Path, pages: Path | None) -> tuple[Lessons, Lessons]:
    """What an experiment learns from, and what it is watched by: scenes in other typefaces, and validation cards."""
    if experiment.pages and pages is None:
        raise ForeseenError("this experiment learns from real pages; name a folder of pairs with PAGES=…")
    of_pages = [(experiment.pages, Pages(pages))] if experiment.pages else []
    folder = dataset.provide(**CARDS)
    drawn = bank(experiment.scenes, SEED, "train", fonts if experiment.further_typefaces else ())
    sources = [(experiment.cards, Cards(folder, "train")), (1 - experiment.cards - experiment.pages, drawn)]
    taught = Lessons(
        [*sources, *of_pages],
        experiment.batch_size,
        experiment.crop_size,
        experiment.lines,
        experiment.seed,
        EPOCH_STEPS,
        experiment.uses_truth,
        experiment.without,
    )
    others = [(1, bank(WATCHED, SEED, "watched", fonts)), (1, Cards(folder, "validation"))]
    watching = Lessons(others, 1, 192, 1, SEED, 1)
    if not experiment.prepared:
        return taught, watching
    teacher = known(experiment.teacher, work)
    return tuple(
        Prepared(
            [(1, prepared(dataclasses.replace(lessons, crop_size=_WHOLE, seed=SEED), count, teacher))],
            *(lessons.batch_size, lessons.crop_size, lessons.lines, lessons.seed, lessons.steps),
        )
        for lessons, count in ((taught, experiment.prepared), (watching, WATCHED))
    )


def _begin_with(network: keras.Model, trained: keras.Model) -> None:
    """Give `network` the weights of a trained one, by the names of the layers.

    What it has beyond that are residual blocks, which begin as the identity, so that both give the same.
    """
    theirs = {layer.name: layer.get_weights() for layer in trained.layers if layer.weights}
    for layer in network.layers:
        if layer.name in theirs:
            layer.set_weights(theirs.pop(layer.name))
        elif layer.weights and layer.name.endswith("_out"):
            layer.set_weights([np.zeros(weight.shape) for weight in layer.weights])
    if theirs:
        raise ForeseenError(f"{network.name} has no layers named {', '.join(theirs)}; expected those of {trained.name}")


def score(names: Sequence[str], *, fonts: Sequence[Path], work: Path, keep: Path = RESULTS) -> pd.DataFrame:
    """Judge trained experiments beside doing nothing and unsharp masking.

    Their rows in `scores.csv` are kept or replaced, those of other experiments stay. Returns the rows of this call.
    """
    table = judge(_enhancers(names, work), fonts=fonts, cache=work / "read")
    listed = keep / "scores.csv"
    earlier = pd.read_csv(listed) if listed.exists() else table[:0]
    with files.whole(listed) as temporary:
        others = earlier[~earlier["method"].isin(table["method"])]
        pd.concat([others, table], ignore_index=True).to_csv(temporary, index=False)
    return table


def choose(*, fonts: Sequence[Path], work: Path, keep: Path = RESULTS) -> pd.DataFrame:
    """Judge `FINALISTS` on more validation cards than experiments are, and keep that as `finalists.csv`."""
    table = judge(_enhancers(FINALISTS, work), fonts=fonts, cache=work / "read", cards=READ_LAST)
    with files.whole(keep / "finalists.csv") as temporary:
        table.to_csv(temporary, index=False)
    return table


def _enhancers(names: Sequence[str], work: Path) -> dict[str, Callable]:
    """Doing nothing, unsharp masking, and trained experiments."""
    enhancers = {evaluation.UNTOUCHED: lambda image: image, **{name: evaluation.FILTERS[name] for name in UNSHARP}}
    return enhancers | {name: partial(evaluation.predict, _trained(name, work)) for name in names}


def _trained(name: str, work: Path) -> keras.Model:
    """The network of an experiment, or one of `BLENDS`."""
    experiment, *shares = BLENDS.get(name, (name, 1.0, 1.0))
    network = training.load(work / f"{_file(experiment)}.keras")
    return network if shares == [1.0, 1.0] else blended(network, *shares)


def known(name: str, work: Path) -> keras.Model:
    """The network of an experiment or blend as trained here, or else, so that it need not be, as it is shipped.

    Raises ForeseenError for one that is neither.
    """
    experiment, *shares = BLENDS.get(name, (name, 1.0, 1.0))
    if is_trained(experiment, work):
        return _trained(name, work)
    shipped = {BLENDS.get(chosen, (chosen,))[0]: file for file, chosen in SHIPPED.items()}
    if experiment not in shipped:
        raise ForeseenError(f"{name!r} is neither trained in {work} yet nor shipped")
    network = models.build(EXPERIMENTS[experiment].network, **EXPERIMENTS[experiment].changes)
    export.read_onnx(network, enhancer.WEIGHTS / f"{shipped[experiment]}.onnx")
    return network if shares == [1.0, 1.0] else blended(network, *shares)


def blended(network: keras.Model, brightness: float, colour: float) -> keras.Model:
    """Only so much of what a network changes, of brightness and of the rest, as one network with the same ends.

    Brightness is Y of ITU-R BT.601: a change of it alone is the same in red, green and blue.
    """
    changes = keras.layers.Subtract(name="changes")([network.output, network.input])
    kernel = colour * np.eye(3) + (brightness - colour) * np.outer(_Y, np.ones(3))
    taken = keras.layers.Conv2D(3, 1, use_bias=False, trainable=False, name="taken")
    parts = network.input, taken(changes)
    taken.set_weights([kernel[None, None]])
    return keras.Model(network.input, keras.layers.Add(name="blended")(parts), name=network.name)


def ship(run: Run, *, work: Path, keep: Path = RESULTS) -> list[Path]:
    """Give the networks of `SHIPPED` to the enhancer (see `export.ship`), scored on the test cards of a run."""
    written = []
    for name, chosen in SHIPPED.items():
        network = _trained(chosen, work)
        chosen, brightness, colour = BLENDS.get(chosen, (chosen, 1.0, 1.0))
        stages = [chosen]
        while start := EXPERIMENTS[stages[0]].start:
            stages.insert(0, start)
        logs = [json.loads((keep / f"{_file(stage)}.json").read_text(encoding="utf-8")) for stage in stages]
        made = {
            "recipe": {
                "stages": [
                    {"experiment": stage}
                    | dataclasses.asdict(EXPERIMENTS[stage])
                    | {key: log.get(key) for key in ("typefaces", "typefaces_sha256", "commit")}
                    for stage, log in zip(stages, logs, strict=True)
                ],
                "share of brightness": brightness,
                "share of colour": colour,
                "seed": SEED,
                "cards": CARDS,
            },
            "updates": EPOCH_STEPS * sum(EXPERIMENTS[stage].epochs for stage in stages),
            "commit": logs[-1]["commit"],
        }
        written.append(export.ship(run, name, network, EXPERIMENTS[chosen].network, made))
    return written


def _digest(fonts: Sequence[Path]) -> str:
    """SHA-256 over the files of all typefaces that are learned from."""
    digest = hashlib.sha256()
    for face in (face for family in scenes.families(fonts, "train") for face in family):
        digest.update(Path(face.path).read_bytes())
    return digest.hexdigest()


def kept(folder: Path = RESULTS) -> pd.DataFrame:
    """The experiments that were trained, and what was read after each of them; empty where nothing was.

    One row an experiment, and one each for doing nothing, the classical filters and the sharp image: experiment,
    network, multiply-adds per pixel, starts from, weights of reader, letters and finder, crops of an update, updates,
    seconds, device and remark; then for cards and for scenes error, exact and PSNR, as `judge` gives them.
    """
    scored = folder / "scores.csv"
    if not scored.exists():
        return pd.DataFrame()
    rows = []
    for name, how in EXPERIMENTS.items():
        file = folder / f"{_file(name)}.json"
        if file.exists():
            record = json.loads(file.read_text(encoding="utf-8"))
            rows.append(
                {
                    "experiment": name,
                    "network": ", ".join(
                        [record["network"], *(f"{name} {value}" for name, value in how.changes.items())]
                    ),
                    "multiply-adds per pixel": record["multiply-adds per pixel"],
                    "starts from": how.start or "",
                    "reader's weight": record["reading"],
                    "letters' weight": record.get("telling", 0.0),
                    "finder's weight": record.get("finding", 0.0),
                    "crops": f"{record['batch_size']} × {record['crop_size']}²",
                    "updates": EPOCH_STEPS * record["epochs"],
                    "seconds": record["seconds"],
                    "device": record["device"],
                    "remark": record.get("remark", ""),
                }
            )
    trained, table = pd.DataFrame(rows), _by_method(scored)
    others = [name for name in table.index if name not in set(trained["experiment"])]
    others.sort(key=lambda name: (name == evaluation.SHARP, name != evaluation.UNTOUCHED))
    trained = pd.concat([pd.DataFrame({"experiment": others}), trained], ignore_index=True)
    return trained.merge(table, left_on="experiment", right_index=True, how="left")


def finalists(folder: Path = RESULTS) -> pd.DataFrame:
    """What `choose` found, one row a method, with error, exact and PSNR of either test; empty where it was not run."""
    file = folder / "finalists.csv"
    return _by_method(file).rename_axis("method").reset_index() if file.exists() else pd.DataFrame()


def _by_method(file: Path) -> pd.DataFrame:
    table = pd.read_csv(file)
    order = table["method"].unique()
    table = table.pivot(index="method", columns="test", values=["error", "exact", "psnr"]).loc[order]
    table.columns = [f"{test}: {'PSNR' if measure == 'psnr' else measure}" for measure, test in table.columns]
    return table


def judge(
    enhancers: Mapping[str, Callable], *, fonts: Sequence[Path], cache: Path, cards: int = READ_CARDS
) -> pd.DataFrame:
    """Read so many validation cards, and watched scenes, after every method, and the sharp image beside them.

    Returns one row a method and test ("cards", where values count, or "scenes"): method, test, error (character error
    rate), exact (share of fields) and psnr (mean, dB, against the clean drawing).
    """
    found = read_after(enhancers, fonts=fonts, cache=cache, cards=cards)
    found["psnr"] = found["psnr"].replace(np.inf, np.nan)
    groups = found.groupby(["test", "method"], sort=False)
    sums = groups.sum(numeric_only=True)
    table = pd.DataFrame(
        {
            "error": sums["errors"] / sums["characters"],
            "exact": sums["exact"] / sums["fields"],
            "psnr": groups["psnr"].mean(),
        }
    )
    return table.reset_index()[["method", "test", "error", "exact", "psnr"]]


def read_after(
    enhancers: Mapping[str, Callable],
    *,
    fonts: Sequence[Path],
    cache: Path,
    cards: int = READ_CARDS,
    drawn: int = READ_SCENES,
) -> pd.DataFrame:
    """What `judge` sums up, one row an image, method and test: as `evaluation.per_image` gives it, test, and psnr."""
    tables = []
    for test, (names, read, known) in (("cards", _cards_to_read(cards)), ("scenes", _scenes_to_read(fonts, drawn))):
        found = evaluation.legibility(names, read, enhancers, known, engine="RapidOCR", cache_folder=cache).scores
        scores = evaluation.score(names, read, enhancers)[["name", "method", "psnr"]]
        read_there = evaluation.per_image(found, "value").assign(test=test)
        tables.append(read_there.merge(scores, on=["name", "method"], how="left"))
    return pd.concat(tables, ignore_index=True)


def compared(read: pd.DataFrame, base: str) -> pd.DataFrame:
    """What was read (see `read_after`) after every method, beside what was after `base`, drawn by card.

    One row a method and test: the columns of `comparison.against` with errors per character, exact (share of fields),
    exact_low, exact_high, and test.
    """
    tables = []
    for test, found in read.groupby("test", sort=False):
        found = found.assign(card=found["name"].str.split(".").str[-1])
        errors, exact = (
            comparison.against(found, base, top, bottom, group="card", seed=SEED)
            for top, bottom in (("errors", "characters"), ("exact", "fields"))
        )
        share = exact[["figure", "low", "high"]].set_axis(["exact", "exact_low", "exact_high"], axis=1)
        tables.append(pd.concat([errors, share], axis=1).assign(test=test))
    return pd.concat(tables, ignore_index=True)


def choose_after_steps(*, fonts: Sequence[Path], work: Path, keep: Path = RESULTS) -> pd.DataFrame:
    """Judge what learned after the enhancer's steps, behind those, as `after-steps.csv`; returns it, see `compared`.

    Beside it the steps alone, and `BEFORE_STEPS`, which those are compared with; those that are not trained are left
    out. More scenes are read than between experiments.
    """
    names = [*BEFORE_STEPS, *(name for name, how in EXPERIMENTS.items() if how.prepared and is_trained(name, work))]
    enhancers = {"waves and blur taken away": enhancer.prepare}
    enhancers |= {name: partial(_after_steps, known(name, work)) for name in names}
    read = read_after(enhancers, fonts=fonts, cache=work / "read", cards=READ_LAST, drawn=WATCHED)
    table = compared(read, BEFORE_STEPS[0])
    with files.whole(keep / "after-steps.csv") as temporary:
        table.to_csv(temporary, index=False)
    return table


def _after_steps(network: keras.Model, image: np.ndarray) -> np.ndarray:
    return evaluation.predict(network, enhancer.prepare(image))


def _file(name: str) -> str:
    """The name of an experiment as that of a file, which Make could not name with spaces in it."""
    return name.replace(",", "").replace(":", "").replace(" ", "-")


def _cards_to_read(count: int) -> tuple[list[str], Callable, dict[str, pd.DataFrame]]:
    folder = dataset.provide(**CARDS)
    fields = pd.read_csv(folder / "truth" / "fields.csv", dtype={"text": "string"}, keep_default_na=False)
    faulty = set(pd.read_csv(folder / "truth" / "faults.csv")["number"])
    numbers = sorted({number for number in set(fields["number"]) - faulty if dataset.pool_of(number) == "validation"})
    parts = {f"{variant}.{number}": (variant, number) for number in numbers for variant in dataset.STRENGTH}
    order = np.random.default_rng(SEED).permutation(len(parts))
    names = [list(parts)[place] for place in order[:count]]

    def read(name: str) -> tuple:
        low, high = (
            images.read(folder / side / dataset.file_name(*parts[name])) for side in (dataset.LOW, dataset.HIGH)
        )
        return low, {evaluation.SHARP: high}

    by_number = dict(iter(fields.groupby("number")))
    return names, read, {name: by_number[parts[name][1]].drop(columns="number") for name in names}


def _scenes_to_read(fonts: Sequence[Path], count: int) -> tuple[list[str], Callable, dict[str, pd.DataFrame]]:
    drawn = bank(WATCHED, SEED, "watched", fonts)
    names = [str(number) for number in range(count)]

    def read(name: str) -> tuple:
        clean = np.array(drawn[int(name)].image)
        return scenes.degraded(clean, np.random.default_rng([SEED, int(name)])), {evaluation.SHARP: clean}

    fields = drawn.table[drawn.table["text"] != ""].assign(kind="value", name="line")
    return names, read, {name: fields[fields["scene"] == int(name)].drop(columns="scene") for name in names}


def _windows(rng: np.random.Generator, lines: np.ndarray, size: int) -> list[tuple[float, float, float, float]]:
    """A window on each line that is inside a crop for some letters: y0, x0, y1, x1."""
    windows = []
    for x0, y0, x1, y1 in lines:
        tall = y1 - y0
        left, right = max(x0, 0.0), min(x1, size - 1.0)
        if y0 < 0 or y1 > size - 1 or right - left < 1.5 * tall or tall < 4:
            continue
        height = tall * rng.uniform(1.1, 1.45) + 2
        width = min(height * _WINDOW / reading.HEIGHT, size - 1.0)
        x = rng.uniform(left - 0.15 * width, max(right - 0.85 * width, left))
        x = float(np.clip(x, 0, size - 1 - width))
        y = float(np.clip((y0 + y1 - height) / 2 + rng.uniform(-0.06, 0.06) * height, 0, max(size - 1 - height, 0)))
        windows.append((y, x, min(y + height, size - 1.0), x + width))
    return windows


def _in_text(lines: np.ndarray, size: int) -> np.ndarray:
    """255 in lines of text, 0 elsewhere, so that it becomes 1 with the values of a crop: uint8 (size, size)."""
    mask = np.zeros((size, size), np.uint8)
    for x0, y0, x1, y1 in np.clip(np.rint(lines), 0, size).astype(int):
        mask[y0:y1, x0:x1] = 255
    return mask


def _keep(drawn: Iterable[Scene], count: int, folder: Path) -> None:
    """Write so many scenes of one shape to a folder, for `Bank`."""
    rows, pixels = [], None
    with files.whole(folder / "scenes.npy") as temporary:
        for number, scene in enumerate(drawn):
            if pixels is None:
                shape = count, *scene.image.shape
                pixels = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
            pixels[number] = scene.image
            rows += [(number, *line, text) for line, text in zip(scene.lines, scene.texts, strict=True)]
        pixels.flush()
        del pixels
    with files.whole(folder / "scenes.csv") as temporary:  # last: it says that the rest is there
        pd.DataFrame(rows, columns=["scene", "x0", "y0", "x1", "y1", "text"]).to_csv(temporary, index=False)


def _scene(seed: int, faces: Sequence, number: int) -> Scene:
    return scenes.draw(np.random.default_rng([seed, number]), faces)


def _one_thread() -> None:
    cv2.setNumThreads(1)
