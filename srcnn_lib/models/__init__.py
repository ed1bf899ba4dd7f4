"""The networks: one file an architecture, one registry.

`NAMES` lists what `build` knows. An architecture's file is imported when it is built, so that
listing the names costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import keras

# name -> (module, arguments of its `build`)
_REGISTRY = {
    "srcnn-9-1-5": ("srcnn", {"kernels": (9, 1, 5)}),
    "srcnn-9-3-5": ("srcnn", {"kernels": (9, 3, 5)}),
    "srcnn-9-5-5": ("srcnn", {"kernels": (9, 5, 5)}),
    "srcnn-9-1-1-5": ("srcnn", {"kernels": (9, 1, 1, 5), "filters": (64, 32, 16)}),
    "srcnn-9-3-1-5": ("srcnn", {"kernels": (9, 3, 1, 5), "filters": (64, 32, 16)}),
    "srcnn-9-5-1-5": ("srcnn", {"kernels": (9, 5, 1, 5), "filters": (64, 32, 16)}),
    "house": ("house", {"width": 24, "blocks": 7}),
    "house-65k": ("house", {"width": 48, "blocks": 6}),
}

NAMES = tuple(_REGISTRY)


def build(name: str, **changes) -> "keras.Model":
    """Build an untrained network by its registered name; `changes` override its arguments.

    Raises ValueError, listing the known names, for an unknown one.
    """
    if name not in _REGISTRY:
        raise ValueError(f"unknown model {name!r}; the known ones are {', '.join(NAMES)}")
    module, arguments = _REGISTRY[name]
    return import_module(f"{__name__}.{module}").build(name=name, **(arguments | changes))


def cost(network: "keras.Model") -> dict[str, int]:
    """Parameters, multiply-adds per pixel of the input, and receptive field in pixels of a convolutional network.

    The receptive field is the side of the square of input pixels that one output pixel depends on, at the
    most where it depends on the pixel's place (as after an unshuffle).
    """
    return {
        "parameters": network.count_params(),
        "multiply-adds per pixel": _multiply_adds(network),
        "receptive field": _receptive_field(network),
    }


def _multiply_adds(network: "keras.Model") -> int:
    """Of all convolutions (biases and sums are not counted), on an image whose sides all factors divide."""
    import keras

    side = 96
    convolutions = [layer for layer in network.layers if hasattr(layer, "kernel_size")]
    inner = keras.Model(network.inputs, [layer.output for layer in convolutions])
    shapes = inner.compute_output_shape((1, side, side, network.input_shape[-1]))
    total = sum(
        layer.kernel.shape.num_elements() * shape[1] * shape[2]
        for layer, shape in zip(convolutions, shapes, strict=True)
    )
    return round(total / side**2)


def _receptive_field(network: "keras.Model", reach: int = 192) -> int:
    """Found by asking which input pixels have a gradient, with weights that let nothing cancel."""
    import keras
    import numpy as np
    import tensorflow as tf

    copy = keras.models.clone_model(network)
    copy.set_weights([np.full(weight.shape, weight.shape[-1] / weight.shape.num_elements()) for weight in copy.weights])
    image = tf.ones((1, 2 * reach, 2 * reach, network.input_shape[-1]))
    widest = 0
    for place in range(reach, reach + 4):  # after an unshuffle by 4, there are four kinds of places
        with tf.GradientTape() as tape:
            tape.watch(image)
            output = copy(image, training=False)
            border = (2 * reach - output.shape[1]) // 2  # of networks without padding
            value = tf.reduce_sum(output[0, place - border, place - border])
        columns = np.flatnonzero(np.abs(tape.gradient(value, image).numpy()).sum(axis=(0, 1, 3)))
        widest = max(widest, int(columns.max() - columns.min()) + 1)
    return widest


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
