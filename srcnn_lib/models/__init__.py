"""The networks: one file an architecture, one registry.

`NAMES` lists what `build` knows. An architecture's file is imported when it is built, so that
listing the names costs nothing.
"""

import math
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

# name -> (module, arguments of its `build`)
_REGISTRY = {
    "srcnn-9-1-5": ("srcnn", {"kernels": (9, 1, 5)}),
    "srcnn-9-3-5": ("srcnn", {"kernels": (9, 3, 5)}),
    "srcnn-9-5-5": ("srcnn", {"kernels": (9, 5, 5)}),
    "srcnn-9-1-1-5": ("srcnn", {"kernels": (9, 1, 1, 5), "filters": (64, 32, 16)}),
    "srcnn-9-3-1-5": ("srcnn", {"kernels": (9, 3, 1, 5), "filters": (64, 32, 16)}),
    "srcnn-9-5-1-5": ("srcnn", {"kernels": (9, 5, 1, 5), "filters": (64, 32, 16)}),
    "house": ("house", {"width": 60, "blocks": 4}),
    "house-65k": ("house", {"width": 112, "blocks": 4}),
    "house-large": ("house_large", {}),
}

NAMES = tuple(_REGISTRY)

LIGHT = {
    "espcn-light": ("espcn", {"features": 96, "maps": 48}),
    "fsrcnn-light": ("fsrcnn", {"width": 96, "thin": 24}),
    "vdsr-light": ("vdsr", {"width": 16, "depth": 10}),
    "drrn-light": ("drrn", {"width": 16, "units": 4}),
    "lapsrn-light": ("lapsrn", {"width": 26}),
    "srresnet-light": ("srresnet", {"width": 16, "blocks": 8}),
    "edsr-light": ("edsr", {"width": 24, "blocks": 4}),
    "mdsr-light": ("mdsr", {"scale": 1, "width": 16, "blocks": 8}),
    "rcan-light": ("rcan", {"width": 20, "groups": 2, "blocks": 3, "reduction": 4}),
    "san-light": ("san", {"width": 20, "groups": 3, "blocks": 2, "reduction": 4, "non_local": False}),
    "wran-light": ("wran", {"width": 28, "blocks": 5}),
    "nafnet-light": ("nafnet", {"width": 16, "encoders": (1, 1, 3), "decoders": (1, 1, 1)}),
    "span-light": ("span", {"width": 20}),
}
"""One network of each family, as `_REGISTRY`, that enhances at the same size for 18,000 to 20,000 multiply-adds per
pixel, as many as SRCNN's. Each keeps what makes its family; depth and width are what had to give."""


class Published(NamedTuple):
    """A network at its authors' size."""

    module: str
    arguments: dict
    parameters: str
    """As published."""
    source: str
    """Where that is said."""


PUBLISHED = {
    "SRCNN 9-1-5, one channel": Published(
        "srcnn", {"channels": 1, "last_activation": None}, "8,032 weights", "arXiv:1501.00092"
    ),
    "ESPCN ×2, one channel": Published("espcn", {"scale": 2, "channels": 1}, "21 k", "surveys"),
    "FSRCNN ×3, one channel": Published("fsrcnn", {"scale": 3, "channels": 1}, "12 k weights", "arXiv:1608.00367"),
    "VDSR, one channel": Published("vdsr", {"channels": 1}, "665 k", "doi:10.1109/CVPR.2017.298"),
    "DRRN B1U25, one channel": Published("drrn", {"channels": 1}, "297 k", "doi:10.1109/CVPR.2017.298"),
    "LapSRN ×4, one channel": Published("lapsrn", {"scale": 4, "channels": 1}, "0.81 M", "surveys"),
    "SRResNet ×4": Published("srresnet", {"scale": 4}, "1.55 M", "public versions"),
    "EDSR baseline ×2": Published("edsr", {"scale": 2}, "1.37 M", "the authors' code"),
    "EDSR ×2": Published(
        "edsr", {"scale": 2, "width": 256, "blocks": 32, "scaling": 0.1}, "40.7 M", "the authors' code"
    ),
    "MDSR ×2, ×3, ×4": Published("mdsr", {}, "7.95 M", "the authors' code"),
    "RCAN ×4": Published("rcan", {"scale": 4}, "15.6 M", "arXiv:2108.10257"),
    "SAN ×2": Published("san", {"scale": 2}, "15.7 M", "arXiv:2108.10257"),
    "WRAN ×2": Published("wran", {"scale": 2}, "not published", "–"),
    "NAFNet, width 32": Published("nafnet", {}, "17,111,907", "the authors' code"),
    "SPAN ×4": Published("span", {"scale": 4}, "0.151 M", "NTIRE 2024 challenge"),
}
"""Networks of the literature, built by `build_published`."""

