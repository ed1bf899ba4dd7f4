"""What `make` says and does around the report of the ci profile, which `test_report` looks at."""

import re
import shutil
import subprocess

import cv2
import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup

from srcnn_lib import images, specimens
from srcnn_lib.runs import Run
from tests.conftest import CLEAN, ROOT, make


def test_make_alone_prints_help():
    said = make().stdout
    for target in ("report", "notebooks", "data", "test", "lint", "lab", "clean"):
        assert re.search(rf"^  {target}\s", said, re.M)


@pytest.mark.parametrize("name", ["my run", "template", "../elsewhere", ".hidden"])
def test_impossible_run_names_are_refused(name):
    done = make("report", f"RUN={name}", check=False)
    assert done.returncode != 0 and "expected a name of letters" in done.stderr


@pytest.fixture
def copy_with_two_notebooks(tmp_path):
    """The project without its history and results, its notebooks cut down to the first two, sharing this .venv."""
    folder = tmp_path / "copy"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".git", ".venv", "reports", "data", ".*_cache"))
    shutil.copytree(ROOT / "reports" / "template", folder / "reports" / "template")
    for source in sorted((folder / "notebooks").glob("*.py"))[2:]:
        source.unlink()
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.mark.slow
def test_a_failing_cell_fails_make_and_says_where_its_traceback_is(copy_with_two_notebooks, make_pairs):
    folder, data = copy_with_two_notebooks, make_pairs(["a", "b", "c"])
    with (folder / "notebooks" / "01_inspection.py").open("a") as source:
        source.write("\n# %%\nraise KeyError('planted')\n")
    done = make("report", "PROFILE=ci", f"DATA={data}", "RUN=mine", check=False, folder=folder)
    assert done.returncode != 0 and "planted" in done.stderr
    failed = folder / "reports" / "mine" / "failed" / "01_inspection.ipynb"
    assert failed.relative_to(folder).as_posix() in done.stderr and "planted" in failed.read_text()
    assert (folder / "reports" / "mine" / "00_introduction.ipynb").exists()
    assert not (folder / "reports" / "mine" / "01_inspection.ipynb").exists()
    assert not (folder / "reports" / "report.html").exists()


def test_two_that_need_the_same_cards_draw_them_once(copy_with_two_notebooks):
    folder = copy_with_two_notebooks
    profiles = folder / "notebooks" / "profiles"
    few = {"identities": 8, "fault_share": 0.0, "train_pairs": 10, "validation_pairs": 2, "test_pairs": 2}
    settings = yaml.safe_load((profiles / "ci.yaml").read_text(encoding="utf-8")) | few
    (profiles / "few.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    both = [
        subprocess.Popen(
            ["make", "data", "PROFILE=few", f"RUN={run}"], cwd=folder, env=CLEAN | {"PYTHONPATH": str(folder)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for run in ("one", "other")
    ]  # fmt: skip
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    (drawn,) = (folder / "data" / "specimens").glob("8-identities-*")
    assert specimens.check(drawn) == [] and not (drawn / ".partial").exists()
    assert sum("drawing cards" in text for text in said) == 1, "the second finds what the first has drawn"
    inputs = [yaml.safe_load((folder / "reports" / run / "run.yaml").read_text()) for run in ("one", "other")]
    assert inputs[0]["data"] == inputs[1]["data"] and inputs[0]["data"]["files"] == 2 * 2 * 8


@pytest.fixture
def own_pages(tmp_path, rng):
    """Six pages, no numbers in the names, odd characters, too few for the profile, one broken file."""
    data = tmp_path / "My pages ($1 each)"
    for number in range(6):
        sharp = np.full((60, 44, 3), 250, np.uint8)
        sharp[8:50:6, 5:38] = rng.integers(0, 256, (7, 33, 1), dtype=np.uint8)
        images.write(data / "sharpened_images" / f"page_$5_and_$6 1.{number}0.png", sharp)
        images.write(data / "blurred_images" / f"page_$5_and_$6 1.{number}0.jpg", cv2.GaussianBlur(sharp, (0, 0), 1.5))
    (data / "blurred_images" / "page_$5_and_$6 1.00.jpg").write_bytes(b"broken")
    for side in ("blurred_images", "sharpened_images"):  # one page twice, as a near-duplicate without a number
        again = next(path for path in (data / side).iterdir() if " 1.50" in path.name)
        shutil.copy(again, again.with_name(again.name.replace(" 1.50", " 1.60")))
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    yield data
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before
    shutil.rmtree(ROOT / "reports" / "My_pages___1_each_-3058899352-ci")


@pytest.mark.slow
def test_a_folder_of_ones_own_is_inspected_and_split(own_pages):
    run = "reports/My_pages___1_each_-3058899352-ci"
    make(f"{run}/03_split.ipynb", "PROFILE=ci", f"DATA={own_pages}")
    run = Run(ROOT / run)
    assert set(run.read_table("03_split/split.csv")["part"]) >= {"train", "validation", "test"}
    set_aside = run.read_table("01_inspection/set_aside.csv")
    broken = set_aside[set_aside["file"].str.endswith("page_$5_and_$6 1.00.jpg")]
    assert len(broken) == 1 and set_aside["reason"].str.contains("its partner cannot be used").any()


@pytest.mark.own
def test_a_folder_of_ones_own_makes_a_report_of_its_own(own_pages):
    pointer = ROOT / "reports" / "report.html"
    pointed_before = pointer.read_bytes() if pointer.exists() else None
    done = make("-j2", "report", "PROFILE=ci", f"DATA={own_pages}")
    (where,) = re.findall(r"The report is (reports/My_pages_.*-ci/report\.html)", done.stdout)
    text = BeautifulSoup((ROOT / where).read_text(encoding="utf-8"), "html.parser").get_text(" ")
    assert "Notice: the profile asks for 76 pairs, but there are only 6" in re.sub(r"\s+", " ", text)
    assert "page_$5_and_$6 1.00.jpg" in text and "its partner cannot be used" in text
    pointer.unlink() if pointed_before is None else pointer.write_bytes(pointed_before)
