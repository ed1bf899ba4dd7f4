"""MDSR: one EDSR for several scales, with a start and an end for each.

B. Lim, S. Son, H. Kim, S. Nah, K. M. Lee, "Enhanced Deep Residual Networks for Single Image Super-Resolution",
CVPRW 2017, arXiv:1707.02921.
"""

from collections.abc import Sequence

import keras
from keras import layers

from srcnn_lib.models.blocks import Tensor, at_scale, conv, enlarged, residual_block


def build(
    *,
    scale: int | Sequence[int] = (2, 3, 4),
    channels: int = 3,
    width: int = 64,
    blocks: int = 80,
    name: str = "mdsr",
) -> keras.Model:
    """Build MDSR: 7,953,987 parameters for scales 2, 3 and 4 together (published: 7.95 M; with 16 blocks 3.23 M).

    For several scales the model has as many inputs and outputs, in their order; for one it has only that scale's parts,
    and scale 1 enhances at the same size. Shapes as for `espcn.build`.
    """
    first = layers.Conv2D(width, 3, padding="same", name="head")
    last = layers.Conv2D(channels, 3, padding="same", name="tail")
    features = body = keras.Input((None, None, width), name="features")
    for number in range(1, blocks + 1):
        body = residual_block(body, width, name=f"block_{number}")
    shared = keras.Model(features, conv(body, width, name="last"), name="body")

    def network(x: Tensor, factor: int) -> Tensor:
        x = first(x)
        for number in (1, 2):
            x = residual_block(x, width, kernel=5, name=f"x{factor}_block_{number}")
        x = layers.Add(name=f"x{factor}_body")([x, shared(x)])
        return last(enlarged(x, width, factor, name=f"x{factor}_enlarge"))

    if isinstance(scale, int):
        return at_scale(network, scale, channels, name)
    images = [keras.Input((None, None, channels), name=f"low_x{factor}") for factor in scale]
    return keras.Model(images, [network(*each) for each in zip(images, scale, strict=True)], name=name)
