"""The run folder: what each stage hands on to the next.

`reports/<run>/run.yaml` says what the run is made from (see `inputs`). Each stage writes its results
under its own name (`03_split/split.csv`), and later stages read them by that name. Make learns from
these names which notebook needs which (see `graph`).
"""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import yaml

from srcnn_lib.errors import RunError
from srcnn_lib.files import ROOT, whole, write_json

EXECUTING = "SRCNN_EXECUTING"
"""Environment variable that is set while Make executes a notebook: only then are a run's results replaced."""

# Columns that are text even where they look like numbers, as in "001" or "1.10".
_NAMES = ("name", "first", "second", "file", "low", "high", "low_sha256", "high_sha256")
_TEXT = dict.fromkeys((*_NAMES, "group", "variant", "pool", "section", "place_section"), "string")


@dataclass(frozen=True)
class Run:
    """One run folder, as the notebooks see it.

    Results are read from `folder`. A notebook that a person works on in JupyterLab writes its own into
    `folder/lab` instead, so that trying something out never changes a finished run.
    """

    folder: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))

    @cached_property
    def inputs(self) -> dict:
        """What `inputs.prepare` recorded: name, profile, data and settings."""
        return yaml.safe_load(self.existing("run.yaml").read_text(encoding="utf-8"))

    @property
    def data_folder(self) -> Path:
        """The folder with `blurred_images` and `sharpened_images`."""
        return Path(os.path.normpath(ROOT / self.inputs["data"]["folder"]))

    def path(self, name: str) -> Path:
        """Where to write the result `name` ("<stage>/<file>"); its folder exists afterwards."""
        path = (self.folder if EXECUTING in os.environ else self.folder / "lab") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def existing(self, name: str) -> Path:
        """The path of a result that an earlier stage left. Raises RunError, saying what to do, if there is none."""
        path = self.folder / name
        if path.exists():
            return path
        if name == "run.yaml":
            there = sorted(found.parent.name for found in self.folder.parent.glob("*/run.yaml"))
            raise RunError(
                f"{path} is missing: `{self._make_command(name)}` makes it; "
                + (f"runs that are there: {', '.join(there)}" if there else "no other run is there")
            )
        stage = name.split("/")[0]
        again = f", after removing {stage}.ipynb there" if (self.folder / f"{stage}.ipynb").exists() else ""
        raise RunError(f"{path} is missing: `{self._make_command(name)}` makes it{again}")

    def read_table(self, name: str) -> pd.DataFrame:
        """Read a CSV result; empty fields are missing values. Raises RunError if it is not there."""
        return pd.read_csv(self.existing(name), dtype=_TEXT, keep_default_na=False, na_values=[""])

    def read_json(self, name: str) -> dict:
        """Read a JSON result. Raises RunError if it is not there."""
        return json.loads(self.existing(name).read_text(encoding="utf-8"))

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table as CSV, without its index, whole or not at all."""
        with whole(self.path(name)) as temporary:
            table.to_csv(temporary, index=False)

    def write_json(self, name: str, value: dict) -> None:
        """Write a JSON result, whole or not at all."""
        write_json(self.path(name), value)

    def _make_command(self, name: str) -> str:
        if name == "run.yaml":
            return "make report" if self.folder.name == "standard" else f"make report PROFILE=… RUN={self.folder.name}"
        data = "" if self.inputs["data"]["drawn"] else f" DATA={self.inputs['data']['folder']}"
        return f"make report PROFILE={self.inputs['profile']}{data} RUN={self.inputs['run']}"
