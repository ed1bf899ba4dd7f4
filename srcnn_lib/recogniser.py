"""Section 2.8: a small reader of single characters, trained by the project itself, whose features tell text apart.

A perceptual loss wants a network that looks at an image as its purpose does. Here the purpose is reading, so
this one reads: it names the character in the middle of 24×24 pixels. It learns in under a minute, from
characters drawn in the typefaces of the training pool, and nothing is downloaded.

Characters come at any size, with or without neighbours. So capitals that differ from the small letter in size
or height on the line alone count as one with it (C, K, P, S, U, V, W, X, Z), and so do O, o and 0, and I, l
and 1, which some typefaces draw alike.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import cv2
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers

from srcnn_lib.specimens import typefaces
from srcnn_lib.specimens.typefaces import Style, Typeface

SIZE = 24
"""Side in pixels of what is looked at to name one character."""
FEATURES = "features_4"
"""The layer at the end of the trunk: 64 features for each 4×4 pixels."""

_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz<"
_ALIKE = ("0Oo", "1Il", "Cc", "Kk", "Pp", "Ss", "Uu", "Vv", "Ww", "Xx", "Zz")
CLASSES = (*_ALIKE, *(character for character in _CHARACTERS if character not in "".join(_ALIKE)))
"""What is told apart: each a string of the characters that count as one."""

_TRUNK = ((5, 24, 2), (3, 24, 1), (3, 48, 2), (3, 64, 1))  # kernel, filters and stride of each layer
_BATCH, _RATE = 128, 4e-3
_HELD_OUT = 2000  # characters to watch the training by

_EM = 40  # pixels an em that glyphs are drawn at; they are then placed on a page
_FINER = 2  # whose pixels are so many times finer than those of the image
_THICKENINGS = ((0, 0), (0, 0), (0, 0), (1, 0), (0, 1), (1, 1), (2, 1))  # in glyph pixels, across and down


def draw(
    count: int, seed: int, *, size: int = SIZE, faces: Sequence[Typeface] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw characters as a photograph might show them, the same ones for the same arguments.

    Typeface, size, place, slant, colours, light, blur, noise and neighbours are random. `<` is drawn in the last
    of `faces`, since that one sets the zone of a card and others need not have it. The default faces are
    those of the training pool.

    Returns uint8 RGB images (count, size, size, 3), and for each the number in `CLASSES` of what is in its middle.
    """
    rng = np.random.default_rng(seed)
    coverages, labels = _texts(count, rng, size, faces)
    return _photographs(coverages, rng), labels


def build(*, seed: int = 0) -> keras.Model:
    """Build the untrained network, about 74,000 parameters.

    Input shape
        (batch, H, W, 3), float32 RGB in [0, 1]; sides of at least 21.
    Output shape
        (batch, classes), logits of `CLASSES`; larger images than 24×24 give their mean over all windows. The
        layer `FEATURES` gives (batch, ⌈H / 4⌉, ⌈W / 4⌉, 64).
    """
    x = inputs = keras.Input((None, None, 3), name="text")
    for number, (kernel, filters, stride) in enumerate(_TRUNK, start=1):
        start = keras.initializers.HeNormal(seed=seed + number)
        convolution = layers.Conv2D(
            filters, kernel, stride, "same", use_bias=False, kernel_initializer=start, name=f"conv_{number}"
        )
        x = layers.BatchNormalization(momentum=0.95, name=f"norm_{number}")(convolution(x))
        x = layers.ReLU(name=f"features_{number}")(x)
    x = layers.MaxPooling2D(2, padding="same", name="pool")(x)
    x = layers.Dropout(0.2, seed=seed, name="dropout")(x)
    start = keras.initializers.GlorotUniform(seed=seed)
    x = layers.Conv2D(len(CLASSES), 3, kernel_initializer=start, name="score")(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D(name="mean")(x), name="recogniser")


def train(
    seed: int, characters: int = 36_000, epochs: int = 4, *, faces: Sequence[Typeface] | None = None
) -> tuple[keras.Model, pd.DataFrame]:
    """Train a recogniser from nothing, the same one for the same arguments on the same machine.

    Parameters
    ----------
    seed
        Of the characters, the first weights and the order of training.
    characters
        How many are drawn, at least 128; each is seen once an epoch.
    epochs
        Rounds, with Adam and a learning rate that falls along a half cosine.
    faces
        The typefaces to draw them in; the default are those of the training pool.

    Returns
    -------
    The network, and one row an epoch: epoch (from 1), loss (cross entropy), accuracy (share named rightly), and
    val_loss and val_accuracy on characters in the typefaces of the validation pool.
    """
    if characters < _BATCH:
        raise ValueError(f"expected at least {_BATCH} characters, received {characters}")
    rng = np.random.default_rng(seed)
    coverages, labels = _texts(characters, rng, SIZE, faces)
    steps = characters // _BATCH

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for _ in range(epochs):
            for chosen in rng.permutation(characters)[: steps * _BATCH].reshape(steps, _BATCH):
                yield _unit(_photographs(coverages[chosen], rng)), labels[chosen]

    images, numbers = draw(_HELD_OUT, seed + 1, faces=typefaces.typefaces()["validation"])
    network = build(seed=seed)
    updates = epochs * steps
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, updates - updates // 10, warmup_target=_RATE, warmup_steps=updates // 10
    )
    network.compile(
        keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    signature = tf.TensorSpec((_BATCH, SIZE, SIZE, 3), tf.float32), tf.TensorSpec((_BATCH,), tf.int64)
    history = network.fit(
        tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2),
        steps_per_epoch=steps,
        epochs=epochs,
        validation_data=(_unit(images), numbers),
        validation_batch_size=500,
        shuffle=False,  # the batches are shuffled
        verbose=0,
    )
    return network, pd.DataFrame({"epoch": range(1, epochs + 1), **history.history})


