"""SAN: channels weighed by how they vary together, not by their means.

T. Dai, J. Cai, Y. Zhang, S.-T. Xia, L. Zhang, "Second-order Attention Network for Single Image Super-Resolution",
CVPR 2019, doi:10.1109/CVPR.2019.01132.
"""

import keras
from keras import layers

from srcnn_lib.models.blocks import (
    NonLocal,
    SecondOrderPooling,
    SharedFactor,
    Tensor,
    at_scale,
    conv,
    enlarged,
    residual_block,
)


def build(
    *,
    scale: int = 1,
    channels: int = 3,
    width: int = 64,
    groups: int = 20,
    blocks: int = 10,
    reduction: int = 16,
    non_local: bool = True,
    name: str = "san",
) -> keras.Model:
    """Build SAN: 15,674,732 parameters at scale 2 (published: 15.7 M).

    As in the authors' code, attention between places works on each quarter of the image by itself, and covariances are
    taken over the whole of it. That attention needs memory for the square of a quarter's area, several gigabytes on a
    whole card; `non_local=False` leaves it out. Shapes as for `espcn.build`; sides of at least 2 pixels, 4 at scale 1.
    """

    def second_order_attention(x: Tensor, part: str) -> Tensor:
        seen = SecondOrderPooling(name=f"{part}_covariance")(x)
        seen = conv(seen, width // reduction, 1, activation="relu", name=f"{part}_squeeze")
        weights = conv(seen, width, 1, activation="sigmoid", name=f"{part}_excite")
        return layers.Multiply(name=part)([x, weights])

    def network(x: Tensor, factor: int) -> Tensor:
        everywhere = NonLocal(width // 8, name="non_local") if non_local else layers.Identity(name="local")
        head = conv(x, width, name="head")
        start = x = everywhere(head)
        share = SharedFactor(name="share")(start)
        for group in range(1, groups + 1):
            before = x
            for number in range(1, blocks + 1):
                x = residual_block(x, width, name=f"group_{group}_block_{number}")
            x = second_order_attention(x, f"group_{group}_attention")
            x = layers.Add(name=f"group_{group}")([before, conv(x, width, name=f"group_{group}_last"), share])
        x = layers.Add(name="body")([everywhere(x), head])
        return conv(enlarged(x, width, factor, name="enlarge"), channels, name="tail")

    return at_scale(network, scale, channels, name)
