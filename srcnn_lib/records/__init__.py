"""Results of runs that take too long to repeat in every report, kept in this folder with date and machine."""

import json
from datetime import date
from pathlib import Path

import nbformat
import pandas as pd

from srcnn_lib.files import write_json
from srcnn_lib.runs import Run

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


def keep(run: Run, folder: Path = FOLDER) -> Path:
    """Record what the training of a finished run came to, as `<run>.json`; returns the file.

    Holds date, device, commit and data hash, the whole history, what `06_training/summary.json` says and the test
    scores of `07_evaluation/summary.csv`. Raises RunError if the run has not come so far.
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
    write_json(path, record)
    return path
