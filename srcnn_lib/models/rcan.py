"""RCAN: residual groups of residual blocks, whose channels weigh themselves.

Y. Zhang et al., "Image Super-Resolution Using Very Deep Residual Channel Attention Networks", ECCV 2018,
arXiv:1807.02758.
"""

import keras
from keras import layers

from srcnn_lib.models.blocks import Tensor, at_scale, channel_attention, conv, enlarged


def build(
    *,
    scale: int = 1,
    channels: int = 3,
    width: int = 64,
    groups: int = 10,
    blocks: int = 20,
    reduction: int = 16,
    name: str = "rcan",
) -> keras.Model:
    """Build RCAN: 15,592,355 parameters at scale 4 (published: 15.6 M). Shapes as for `espcn.build`."""

    def network(x: Tensor, factor: int) -> Tensor:
        start = x = conv(x, width, name="head")
        for group in range(1, groups + 1):
            before = x
            for number in range(1, blocks + 1):
                part = f"group_{group}_block_{number}"
                inner = conv(x, width, activation="relu", name=f"{part}_in")
                inner = conv(inner, width, name=f"{part}_out")
                inner = channel_attention(inner, width, reduction=reduction, name=f"{part}_attention")
                x = layers.Add(name=part)([x, inner])
            x = layers.Add(name=f"group_{group}")([before, conv(x, width, name=f"group_{group}_last")])
        x = layers.Add(name="body")([start, conv(x, width, name="last")])
        return conv(enlarged(x, width, factor, name="enlarge"), channels, name="tail")

    return at_scale(network, scale, channels, name)
