"""LapSRN: enlarges step by step, by 2 each time, and adds the detail of every step.

W.-S. Lai, J.-B. Huang, N. Ahuja, M.-H. Yang, "Deep Laplacian Pyramid Networks for Fast and Accurate Super-Resolution",
CVPR 2017, arXiv:1704.03915.
"""

import keras
from keras import layers

from srcnn_lib.models.blocks import Tensor, at_scale, conv


def build(*, scale: int = 1, channels: int = 3, width: int = 64, depth: int = 10, name: str = "lapsrn") -> keras.Model:
    """Build LapSRN for scale 2, 4 or 8 (or 1): 870,112 weights at scale 4 on one channel.

    The published 0.81 M is 7 % less: how its authors count is not known here. Shapes as for `espcn.build`.
    """
    if scale not in (1, 2, 4, 8):
        raise ValueError(f"scale: expected 1, 2, 4 or 8, received {scale!r}")

    def network(x: Tensor, factor: int) -> Tensor:
        def leaky(values: Tensor, part: str) -> Tensor:
            return layers.LeakyReLU(0.2, name=f"{part}_leaky")(values)

        twice = {"kernel_size": 4, "strides": 2, "padding": "same", "use_bias": False}
        image = x
        x = leaky(conv(x, width, use_bias=False, name="head"), "head")
        for level in range(1, factor.bit_length()):
            for number in range(1, depth + 1):
                part = f"level_{level}_conv_{number}"
                x = leaky(conv(x, width, use_bias=False, name=part), part)
            part = f"level_{level}_features"
            x = leaky(layers.Conv2DTranspose(width, name=part, **twice)(x), part)
            detail = conv(x, channels, use_bias=False, name=f"level_{level}_detail")
            enlarged = layers.Conv2DTranspose(channels, name=f"level_{level}_image", **twice)(image)
            image = layers.Add(name=f"level_{level}")([enlarged, detail])
        return image

    return at_scale(network, scale, channels, name)
