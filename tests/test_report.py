"""The whole report on the ci profile, as `make report` makes it, and what it promises."""

import itertools
import json
import os
import re
import shutil
import subprocess

import cv2
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from srcnn_lib import enhancer, evaluation, export, graph, images, original, training
from srcnn_lib.runs import Run
from tests.conftest import ROOT

RUN = "test"
FOLDER = ROOT / "reports" / RUN
NAMES = [source.stem for source in graph.notebooks()]


# What `make test` itself was called with must not reach the runs below.
CLEAN = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def make(*arguments, check=True, folder=ROOT) -> subprocess.CompletedProcess:
    environment = CLEAN | {"PYTHONPATH": str(folder)}
    done = subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, env=environment)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def page() -> BeautifulSoup:
    shutil.rmtree(FOLDER, ignore_errors=True)
    said = make("-j2", "report", "PROFILE=ci", f"RUN={RUN}").stderr
    assert [name for name in NAMES if f"[{name}] finished in" in said] == NAMES
    assert "epoch 6/6" in said and "val_loss" in said
    return BeautifulSoup((FOLDER / "report.html").read_text(encoding="utf-8"), "html.parser")


def test_contents_are_the_originals_and_every_entry_leads_to_its_heading(page):
    entries = page.select("nav.contents a")
    assert [tuple(entry.text.split(" ", 1)) for entry in entries[:-1]] == list(original.CONTENTS)
    headings = [page.find(id=entry["href"][1:]) for entry in entries]
    assert [heading.get_text() for heading in headings[:-1]] == [entry.text for entry in entries[:-1]]
    assert page.find_all(["h1", "h2"], id=True) == headings[:-1], "in the order of the page"


def test_ids_are_unique(page):
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_nothing_is_loaded_from_outside(page):
    assert not page.find_all(["script", "link", "iframe", "object"], src=True)
    loaded = [tag.get("src") or tag.get("href") for tag in page.find_all(["img", "link", "source"])]
    assert loaded and all(address.startswith("data:") for address in loaded)
    assert not re.search(r"url\((?!['\"]?data:)|@import", page.style.text)


def test_figures_have_captions_and_alternatives_and_tables_captions(page):
    figures = page.find_all("figure")
    assert len(figures) >= 12
    assert all(
        len(figure.img["alt"]) > 30 and figure.figcaption.text.startswith(f"Figure {number}. ")
        for number, figure in enumerate(figures, start=1)
    )
    assert all(table.caption for table in page.find_all("table"))


def test_code_is_folded_and_outputs_are_not(page):
    assert len(page.select("details.code")) > 30
    assert all(not code.has_attr("open") for code in page.select("details.code"))
    assert not page.select("details figure, details table")
    assert not page.select("main > .highlight")


def test_formulas_are_drawn_without_a_script(page):
    assert len(page.find_all("math")) >= 5
    assert "$" not in "".join(paragraph.text for paragraph in page.find_all("p"))


def test_every_section_has_a_live_result(page):
    for number, _ in original.CONTENTS:
        if "." not in number and number != "3":
            continue
        heading = page.find(lambda tag, number=number: tag.name in ("h1", "h2") and tag.text.startswith(number + " "))
        section = itertools.takewhile(lambda tag: tag.name not in ("h1", "h2"), heading.find_all_next())
        assert {"figure", "table"} & {tag.name for tag in section}, number


def test_provenance_names_everything(page):
    text = page.find(id="provenance").get_text(" ")
    for word in ("commit", "requirements.lock", "data hash", "tensorflow 2.", "cores", "seed", "together"):
        assert word in text


def test_results_are_those_of_this_run(page):
    history = pd.read_csv(FOLDER / "06_training" / "history.csv")
    assert len(history) == 6 and history["val_loss"].iloc[-1] < history["val_loss"].iloc[0]
    summary = pd.read_csv(FOLDER / "07_evaluation" / "summary.csv").set_index("method")
    assert f"{summary.loc['untouched', 'psnr_mean']:.2f} dB" in page.get_text()
    assert json.loads((FOLDER / "05_model" / "summary.json").read_text())["parameters"] == 20099


def test_a_second_make_runs_nothing(page):
    done = make("report", "PROFILE=ci", f"RUN={RUN}")
    assert "started" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("touched", "first", "skipped"),
    [
        ("srcnn_lib/evaluation.py", "04", []),
        ("srcnn_lib/comparison.py", "07", []),
        ("srcnn_lib/intensity.py", "02", ["03", "04", "05", "06", "07", "08"]),
        ("srcnn_lib/tuning.py", "08", []),
        ("notebooks/05_model.py", "05", ["06", "07", "08"]),
        ("srcnn_lib/split.py", "03", []),
    ],
)
def test_a_change_reruns_what_uses_it_and_what_follows(page, touched, first, skipped):
    planned = make("-n", "-o", f"reports/{RUN}/run.yaml", "-W", touched, "report", "PROFILE=ci", f"RUN={RUN}").stdout
    rerun = [name for name in NAMES if f"execute notebooks/{name}.py" in planned]
    assert rerun == [name for name in NAMES if name[:2] >= first and name[:2] not in skipped]
    assert "assemble" in planned


def test_the_last_report_is_pointed_at(page):
    make("report", "PROFILE=ci", f"RUN={RUN}")
    assert f'url={RUN}/report.html"' in (ROOT / "reports" / "report.html").read_text()


def test_a_bad_profile_stops_before_any_work(page):
    done = make("report", "PROFILE=cli", "RUN=never", check=False)
    assert done.returncode != 0 and "the profiles are ci, full, long, published, standard" in done.stderr
    assert not (ROOT / "reports" / "never").exists()


def test_a_data_folder_without_the_two_folders_is_named(page, tmp_path):
    done = make("report", "PROFILE=ci", f"DATA={tmp_path}", "RUN=never", check=False)
    assert done.returncode != 0 and str(tmp_path) in done.stderr and "sharpened_images" in done.stderr
    assert not (ROOT / "reports" / "never").exists()


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


def test_exported_networks_give_what_the_trained_ones_do(page, tmp_path, monkeypatch, rng):
    export.weights(Run(FOLDER), tmp_path)
    monkeypatch.setattr(enhancer, "WEIGHTS", tmp_path)
    monkeypatch.setattr(enhancer, "_session", enhancer._session.__wrapped__)
    image = rng.integers(0, 256, (88, 136, 3), dtype=np.uint8)  # on the grid, where Keras needs no padding either
    for name, registered in export.NETWORKS.items():
        network = training.load(FOLDER / "06_training" / "native" / f"{registered}.keras")
        expected = evaluation.predict(network, image).astype(int)
        assert np.abs(enhancer.enhance(image, model=name) - expected).max() <= 1
