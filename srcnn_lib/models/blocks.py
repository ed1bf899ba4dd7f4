"""Building blocks that several networks share."""

import keras
import tensorflow as tf
from keras import ops


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
