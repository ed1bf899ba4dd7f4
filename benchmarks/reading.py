"""How well cards are read after the networks that come with the enhancer, on cards that nothing was chosen by.

`make benchmark-reading` reads every card of the test pool of a finished run, `make benchmark-reading CARDS=folder`
every card of a folder with `blurred_images/`, `sharpened_images/` and `text.json` (stem -> {"values": […],
"labels": […]}), with every OCR engine at hand, or those named. `make benchmark-reading DESIGNS=folder` takes a folder
of sharp cards whose text nobody wrote down: each is spoilt in several ways by the functions that spoil the drawn
cards, and what RapidOCR reads on it as it is counts as its text. What each image came to is kept in
`srcnn_lib/records/reading`, in a file for each data set and engine, and each scoring is added to `log.csv` there: the
first of a network on a data set, by the hashes of both, is the one that counts (`comparison.first_scorings`), but for
what became of each value, which is counted in another way since and is that of the latest. Readings are cached by
content, so that a call which was interrupted goes on.
"""

import argparse
import hashlib
import json
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from srcnn_lib import comparison, enhancer, evaluation, files, images, ocr, pairs, records
from srcnn_lib.runs import Run
from srcnn_lib.specimens import degradations

RESULTS = records.FOLDER / "reading"
SEED = 1
STRENGTHS = tuple(step / 10 for step in range(1, 11))
"""How much each design is spoilt, in turn: at 1, text of 14 pixels is at the edge of being read."""


def of_run(run: Run) -> tuple[str, str, dict, object, dict]:
    """All cards of a run's test pool: what they are called, the data set's hash, what reads them, and their text.

    The third is the card or design of each by its name: what shares one is no independent sample.
    """
    index = run.read_table("01_inspection/pairs.csv").merge(run.read_table("03_split/split.csv"), on="name")
    names = evaluation.pool(index, "test")
    folder = run.data_folder
    data = run.read_json("01_inspection/summary.json")["data_sha256"]
    groups = index.set_index("name")["group"].loc[names].to_dict()
    return "drawn", data, groups, evaluation.unsquashed(folder, index), evaluation.fields(folder, index, names)


def of_folder(folder: Path) -> tuple[str, str, dict, object, dict]:
    """The same of a folder with text.json."""
    index = pairs.index(folder, max_megapixels=100).pairs.set_index("name", drop=False)
    text = json.loads((folder / "text.json").read_text(encoding="utf-8"))
    known = {
        name: pd.DataFrame(
            [
                {"kind": kind, "name": f"{kind} {number}", "text": value}
                for kind in ("value", "label")
                for number, value in enumerate(text[name][f"{kind}s"], start=1)
            ]
        )
        for name in index["name"]
    }

    def read(name: str) -> tuple:
        low, high = pairs.read_pair(folder, index.loc[name])
        return low, {evaluation.SHARP: high}

    return folder.name, pairs.data_hash(index), {name: name for name in sorted(known)}, read, known


