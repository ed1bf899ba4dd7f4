"""VDSR: twenty equal layers that learn the difference from the enlarged image.

J. Kim, J. K. Lee, K. M. Lee, "Accurate Image Super-Resolution Using Very Deep Convolutional Networks", CVPR 2016,
arXiv:1511.04587.
"""

import keras
from keras import layers

from srcnn_lib.models.blocks import conv


def build(*, channels: int = 3, width: int = 64, depth: int = 20, name: str = "vdsr") -> keras.Model:
    """Build VDSR: 664,704 parameters on one channel (published: 665 k); layers have no bias.

    It enhances at any scale: for super-resolution, the image is enlarged first.

    Input shape
        (batch, H, W, channels), float32 in [0, 1].
    Output shape
        The same; not bounded.
    """
    image = keras.Input((None, None, channels), name="low")
    x = image
    for number in range(1, depth):
        x = conv(x, width, activation="relu", use_bias=False, name=f"conv_{number}")
    difference = conv(x, channels, use_bias=False, name=f"conv_{depth}")
    return keras.Model(image, layers.Add(name="enhanced")([image, difference]), name=name)
