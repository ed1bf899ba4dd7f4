"""Does the number of threads change what is learned? One short training with each, kept as a record (seconds).

python benchmarks/threads.py
"""

import subprocess
import sys
from datetime import date

import keras
import numpy as np
import tensorflow as tf

from srcnn_lib import batches, models, provenance, records, training
from srcnn_lib.files import write_json

COUNTS = (1, 2, 2, 4)  # one of them twice: is a repetition the same?


def error_after_training(threads: int) -> float:
    """Validation error of SRCNN after eight updates, computed with so many threads."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    rng = np.random.default_rng(1)
    images = [rng.random((64, 64, 3)).astype(np.float32) for _ in range(16)]
    pairs = [(np.float32(0.8) * image + np.float32(0.1), image) for image in images]
    keras.utils.set_random_seed(1)
    network = models.build("srcnn-9-1-5", start="identity")
    recipe = training.Recipe(epochs=4, learning_rate=5e-4, schedule="cosine", clip_norm=0.1, keep="best")
    history = training.fit(network, batches.Shuffled(pairs, 8, 1, 40), batches.stream(pairs, batch_size=4), recipe)
    return float(history["val_loss"].iloc[-2])  # in the last epoch hardly anything moves any more


def main() -> None:
    """Measure, print and keep."""
    errors = [
        float(subprocess.run([sys.executable, __file__, str(n)], capture_output=True, check=True).stdout.split()[-1])
        for n in COUNTS
    ]
    record = {
        "date": date.today().isoformat(),
        "device": provenance.collect()["device"],
        "threads": COUNTS,
        "val_mse": errors,
        "largest_relative_difference": (max(errors) - min(errors)) / min(errors),
        "same_count_differs_by": abs(errors[1] - errors[2]),
    }
    write_json(records.FOLDER / "threads.json", record)
    print(record)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(repr(error_after_training(int(sys.argv[1]))))
    else:
        main()
