"""DRRN: one residual unit, used again and again.

Y. Tai, J. Yang, X. Liu, "Image Super-Resolution via Deep Recursive Residual Network", CVPR 2017,
doi:10.1109/CVPR.2017.298.
"""

import keras
from keras import layers


def build(*, channels: int = 3, width: int = 128, units: int = 25, name: str = "drrn") -> keras.Model:
    """Build DRRN with one block of `units` (B1U25): 297,216 parameters on one channel (published: 297 k).

    All units share the weights of two convolutions; the paper's batch normalisation, whose parameters it does not
    count, is left out, as in the public versions. Input and output shapes as for `vdsr.build`.
    """
    image = keras.Input((None, None, channels), name="low")

    def layer(filters: int, part: str) -> layers.Conv2D:
        return layers.Conv2D(filters, 3, padding="same", use_bias=False, name=part)

    relu = layers.ReLU(name="relu")
    first, second = layer(width, "unit_in"), layer(width, "unit_out")
    start = x = layer(width, "head")(relu(image))
    for number in range(1, units + 1):
        x = layers.Add(name=f"unit_{number}")([start, second(relu(first(relu(x))))])
    difference = layer(channels, "tail")(relu(x))
    return keras.Model(image, layers.Add(name="enhanced")([image, difference]), name=name)
