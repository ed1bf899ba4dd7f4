"""EDSR: residual blocks without normalisation, many and wide.

B. Lim, S. Son, H. Kim, S. Nah, K. M. Lee, "Enhanced Deep Residual Networks for Single Image Super-Resolution",
CVPRW 2017, arXiv:1707.02921.
"""

import keras
from keras import layers

from srcnn_lib.models.blocks import Tensor, at_scale, conv, enlarged, residual_block


def build(
    *,
    scale: int = 1,
    channels: int = 3,
    width: int = 64,
    blocks: int = 16,
    scaling: float = 1.0,
    name: str = "edsr",
) -> keras.Model:
    """Build EDSR. The defaults are its baseline: 1,369,859 parameters at scale 2, 1,517,571 at 4.

    The full one has `width=256, blocks=32, scaling=0.1`: 40,729,603 at scale 2, 43,089,923 at 4. The authors subtract
    the mean colour of their training set, which has no trained parameters and is left out. Shapes as for `espcn.build`.
    """

    def network(x: Tensor, factor: int) -> Tensor:
        start = x = conv(x, width, name="head")
        for number in range(1, blocks + 1):
            x = residual_block(x, width, scaling=scaling, name=f"block_{number}")
        x = layers.Add(name="body")([start, conv(x, width, name="last")])
        return conv(enlarged(x, width, factor, name="enlarge"), channels, name="tail")

    return at_scale(network, scale, channels, name)
