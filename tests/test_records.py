import json

import nbformat
import pandas as pd
import pytest
import yaml

from srcnn_lib import files, models, records, training
from srcnn_lib.errors import RunError
from srcnn_lib.runs import Run


def test_a_finished_run_is_kept_with_date_and_device(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    files.write_text(
        folder / "run.yaml", yaml.safe_dump({"run": "published", "profile": "published", "data": {"drawn": True}})
    )
    with pytest.raises(RunError, match=r"06_training\.ipynb is missing"):
        records.keep(Run(folder), tmp_path)
    notebook = nbformat.v4.new_notebook(metadata={"provenance": {"device": "a machine", "commit": "abc"}})
    files.write_text(folder / "06_training.ipynb", nbformat.writes(notebook))
    files.write_json(folder / "06_training/summary.json", {"model": "srcnn-9-1-5", "seconds": 3.5, "device": "CPU"})
    files.write_json(folder / "01_inspection/summary.json", {"data_sha256": "123"})
    files.write_text(
        folder / "06_training/history.csv", pd.DataFrame({"epoch": [1], "loss": [0.25]}).to_csv(index=False)
    )
    files.write_text(
        folder / "07_evaluation/summary.csv", pd.DataFrame({"method": ["untouched"], "mse": [0.1]}).to_csv(index=False)
    )
    network = models.build("srcnn-9-1-5")
    training.save(network, folder / "06_training/model.keras")
    path = records.keep(Run(folder), tmp_path)
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    record = records.read("published")
    assert record == json.loads(path.read_text())
    assert record["device"] == "a machine" and record["data_sha256"] == "123" and len(record["date"]) == 10
    assert record["history"] == [{"epoch": 1, "loss": 0.25}] and record["test"] == [{"method": "untouched", "mse": 0.1}]

    kept = records.network("published").get_weights()
    assert all((mine == theirs).all() for mine, theirs in zip(kept, network.get_weights(), strict=True))


def test_what_was_never_run_is_none():
    assert records.read("never") is None and records.read_table("never") is None and records.network("never") is None
