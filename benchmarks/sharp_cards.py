"""Does the enhancer leave sharp cards alone? RapidOCR reads the sharp sides of validation cards before and after it.

`make bench-sharp` runs it on the cards of a profile. Printed are errors of the values (names, numbers, dates) in
percent of their characters, the values read exactly, and how far the enhanced image is from the sharp one. The same is
kept in `srcnn_lib/records/sharp.json` for the report.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from srcnn_lib import enhancer, images, metrics, ocr, pairs, records
from srcnn_lib.files import write_json
from srcnn_lib.specimens import dataset

BEFORE = "sharp"
ALLOWED = 0.2  # percentage points


def methods(strengths: list[float]) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """What the cards are read after: every network of the enhancer, at every strength."""
    return {BEFORE: lambda image: image} | {
        f"{model}, strength {strength:g}": partial(enhancer.enhance, model=model, strength=strength, threads=1)
        for model in enhancer.models()
        for strength in strengths
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a drawn data set")
    parser.add_argument("--cards", type=int, default=60, help="how many identities, one card of each")
    parser.add_argument("--strengths", type=float, nargs="+", default=[1.0, 0.5])
    parser.add_argument("--cache", type=Path, default=Path("reports/ocr-of-sharp-cards"))
    arguments = parser.parse_args()
    known = pd.read_csv(arguments.folder / "truth" / "fields.csv", dtype={"text": "string"}, keep_default_na=False)
    values = dict(iter(known[known["kind"] == "value"].groupby("number")))
    numbers = [number for number in sorted(values) if dataset.pool_of(number) == "validation"][: arguments.cards]
    files = {number: arguments.folder / pairs.HIGH / dataset.file_name("h", number) for number in numbers}
    compared = methods(arguments.strengths)

    def image(number: int, method: str) -> np.ndarray:
        return compared[method](images.read(files[number]))

    keys = [(number, method) for number in files for method in compared]
    lines = ocr.read({key: partial(image, *key) for key in keys}, "RapidOCR", arguments.cache)
    rows = []
    for (number, method), found in tqdm(lines.items(), desc="comparing pixels", unit="image"):
        scores = ocr.score(found, values[number])
        psnr = metrics.psnr(images.read(files[number]), image(number, method), data_range=255)
        rows.append({"method": method, "psnr": psnr, **scores[["errors", "characters", "exact"]].sum()})
        rows[-1]["values"] = len(scores)
    sums = pd.DataFrame(rows).groupby("method", sort=False)
    table = sums[["errors", "characters", "exact", "values"]].sum()
    table["character error, %"] = 100 * table["errors"] / table["characters"]
    table["exact, %"] = 100 * table["exact"] / table["values"]
    for measure, worse in (("character error, %", 1), ("exact, %", -1)):
        table[f"points worse: {measure}"] = worse * (table[measure] - table.loc[BEFORE, measure]) + 0.0  # no -0.0
    table["dB from the sharp image"] = sums["psnr"].mean()
    print(f"{len(files)} validation cards, {table.loc[BEFORE, 'values']} values; allowed: {ALLOWED} points worse")
    print(table.round(2).T.to_string())
    kept = {
        **enhancer.measured_now(),
        "data": arguments.folder.name,
        "engine": "RapidOCR",
        "cards": len(files),
        "values": int(table.loc[BEFORE, "values"]),
        "allowed_points": ALLOWED,
        # Nothing is infinitely far from itself.
        "methods": table.astype(object).where(np.isfinite(table), None).reset_index().to_dict("records"),
    }
    write_json(records.FOLDER / "sharp.json", kept)


if __name__ == "__main__":
    main()
