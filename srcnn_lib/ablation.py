"""The house model: what each part of its recipe is worth, one change at a time (`make ablation`).

A short training of the small network is repeated with one thing changed at a time; three seeds of the unchanged recipe
tell what is chance. All are judged as `legible`'s experiments are, and by what RapidOCR's networks make of crops that
were not learned from, which says more from less: it has no threshold as a letter has. Short trainings rank what helps
early; what only pays after many updates they cannot show.
"""

import dataclasses
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from srcnn_lib import comparison, evaluation, files, legible
from srcnn_lib.legible import Experiment
from srcnn_lib.specimens import dataset

BASE = "unchanged"
_SHORT = Experiment("house", 8, text=4.0, reading=0.5, lines=8, averaging=0.99)
CHANGES = {
    BASE: {},
    "second seed": {"seed": 2},
    "third seed": {"seed": 3},
    "pixels alone": {"reading": 0.0},
    "text as other pixels": {"text": 0.0},
    "Fourier spectra": {"spectra": 0.3},
    "a discriminator": {"fooling": 0.03},
    "noisy labels": {"uses_truth": False},
    "brightness alone": {"colour": 0.0},
    "taught by house-large": {"teacher": "large, cooled"},
    "typefaces of the cards": {"further_typefaces": False},
    "no waves, no motion": {"without": ("periodic", "motion")},
    "dilated kernels": {"changes": {"dilation": 2}},
    "blocks of SPAN": {"changes": {"kind": "SPAN", "width": 48}},
    "blocks of NAFNet": {"changes": {"kind": "NAFNet", "width": 72, "blocks": 7}},
    "real pages mixed in": {"pages": 0.2},
    "no averaging": {"averaging": None},
    "small crops": {"crop_size": 64, "batch_size": 16, "epochs": 4},
    "small crops, then large": {"start": "ablation: small crops", "epochs": 4},
}
"""What differs from the short recipe, by the name of the change."""
SEEDS = "second seed", "third seed"
_LATER = {"small crops"}  # only the beginning of another one
RESULT = legible.RESULTS / "ablation.csv"
_BATCHES = 48  # of crops that RapidOCR's networks look at


def name_of(change: str) -> str:
    """The name of the experiment."""
    return f"ablation: {change}"


EXPERIMENTS = {name_of(change): dataclasses.replace(_SHORT, **fields) for change, fields in CHANGES.items()}


def run(*, fonts: Sequence[Path], work: Path, pages: Path | None = None, train: bool = True) -> pd.DataFrame:
    """Train what is not trained yet, judge all, and keep that as `ablation.csv`; returns it, see `kept`.

    Without `train`, those are judged that are trained by now; without `pages` (see `legible.train`), what learns from
    them is left out, unless it is trained by now.
    """
    if train and pages:
        legible.Pages(pages)  # what cannot be used is said now, not after an hour of other trainings
    options = {"fonts": fonts, "work": work, "pages": pages, "keep": legible.RESULTS / "ablation"}
    networks = {
        change: legible.train(name_of(change), experiment, **options)
        for change, experiment in zip(CHANGES, EXPERIMENTS.values(), strict=True)
        if legible.is_trained(name_of(change), work) or (train and (pages or not experiment.pages))
    }
    networks = {change: network for change, network in networks.items() if change not in _LATER}
    enhancers = {evaluation.UNTOUCHED: lambda image: image}
    enhancers |= {change: partial(evaluation.predict, network) for change, network in networks.items()}
    read = legible.read_after(enhancers, fonts=fonts, cache=work / "read", cards=legible.READ_LAST)
    read["card"] = read["name"].str.split(".").str[-1]
    looked_at = _lessons(fonts)
    seen = pd.concat(
        [legible.seen(network, looked_at, _BATCHES).assign(method=change) for change, network in networks.items()]
    ).rename(columns={"batch": "name"})
    table = pd.concat(
        [
            _measured(read[read["test"] == "cards"], "cards: error", "errors", "characters", "card"),
            _measured(read[read["test"] == "cards"], "cards: exact", "exact", "fields", "card"),
            _measured(read[read["test"] == "scenes"], "scenes: error", "errors", "characters", "name"),
            _measured(read, "PSNR", "psnr", None, "card"),
            _measured(seen, "letters", "letters", None, "name"),
            _measured(seen, "finding", "finding", None, "name"),
        ]
    )
    with files.whole(RESULT) as temporary:
        table.to_csv(temporary, index=False)
    return table


def _lessons(fonts: Sequence[Path]) -> legible.Lessons:
    """Crops of watched scenes and of validation cards, half each."""
    cards = legible.Cards(dataset.provide(**legible.CARDS), "validation")
    drawn = legible.bank(legible.WATCHED, legible.SEED, "watched", fonts)
    return legible.Lessons([(1, drawn), (1, cards)], _SHORT.batch_size, _SHORT.crop_size, _SHORT.lines, 999, 1)


def _measured(table: pd.DataFrame, measure: str, top: str, bottom: str | None, group: str) -> pd.DataFrame:
    """A measure of every method beside `BASE`, see `comparison.against`."""
    compared = comparison.against(
        table[table["method"] != evaluation.SHARP], BASE, top, bottom, group=group, seed=legible.SEED
    )
    return compared.assign(measure=measure)


def kept(file: Path = RESULT) -> pd.DataFrame:
    """What `run` found, one row a change and measure, without `BASE` and doing nothing; empty where it was not run.

    The columns of `comparison.against`, measure, unchanged (the figure of `BASE`), chance (how far the farthest of the
    other seeds is from it) and decided (whether the difference is larger than that, and its interval without 0).
    """
    if not file.exists():
        return pd.DataFrame()
    table = pd.read_csv(file)
    unchanged = table[table["method"] == BASE].set_index("measure")["figure"]
    apart = table[table["method"].isin(SEEDS)].set_index("measure")["difference"].abs()
    table = table[~table["method"].isin([BASE, evaluation.UNTOUCHED])]
    chance = table["measure"].map(apart.groupby(level=0).max())
    ends = table["difference_low"], table["difference_high"]
    decided = (table["difference"].abs() > chance) & ((ends[0] > 0) | (ends[1] < 0))
    return table.assign(unchanged=table["measure"].map(unchanged), chance=chance, decided=decided)


def seconds(folder: Path = legible.RESULTS / "ablation") -> dict[str, float]:
    """How long each change was trained, by its name, with what it began with."""
    found = {}
    for change, experiment in zip(CHANGES, EXPERIMENTS.values(), strict=True):
        for name in (name_of(change), experiment.start):
            file = folder / f"{legible._file(name or '')}.json"
            if name and file.exists():
                record = json.loads(file.read_text(encoding="utf-8"))
                found[change] = found.get(change, 0.0) + record["seconds"]
    return found
