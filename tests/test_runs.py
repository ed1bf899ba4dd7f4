import errno
import os
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from srcnn_lib import inputs, settings
from srcnn_lib.__main__ import main
from srcnn_lib.errors import DataError, RunError
from srcnn_lib.runs import EXECUTING, Run
from tests.conftest import ROOT


@pytest.fixture
def run(tmp_path) -> Run:
    record = {"run": "mine-ci", "profile": "ci", "data": {"drawn": False, "folder": "../mine"}}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(record))
    return Run(tmp_path)


def test_names_that_look_like_numbers_or_nothing_survive(run, monkeypatch):
    monkeypatch.setenv(EXECUTING, "1")
    names = ["1.1", "1.10", "001", "1", "NA", "nan", "1e3"]
    run.write_table("01_inspection/pairs.csv", pd.DataFrame({"name": names, "number": [None, *range(6)]}))
    table = run.read_table("01_inspection/pairs.csv")
    assert table["name"].tolist() == names
    assert table["number"].isna().tolist() == [True] + [False] * 6


def test_work_in_the_lab_never_changes_a_finished_run(run, monkeypatch):
    monkeypatch.setenv(EXECUTING, "1")
    run.write_json("06_training/summary.json", {"epochs": 40})
    monkeypatch.delenv(EXECUTING)
    run.write_json("06_training/summary.json", {"epochs": 1})
    assert run.read_json("06_training/summary.json") == {"epochs": 40}
    assert (run.folder / "lab" / "06_training" / "summary.json").exists()


def test_a_missing_result_says_how_to_make_it(run):
    with pytest.raises(RunError, match=r"make report PROFILE=ci DATA=\.\./mine RUN=mine-ci` makes it$"):
        run.read_table("03_split/split.csv")
    (run.folder / "03_split.ipynb").touch()
    with pytest.raises(RunError, match=r"after removing 03_split\.ipynb"):
        run.read_table("03_split/split.csv")


def test_a_missing_run_says_which_runs_there_are(run, tmp_path):
    with pytest.raises(RunError, match=r"`make report` makes it; no other run is there"):
        Run(tmp_path / "none" / "standard").inputs["run"]
    with pytest.raises(RunError, match=rf"runs that are there: .*{tmp_path.name}"):
        Run(tmp_path.parent / "standard").inputs["run"]


def test_prepare_records_changes_of_the_data_and_nothing_else(make_pairs, tmp_path):
    folder = make_pairs(["a", "b", "c"])
    run_folder = tmp_path / "run"
    assert inputs.prepare(run_folder, profile="ci", data=str(folder))
    assert not inputs.prepare(run_folder, profile="ci", data=str(folder))
    (folder / "blurred_images" / ".DS_Store").touch()
    (folder / "blurred_images" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert inputs.prepare(run_folder, profile="ci", data=str(folder)), "a link that leads nowhere is a change"
    (folder / "blurred_images" / "gone.png").unlink()
    (folder / "sharpened_images" / "a.png").touch()
    assert inputs.prepare(run_folder, profile="ci", data=str(folder))
    assert Run(run_folder).data_folder == folder.resolve()


def test_too_few_identities_are_named_before_anything_is_drawn(tmp_path, monkeypatch):
    small = settings.load(settings.PROFILES / "ci.yaml").model_copy(update={"identities": 5})
    monkeypatch.setattr(settings, "load", lambda path: small)
    with pytest.raises(DataError, match=r"'identities': 5 numbers give 10 pairs"):
        inputs.prepare(tmp_path, profile="ci", data=None)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_is_said_in_a_line_and_nothing_is_half_written(make_pairs, tmp_path):
    data = make_pairs(["a", "b", "c"])
    code = (
        "import resource, sys; from srcnn_lib.__main__ import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)); main(sys.argv[1:])"  # bytes of a file, as on a full disk
    )
    arguments = ["prepare", tmp_path / "run", "--profile", "ci", "--data", data]
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.strip() == f"error: {tmp_path / 'run'}: cannot be written ({os.strerror(errno.EFBIG)})"
    assert not [path for path in (tmp_path / "run").rglob("*") if path.is_file()]


def test_a_place_that_can_only_be_read_is_named(make_pairs, tmp_path, monkeypatch):
    data, run = make_pairs(["a", "b", "c"]), tmp_path / "run"

    def refuse(source, target):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(target))

    monkeypatch.setattr("srcnn_lib.files.os.replace", refuse)
    done = CliRunner().invoke(main, ["prepare", str(run), "--profile", "ci", "--data", str(data)])
    assert done.exit_code == 1 and f"error: {run}" in done.output
    assert f"cannot be written ({os.strerror(errno.EROFS)})" in done.output and "Traceback" not in done.output
