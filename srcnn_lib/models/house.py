"""The house model: a small residual network that sees far for what it costs.

Working on pixels unshuffled into channels (ESPCN, arXiv:1609.05158, the other way round) makes a wide view
cheap; residual blocks without normalisation are EDSR's (arXiv:1707.02921); and the connection around the
whole network (VDSR, arXiv:1511.04587) leaves it only the difference to learn.
"""

import keras
from keras import layers

from srcnn_lib.models.blocks import PixelShuffle, PixelUnshuffle


def build(*, width: int = 24, blocks: int = 7, factor: int = 2, channels: int = 3, name: str = "house") -> keras.Model:
    """Build the house model. Untrained, it gives back its input.

    Parameters
    ----------
    width
        Channels of the features.
    blocks
        Residual blocks of two 3×3 convolutions each.
    factor
        Side in pixels of the squares that the unshuffle moves into channels.
    channels
        Colour channels of input and output.

    Input shape
        (batch, H, W, channels), float32 in [0, 1]; any H and W.
    Output shape
        The same; values are not bounded.
    """
    image = keras.Input((None, None, channels), name="low")
    features = PixelUnshuffle(factor, name="unshuffle")(image)
    features = layers.Conv2D(width, 3, padding="same", name="head")(features)
    for number in range(1, blocks + 1):
        inner = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"block_{number}_in")(features)
        inner = layers.Conv2D(width, 3, padding="same", name=f"block_{number}_out")(inner)
        features = layers.Add(name=f"block_{number}")([features, inner])
    difference = layers.Conv2D(channels * factor**2, 3, padding="same", kernel_initializer="zeros", name="tail")(
        features
    )
    difference = PixelShuffle(factor, name="shuffle")(difference, image)
    return keras.Model(image, layers.Add(name="enhanced")([image, difference]), name=name)