def accuracy(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of characters, as `draw` gives them, that a network names rightly; in [0, 1], higher is better."""
    scores = network.predict(_unit(images), batch_size=500, verbose=0)
    return float(np.mean(scores.argmax(axis=1) == labels))


def _unit(images: np.ndarray) -> np.ndarray:
    return images / np.float32(255)


def _texts(
    count: int, rng: np.random.Generator, size: int, faces: Sequence[Typeface] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Random characters as uint8 coverage by ink (count, size, size), and their classes."""
    faces = typefaces.typefaces()["train"] if faces is None else tuple(faces)
    labels = rng.integers(len(CLASSES), size=count)
    coverages = np.empty((count, size, size), np.uint8)
    for coverage, members in zip(coverages, map(CLASSES.__getitem__, labels), strict=True):
        character = members[rng.integers(len(members))]
        face = faces[-1 if character == "<" else rng.integers(len(faces))]
        coverage[:] = _placed(*_line(character, face, rng), size, rng)
    return coverages, labels


def _line(character: str, face: Typeface, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A character, mostly between two others: coverage by ink as uint8, and where the middle (x, y) of it is."""
    line = np.zeros((3 * _EM, 6 * _EM), np.uint8)
    thickening = _THICKENINGS[rng.integers(len(_THICKENINGS))]
    glyph, top = _glyph(character, face, thickening)
    height, width = glyph.shape
    left, baseline = 3 * _EM - width // 2, 2 * _EM
    _put(glyph, line, left, baseline + top)
    for before in (True, False):
        if rng.random() < 0.75:
            other, rise = _glyph(_CHARACTERS[rng.integers(len(_CHARACTERS) - 1)], face, thickening)
            gap = round(rng.uniform(0.07, 0.25) * _EM)
            _put(other, line, left - gap - other.shape[1] if before else left + width + gap, baseline + rise)
    return line, np.array([left + width / 2, baseline + top + height / 2])


@lru_cache(maxsize=8192)
def _glyph(character: str, face: Typeface, thickening: tuple[int, int]) -> tuple[np.ndarray, int]:
    """A glyph's coverage, cropped to the ink, and its top edge from the baseline."""
    glyph, _, top = typefaces.mask(character, Style(face), _EM)
    across, down = thickening
    larger = np.pad(glyph, ((down, down), (across, across)))
    return cv2.dilate(larger, np.ones((down + 1, across + 1), np.uint8)), top - down


def _put(glyph: np.ndarray, line: np.ndarray, left: int, top: int) -> None:
    place = line[top : top + glyph.shape[0], left : left + glyph.shape[1]]
    np.maximum(place, glyph, out=place)


def _placed(line: np.ndarray, middle: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Scaled, turned, slanted, moved a little and blurred: uint8 (size, size)."""
    side = size * _FINER
    zoom = side * rng.uniform(14, 26) / SIZE / _EM  # an em gets 14 to 26 pixels where the size is 24
    distortion = np.eye(2) + rng.uniform(-1, 1, (2, 2)) * ((0.2, 0.2), (0.1, 0.1))
    linear = zoom * distortion
    target = side * (0.5 + rng.uniform(-0.08, 0.08, 2))
    page = cv2.warpAffine(line, np.column_stack([linear, target - linear @ middle]), (side, side))
    coverage = cv2.resize(page, (size, size), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(coverage, (0, 0), rng.uniform(0.1, 1.0))


def _photographs(coverages: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Text on grounds, mostly dark on light, in uneven light and with noise: uint8 (count, size, size, 3)."""
    count, size = coverages.shape[:2]
    dark = rng.uniform(0, 150, count)
    shades = np.stack([dark, rng.uniform(dark + 60, 255)])
    shades = np.where(rng.random(count) < 0.8, shades, shades[::-1])
    colours = shades[..., None] + rng.normal(0, 20, (2, count, 3))
    ink, ground = colours.astype(np.float32)[:, :, None, None]
    slope = np.linspace(-0.15, 0.15, size, dtype=np.float32)
    across, down = rng.uniform(-1, 1, (2, count, 1, 1)).astype(np.float32)
    light = 1 + across * slope + down * slope[:, None]
    images = (ground + _unit(coverages)[..., None] * (ink - ground)) * light[..., None]
    images += rng.uniform(0, 10, (count, 1, 1, 1)).astype(np.float32) * rng.standard_normal(images.shape, np.float32)
    return np.clip(images, 0, 255).round().astype(np.uint8)
