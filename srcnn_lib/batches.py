"""Section 2.3: streaming pairs into a network, batch by batch (tf.data)."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf

from srcnn_lib import images, parallel

Pair = tuple[np.ndarray, np.ndarray]
"""The low and the high image, both (H, W, C): uint8, or float32 in [0, 1]."""


def files(prepared: Path, parts: pd.DataFrame, part: str) -> tuple[list[Path], list[Path]]:
    """The low and the high files of one part of a split table, in the folder that `preprocess.prepare` wrote."""
    names = parts.loc[parts["part"] == part, "name"]
    low, high = ([prepared / side / f"{name}.png" for name in names] for side in ("low", "high"))
    return low, high


class Files(Sequence):
    """Pairs of image files, decoded whenever they are asked for: memory does not grow with their number."""

    def __init__(self, low: Sequence[Path], high: Sequence[Path]) -> None:
        if not low or len(low) != len(high):
            raise ValueError(
                f"expected as many low as high files and at least one, received {len(low)} and {len(high)}"
            )
        self.low, self.high = list(low), list(high)

    def __len__(self) -> int:
        return len(self.low)

    def __getitem__(self, index: int) -> Pair:
        return images.read(self.low[index]), images.read(self.high[index])


class Packed(Sequence):
    """The same pairs, decoded once into a temporary file that is mapped into memory.

    A crop then costs only its own pixels, and the operating system decides how much of the file stays in
    memory. The file has no name, lies in `folder` or where temporary files usually do, and goes with the object.
    """

    def __init__(self, pairs: Sequence[Pair], folder: Path | None = None) -> None:
        self._places: list[tuple[int, tuple[int, ...]]] = []
        with tempfile.TemporaryFile(prefix="pairs-", dir=folder) as file:
            for low, high in parallel.over(range(len(pairs)), pairs.__getitem__, "decoding pairs"):
                if low.shape != high.shape or low.dtype != np.uint8 or high.dtype != np.uint8:
                    raise ValueError(
                        f"expected two uint8 images of one shape, received {low.shape} {low.dtype} and "
                        f"{high.shape} {high.dtype}"
                    )
                self._places.append((file.tell(), low.shape))
                file.write(low.tobytes())
                file.write(high.tobytes())
            file.flush()
            self._pixels = np.memmap(file, dtype=np.uint8, mode="r")

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Pair:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        start, shape = self._places[index]
        both = self._pixels[start : start + 2 * int(np.prod(shape))].reshape(2, *shape)
        return both[0], both[1]


class Centres(Sequence):
    """The middle of each pair, `size` pixels square: what is looked at again and again while training."""

    def __init__(self, pairs: Sequence[Pair], size: int) -> None:
        self.pairs, self.size = pairs, size

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Pair:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        low, high = self.pairs[index]
        y, x = ((side - self.size) // 2 for side in low.shape[:2])
        window = (slice(y, y + self.size), slice(x, x + self.size))
        return low[window], high[window]


def stream(pairs: Sequence[Pair], *, batch_size: int) -> tf.data.Dataset:
    """Whole images in their order, for evaluation.

    Parameters
    ----------
    pairs
        `Files`, `Packed`, or any sequence of (low, high) images. Within a batch all must have one size.
    batch_size
        Pairs a batch; the last one may be smaller.

    Returns
    -------
    Batches (low, high) of float32 in [0, 1], each of shape (batch, H, W, C).
    """
    indices = tf.data.Dataset.range(_some(pairs)).batch(batch_size)
    return _load(indices.map(lambda index: (tf.zeros_like(index), index)), lambda _, index: pairs[index], pairs)


@dataclass(frozen=True)
class Shuffled:
    """Training batches that depend on nothing but seed and epoch, so that a resumed training sees the same.

    In each epoch every pair comes once (or as often as `epoch_steps` asks for), in an order of its own.
    """

    pairs: Sequence[Pair]
    """`Files`, `Packed`, or any sequence of (low, high) images."""
    batch_size: int
    """Crops a batch; the last one of an epoch may be smaller."""
    seed: int
    crop_size: int = 0
    """Side in pixels of one random crop, at the same place on both sides, flipped and turned by quarter turns
    at random; 0 gives whole images as they are."""
    epoch_steps: int | None = None
    """Batches to call an epoch; None for as many as give every pair once."""
    swap_colours: bool = False
    """Put the channels of each crop in a random order, on both sides alike, so that no design's colours are learned."""
    label_border: int = 0
    """Pixels to cut from each side of the label, for networks whose output is smaller than their input."""

    def __post_init__(self) -> None:
        _some(self.pairs)

    @property
    def steps(self) -> int:
        """Batches an epoch: the last one may be smaller, but it counts."""
        return self.epoch_steps or -(-len(self.pairs) // self.batch_size)

    def from_epoch(self, first: int) -> tf.data.Dataset:
        """All batches from epoch `first` (from 0) on, without end: (low, high) of float32 in [0, 1]."""
        count = self.epoch_steps * self.batch_size if self.epoch_steps else len(self.pairs)
        rounds = -(-count // len(self.pairs))

        def order(epoch: int) -> np.ndarray:
            return np.random.default_rng([self.seed, epoch]).permutation(rounds * len(self.pairs))[:count]

        def indices(epoch: tf.Tensor) -> tf.data.Dataset:
            index = tf.ensure_shape(tf.numpy_function(order, [epoch], tf.int64, stateful=False), (count,))
            batched = tf.data.Dataset.from_tensor_slices(index).batch(self.batch_size)
            return batched.map(lambda index: (tf.fill(tf.shape(index), epoch), index))

        epochs = tf.data.Dataset.range(first, np.iinfo(np.int64).max).flat_map(indices)
        return _load(epochs, self._crop, self.pairs)

    def _crop(self, epoch: int, index: int) -> Pair:
        low, high = self.pairs[index % len(self.pairs)]
        if size := self.crop_size:
            if min(low.shape[:2]) < size:
                raise ValueError(f"expected images of at least {size}×{size} pixels, received {low.shape[:2]}")
            rng = np.random.default_rng([self.seed, epoch, index])
            y, x = (int(rng.integers(0, side - size + 1)) for side in low.shape[:2])
            turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
            low, high = (
                np.rot90(image[y : y + size, x : x + size][:, :: -1 if mirrored else 1], turns) for image in (low, high)
            )
            if self.swap_colours:
                order = rng.permutation(low.shape[2])
                low, high = low[..., order], high[..., order]
        if border := self.label_border:
            high = high[border:-border, border:-border]
        return low, high


def speed(data: tf.data.Dataset, batches: int = -1) -> float:
    """Images a second, both sides counted, over so many batches of a stream (-1: one pass)."""
    began = time.perf_counter()
    count = sum(2 * len(low) for low, _ in data.take(batches))
    return count / (time.perf_counter() - began)


def decoding_speed(paths: Sequence[Path]) -> float:
    """Images a second when the files are only read and decoded, on all cores: the bound of any stream."""
    began = time.perf_counter()
    for _ in parallel.over(paths, images.read, "decoding"):
        pass
    return len(paths) / (time.perf_counter() - began)


def _some(pairs: Sequence[Pair]) -> int:
    if not len(pairs):
        raise ValueError("expected at least one pair, received none")
    return len(pairs)


def _load(indices: tf.data.Dataset, one: Callable[[int, int], Pair], pairs: Sequence[Pair]) -> tf.data.Dataset:
    """Turn batches of (epoch, index) into batches of images, several at a time."""
    channels = pairs[0][0].shape[-1]

    def batch(epochs: np.ndarray, numbers: np.ndarray) -> Pair:
        loaded = [one(int(epoch), int(number)) for epoch, number in zip(epochs, numbers, strict=True)]
        low, high = (np.stack(side) for side in zip(*loaded, strict=True))
        return _unit(low), _unit(high)

    def tensors(epochs: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        both = tf.numpy_function(batch, [epochs, numbers], (tf.float32, tf.float32), stateful=False)
        low, high = (tf.ensure_shape(side, (None, None, None, channels)) for side in both)
        return low, high

    return indices.map(tensors, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)


def _unit(image: np.ndarray) -> np.ndarray:
    """float32 in [0, 1], which float images are taken to be already."""
    return image.astype(np.float32) / np.float32(255) if image.dtype == np.uint8 else image.astype(np.float32)
