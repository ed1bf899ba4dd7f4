"""Results of runs that take too long to repeat in every report, kept in this folder with date and machine."""

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pandas as pd

from srcnn_lib.files import write_json
from srcnn_lib.runs import Run

if TYPE_CHECKING:
    import keras

FOLDER = Path(__file__).parent
TRAINING = "06_training"


def read(name: str) -> dict | None:
    """The record `<name>.json`; None if that run was never made."""
    file = FOLDER / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def read_table(name: str) -> pd.DataFrame | None:
    """The table `<name>.csv`; None if that run was never made."""
    file = FOLDER / f"{name}.csv"
    return pd.read_csv(file) if file.exists() else None


def network(name: str) -> "keras.Model | None":
    """The network that was kept with the record of this name; None if there is none."""
    from srcnn_lib import training  # records are read where TensorFlow is not loaded, too

    file = FOLDER / f"{name}.keras"
    return training.load(file) if file.exists() else None


def keep(run: Run, folder: Path = FOLDER) -> Path:
    """Record what the training of a finished run came to, as `<run>.json` and `<run>.keras`; returns the first.

    The first holds date, device, commit and data hash, the whole history, what `06_training/summary.json` says and the
    test scores of `07_evaluation/summary.csv`. Raises RunError if the run has not come so far.
    """
    provenance = nbformat.read(run.existing(f"{TRAINING}.ipynb"), as_version=4).metadata["provenance"]
    record = {
        **run.read_json(f"{TRAINING}/summary.json"),
        "date": date.fromtimestamp(run.existing(f"{TRAINING}/summary.json").stat().st_mtime).isoformat(),
        "device": provenance["device"],
        "commit": provenance["commit"],
        "data_sha256": run.read_json("01_inspection/summary.json")["data_sha256"],
        "test": run.read_table("07_evaluation/summary.csv").to_dict("records"),
        "history": run.read_table(f"{TRAINING}/history.csv").to_dict("records"),
    }
    path = folder / f"{run.inputs['run']}.json"
    from srcnn_lib import training  # see `network`

    training.save(training.load(run.existing(f"{TRAINING}/model.keras")), path.with_suffix(".keras"))
    write_json(path, record)
    return path