def of_designs(folder: Path, cache: Path) -> tuple[str, str, dict, object, dict]:
    """The same of sharp cards, spoilt here."""
    files_of = {file.stem: file for file in sorted(folder.iterdir()) if file.suffix.lower() in (".png", ".jpg")}
    sharp = {stem: images.read(file) for stem, file in files_of.items()}
    lines = ocr.read({stem: partial(sharp.get, stem) for stem in sharp}, "RapidOCR", cache)
    spoilt, known, groups = {}, {}, {}
    for number, (stem, image) in enumerate(sharp.items()):
        fields = [
            {"kind": "value", "name": f"line {place}", "text": line.text}
            | dict(zip(("x0", "y0", "x1", "y1"), line.box, strict=True))
            for place, line in enumerate(lines[stem], start=1)
        ]
        for strength in STRENGTHS:
            name = f"{stem} {strength:g}"
            recipe = degradations.recipe(np.random.default_rng([SEED, number, round(10 * strength)]), strength)
            spoilt[name] = degradations.apply(image, recipe), {evaluation.SHARP: image}
            known[name] = pd.DataFrame(fields)
            groups[name] = stem
    digest = hashlib.sha256(b"".join(low.tobytes() + high[evaluation.SHARP].tobytes() for low, high in spoilt.values()))
    return folder.name, digest.hexdigest(), groups, spoilt.get, known


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a finished run: its test cards, and the filter chosen on validation")
    parser.add_argument("--cards", type=Path, help="read this folder's cards instead")
    parser.add_argument("--designs", type=Path, help="spoil and read this folder's sharp cards instead")
    unsharps = [name for name in evaluation.FILTERS if name.startswith("unsharp")]
    parser.add_argument("--unsharp", choices=unsharps, help="to compare with, instead of the one that the run chose")
    parser.add_argument("--engines", nargs="+", choices=ocr.engines(), default=list(ocr.engines()))
    parser.add_argument("--cache", type=Path, default=Path("reports/reading"), help="where readings are cached")
    arguments = parser.parse_args()
    run = Run(arguments.run)
    filters = run.read_table("07_evaluation/classical.csv").set_index("method")["character error rate"]
    unsharp = arguments.unsharp or filters[filters.index.str.startswith("unsharp")].idxmin()
    networks = enhancer.models()
    enhancers = {evaluation.UNTOUCHED: lambda image: image, unsharp: evaluation.FILTERS[unsharp]}
    enhancers |= {f"{unsharp}, after both": lambda image: evaluation.FILTERS[unsharp](enhancer.prepare(image))}
    enhancers |= {"waves and blur taken away": enhancer.prepare}
    enhancers |= {name: partial(enhancer.enhance, model=name, threads=1) for name in networks}

    if arguments.designs:
        test, data, groups, read, known = of_designs(arguments.designs, arguments.cache)
    else:
        test, data, groups, read, known = of_folder(arguments.cards) if arguments.cards else of_run(run)
    tables, changed = [], {}
    for engine in arguments.engines:
        scores = evaluation.legibility(
            list(groups), read, enhancers, known, engine=engine, cache_folder=arguments.cache
        ).scores
        if "x0" in next(iter(known.values())):  # else it is not known which reading is a field's
            values = scores[scores["kind"] == "value"]
            changed[engine, "value"] = comparison.changes(values, before=evaluation.UNTOUCHED)
        for kind in ("value", "label"):
            tables.append(evaluation.per_image(scores, kind).assign(engine=engine, kind=kind))
    everything = pd.concat(tables, ignore_index=True)
    everything["group"] = everything["name"].map(groups)
    for engine, table in everything.groupby("engine"):
        with files.whole(RESULTS / f"{test}-{data[:8]}-{engine}.csv") as temporary:
            table.to_csv(temporary, index=False)

    when = datetime.now().isoformat(timespec="seconds")
    summaries = {
        key: comparison.of_reading(table, before=evaluation.UNTOUCHED, best=evaluation.SHARP, group="group", seed=SEED)
        for key, table in everything.groupby(["engine", "kind"], sort=False)
    }
    scored = pd.concat(summaries, names=["engine", "kind"]).reset_index(["engine", "kind"])
    if changed:
        became = pd.concat(changed, names=["engine", "kind"]).reset_index(["engine", "kind"])
        scored = scored.merge(became, on=["engine", "kind", "method"], how="left")
    scored = scored.round(4)
    weights = scored["method"].map(enhancer.hashes()).fillna("")
    scored = scored.assign(when=when, test=test, data_sha256=data, weights=weights)
    log = RESULTS / "log.csv"
    with files.whole(log) as temporary:
        pd.concat([*([pd.read_csv(log)] if log.exists() else []), scored]).to_csv(temporary, index=False)
    print(
        scored[["engine", "kind", "method", "error_rate", "difference", "p", "exact", "recovered"]].to_string(
            index=False
        )
    )


if __name__ == "__main__":
    main()
