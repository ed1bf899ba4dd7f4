"""Building blocks that several networks share."""

from collections.abc import Callable

import keras
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable("srcnn_lib")
class PixelUnshuffle(keras.layers.Layer):
    """Move each square of `factor`² pixels into channels, so that later layers work on fewer, richer pixels.

    The inverse of the sub-pixel shuffle of W. Shi et al., CVPR 2016, arXiv:1609.05158. Nothing is lost; a
    3×3 filter afterwards spans 3·`factor` pixels for the cost of one pixel in `factor`².

    Input shape
        (batch, H, W, C); sides that `factor` does not divide are continued by mirroring at the bottom and
        on the right.
    Output shape
        (batch, ⌈H / factor⌉, ⌈W / factor⌉, C·factor²).
    """

    def __init__(self, factor: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, image):
        factor, (_, height, width, channels) = self.factor, ops.shape(image)
        below, beside = (factor - height % factor) % factor, (factor - width % factor) % factor
        image = ops.pad(image, ((0, 0), (0, below), (0, beside), (0, 0)), mode="symmetric")
        rows, columns = (height + below) // factor, (width + beside) // factor
        image = ops.reshape(image, (-1, rows, factor, columns, factor, channels))
        return ops.reshape(ops.transpose(image, (0, 1, 3, 2, 4, 5)), (-1, rows, columns, factor**2 * channels))

    def compute_output_shape(self, input_shape):
        sides = (None if side is None else -(-side // self.factor) for side in input_shape[1:3])
        return input_shape[0], *sides, input_shape[3] * self.factor**2

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


@keras.saving.register_keras_serializable("srcnn_lib")
class PixelShuffle(keras.layers.Layer):
    """Undo `PixelUnshuffle`: called on features (batch, h, w, C·factor²) and a reference (batch, H, W, …).

    Gives (batch, H, W, C): what goes beyond the height and width of the reference is cut off.
    """

    def __init__(self, factor: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, features, reference):
        factor, (_, rows, columns, channels) = self.factor, ops.shape(features)
        image = ops.reshape(features, (-1, rows, columns, factor, factor, channels // factor**2))
        image = ops.transpose(image, (0, 1, 3, 2, 4, 5))
        image = ops.reshape(image, (-1, rows * factor, columns * factor, channels // factor**2))
        _, height, width, _ = ops.shape(reference)
        return image[:, :height, :width]

    def compute_output_shape(self, features_shape, reference_shape):
        return *reference_shape[:3], features_shape[3] // self.factor**2

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


@keras.saving.register_keras_serializable("srcnn_lib")
class Spread(keras.layers.Layer):
    """The standard deviation of each channel round each cell of `cell`² pixels, in a window of `window`² cells.

    Input shape
        (batch, H, W, C).
    Output shape
        (batch, ⌈H / cell⌉, ⌈W / cell⌉, C). Computed in float32, since it is a difference of squares.
    """

    def __init__(self, cell: int, window: int, **kwargs) -> None:
        super().__init__(autocast=False, **kwargs)
        self.cell, self.window = cell, window

    def call(self, image):
        image = ops.cast(image, "float32")
        return ops.sqrt(ops.maximum(self._mean(ops.square(image)) - ops.square(self._mean(image)), 1e-4))

    def compute_output_shape(self, input_shape):
        sides = (None if side is None else -(-side // self.cell) for side in input_shape[1:3])
        return input_shape[0], *sides, input_shape[3]

    def get_config(self):
        return super().get_config() | {"cell": self.cell, "window": self.window}

    def _mean(self, image):
        cells = ops.average_pool(image, self.cell, self.cell, "same")
        return ops.average_pool(cells, self.window, 1, "same")


@keras.saving.register_keras_serializable("srcnn_lib")
class Relight(keras.layers.Layer):
    """Multiply and shift an image by smooth fields: called on the image (batch, H, W, C) and on coarse fields
    (batch, ⌈H / factor⌉, ⌈W / factor⌉, 2·C), gains less one first, then offsets.

    Gives (batch, H, W, C). Between the centres of the cells, `factor` pixels wide, the fields are interpolated. After
    the local affine models of M. Gharbi et al., ACM Transactions on Graphics 36(4), 2017, doi:10.1145/3072959.3073592.
    """

    def __init__(self, factor: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, image, fields):
        height, width = (tf.shape(image)[axis] for axis in (1, 2))
        # Keras' own resize cannot take a size that is only known when it runs.
        fields = tf.image.resize(fields, self.factor * tf.shape(fields)[1:3])[:, :height, :width]
        gains, offsets = ops.split(ops.cast(fields, image.dtype), 2, axis=-1)
        return image * (1 + gains) + offsets

    def compute_output_shape(self, image_shape, fields_shape):
        return image_shape

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


@keras.saving.register_keras_serializable("srcnn_lib")
class DepthToSpace(keras.layers.Layer):
    """The sub-pixel shuffle of W. Shi et al., CVPR 2016, arXiv:1609.05158: (batch, h, w, C·factor²) to
    (batch, h·factor, w·factor, C)."""

    def __init__(self, factor: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, features):
        return tf.nn.depth_to_space(features, self.factor)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        sides = (None if side is None else side * self.factor for side in (height, width))
        return batch, *sides, channels // self.factor**2

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


@keras.saving.register_keras_serializable("srcnn_lib")
class Gate(keras.layers.Layer):
    """The product of both halves of the channels."""

    def call(self, x):
        first, second = ops.split(x, 2, axis=-1)
        return first * second

    def compute_output_shape(self, input_shape):
        return *input_shape[:3], input_shape[3] // 2


@keras.saving.register_keras_serializable("srcnn_lib")
class ChannelScale(keras.layers.Layer):
    """A factor for each channel, 0 before training."""

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="factor")

    def call(self, x):
        return x * self.factor


@keras.saving.register_keras_serializable("srcnn_lib")
class SharedFactor(keras.layers.Layer):
    """One factor for everything, 0 before training."""

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(1,), initializer="zeros", name="factor")

    def call(self, x):
        return x * self.factor


@keras.saving.register_keras_serializable("srcnn_lib")
class SecondOrderPooling(keras.layers.Layer):
    """Mean of each row of the square root of the channels' covariance: (batch, H, W, C) to (batch, 1, 1, C).

    The root by Newton and Schulz's iteration, on the covariance over its trace (SAN, doi:10.1109/CVPR.2019.01132;
    P. Li et al., arXiv:1712.01034).
    """

    def __init__(self, iterations: int = 5, **kwargs) -> None:
        super().__init__(**kwargs)
        self.iterations = iterations

    def call(self, x):
        channels = x.shape[-1]
        values = ops.reshape(x, (ops.shape(x)[0], -1, channels))
        values = values - ops.mean(values, axis=1, keepdims=True)
        count = ops.cast(ops.shape(values)[1], values.dtype)
        covariance = ops.matmul(ops.transpose(values, (0, 2, 1)), values) / count
        trace = ops.maximum(ops.trace(covariance, axis1=1, axis2=2), 1e-8)[:, None, None]
        identity = ops.eye(channels, dtype=values.dtype)[None]
        root, inverse = covariance / trace, identity + 0 * covariance
        for _ in range(self.iterations):
            step = 0.5 * (3 * identity - ops.matmul(inverse, root))
            root, inverse = ops.matmul(root, step), ops.matmul(step, inverse)
        return ops.mean(root * ops.sqrt(trace), axis=1)[:, None, None]

    def compute_output_shape(self, input_shape):
        return input_shape[0], 1, 1, input_shape[3]

    def get_config(self):
        return super().get_config() | {"iterations": self.iterations}


@keras.saving.register_keras_serializable("srcnn_lib")
class NonLocal(keras.layers.Layer):
    """Every place gets a mean of all places in its quarter of the image, weighed by likeness, added to it.

    X. Wang et al., CVPR 2018, arXiv:1711.07971; in quarters as in SAN's code. Gives its input back before training.
    """

    def __init__(self, inner: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.inner = inner

    def build(self, input_shape):
        self.parts = [layers.Conv2D(self.inner, 1, name=part) for part in ("query", "key", "value")]
        self.back = layers.Conv2D(input_shape[-1], 1, kernel_initializer="zeros", name="back")
        for part in self.parts:
            part.build(input_shape)
        self.back.build((*input_shape[:-1], self.inner))

    def call(self, x):
        _, height, width, _ = ops.shape(x)
        halves = (
            (slice(None, height // 2), slice(height // 2, None)),
            (slice(None, width // 2), slice(width // 2, None)),
        )
        rows = [
            ops.concatenate([self._quarter(x[:, row, column]) for column in halves[1]], axis=2) for row in halves[0]
        ]
        return x + ops.concatenate(rows, axis=1)

    def _quarter(self, x):
        batch, height, width, _ = ops.shape(x)
        query, key, value = (ops.reshape(part(x), (batch, -1, self.inner)) for part in self.parts)
        likeness = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 2, 1))), axis=-1)
        return self.back(ops.reshape(ops.matmul(likeness, value), (batch, height, width, self.inner)))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"inner": self.inner}


@keras.saving.register_keras_serializable("srcnn_lib")
class MeanAndMaximum(keras.layers.Layer):
    """Mean and maximum over the channels of each place: (batch, H, W, C) to (batch, H, W, 2)."""

    def call(self, x):
        return ops.concatenate([ops.mean(x, axis=-1, keepdims=True), ops.max(x, axis=-1, keepdims=True)], axis=-1)

    def compute_output_shape(self, input_shape):
        return *input_shape[:3], 2


@keras.saving.register_keras_serializable("srcnn_lib")
class InverseHaar(keras.layers.Layer):
    """Inverse of one level of the Haar wavelet transform: (batch, h, w, 4·C) to (batch, 2·h, 2·w, C).

    The bands follow one another: means (twice the mean of four pixels), differences across, down, and diagonally.
    """

    def call(self, bands):
        mean, across, down, diagonal = ops.split(bands, 4, axis=-1)
        corners = [
            mean + across + down + diagonal,
            mean - across + down - diagonal,
            mean + across - down - diagonal,
            mean - across - down + diagonal,
        ]
        return tf.nn.depth_to_space(ops.concatenate(corners, axis=-1) / 2, 2)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        sides = (None if side is None else 2 * side for side in (height, width))
        return batch, *sides, channels // 4


Tensor = keras.KerasTensor


def conv(x: Tensor, filters: int, kernel: int = 3, *, name: str, **options) -> Tensor:
    """A convolution that keeps the size."""
    return layers.Conv2D(filters, kernel, padding="same", name=name, **options)(x)


def residual_block(x: Tensor, width: int, *, kernel: int = 3, scaling: float = 1.0, name: str) -> Tensor:
    """EDSR's block: convolution, ReLU, convolution, times `scaling`, plus the input (arXiv:1707.02921)."""
    inner = conv(x, width, kernel, activation="relu", name=f"{name}_in")
    inner = conv(inner, width, kernel, name=f"{name}_out")
    if scaling != 1:
        inner = layers.Rescaling(scaling, name=f"{name}_scaled")(inner)
    return layers.Add(name=name)([x, inner])


def channel_attention(x: Tensor, width: int, *, reduction: int = 16, name: str) -> Tensor:
    """Weigh channels by what their means over the image say (RCAN, arXiv:1807.02758)."""
    means = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean")(x)
    inner = conv(means, width // reduction, 1, activation="relu", name=f"{name}_squeeze")
    weights = conv(inner, width, 1, activation="sigmoid", name=f"{name}_excite")
    return layers.Multiply(name=name)([x, weights])


def enlarged(x: Tensor, width: int, scale: int, *, name: str, after: Callable[[Tensor, str], Tensor] | None = None):
    """Convolution and shuffle, by 2 or 3 at once and by 4 and 8 in steps of 2; `after` each step, if given."""
    steps = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}.get(scale)
    if steps is None:
        raise ValueError(f"scale: expected 2, 3, 4 or 8, received {scale!r}")
    for number, factor in enumerate(steps, start=1):
        x = conv(x, width * factor**2, name=f"{name}_{number}")
        x = DepthToSpace(factor, name=f"{name}_{number}_shuffle")(x)
        x = after(x, f"{name}_{number}_after") if after else x
    return x


def at_scale(network: Callable[[Tensor, int], Tensor], scale: int, channels: int, name: str) -> keras.Model:
    """A model of a network that takes a small image and a scale.

    For scale 1, which enhances without enlarging, the image's pixels are gathered two by two and the network enlarges
    by 2 at its end; its result is added to the image.
    """
    image = keras.Input((None, None, channels), name="low")
    if scale > 1:
        return keras.Model(image, network(image, scale), name=name)
    difference = network(PixelUnshuffle(2, name="unshuffle")(image), 2)
    difference = Cut(name="cut")(difference, image)
    return keras.Model(image, layers.Add(name="enhanced")([image, difference]), name=name)


@keras.saving.register_keras_serializable("srcnn_lib")
class Cut(keras.layers.Layer):
    """Called on two images: the first, cut to the height and width of the second."""

    def call(self, image, reference):
        _, height, width, _ = ops.shape(reference)
        return image[:, :height, :width]

    def compute_output_shape(self, image_shape, reference_shape):
        return *reference_shape[:3], image_shape[3]
