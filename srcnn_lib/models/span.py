"""SPAN: attention without parameters, made for speed; won NTIRE 2024's challenge for efficient super-resolution.

C. Wan et al., "Swift Parameter-free Attention Network for Efficient Super-Resolution", CVPRW 2024, arXiv:2311.12770.
"""

import keras
from keras import layers

from srcnn_lib.models.blocks import DepthToSpace, Tensor, at_scale, conv


def build(*, scale: int = 1, channels: int = 3, width: int = 28, blocks: int = 6, name: str = "span") -> keras.Model:
    """Build SPAN as it runs, with its three-way convolutions folded into one: 150,688 parameters at scale 4 (0.151 M).

    The challenge's size; needs at least three blocks. Shapes as for `espcn.build`.
    """
    if blocks < 3:
        raise ValueError(f"blocks: expected at least 3, received {blocks!r}")

    def network(x: Tensor, factor: int) -> Tensor:
        start = conv(x, width, name="head")
        x, _ = after_first = block(start, width, name="block_1")
        for number in range(2, blocks + 1):
            x, inside_last = block(x, width, name=f"block_{number}")
        last = conv(x, width, name="last")
        x = layers.Concatenate(name="gathered")([start, last, after_first[0], inside_last])
        x = conv(conv(x, width, 1, name="mixed"), channels * factor**2, name="subpixels")
        return DepthToSpace(factor, name="shuffle")(x)

    return at_scale(network, scale, channels, name)


def block(x: Tensor, width: int, *, name: str) -> tuple[Tensor, Tensor]:
    """Three convolutions of `width` features, whose result weighs itself; and what the first of them gave."""
    inner = first = conv(x, width, name=f"{name}_1")
    inner = conv(layers.Activation("silu", name=f"{name}_silu_1")(inner), width, name=f"{name}_2")
    inner = conv(layers.Activation("silu", name=f"{name}_silu_2")(inner), width, name=f"{name}_3")
    attention = layers.Activation("sigmoid", name=f"{name}_sigmoid")(inner)
    attention = layers.Rescaling(1.0, -0.5, name=f"{name}_attention")(attention)
    return layers.Multiply(name=name)([layers.Add(name=f"{name}_sum")([x, inner]), attention]), first
