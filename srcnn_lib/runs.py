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


@dataclass(frozen=True)
class Run:
    """One run folder, as the notebooks see it."""

    folder: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))

    @cached_property
    def inputs(self) -> dict:
        """What `inputs.prepare` recorded: name, profile, data and settings."""
        return yaml.safe_load(self._existing("run.yaml").read_text(encoding="utf-8"))

    @property
    def data_folder(self) -> Path:
        """The folder with `blurred_images` and `sharpened_images`."""
        return Path(os.path.normpath(ROOT / self.inputs["data"]["folder"]))

    def path(self, name: str) -> Path:
        """Where the result `name` ("<stage>/<file>") lies; its folder exists afterwards."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def existing(self, name: str) -> Path:
        """The path of a result that an earlier stage left. Raises RunError if it is not there."""
        return self._existing(name)

    def read_table(self, name: str) -> pd.DataFrame:
        """Read a CSV result. Raises RunError if it is not there."""
        return pd.read_csv(self._existing(name), keep_default_na=False, na_values=[""])

    def read_json(self, name: str) -> dict:
        """Read a JSON result. Raises RunError if it is not there."""
        return json.loads(self._existing(name).read_text(encoding="utf-8"))

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table as CSV, without its index, whole or not at all."""
        with whole(self.path(name)) as temporary:
            table.to_csv(temporary, index=False)

    def write_json(self, name: str, value: dict) -> None:
        """Write a JSON result, whole or not at all."""
        write_json(self.path(name), value)

    def _existing(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            stage = name.split("/")[0]
            target = "report" if stage == name else f"{os.path.relpath(self.folder.resolve(), ROOT)}/{stage}.ipynb"
            raise RunError(f"{path} is missing: `make {target}` makes it")
        return path
