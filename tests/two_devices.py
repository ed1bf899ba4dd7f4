"""Trains one network on one and on two virtual processors; prints devices, largest difference, how far weights moved.

Run by test_training.py in a process of its own, since TensorFlow divides a processor only before its first use.
"""

import keras
import numpy as np
import tensorflow as tf

from srcnn_lib import batches, models, training

(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

rng = np.random.default_rng(0)
pairs = [(image // 2, image) for image in rng.integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)]
weights = {}
for name in ("one", "mirrored"):
    strategy = training.strategy(name)
    with strategy.scope():
        keras.utils.set_random_seed(0)
        network = models.build("srcnn-9-1-5")
        before = network.get_weights()
        training.fit(
            network,
            batches.Shuffled(pairs, 4, 1, 12),
            batches.stream(pairs, batch_size=4),
            training.Recipe(epochs=3, learning_rate=0.001),
        )
    weights[name] = network.get_weights()
print(
    strategy.num_replicas_in_sync,
    max(np.abs(a - b).max() for a, b in zip(*weights.values(), strict=True)),
    max(np.abs(a - b).max() for a, b in zip(before, weights["one"], strict=True)),
)
