"""The house model: how RapidOCR finds and reads text, as Keras operations that a gradient passes.

A network that is to help reading can be taught by a reader: what the recogniser sees in an enhanced line should be
what it sees in the clean one (as in R. Souibgui et al., "Enhance to Read Better", Pattern Recognition 123, 2022,
arXiv:2105.12710, with a ready-made recogniser in place of one of their own), and the detector should find text where
it finds it in the clean image. The networks and their weights are those of the ONNX files that come in the `rapidocr`
package; nothing is downloaded, and their weights do not learn.
"""

from collections.abc import Callable
from functools import cache
from importlib.resources import files

import numpy as np
from keras import KerasTensor, ops

HEIGHT = 48
"""What lines are scaled to for the recogniser, in pixels."""
_RECOGNISER = "models/PP-OCRv6_rec_small.onnx"
_CLASSES = 18_710  # of characters, which the recogniser's last product gives


def recogniser() -> Callable[[KerasTensor], KerasTensor]:
    """The recogniser up to the features from which each character is told.

    Takes lines of text, float32 RGB (N, HEIGHT, W, 3) in [0, 1], and gives float32 (N, W // 8, 120). Raises
    ValueError if the installed `rapidocr` has another recogniser.
    """
    return _Graph(*_load(_RECOGNISER, "MatMul", _CLASSES))


def letters() -> Callable[[KerasTensor], KerasTensor]:
    """The recogniser up to the logits of its characters.

    Takes what `recogniser` takes, and gives float32 (N, W // 8, 18,710); the first class says "none". Raises
    ValueError if the installed `rapidocr` has another recogniser.
    """
    return _Graph(*_load(_RECOGNISER, "Softmax"))


def detector() -> Callable[[KerasTensor], KerasTensor]:
    """The detector up to the logit of text, pixel by pixel.

    Takes float32 RGB (N, H, W, 3) in [0, 1], with sides that 32 divides, and gives float32 (N, H, W, 1). RapidOCR
    shows it images whose shorter side is enlarged to 736 pixels. Raises ValueError if the installed `rapidocr` has
    another detector.
    """
    return _Graph(*_load("models/PP-OCRv6_det_small.onnx", "Sigmoid"))


def lines(images: KerasTensor, boxes: KerasTensor, numbers: KerasTensor, width: int) -> KerasTensor:
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
    down, across = (
        _between(boxes[:, first], boxes[:, first + 2], count, size)
        for first, count, size in ((0, HEIGHT, images.shape[1]), (1, width, images.shape[2]))
    )
    rows = ops.einsum("nyh,nhwc->nywc", down, ops.take(images, numbers, axis=0))
    return ops.einsum("nxw,nywc->nyxc", across, rows)


def _between(first: KerasTensor, last: KerasTensor, count: int, size: int) -> KerasTensor:
    """Weights, (N, count, size), that interpolate at `count` places from `first` to `last`, one row each."""
    places = ops.expand_dims(first, 1) + ops.expand_dims(last - first, 1) * np.linspace(0, 1, count, dtype=np.float32)
    return ops.relu(1 - ops.abs(ops.expand_dims(places, 2) - np.arange(size, dtype=np.float32)))


@cache
def _load(name: str, kind: str, outputs: int | None = None) -> tuple:
    """Nodes and constants of a file of RapidOCR, its input, and the input of the last operation of a kind.

    That operation multiplies by a constant with so many `outputs`, if they are given.
    """
    import onnx
    from onnx import numpy_helper

    path = files("rapidocr") / name
    if not path.is_file():
        raise ValueError(f"{path}: expected a network of RapidOCR 3.10, found no file")
    graph = onnx.load(str(path)).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    ends = [node.input[0] for node in graph.node if node.op_type == kind and _outputs(node, values) == outputs]
    if not ends:
        raise ValueError(f"{path}: expected a network of RapidOCR 3.10, found none that ends in {kind} {outputs or ''}")
    return list(graph.node), values, graph.input[0].name, ends[-1]


def _outputs(node, values: dict[str, np.ndarray]) -> int | None:
    """How many numbers a product with a constant gives; None for what is none."""
    return values[node.input[1]].shape[-1] if len(node.input) > 1 and node.input[1] in values else None


