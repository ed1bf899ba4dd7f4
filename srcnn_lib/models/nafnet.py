"""NAFNet: a U-shaped network for restoration, without activation functions.

L. Chen, X. Chu, X. Zhang, J. Sun, "Simple Baselines for Image Restoration", ECCV 2022, arXiv:2204.04676.
"""

import keras
from keras import layers

from srcnn_lib.models.blocks import ChannelScale, Cut, DepthToSpace, Gate, PixelUnshuffle, Tensor, conv


def build(
    *,
    channels: int = 3,
    width: int = 32,
    encoders: tuple[int, ...] = (1, 1, 1, 28),
    middle: int = 1,
    decoders: tuple[int, ...] = (1, 1, 1, 1),
    name: str = "nafnet",
) -> keras.Model:
    """Build NAFNet. The defaults are its deblurring setting of width 32: 17,111,907 parameters, as published.

    Parameters
    ----------
    encoders, middle, decoders
        Blocks on each level on the way down, at the bottom, and on the way up.

    Input shape
        (batch, H, W, channels), float32 in [0, 1]; any H and W: they are continued by mirroring at the bottom and on
        the right to a multiple of 2 to the number of levels.
    Output shape
        The same; not bounded.
    """
    image = keras.Input((None, None, channels), name="low")
    whole = 2 ** len(encoders)
    padded = DepthToSpace(whole, name="padded")(
        PixelUnshuffle(whole, name="squares")(image)
    )  # only continues the sides
    x = conv(padded, width, name="intro")
    kept = []
    for level, count in enumerate(encoders, start=1):
        x = _blocks(x, width, count, f"down_{level}")
        kept.append(x)
        width *= 2
        x = layers.Conv2D(width, 2, 2, name=f"down_{level}_half")(x)
    x = _blocks(x, width, middle, "middle")
    for level, count in enumerate(decoders, start=1):
        x = conv(x, 2 * width, 1, use_bias=False, name=f"up_{level}_wide")
        x = DepthToSpace(2, name=f"up_{level}_shuffle")(x)
        width //= 2
        x = layers.Add(name=f"up_{level}_sum")([x, kept.pop()])
        x = _blocks(x, width, count, f"up_{level}")
    difference = Cut(name="cut")(conv(x, channels, name="ending"), image)
    return keras.Model(image, layers.Add(name="enhanced")([image, difference]), name=name)


def _blocks(x: Tensor, width: int, count: int, part: str) -> Tensor:
    for number in range(1, count + 1):
        x = block(x, width, name=f"{part}_block_{number}")
    return x


def block(x: Tensor, width: int, *, attention: bool = True, name: str) -> Tensor:
    """NAFNet's block on `width` features: two parts with a gate each, the first with attention to an image's means.

    Without `attention` nothing looks at the image as a whole.
    """
    inner = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm_1")(x)
    inner = conv(inner, 2 * width, 1, name=f"{name}_conv_1")
    inner = layers.DepthwiseConv2D(3, padding="same", name=f"{name}_conv_2")(inner)
    inner = Gate(name=f"{name}_gate_1")(inner)
    if attention:
        means = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_means")(inner)
        inner = layers.Multiply(name=f"{name}_attention")([inner, conv(means, width, 1, name=f"{name}_weights")])
    inner = ChannelScale(name=f"{name}_beta")(conv(inner, width, 1, name=f"{name}_conv_3"))
    x = layers.Add(name=f"{name}_sum_1")([x, inner])
    inner = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm_2")(x)
    inner = Gate(name=f"{name}_gate_2")(conv(inner, 2 * width, 1, name=f"{name}_conv_4"))
    inner = ChannelScale(name=f"{name}_gamma")(conv(inner, width, 1, name=f"{name}_conv_5"))
    return layers.Add(name=name)([x, inner])
