"""The large house model: U-shaped, for detail that has to be guessed from a wide view.

Light and haze are corrected as in `house`. What follows works at a half, a quarter and an eighth of the resolution
(O. Ronneberger et al., MICCAI 2015, doi:10.1007/978-3-319-24574-4_28), with shuffles instead of pooling, so that
nothing is lost on the way down, and EDSR's residual blocks (arXiv:1707.02921), which are what processors are fast at.
Nothing looks at the image as a whole, so that tiles agree with it.
"""

from collections.abc import Sequence

import keras
from keras import layers

from srcnn_lib.models.blocks import PixelShuffle, PixelUnshuffle, conv
from srcnn_lib.models.house import relit


def build(
    *,
    widths: Sequence[int] = (48, 96, 144),
    blocks: Sequence[int] = (2, 3, 4),
    light: int = 32,
    channels: int = 3,
    name: str = "house-large",
) -> keras.Model:
    """Build the large house model. Untrained, it gives back its input.

    Parameters
    ----------
    widths
        Channels of the features at a half, a quarter, … of the resolution.
    blocks
        Residual blocks of two 3×3 convolutions each: so many on the way down and again on the way up, and the last
        number once, at the bottom.
    light
        Channels of the part that corrects light and haze; 0 leaves it out.
    channels
        Colour channels of input and output.

    Input shape
        (batch, H, W, channels), float32 in [0, 1]; any H and W.
    Output shape
        The same; values are not bounded.
    """
    image = keras.Input((None, None, channels), name="low")
    lit = relit(image, light) if light else image
    features, passed = lit, [image]
    for level, (width, count) in enumerate(zip(widths, blocks, strict=True), start=1):
        features = PixelUnshuffle(2, name=f"down_{level}")(features)
        features = conv(features, width, 3 if level == 1 else 1, name=f"enter_{level}")
        features = _blocks(features, width, count, name=f"down_{level}")
        passed.append(features)
    passed.pop()
    for level in range(len(widths) - 1, 0, -1):
        width = widths[level - 1]
        upper = passed.pop()
        features = conv(features, 4 * width, 1, name=f"leave_{level + 1}")
        features = PixelShuffle(2, name=f"up_{level}")(features, upper)
        features = layers.Add(name=f"join_{level}")([features, upper])
        features = _blocks(features, width, blocks[level - 1], name=f"up_{level}")
    difference = conv(features, 4 * channels, kernel_initializer="zeros", name="tail")
    difference = PixelShuffle(2, name="shuffle")(difference, image)
    return keras.Model(image, layers.Add(name="enhanced")([lit, difference]), name=name)


def _blocks(x: keras.KerasTensor, width: int, count: int, *, name: str) -> keras.KerasTensor:
    for number in range(1, count + 1):
        inner = conv(x, width, activation="relu", name=f"{name}_block_{number}_in")
        start = keras.initializers.VarianceScaling(0.1)  # many blocks in a row begin near the identity
        inner = conv(inner, width, kernel_initializer=start, name=f"{name}_block_{number}_out")
        x = layers.Add(name=f"{name}_block_{number}")([x, inner])
    return x