class _Graph:
    """Runs a graph of ONNX's operations up to one of its values.

    Images lie in Keras' order of axes (N, H, W, C) until an operation asks for another one. Shapes are known before it
    runs, and are arrays as the constants are.
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
                {a.name: _value(helper.get_attribute_value(a)) for a in node.attribute},
            )
            for node in self._needed(nodes)
        ]
        self.kernels: dict[str, np.ndarray] = {}

    def __call__(self, image: KerasTensor) -> KerasTensor:
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

    def _of(self, name: str) -> KerasTensor | np.ndarray:
        """A value in ONNX's order of axes."""
        if name in self.as_images:
            return ops.transpose(self.known[name], (0, 3, 1, 2))
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
        return np.moveaxis(value, 1, -1) if isinstance(value, np.ndarray) else ops.transpose(value, (0, 2, 3, 1))

    def _one(self, function: Callable, name: str) -> KerasTensor:
        (value,) = self._pair(name)
        return function(value)

    def _identity(self, x):
        return self._one(lambda value: value, x)

    def _relu(self, x):
        return self._one(ops.relu, x)

    def _sigmoid(self, x):
        return self._one(ops.sigmoid, x)

    def _erf(self, x):
        return self._one(ops.erf, x)

    def _sqrt(self, x):
        return self._one(ops.sqrt, x)

    def _hardsigmoid(self, x, alpha, beta):
        return self._one(lambda value: ops.clip(alpha * value + beta, 0.0, 1.0), x)

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
        return ops.square(a) if np.all(b == 2) else a**b

    def _conv(self, x, kernel, strides, group, dilations=(1, 1), kernel_shape=None, pads=None, auto_pad=b"NOTSET"):
        (value,) = self._pair(x)
        if kernel not in self.kernels:
            order = (2, 3, 0, 1) if group > 1 else (2, 3, 1, 0)
            self.kernels[kernel] = np.transpose(self.constants[kernel], order)
        filters = self.kernels[kernel]
        if auto_pad == b"SAME_UPPER":
            padding = "same"
        else:
            top, left, bottom, right = pads
            value = ops.pad(value, ((0, 0), (top, bottom), (left, right), (0, 0))) if any(pads) else value
            padding = "valid"
        if group == 1:
            return ops.conv(value, filters, strides, padding)
        if strides[0] == strides[1]:
            return ops.depthwise_conv(value, filters, strides[0], padding)
        # TensorFlow has no depthwise convolution of two different strides: the rows between are left out.
        return ops.depthwise_conv(value, filters, 1, padding)[:, :: strides[0], :: strides[1]]

    def _batchnormalization(self, x, scale, offset, mean, variance, epsilon, momentum=None):
        (value,) = self._pair(x)
        gain = self.constants[scale] / np.sqrt(self.constants[variance] + epsilon)
        return value * gain + (self.constants[offset] - self.constants[mean] * gain)

    def _maxpool(self, x, kernel_shape, strides, auto_pad=b"NOTSET", ceil_mode=0):
        (value,) = self._pair(x)
        return ops.max_pool(value, kernel_shape, strides, "same")

    def _averagepool(self, x, kernel_shape, strides, pads=None, ceil_mode=0, count_include_pad=0):
        (value,) = self._pair(x)
        return ops.average_pool(value, kernel_shape, strides, "valid")

    def _globalaveragepool(self, x):
        return self._one(lambda value: ops.mean(value, (1, 2), keepdims=True), x)

    def _resize(self, x, region, scales, mode, coordinate_transformation_mode, nearest_mode):
        (value,) = self._pair(x)
        for axis, times in zip((1, 2), self._of(scales)[2:], strict=True):
            value = ops.repeat(value, int(times), axis)
        return value

    def _convtranspose(self, x, kernel, strides, kernel_shape, dilations=(1, 1), group=1, pads=None):
        (value,) = self._pair(x)
        filters = np.transpose(self.constants[kernel], (2, 3, 1, 0))
        return ops.conv_transpose(value, filters, strides, "valid")

    def _reducemean(self, x, axes, keepdims=1):
        (value,) = self._pair(x)
        if x in self.as_images:
            axes = [(0, 3, 1, 2)[axis] for axis in axes]
        return ops.mean(value, axes, keepdims=bool(keepdims))

    def _concat(self, *names, axis):
        values = self._pair(*names)
        return _library(*values).concatenate(values, -1 if self.output in self.as_images else axis)

    def _shape(self, x):
        return np.array(self._of(x).shape)

    def _slice(self, x, starts, ends, axes, steps=None):
        value, (start,), (end,), (axis,) = (self._of(name) for name in (x, starts, ends, axes))
        return value[(*(slice(None),) * int(axis), slice(int(start), int(end)))]

    def _squeeze(self, x, axes):
        value = self._of(x)
        return _library(value).squeeze(value, axes)

    def _unsqueeze(self, x, axes):
        (axis,) = axes
        value = self._of(x)
        return _library(value).expand_dims(value, axis)

    def _reshape(self, x, shape):
        value, sides = self._of(x), self._of(shape)
        sides = [int(side) or value.shape[axis] for axis, side in enumerate(sides)]  # 0 keeps a side
        return _library(value).reshape(value, sides)

    def _transpose(self, x, perm):
        return ops.transpose(self._of(x), perm)

    def _matmul(self, a, b):
        return ops.matmul(self._of(a), self._of(b))

    def _softmax(self, x, axis):
        return ops.softmax(self._of(x), axis)


def _value(attribute):
    """An attribute of an ONNX node; lists as tuples, which Keras asks for."""
    return tuple(attribute) if isinstance(attribute, list) else attribute


def _library(*values):
    """What computes with values: NumPy with what is known before the graph runs, such as shapes, else Keras."""
    return np if all(isinstance(value, np.ndarray) for value in values) else ops
