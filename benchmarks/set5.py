"""The SRCNN paper's own test: trained on its 91 images alone, scored on Set5, beside its figures.

`make benchmark-set5 T91=folder SET5=folder` trains what is not trained yet, for each scale
in turn, and prints the table. It continues where it was interrupted. Trained weights, log and table are kept in
`srcnn_lib/records/set5`.
"""

import argparse
from datetime import date
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from srcnn_lib import batches, files, models, provenance, records, superresolution, training
from srcnn_lib.models import srcnn

RESULTS = records.FOLDER / "set5"
SEED = 1
SCALES = (3, 4, 2)
MARGIN = 6  # pixels that SRCNN 9-1-5 without padding loses on each side
WATCHED = 5  # images of the 91 that are not trained on, to watch the training
CROP = 45  # pixels
EPOCHS = 40


def build() -> keras.Model:
    """SRCNN 9-1-5 as the paper has it: brightness only, no padding, linear at the end (8,129 parameters)."""
    return srcnn.build(channels=1, last_activation=None, padding="valid", start="identity", name="srcnn-9-1-5-y")


def train(t91: Path, scale: int, folder: Path, steps: int) -> keras.Model:
    """Train for one scale, unless that was done; `steps` updates an epoch."""
    keras.utils.set_random_seed(SEED)
    network, weights = build(), folder / f"srcnn-9-1-5-x{scale}.keras"
    if weights.exists():
        training.load_weights(network, weights)
        return network
    pairs = superresolution.training_pairs(t91, scale)
    seen, watched = pairs[3 * WATCHED :], pairs[: 3 * WATCHED : 3]
    seen = [pair for pair in seen if min(pair[0].shape[:2]) >= CROP]
    batch_size = 16
    data = batches.Shuffled(
        seen,
        batch_size=batch_size,
        seed=SEED,
        crop_size=CROP,
        epoch_steps=steps,
        label_border=MARGIN,
    )
    validation = batches.stream([(around(low), high) for low, high in watched], batch_size=1)
    recipe = training.Recipe(
        epochs=EPOCHS, learning_rate=2e-3, schedule="cosine", clip_norm=0.1, averaging=0.999, validate_every=2
    )
    history = training.fit(network, data, validation, recipe, folder=folder / f"x{scale}")
    with files.whole(folder / f"history-x{scale}.csv") as temporary:
        history.to_csv(temporary, index=False)
    training.save(network, weights)
    return network


def around(image: np.ndarray) -> np.ndarray:
    """Repeat the border, so that a network without padding gives an image of the same size, as the authors do."""
    return np.pad(image, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="edge")


def enhance(network: keras.Model, image: np.ndarray) -> np.ndarray:
    """One brightness image, float32 (H, W) in [0, 1] in and out."""
    return np.asarray(network(around(image[..., None])[None], training=False))[0, ..., 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("t91", type=Path, help="the 91 training images")
    parser.add_argument("set5", type=Path, help="the five test images")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--steps", type=int, default=516, help="updates an epoch")
    arguments = parser.parse_args()
    rows = []
    for scale in SCALES:
        network = train(arguments.t91, scale, arguments.results, arguments.steps)
        scores = superresolution.score(arguments.set5, scale, lambda image, network=network: enhance(network, image))
        rows.append(
            {
                "scale": scale,
                "bicubic": scores["bicubic"].mean(),
                "bicubic, published": superresolution.PUBLISHED["bicubic"][scale],
                "SRCNN 9-1-5": scores["enhanced"].mean(),
                "SRCNN 9-1-5, published": superresolution.PUBLISHED["SRCNN 9-1-5, 91 images"][scale],
                "gap": scores["enhanced"].mean() - superresolution.PUBLISHED["SRCNN 9-1-5, 91 images"][scale],
            }
        )
        print(pd.DataFrame(rows[-1:]).round(3).to_string(index=False), flush=True)
    table = pd.DataFrame(rows).sort_values("scale")
    with files.whole(arguments.results / "scores.csv") as temporary:
        table.to_csv(temporary, index=False)
    parameters = models.cost(network)["parameters"]
    files.write_json(
        arguments.results / "scored.json",
        {"date": date.today().isoformat(), "parameters": parameters, **provenance.collect()},
    )


if __name__ == "__main__":
    main()
