"""SRGAN: a generator that learns from a second network, the discriminator, which tells its images from true ones.

C. Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", CVPR 2017,
arXiv:1609.04802. The generator is SRResNet (see `srresnet`).
"""

from collections.abc import Callable

import keras
import tensorflow as tf
from keras import layers, ops

from srcnn_lib.models.blocks import Tensor, conv


def discriminator(
    *, size: int = 96, channels: int = 3, width: int = 64, units: int = 1024, name: str = "srgan-discriminator"
) -> keras.Model:
    """Build the discriminator: 23,563,649 trainable parameters for 96×96 pixels.

    As many as public versions have (Lornatang/SRGAN-PyTorch); the paper gives its layers, but neither a count nor the
    size of its input. Normalised convolutions have no bias; it ends without the sigmoid, which the loss applies.

    Input shape
        (batch, size, size, channels), float32 in [0, 1].
    Output shape
        (batch, 1), logits: above 0 for a true image.
    """

    def leaky(x: Tensor, part: str) -> Tensor:
        return layers.LeakyReLU(0.2, name=f"{part}_leaky")(x)

    image = keras.Input((size, size, channels), name="image")
    x = leaky(conv(image, width, name="conv_1"), "conv_1")
    for number, (times, stride) in enumerate(((1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (8, 1), (8, 2)), start=2):
        x = conv(x, times * width, strides=stride, use_bias=False, name=f"conv_{number}")
        x = leaky(layers.BatchNormalization(name=f"norm_{number}")(x), f"conv_{number}")
    x = leaky(layers.Dense(units, name="dense")(layers.Flatten(name="flat")(x)), "dense")
    return keras.Model(image, layers.Dense(1, name="true")(x), name=name)


class Adversarial(keras.Model):
    """Generator and discriminator as one model that `training.fit` trains; called, it is the generator.

    At each step both learn from the same crops, by one optimizer: the generator to lower its content loss plus
    `weight` times the cross entropy of being taken for true, the discriminator its mean cross entropy on true and
    generated images. What is validated is the compiled loss, of the generator's images. The logs also say in which
    share of all images the discriminator was right, `told_apart`.

    Parameters
    ----------
    generator, discriminator
        Images (batch, H, W, C) to images of the same shape, and to logits (batch, 1).
    content
        Loss of each image of a batch, given the true and the generated ones (such as `perceptual.loss`).
    weight
        1e-3 in the paper; with 0 the content loss alone teaches.
    """

    def __init__(
        self, generator: keras.Model, discriminator: keras.Model, content: Callable, weight: float = 1e-3, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self.generator, self.discriminator = generator, discriminator
        self.content, self.weight = content, weight
        self.means = [keras.metrics.Mean(name=name) for name in ("content", "fooling", "judging", "told_apart")]
        self.built = True

    def call(self, image, training=False):
        return self.generator(image, training=training)

    def train_step(self, data):
        low, high = data
        with tf.GradientTape(persistent=True) as tape:
            made = self.generator(low, training=True)
            of_true, of_made = (self.discriminator(images, training=True) for images in (high, made))
            content = ops.mean(self.content(high, made))
            fooling = ops.mean(ops.softplus(-of_made))
            judging = ops.mean(ops.softplus(-of_true) + ops.softplus(of_made)) / 2
            loss = content + self.weight * fooling
        variables, gradients = [], []
        for network, its_loss in ((self.generator, loss), (self.discriminator, judging)):
            variables += network.trainable_variables
            gradients += tape.gradient(its_loss, network.trainable_variables)
        self.optimizer.apply(gradients, variables)
        told_apart = ops.mean(ops.cast(ops.concatenate([of_true > 0, of_made < 0]), "float32"))
        values = {"loss": loss, "content": content, "fooling": fooling, "judging": judging, "told_apart": told_apart}
        for metric in self.metrics:
            if metric.name in values:
                metric.update_state(values[metric.name])
        return self.compute_metrics(low, high, made)