_SIDE = 96  # pixels; the factors of all networks divide it


def build_published(name: str, **changes) -> "keras.Model":
    """Build one of `PUBLISHED`, untrained; `changes` override its arguments (scale 1 enhances at the same size)."""
    if name not in PUBLISHED:
        raise ValueError(f"unknown network {name!r}; the known ones are {', '.join(PUBLISHED)}")
    published = PUBLISHED[name]
    return import_module(f"{__name__}.{published.module}").build(**(published.arguments | changes))


def build(name: str, **changes) -> "keras.Model":
    """Build an untrained network of `NAMES` or `LIGHT`; `changes` override its arguments.

    Raises ValueError, listing the known names, for an unknown one.
    """
    known = _REGISTRY | LIGHT
    if name not in known:
        raise ValueError(f"unknown model {name!r}; the known ones are {', '.join(known)}")
    module, arguments = known[name]
    return import_module(f"{__name__}.{module}").build(name=name, **(arguments | changes))


def cost(network: "keras.Model") -> dict[str, int]:
    """Parameters, multiply-adds per pixel of the output, and receptive field in pixels of a convolutional network.

    The receptive field is the side of the square of input pixels that one output pixel depends on, at the
    most where it depends on the pixel's place (as after an unshuffle).
    """
    return {
        "parameters": network.count_params(),
        "multiply-adds per pixel": multiply_adds(network),
        "receptive field": _receptive_field(network),
    }


def counts(network: "keras.Model") -> dict[str, int]:
    """How many parameters a network has, how many of them are weights of filters, and how many are not trained."""
    return {
        "parameters, built": network.count_params(),
        "weights alone": sum(math.prod(weight.shape) for weight in network.weights if weight.name == "kernel"),
        "not trained": sum(math.prod(weight.shape) for weight in network.non_trainable_weights),
    }


def multiply_adds(network: "keras.Model") -> int:
    """Per pixel of the output, of all convolutions and matrix products (biases and sums are not counted).

    Counted as TensorFlow runs them, layers that are used again each time, far from the border: where a convolution is
    not padded, what it computes beyond the output's own pixels is left out. What is done once for a whole image, as in
    attention, is shared by the pixels of a square of 96, a side that all factors divide.
    """
    small, large = (_operations(network, side) for side in (_SIDE, 2 * _SIDE))
    shapes = (network.compute_output_shape((1, side, side, network.input_shape[-1])) for side in (_SIDE, 2 * _SIDE))
    (_, height, width, _), (_, larger_height, larger_width, _) = shapes
    pixels = (larger_height - height) * (larger_width - width)
    return round(sum(map(_multiply_adds_of, small, large)) / pixels)


def _operations(network: "keras.Model", side: int) -> list["tf.Operation"]:
    """What TensorFlow runs for an image of so many pixels a side, in its order."""
    import tensorflow as tf

    image = tf.TensorSpec((1, side, side, network.input_shape[-1]))
    return tf.function(network).get_concrete_function(image).graph.get_operations()


def _multiply_adds_of(operation: "tf.Operation", larger: "tf.Operation") -> int:
    """Of one operation on a square of `_SIDE` pixels without its border, which the same on the double side tells."""
    if operation.type == "BatchMatMulV2":
        rows = operation.outputs[0].shape.num_elements()
        return rows * operation.inputs[0].shape[-2 if operation.get_attr("adj_x") else -1]
    if operation.type not in ("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput"):
        return 0
    # A transposed convolution spreads every place of its input; the others gather for every place of their output.
    places, more = (
        each.inputs[2] if each.type == "Conv2DBackpropInput" else each.outputs[0] for each in (operation, larger)
    )
    rows, columns = (more.shape[axis] - places.shape[axis] or places.shape[axis] for axis in (1, 2))
    return operation.inputs[1].shape.num_elements() * rows * columns


