"""Section 2.3: streaming pairs from disk into a network, batch by batch (tf.data)."""

import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import tensorflow as tf

from srcnn_lib import images, parallel

_SHUFFLED_IMAGES = 256  # cached pairs that wait in memory to be shuffled


def files(prepared: Path, parts: pd.DataFrame, part: str) -> tuple[list[Path], list[Path]]:
    """The low and the high files of one part of a split table, in the folder that `preprocess.prepare` wrote."""
    names = parts.loc[parts["part"] == part, "name"]
    low, high = ([prepared / side / f"{name}.png" for name in names] for side in ("low", "high"))
    return low, high


def stream(
    low: Sequence[Path],
    high: Sequence[Path],
    *,
    batch_size: int,
    crop_size: int = 0,
    seed: int | None = None,
    cache: Path | None = None,
) -> tf.data.Dataset:
    """Stream pairs of image files as batches of float32 in [0, 1].

    Parameters
    ----------
    low, high
        Files that belong together, in the same order. Within a batch all must have one size, unless
        crops are taken.
    batch_size
        Pairs a batch; the last one of an epoch may be smaller.
    crop_size
        Side in pixels of one random crop a pair and epoch, at the same place on both sides, flipped
        and turned by quarter turns at random; 0 gives whole images as they are.
    seed
        Fixes the order and the crops; None keeps the order of the files (for evaluation).
    cache
        A file to keep the decoded images in, for passes after the first; None decodes every time.

    Returns
    -------
    Batches (low, high), each of shape (batch, H, W, 3). Memory does not grow with the number of files.
    """
    if not low or len(low) != len(high):
        raise ValueError(f"expected as many low as high files and at least one, received {len(low)} and {len(high)}")
    data = tf.data.Dataset.from_tensor_slices((list(map(str, low)), list(map(str, high))))
    if seed is not None and cache is None:
        data = data.shuffle(len(low), seed=seed)  # of names, which is cheap
    data = data.map(lambda a, b: (_decode(a), _decode(b)), num_parallel_calls=tf.data.AUTOTUNE)
    if cache is not None:
        data = data.cache(str(cache))
        if seed is not None:
            data = data.shuffle(min(len(low), _SHUFFLED_IMAGES), seed=seed)
    if crop_size:
        seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)
        data = tf.data.Dataset.zip(data, seeds).map(
            lambda pair, draw: _crop(*pair, crop_size, draw), num_parallel_calls=tf.data.AUTOTUNE
        )
    return data.batch(batch_size).map(_scale, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)


def speed(data: tf.data.Dataset) -> float:
    """Images a second, both sides counted, over one pass of a stream of batches."""
    began = time.perf_counter()
    count = sum(2 * len(low) for low, _ in data)
    return count / (time.perf_counter() - began)


def decoding_speed(paths: Sequence[Path]) -> float:
    """Images a second when the files are only read and decoded, on all cores: the bound of any stream."""
    began = time.perf_counter()
    for _ in parallel.over(paths, images.read, "decoding"):
        pass
    return len(paths) / (time.perf_counter() - began)


def _decode(file: tf.Tensor) -> tf.Tensor:
    """Read by the project's own reader, which knows every format and turns images upright."""
    image = tf.numpy_function(lambda path: images.read(Path(path.decode())), [file], tf.uint8, stateful=False)
    return tf.ensure_shape(image, (None, None, 3))


def _scale(low: tf.Tensor, high: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(low, tf.float32) / 255, tf.cast(high, tf.float32) / 255


def _crop(low: tf.Tensor, high: tf.Tensor, size: int, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    both = tf.concat([low, high], axis=-1)  # cut and turned together, so that they stay aligned
    both = tf.image.stateless_random_crop(both, (size, size, 6), seed)
    both = tf.image.stateless_random_flip_left_right(both, seed)
    turns = tf.random.stateless_uniform([], seed + 1, maxval=4, dtype=tf.int32)
    both = tf.image.rot90(both, turns)
    both = tf.ensure_shape(both, (size, size, 6))
    return both[..., :3], both[..., 3:]
