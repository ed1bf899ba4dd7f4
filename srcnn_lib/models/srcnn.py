"""SRCNN: three convolutions, the first network for super-resolution.

C. Dong, C. C. Loy, K. He, X. Tang, "Image Super-Resolution Using Deep Convolutional Networks",
IEEE TPAMI 38(2), 2016, doi:10.1109/TPAMI.2015.2439281, arXiv:1501.00092.
"""

from typing import Literal

import keras
import numpy as np
from keras import layers


def build(
    *,
    kernels: tuple[int, ...] = (9, 1, 5),
    filters: tuple[int, ...] = (64, 32),
    channels: int = 3,
    activation: str = "relu",
    last_activation: str | None = "relu",
    padding: Literal["same", "valid"] = "same",
    start: Literal["random", "identity"] = "random",
    name: str = "srcnn",
) -> keras.Model:
    """Build SRCNN as the original report did: same-size output, ReLU on every layer.

    With the default arguments it has 20,099 parameters. The paper itself works on one channel and
    has no activation after the last layer (`channels=1, last_activation=None`: 8,129 parameters,
    8,032 of them weights).

    Parameters
    ----------
    kernels
        Side of the square filters of each layer, in pixels.
    filters
        Number of filters of each layer but the last, which has `channels`.
    channels
        Colour channels of input and output.
    activation
        Activation between the layers, by Keras' name.
    last_activation
        Activation after the last layer; None leaves it linear.
    padding
        "same" surrounds each layer's input with zeros, so that its size stays; "valid" does not, as in the
        paper, and the output is smaller than the input by the sum of all (kernel - 1).
    start
        First weights: "random" as Keras draws them, or "identity", with which the untrained network gives back
        its input, give or take a hundredth. Without a connection around it, a network spends most of a
        short training on learning just that.

    Input shape
        (batch, H, W, channels), float32 in [0, 1]; any H and W.
    Output shape
        The same; values are at least 0 with the final ReLU, and not bounded above.
    """
    if len(filters) != len(kernels) - 1:
        raise ValueError(
            f"expected one filter count for each layer but the last, received kernels={kernels} and filters={filters}"
        )
    inputs = keras.Input((None, None, channels), name="low")
    x = inputs
    for number, (kernel, width) in enumerate(zip(kernels, filters, strict=False), start=1):
        x = layers.Conv2D(width, kernel, padding=padding, activation=activation, name=f"conv_{number}")(x)
    outputs = layers.Conv2D(
        channels, kernels[-1], padding=padding, activation=last_activation, name=f"conv_{len(kernels)}"
    )(x)
    network = keras.Model(inputs, outputs, name=name)
    if start == "identity":
        _pass_through(network, channels)
    return network


def _pass_through(network: keras.Model, channels: int) -> None:
    """Let the first filters of each layer hand on the image itself, and the others begin without a say."""
    *inner, last = network.layers[1:]
    last.kernel.assign(1e-3 * keras.random.normal(last.kernel.shape))
    for layer in (*inner, last):
        kernel = np.array(layer.kernel)
        if layer is inner[0]:
            kernel -= kernel.mean(axis=(0, 1, 2))  # images are positive: a filter of negative sum would never answer
        kernel[..., :channels] *= layer is last  # keeps what the last layer was just given
        middle = kernel.shape[0] // 2
        for channel in range(channels):
            kernel[middle, middle, channel, channel] += 1
        layer.kernel.assign(kernel)