def _receptive_field(network: "keras.Model") -> int:
    """Found by changing an image from one column on, with weights that let nothing cancel; at most 1023.

    Kernels are square, so that one row of the image tells it all. What is seen through a mean of the whole image or
    through a normalisation over channels (NAFNet's) is not found. For networks that do not enlarge, and that gather
    squares of 8 pixels at most.
    """
    for reach in (16, 256, 512):  # most networks do not see far, and small images are soon looked through
        left, right = (_sight(network, reach, direction) for direction in (-1, 1))
        widest = int((left + right).max())
        if max(left.max(), right.max()) < reach - 1:
            break
    return widest + 1


def _sight(network: "keras.Model", reach: int, direction: int) -> "np.ndarray":
    """How many pixels to the left (-1) or right (1) each of eight neighbouring pixels of the output depends on.

    After unshuffles by 8 there are eight kinds of places. Counted up to `reach` - 1; all are that where one is.
    """
    import keras
    import numpy as np

    copy = keras.models.clone_model(network)
    copy.set_weights([np.full(weight.shape, _let_through(weight)) for weight in copy.weights])
    height, width = 16, 2 * reach + 16  # whole cells
    border = (height - copy.compute_output_shape((1, height, width, network.input_shape[-1]))[1]) // 2
    places = np.arange(reach, reach + 8)[::direction]

    def seen(column: int) -> "np.ndarray":
        """Which places see that the image changes from a column on, away from them."""
        beyond = (np.arange(width) - column) * direction >= 0
        row = np.where(beyond, np.float32(1e12), np.float32(0))[None, None, :, None]
        image = np.broadcast_to(row, (1, height, width, network.input_shape[-1]))
        both = np.concatenate([image, -image])  # so that one of them is not cut off by a ReLU
        answers = np.asarray(copy(both, training=False))[:, height // 2 - border, places - border]
        return (answers != 0).any(axis=(0, -1))

    first = places[0]
    if seen(first + direction * (reach - 1))[0]:
        return np.full(len(places), reach - 1)
    inside, outside = 0, reach - 1
    while outside - inside > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if seen(first + direction * middle)[0] else (inside, middle)
    # What lies further on sees as far or further, and eight pixels on, eight pixels further.
    furthest = [seen(first + direction * (inside + further)) for further in range(9)]
    return np.minimum(inside + np.sum(furthest, axis=0) - 1 - np.arange(len(places)), reach - 1)[::direction]


def _let_through(weight: "keras.Variable") -> float:
    """A value with which a weight hands on what reaches it: kernels add, biases are silent, factors change nothing."""
    if len(weight.shape) > 1:
        return 1 / 9
    return float(weight.name in ("factor", "gamma", "moving_variance"))


def layers(network: "keras.Model") -> pd.DataFrame:
    """One row a convolution: layer, type, output channels, kernel, activation, parameters."""
    rows = []
    for layer in network.layers:
        if not hasattr(layer, "kernel_size"):
            continue
        rows.append(
            {
                "layer": layer.name,
                "type": type(layer).__name__,
                "output channels": layer.output.shape[-1],
                "kernel": "×".join(map(str, layer.kernel_size)),
                "activation": layer.activation.__name__,
                "parameters": layer.count_params(),
            }
        )
    return pd.DataFrame(rows)


def sizes(name: str, side: int) -> pd.DataFrame:
    """How an image of `side` pixels shrinks, layer by layer, without padding: by the formula and as Keras builds it.

    For SRCNN's kind, a chain of convolutions. One row a layer: layer, kernel, "padding that keeps the size",
    "same, Keras", "valid, formula", "valid, Keras".
    """
    import keras

    def built(padding: str) -> list[int]:
        network = build(name, padding=padding)
        inner = keras.Model(network.inputs, [layer.output for layer in network.layers[1:]])
        return [shape[1] for shape in inner.compute_output_shape((1, side, side, network.input_shape[-1]))]

    rows, expected = [], side
    for layer, same, valid in zip(build(name).layers[1:], built("same"), built("valid"), strict=True):
        kernel = layer.kernel_size[0]
        expected = expected - (kernel - 1)
        rows.append(
            {
                "layer": layer.name,
                "kernel": kernel,
                "padding that keeps the size": (kernel - 1) // 2,
                "same, Keras": same,
                "valid, formula": expected,
                "valid, Keras": valid,
            }
        )
    return pd.DataFrame(rows)
