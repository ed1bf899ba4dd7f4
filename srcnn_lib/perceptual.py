"""Section 2.8: perceptual loss, how far two images are apart in the eyes of a network that was trained for something.

The original names it, with VGG19 as the network, and did not use it: the difference between the features that
such a network finds in the predicted image and in the one it should be. Here it is the mean squared difference
over the features of any Keras network, as in J. Johnson et al., ECCV 2016, doi:10.1007/978-3-319-46475-6_43:
at least 0, lower is better, and comparable only within one layer of one network.
"""

import os
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import ops

from srcnn_lib.metrics import pixel_mse

_VGG19 = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"  # what Keras calls it in its cache


def features(network: keras.Model, layer_name: str) -> keras.Model:
    """The part of a network up to one of its layers, which gives that layer's output.

    Raises ValueError, listing the network's layers, if it has none of that name.
    """
    names = [layer.name for layer in network.layers]
    if layer_name not in names:
        raise ValueError(f"{network.name} has no layer {layer_name!r}; its layers are {', '.join(names)}")
    return keras.Model(network.inputs[0], network.get_layer(layer_name).output, name=f"{network.name}_{layer_name}")


def distance(features: keras.Model, truth: np.ndarray, image: np.ndarray) -> float:
    """Perceptual loss between two images; 0 for identical ones, lower is better, not bounded above.

    Two uint8 RGB arrays of one shape, (H, W, 3), at least as large as the network needs; no border is cut.
    `features` takes values in [0, 1], as those of `srcnn_lib.recogniser` and `vgg19` do. Raises ValueError,
    saying what was received, for images of different shapes or of another kind.
    """
    if truth.shape != image.shape:
        raise ValueError(f"expected two images of one shape, received {truth.shape} and {image.shape}")
    for side in (truth, image):
        if side.dtype != np.uint8 or side.ndim != 3 or side.shape[-1] != 3:
            raise ValueError(f"expected uint8 RGB images (H, W, 3), received {side.dtype} {side.shape}")
    pair = (side[None].astype(np.float32) / 255 for side in (truth, image))
    return float(loss(features)(*map(ops.convert_to_tensor, pair))[0])


def loss(features: keras.Model) -> Callable:
    """Perceptual loss of each image of a batch, as a Keras loss: (batch, H, W, 3) in [0, 1]; (batch,) out.

    The network behind `features` is used as it is and does not learn. One value an image lets Keras take the
    mean over several devices (see `metrics.pixel_mse`).
    """

    def perceptual(truth, image):
        seen = features(truth, training=False) - features(ops.cast(image, truth.dtype), training=False)
        return ops.mean(ops.square(seen), axis=tuple(range(1, len(seen.shape))))

    return perceptual


def with_pixels(features: keras.Model, weight: float) -> Callable:
    """The pixels' mean squared error plus `weight` times the perceptual loss, as a Keras loss like `loss`.

    Features alone leave colours and light open.
    """
    seen = loss(features)

    def both(truth, image):
        return pixel_mse(truth, image) + weight * seen(truth, image)

    return both


def vgg19(weights: Path | None = None, *, layer_name: str = "block5_conv4") -> keras.Model | None:
    """Features of VGG19 as trained on ImageNet, or None where there are no weights; nothing is ever downloaded.

    The layer is by default the last convolution, as in C. Ledig et al., CVPR 2017, doi:10.1109/CVPR.2017.19; the
    network is that of K. Simonyan and A. Zisserman, arXiv:1409.1556.

    Parameters
    ----------
    weights
        A file of weights without the top layers, as Keras offers it. None looks into Keras' cache, the folder
        `models` below `$KERAS_HOME` or `~/.keras`.
    layer_name
        Whose output to give.

    Input shape
        (batch, H, W, 3), float32 RGB in [0, 1], not the values that VGG19 itself takes; sides of at least 16.
    Output shape
        (batch, H // 16, W // 16, 512) by default.

    Raises
    ------
    ValueError
        Naming the file, if `weights` does not exist or holds other weights; or if there is no such layer.
    """
    path = _cached() if weights is None else Path(weights)
    if not path.is_file():
        if weights is None:
            return None
        raise ValueError(f"{path}: expected the weights of VGG19 without its top layers, found no file")
    image = keras.Input((None, None, 3), name="image")
    scaled = keras.applications.vgg19.preprocess_input(keras.layers.Rescaling(255.0)(image))
    network = keras.applications.VGG19(include_top=False, weights=None, input_tensor=scaled)
    try:
        network.load_weights(path)
    except Exception as error:  # the reader raises whatever its parts do
        raise ValueError(f"{path}: expected the weights of VGG19 without its top layers ({error})") from error
    return features(network, layer_name)


def _cached() -> Path:
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models" / _VGG19
