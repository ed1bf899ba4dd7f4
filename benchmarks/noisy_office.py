"""Cleaning scanned pages: how near a small network comes to the clean page, on pages it has never seen.

`make benchmark-noisy-office PAGES=folder` takes a folder of the two sides of NoisyOffice (13 clean pages, each in 4
kinds of noise). Each fold leaves all versions of some pages out of training and scores them, so that every page is
scored once by a network that has not seen it. It continues where it was interrupted. The table is kept in
`srcnn_lib/records/noisy_office`.
"""

import argparse
import shutil
from datetime import date
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from srcnn_lib import batches, files, metrics, models, pairs, provenance, records, training
from srcnn_lib.models import house

RESULTS = records.FOLDER / "noisy_office"
SEED = 1
RECIPE = training.Recipe(
    epochs=32, learning_rate=2e-3, schedule="cosine", clip_norm=0.1, averaging=0.99, precision="auto"
)
EPOCH_STEPS, BATCH, CROP = 200, 8, 96
FOLDS = 4


def build() -> keras.Model:
    """The house model for grey pages."""
    return house.build(channels=1, name="house-y")


def read(folder: Path) -> pd.DataFrame:
    """One row a pair: name, page (the same for all versions of a clean page), low and high as uint8 (H, W, 1)."""
    index = pairs.index(folder, max_megapixels=100).pairs
    rows, pages = [], {}
    for pair in index.itertuples(index=False):
        low, high = (side[..., :1] for side in pairs.read_pair(folder, pair))  # grey: all channels are alike
        page = pages.setdefault(high.tobytes(), len(pages) + 1)
        rows.append({"name": pair.name, "page": page, "low": low, "high": high})
    return pd.DataFrame(rows)


def both(table: pd.DataFrame) -> list[batches.Pair]:
    """The images of a table."""
    return list(zip(table["low"], table["high"], strict=True))


def score(network: keras.Model, tested: pd.DataFrame) -> pd.DataFrame:
    """One row a page version: page, name, untouched and house, both RMSE of values in [0, 1]."""
    rows = []
    for row in tested.itertuples(index=False):
        cleaned = np.asarray(network(row.low[None] / np.float32(255), training=False))[0]
        cleaned = np.clip(np.rint(255 * cleaned), 0, 255).astype(np.uint8)
        errors = {"untouched": row.low, "house": cleaned}
        errors = {what: np.sqrt(metrics.mse(row.high, image, data_range=255)) for what, image in errors.items()}
        rows.append({"page": row.page, "name": row.name, **errors})
    return pd.DataFrame(rows)


def fold(table: pd.DataFrame, number: int, folder: Path) -> pd.DataFrame:
    """Train without every fourth page and score on those, unless that was done."""
    file = folder / f"fold-{number}.csv"
    if file.exists():
        return pd.read_csv(file, dtype={"name": "string"})
    keras.utils.set_random_seed(SEED)
    network = build()
    left_out = table["page"] % FOLDS == number
    own, tested = table[~left_out], table[left_out]
    data = batches.Shuffled(both(own), BATCH, SEED, CROP, epoch_steps=EPOCH_STEPS)
    watched = batches.stream(both(own.head(4)), batch_size=1)  # only to draw the curve: the last weights are kept
    training.fit(network, data, watched, RECIPE, folder=folder / f"fold-{number}")
    scores = score(network, tested)
    with files.whole(file) as temporary:
        scores.to_csv(temporary, index=False)
    shutil.rmtree(folder / f"fold-{number}")
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path, help="blurred_images/ and sharpened_images/ of the pages")
    parser.add_argument("--work", type=Path, default=Path("reports/noisy_office-folds"), help="where folds are kept")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    table = read(arguments.pages)
    scores = []
    for number in range(FOLDS):
        scores.append(fold(table, number, arguments.work))
        print(scores[-1].round(4).to_string(index=False, header=number == 0), flush=True)
    everything = pd.concat(scores, ignore_index=True).sort_values(["page", "name"])
    with files.whole(RESULTS / "scores.csv") as temporary:
        everything.to_csv(temporary, index=False)
    files.write_json(
        RESULTS / "scored.json",
        {
            "date": date.today().isoformat(),
            "folds": FOLDS,
            "updates": RECIPE.epochs * EPOCH_STEPS,
            **models.cost(build()),
            **provenance.collect(),
        },
    )
    by_page = everything.groupby("page")[["untouched", "house"]].mean()
    print(by_page.describe().loc[["mean", "std", "min", "max"]].round(4).to_string())


if __name__ == "__main__":
    main()
