"""SRResNet, the generator of SRGAN: residual blocks with batch normalisation.

C. Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", CVPR 2017,
arXiv:1609.04802.
"""

import keras
from keras import layers

from srcnn_lib.models.blocks import Tensor, at_scale, conv, enlarged


def build(
    *, scale: int = 1, channels: int = 3, width: int = 64, blocks: int = 16, name: str = "srresnet"
) -> keras.Model:
    """Build SRResNet: 1,547,350 trainable parameters at scale 4 (published: 1.55 M).

    Convolutions before a normalisation have no bias, and each PReLU has one slope. Shapes as for `espcn.build`.
    """

    def prelu(x: Tensor, part: str) -> Tensor:
        return layers.PReLU(shared_axes=(1, 2, 3), name=f"{part}_prelu")(x)

    def normalised(x: Tensor, part: str) -> Tensor:
        return layers.BatchNormalization(momentum=0.9, name=f"{part}_norm")(conv(x, width, use_bias=False, name=part))

    def network(x: Tensor, factor: int) -> Tensor:
        start = x = prelu(conv(x, width, 9, name="head"), "head")
        for number in range(1, blocks + 1):
            inner = prelu(normalised(x, f"block_{number}_in"), f"block_{number}")
            x = layers.Add(name=f"block_{number}")([x, normalised(inner, f"block_{number}_out")])
        x = layers.Add(name="body")([start, normalised(x, "last")])
        x = enlarged(x, width, factor, name="enlarge", after=prelu)
        return conv(x, channels, 9, name="tail")

    return at_scale(network, scale, channels, name)
