"""The SRCNN paper's own test: trained on its 91 images alone, scored on Set5, beside its figures.

`make benchmark-set5 T91=folder SET5=folder` trains what is not trained yet, for each scale
in turn, and prints the table. It continues where it was interrupted. Trained weights, log and table are kept in
`srcnn_lib/records/set5`.
"""

import argparse
import shutil
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd

from srcnn_lib import batches, files, models, provenance, records, superresolution, training
from srcnn_lib.models import house, srcnn

RESULTS = records.FOLDER / "set5"
SEED = 1
SCALES = (3, 4, 2)
WATCHED = 5  # images of the 91 that are not trained on, to watch the training
BATCH, EPOCH_STEPS = 16, 516


class Candidate(NamedTuple):
    """A network on brightness alone, and how long it trains."""

    build: Callable[[], keras.Model]
    epochs: int
    """Of 516 updates."""
    crop_size: int
    margin: int
    """Pixels that a network without padding loses on each side."""
    learning_rate: float


CANDIDATES = {
    # As the paper has it: no padding, linear at the end (8,129 parameters).
    "SRCNN 9-1-5": Candidate(
        partial(srcnn.build, channels=1, last_activation=None, padding="valid", start="identity", name="srcnn-9-1-5-y"),
        epochs=40,
        crop_size=45,
        margin=6,
        learning_rate=1e-3,
    ),
    # No light to correct here. A tenth of the updates, twice the multiply-adds: SRCNN's are fewer on brightness alone.
    "house": Candidate(
        partial(house.build, channels=1, light=0, name="house-y"),
        epochs=4,
        crop_size=48,
        margin=0,
        learning_rate=1e-3,
    ),
}


def train(t91: Path, name: str, scale: int, folder: Path, steps: int) -> keras.Model:
    """Train a candidate for one scale, unless that was done; `steps` updates an epoch."""
    keras.utils.set_random_seed(SEED)
    candidate = CANDIDATES[name]
    network = candidate.build()
    weights = folder / f"{network.name}-x{scale}.keras"
    if weights.exists():
        training.load_weights(network, weights)
        return network
    pairs = superresolution.training_pairs(t91, scale)
    seen, watched = pairs[3 * WATCHED :], pairs[: 3 * WATCHED : 3]
    data = batches.Shuffled(
        [pair for pair in seen if min(pair[0].shape[:2]) >= candidate.crop_size],
        batch_size=BATCH,
        seed=SEED,
        crop_size=candidate.crop_size,
        epoch_steps=steps,
        label_border=candidate.margin,
    )
    validation = batches.stream([(around(low, candidate.margin), high) for low, high in watched], batch_size=1)
    recipe = training.Recipe(
        epochs=candidate.epochs,
        learning_rate=candidate.learning_rate,
        schedule="cosine",
        clip_norm=0.1,
        averaging=0.999,
        validate_every=2,
    )
    history = training.fit(network, data, validation, recipe, folder=folder / f"{network.name}-x{scale}")
    with files.whole(folder / f"{network.name}-x{scale}.csv") as temporary:
        history.to_csv(temporary, index=False)
    training.save(network, weights)
    training.save(training.load(weights), weights)  # without the optimizer's state, four times as large
    shutil.rmtree(folder / f"{network.name}-x{scale}")  # logs for TensorBoard
    return network


def around(image: np.ndarray, margin: int) -> np.ndarray:
    """Repeat the border, so that a network without padding gives an image of the same size, as the authors do."""
    return np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="edge")


def enhance(network: keras.Model, margin: int, image: np.ndarray) -> np.ndarray:
    """One brightness image, float32 (H, W) in [0, 1] in and out."""
    return np.asarray(network(around(image[..., None], margin)[None], training=False))[0, ..., 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("t91", type=Path, help="the 91 training images")
    parser.add_argument("set5", type=Path, help="the five test images")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--steps", type=int, default=EPOCH_STEPS, help="updates an epoch")
    arguments = parser.parse_args()
    rows = []
    for scale in SCALES:
        row = {"scale": scale}
        for name, candidate in CANDIDATES.items():
            network = train(arguments.t91, name, scale, arguments.results, arguments.steps)
            scores = superresolution.score(arguments.set5, scale, partial(enhance, network, candidate.margin))
            row |= {"bicubic": scores["bicubic"].mean(), name: scores["enhanced"].mean()}
        published = {"bicubic": "bicubic", "SRCNN 9-1-5": "SRCNN 9-1-5, 91 images"}
        row |= {f"{name}, published": superresolution.PUBLISHED[there][scale] for name, there in published.items()}
        rows.append(row | {"gap": row["SRCNN 9-1-5"] - row["SRCNN 9-1-5, published"]})
        print(pd.DataFrame(rows[-1:]).round(3).to_string(index=False), flush=True)
    table = pd.DataFrame(rows).sort_values("scale")
    columns = ["scale", "bicubic", "bicubic, published", "SRCNN 9-1-5", "SRCNN 9-1-5, published", "gap", "house"]
    with files.whole(arguments.results / "scores.csv") as temporary:
        table[columns].to_csv(temporary, index=False)
    costs = {name: models.cost(candidate.build()) for name, candidate in CANDIDATES.items()}
    files.write_json(
        arguments.results / "scored.json", {"date": date.today().isoformat(), "costs": costs, **provenance.collect()}
    )


if __name__ == "__main__":
    main()
