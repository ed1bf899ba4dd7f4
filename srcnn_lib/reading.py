"""The house model: how RapidOCR's recogniser sees a line of text, as TensorFlow operations that a gradient passes.

A network that is to help reading can be taught by a reader: what the recogniser sees in an enhanced line should be
what it sees in the clean one (as in R. Souibgui et al., "Enhance to Read Better", Pattern Recognition 123, 2022,
arXiv:2105.12710, with a ready-made recogniser in place of one of their own). The network and its weights are those
of the ONNX file that comes in the `rapidocr` package; nothing is downloaded, and its weights do not learn.
"""

from collections.abc import Callable
from functools import cache
from importlib.resources import files

import numpy as np
import tensorflow as tf

HEIGHT = 48
"""What lines are scaled to, in pixels."""
_FILE = "models/PP-OCRv6_rec_small.onnx"
_CLASSES = 18_710  # of characters, which the last product gives


def recogniser() -> Callable[[tf.Tensor], tf.Tensor]:
    """The recogniser up to the features from which each character is told.

    Takes lines of text, float32 RGB (N, HEIGHT, W, 3) in [0, 1], and gives float32 (N, W // 8, 120). Raises
    ValueError if the installed `rapidocr` has another recogniser.
    """
    return _Graph(*_load())


def lines(images: tf.Tensor, boxes: tf.Tensor, numbers: tf.Tensor, width: int) -> tf.Tensor:
    """Cut windows out of images and scale them as the recogniser wants them.

    Parameters
    ----------
    images
        float32 (batch, H, W, 3).
    boxes
        float32 (N, 4), y0, x0, y1, x1 in pixels.
    numbers
        int32 (N,): the image that each box is in.
    width
        Of the result, (N, HEIGHT, width, 3), interpolated linearly.
    """
    height, across = (tf.cast(side, tf.float32) for side in tf.unstack(tf.shape(images)[1:3]))
    scale = tf.stack([height - 1, across - 1, height - 1, across - 1])
    return tf.image.crop_and_resize(images, boxes / scale, numbers, (HEIGHT, width))


@cache
def _load() -> tuple:
    import onnx
    from onnx import numpy_helper

    path = files("rapidocr") / _FILE
    if not path.is_file():
        raise ValueError(f"{path}: expected the recogniser of RapidOCR 3.10, found no file")
    graph = onnx.load(str(path)).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    scores = (node for node in graph.node if node.op_type == "MatMul" and node.input[1] in values)
    scoring = next((node for node in scores if values[node.input[1]].shape[-1] == _CLASSES), None)
    if scoring is None:
        raise ValueError(f"{path}: expected a recogniser of {_CLASSES} characters")
    return list(graph.node), values, graph.input[0].name, scoring.input[0]


