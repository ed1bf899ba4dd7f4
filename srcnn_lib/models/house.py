"""The house model: a small residual network that sees far for what it costs.

Light and haze are corrected first, by a gain and an offset for each colour that change slowly over the image.
What is left is a matter of detail: working on pixels unshuffled into channels (ESPCN, arXiv:1609.05158, the
other way round) makes a wide view cheap; residual blocks without normalisation are EDSR's (arXiv:1707.02921); and
the connection around the whole network (VDSR, arXiv:1511.04587) leaves it only the difference to learn.
"""

import keras
from keras import layers

from srcnn_lib.models import nafnet, span
from srcnn_lib.models.blocks import PixelShuffle, PixelUnshuffle, Relight, Spread, conv

_CELL = 8  # pixels
_WINDOW, _SMOOTH = 33, 9  # cells that light is judged by, and that its correction is smoothed over


def build(
    *,
    width: int = 60,
    blocks: int = 4,
    factor: int = 4,
    dilation: int = 1,
    kind: str = "residual",
    light: int = 32,
    channels: int = 3,
    name: str = "house",
) -> keras.Model:
    """Build the house model. Untrained, it gives back its input.

    Parameters
    ----------
    width
        Channels of the features.
    blocks
        Blocks, such as residual ones of two 3×3 convolutions each.
    factor
        Side in pixels of the squares that the unshuffle moves into channels.
    dilation
        Of the first convolution of each residual block.
    kind
        Of the blocks: "residual", or those of "SPAN", or those of "NAFNet" without its attention to the whole image.
    light
        Channels of the part that corrects light and haze; 0 leaves it out.
    channels
        Colour channels of input and output.

    Input shape
        (batch, H, W, channels), float32 in [0, 1]; any H and W.
    Output shape
        The same; values are not bounded.
    """
    image = keras.Input((None, None, channels), name="low")
    lit = relit(image, light) if light else image
    features = PixelUnshuffle(factor, name="unshuffle")(lit)
    features = layers.Conv2D(width, 3, padding="same", name="head")(features)
    for number in range(1, blocks + 1):
        features = _block(features, width, dilation, kind, name=f"block_{number}")
    difference = layers.Conv2D(channels * factor**2, 3, padding="same", kernel_initializer="zeros", name="tail")(
        features
    )
    difference = PixelShuffle(factor, name="shuffle")(difference, image)
    return keras.Model(image, layers.Add(name="enhanced")([lit, difference]), name=name)


def _block(x: keras.KerasTensor, width: int, dilation: int, kind: str, *, name: str) -> keras.KerasTensor:
    if kind == "SPAN":
        return span.block(x, width, name=name)[0]
    if kind == "NAFNet":
        return nafnet.block(x, width, attention=False, name=name)
    if kind != "residual":
        raise ValueError(f"kind: expected residual, SPAN or NAFNet, received {kind!r}")
    inner = conv(x, width, dilation_rate=dilation, activation="relu", name=f"{name}_in")
    inner = conv(inner, width, name=f"{name}_out")
    return layers.Add(name=name)([x, inner])


def relit(image: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """The image with light and haze corrected, by extremes, mean and spread of the values in a wide window.

    The darkest shows the veil (K. He et al., CVPR 2009, doi:10.1109/CVPR.2009.5206515), the spread what is left of the
    contrast. Nothing else is looked at: given the local colours, too, the network learns the designs of its training
    cards by heart.
    """
    window = {"pool_size": _WINDOW, "strides": 1, "padding": "same"}
    half = layers.AveragePooling2D(_CELL // 2, padding="same", name="half_cells")(image)  # small, to see thin strokes
    negative = layers.Rescaling(-1.0, name="negative")(half)
    extremes = [
        layers.MaxPooling2D(**window, name=f"{name}_round")(layers.MaxPooling2D(2, padding="same", name=name)(values))
        for name, values in (("brightest", half), ("least_negative", negative))
    ]
    usual = layers.AveragePooling2D(_CELL, padding="same", name="cells")(image)
    usual = layers.AveragePooling2D(**window, name="usual")(usual)
    spread = Spread(_CELL, _WINDOW, name="spread")(image)
    seen = layers.Concatenate(name="statistics")([*extremes, usual, spread])
    seen = layers.Rescaling(4.0, -1.0, name="scaled")(seen)
    for number in (1, 2):
        seen = layers.Conv2D(width, 1, activation="relu", name=f"light_{number}")(seen)
    fields = layers.Conv2D(2 * image.shape[-1], 1, kernel_initializer="zeros", name="light_fields")(seen)
    fields = layers.AveragePooling2D(_SMOOTH, 1, padding="same", name="light_smooth")(fields)
    return Relight(_CELL, name="relight")(image, fields)
