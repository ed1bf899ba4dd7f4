"""WRAN: attention over channels and places, and an inverse wavelet transform that enlarges.

J. Liu, Y. Xie, H. Song, W. Yuan, L. Ma, "Residual Attention Network for Wavelet Domain Super-Resolution", ICASSP 2020.
Known from it here: residual blocks with channel attention after RCAN and with spatial attention, enlargement by the
inverse wavelet transform, training on 48×48 patches with L1. Neither a parameter count nor a figure on Set5 was found.
Assumed: Haar wavelets, spatial attention as in CBAM (arXiv:1807.06521), 16 blocks of 64 channels, and the enlarged
image as the coarse band.
"""

import keras
from keras import layers

from srcnn_lib.models.blocks import InverseHaar, MeanAndMaximum, Tensor, at_scale, channel_attention, conv


def build(*, scale: int = 1, channels: int = 3, width: int = 64, blocks: int = 16, name: str = "wran") -> keras.Model:
    """Build WRAN for scale 2, 4 or 8 (or 1). Shapes as for `espcn.build`."""
    if scale not in (1, 2, 4, 8):
        raise ValueError(f"scale: expected 1, 2, 4 or 8, received {scale!r}")

    def block(x: Tensor, part: str) -> Tensor:
        inner = conv(x, width, activation="relu", name=f"{part}_in")
        inner = conv(inner, width, name=f"{part}_out")
        inner = channel_attention(inner, width, reduction=4, name=f"{part}_channels")
        places = MeanAndMaximum(name=f"{part}_statistics")(inner)
        places = conv(places, 1, 7, activation="sigmoid", name=f"{part}_weights")
        return layers.Add(name=part)([x, layers.Multiply(name=f"{part}_places")([inner, places])])

    def network(x: Tensor, factor: int) -> Tensor:
        # gathered pixels, at scale 1, are no image
        image = x if x.shape[-1] == channels else conv(x, channels, 1, name="coarse")
        x = conv(x, width, name="head")
        for number in range(1, blocks + 1):
            x = block(x, f"block_{number}")
        for level in range(1, factor.bit_length()):
            bands = conv(x, 3 * channels, name=f"level_{level}_bands")
            coarse = layers.Rescaling(2.0, name=f"level_{level}_coarse")(image)  # a Haar mean is twice the mean
            image = InverseHaar(name=f"level_{level}")(layers.Concatenate(name=f"level_{level}_all")([coarse, bands]))
            x = conv(image, width, name=f"level_{level}_features") if level < factor.bit_length() - 1 else x
        return image

    return at_scale(network, scale, channels, name)