class _Graph:
    """Runs a graph of ONNX's operations up to one of its values.

    Images lie in TensorFlow's order of axes (N, H, W, C) until an operation asks for another one.
    """

    def __init__(self, nodes: list, values: dict[str, np.ndarray], first: str, last: str) -> None:
        from onnx import helper

        self.constants = values
        self.first, self.last = first, last
        self.steps = [
            (
                node.op_type,
                list(node.input),
                node.output[0],
                {a.name: helper.get_attribute_value(a) for a in node.attribute},
            )
            for node in self._needed(nodes)
        ]
        self.kernels: dict[str, np.ndarray] = {}

    @tf.autograph.experimental.do_not_convert  # its steps are known while it is traced
    def __call__(self, image: tf.Tensor) -> tf.Tensor:
        self.known = {self.first: 2 * image[..., ::-1] - 1}  # blue first, in [-1, 1]
        self.as_images = {self.first}
        for kind, inputs, output, options in self.steps:
            self.output = output
            self.known[output] = getattr(self, f"_{kind.lower()}")(*inputs, **options)
        return self.known.pop(self.last)

    def _needed(self, nodes: list) -> list:
        """The nodes that the last value hangs on, in their order."""
        wanted, chosen = {self.last}, []
        for node in reversed(nodes):
            if node.output[0] in wanted:
                chosen.append(node)
                wanted |= set(node.input)
        return chosen[::-1]

    def _of(self, name: str) -> tf.Tensor | np.ndarray:
        """A value in ONNX's order of axes."""
        if name in self.as_images:
            return tf.transpose(self.known[name], (0, 3, 1, 2))
        return self.constants[name] if name in self.constants else self.known[name]

    def _pair(self, *names: str) -> list:
        """Values that are to be computed with one another, in one order of axes."""
        if not any(name in self.as_images for name in names):
            return [self._of(name) for name in names]
        self.as_images.add(self.output)
        return [self.known[name] if name in self.as_images else self._beside_image(name) for name in names]

    def _beside_image(self, name: str):
        value = self._of(name)
        if len(value.shape) != 4:
            return value
        return np.moveaxis(value, 1, -1) if isinstance(value, np.ndarray) else tf.transpose(value, (0, 2, 3, 1))

    def _one(self, function: Callable, name: str) -> tf.Tensor:
        (value,) = self._pair(name)
        return function(value)

    def _identity(self, x):
        return self._one(lambda value: value, x)

    def _relu(self, x):
        return self._one(tf.nn.relu, x)

    def _sigmoid(self, x):
        return self._one(tf.sigmoid, x)

    def _erf(self, x):
        return self._one(tf.math.erf, x)

    def _sqrt(self, x):
        return self._one(tf.sqrt, x)

    def _hardsigmoid(self, x, alpha, beta):
        return self._one(lambda value: tf.clip_by_value(alpha * value + beta, 0.0, 1.0), x)

    def _add(self, a, b):
        a, b = self._pair(a, b)
        return a + b

    def _sub(self, a, b):
        a, b = self._pair(a, b)
        return a - b

    def _mul(self, a, b):
        a, b = self._pair(a, b)
        return a * b

    def _div(self, a, b):
        a, b = self._pair(a, b)
        return a / b

    def _pow(self, a, b):
        a, b = self._pair(a, b)
        return tf.square(a) if np.all(b == 2) else a**b

    def _conv(self, x, kernel, strides, group, dilations=(1, 1), kernel_shape=None, pads=None, auto_pad=b"NOTSET"):
        (value,) = self._pair(x)
        if kernel not in self.kernels:
            order = (2, 3, 0, 1) if group > 1 else (2, 3, 1, 0)
            self.kernels[kernel] = np.transpose(self.constants[kernel], order)
        filters = self.kernels[kernel]
        if auto_pad == b"SAME_UPPER":
            padding = "SAME"
        else:
            top, left, bottom, right = pads
            value = tf.pad(value, ((0, 0), (top, bottom), (left, right), (0, 0))) if any(pads) else value
            padding = "VALID"
        if group == 1:
            return tf.nn.conv2d(value, filters, strides, padding)
        if strides[0] == strides[1]:
            return tf.nn.depthwise_conv2d(value, filters, (1, *strides, 1), padding)
        # TensorFlow has no depthwise convolution of two different strides: the rows between are left out.
        return tf.nn.depthwise_conv2d(value, filters, (1, 1, 1, 1), padding)[:, :: strides[0], :: strides[1]]

    def _batchnormalization(self, x, scale, offset, mean, variance, epsilon, momentum=None):
        (value,) = self._pair(x)
        gain = self.constants[scale] / np.sqrt(self.constants[variance] + epsilon)
        return value * gain + (self.constants[offset] - self.constants[mean] * gain)

    def _maxpool(self, x, kernel_shape, strides, auto_pad=b"NOTSET", ceil_mode=0):
        (value,) = self._pair(x)
        return tf.nn.max_pool2d(value, kernel_shape, strides, "SAME")

    def _averagepool(self, x, kernel_shape, strides, pads=None, ceil_mode=0, count_include_pad=0):
        (value,) = self._pair(x)
        return tf.nn.avg_pool2d(value, kernel_shape, strides, "VALID")

    def _reducemean(self, x, axes, keepdims=1):
        (value,) = self._pair(x)
        if x in self.as_images:
            axes = [(0, 3, 1, 2)[axis] for axis in axes]
        return tf.reduce_mean(value, axes, keepdims=bool(keepdims))

    def _concat(self, *names, axis):
        values = self._pair(*names)
        return tf.concat(values, -1 if self.output in self.as_images else axis)

    def _shape(self, x):
        return tf.shape(self._of(x), tf.int64)

    def _slice(self, x, starts, ends, axes, steps=None):
        value, (start,), (end,), (axis,) = (self._of(name) for name in (x, starts, ends, axes))
        return value[(*(slice(None),) * int(axis), slice(int(start), int(end)))]

    def _squeeze(self, x, axes):
        return tf.squeeze(self._of(x), axes)

    def _unsqueeze(self, x, axes):
        (axis,) = axes
        return tf.expand_dims(self._of(x), axis)

    def _reshape(self, x, shape):
        value, sides = self._of(x), tf.unstack(tf.cast(self._of(shape), tf.int64))
        # 0 keeps a side.
        kept = [tf.shape(value, tf.int64)[axis] if axis < len(value.shape) else side for axis, side in enumerate(sides)]
        return tf.reshape(value, [tf.where(side == 0, same, side) for side, same in zip(sides, kept, strict=True)])

    def _transpose(self, x, perm):
        return tf.transpose(self._of(x), perm)

    def _matmul(self, a, b):
        return tf.matmul(self._of(a), self._of(b))

    def _softmax(self, x, axis):
        return tf.nn.softmax(self._of(x), axis)
