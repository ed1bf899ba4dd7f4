"""FSRCNN: SRCNN made fast, with thin layers at the small size and a transposed convolution at the end.

C. Dong, C. C. Loy, X. Tang, "Accelerating the Super-Resolution Convolutional Neural Network", ECCV 2016,
arXiv:1608.00367.
"""

import keras
from keras import layers

from srcnn_lib.models.blocks import Tensor, at_scale, conv


def build(
    *, scale: int = 1, channels: int = 3, width: int = 56, thin: int = 12, maps: int = 4, name: str = "fsrcnn"
) -> keras.Model:
    """Build FSRCNN(width, thin, maps): 12,464 weights on one channel at any scale, as the paper counts them.

    Biases and the slopes of PReLU, one a channel, come on top. Shapes as for `espcn.build`.
    """

    def network(x: Tensor, factor: int) -> Tensor:
        chain = [("extract", width, 5), ("shrink", thin, 1)]
        chain += [(f"map_{number}", thin, 3) for number in range(1, maps + 1)]
        for part, filters, kernel in [*chain, ("expand", width, 1)]:
            x = conv(x, filters, kernel, name=part)
            x = layers.PReLU(shared_axes=(1, 2), name=f"{part}_prelu")(x)
        return layers.Conv2DTranspose(channels, 9, factor, padding="same", name="enlarge")(x)

    return at_scale(network, scale, channels, name)
