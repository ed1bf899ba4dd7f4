"""ESPCN: all work at the small size, pixels shuffled apart at the end.

W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
Network", CVPR 2016, arXiv:1609.05158.
"""

import keras

from srcnn_lib.models.blocks import DepthToSpace, Tensor, at_scale, conv


def build(*, scale: int = 1, channels: int = 3, features: int = 64, maps: int = 32, name: str = "espcn") -> keras.Model:
    """Build ESPCN: 21,284 parameters at scale 2 on one channel (surveys give 21 k).

    Input shape
        (batch, H, W, channels), float32 in [0, 1].
    Output shape
        (batch, scale·H, scale·W, channels), not bounded.
    """

    def network(x: Tensor, factor: int) -> Tensor:
        x = conv(x, features, 5, activation="tanh", name="features")
        x = conv(x, maps, activation="tanh", name="mapping")
        return DepthToSpace(factor, name="shuffle")(conv(x, channels * factor**2, name="subpixels"))

    return at_scale(network, scale, channels, name)
