"""The whole report on the ci profile, as `make report` makes it, and what it promises."""

import itertools
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from srcnn_lib import claims, enhancer, evaluation, export, graph, original, training
from srcnn_lib.runs import Run
from tests.conftest import ROOT, make

RUN = "test"
FOLDER = ROOT / "reports" / RUN
NAMES = [source.stem for source in graph.notebooks()]


@pytest.fixture(scope="module")
def page() -> BeautifulSoup:
    shutil.rmtree(FOLDER, ignore_errors=True)
    said = make("-j2", "report", "PROFILE=ci", f"RUN={RUN}").stderr
    assert [name for name in NAMES if f"[{name}] finished in" in said] == NAMES
    assert "epoch 6/6" in said and "val_loss" in said
    return BeautifulSoup((FOLDER / "report.html").read_text(encoding="utf-8"), "html.parser")


def test_contents_are_the_originals_and_every_entry_leads_to_its_heading(page):
    entries = page.select("nav.contents a")
    *sections, map_of_the_original, provenance = entries
    assert [tuple(entry.text.split(" ", 1)) for entry in sections] == list(original.CONTENTS)
    assert [map_of_the_original.text, provenance.text] == ["Map of the original", "Provenance"]
    headings = [page.find(id=entry["href"][1:]) for entry in entries]
    assert [heading.get_text() for heading in headings] == [entry.text for entry in entries]
    assert page.find_all(["h1", "h2"], id=True) == headings, "in the order of the page"


def test_no_link_within_the_page_leads_nowhere(page):
    ids = {tag["id"] for tag in page.find_all(id=True)}
    assert {link["href"][1:] for link in page.find_all("a", href=re.compile("^#"))} <= ids


def test_six_numbers_and_a_picture_come_first(page):
    first = page.main.find(True)
    assert first["class"] == ["summary"]
    assert len(first.select("dd strong")) == 6 and all(
        re.search(r"\d", number.text) for number in first.select("strong")
    )
    assert first.find("figure").figcaption.text.startswith("Figure 1. ")
    assert re.fullmatch(r"Figure \d+", first.select_one("a[href='#ladder']").text), (
        "which shows what each change brought"
    )
    assert len(first.find_all("figure")) == 2


def test_the_map_goes_through_the_whole_original_and_judges(page):
    mapped = Run(FOLDER).read_table("09_conclusion/map.csv")
    assert set(mapped["verdict"]) <= set(claims.VERDICTS) and len(mapped) > 40
    sections = [number for number, _ in original.CONTENTS]
    places = [sections.index(section) for section in mapped["section"]]
    assert places == sorted(places)
    assert {"1.2", "3", *(f"2.{number}" for number in range(1, 11))} <= set(mapped["section"])
    assert len(page.select("#map tbody tr")) == len(mapped)


def test_the_originals_log_is_there_in_full(page):
    rows = page.select("#log tbody tr")
    assert len(rows) == original.EPOCHS
    assert f"{original.LOSS[-1]:.4f}" in rows[-1].text and f"{original.VAL_LOSS[-1]:.4f}" in rows[-1].text


def test_what_goes_beyond_the_original_is_marked_and_said(page):
    marked = [heading for heading in page.find_all(["h1", "h2", "h3"]) if heading.find(class_="beyond")]
    assert len(marked) > 10 and all("(beyond the original)" in heading.text for heading in marked)


def test_ids_are_unique(page):
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_nothing_is_loaded_from_outside(page):
    assert not page.find_all(["script", "link", "iframe", "object"], src=True)
    loaded = [tag.get("src") or tag.get("href") for tag in page.find_all(["img", "link", "source"])]
    assert loaded and all(address.startswith("data:") for address in loaded)
    assert not re.search(r"url\((?!['\"]?data:)|@import", page.style.text)


def test_the_files_beside_the_page_are_linked(page):
    linked = [link["href"] for link in page.select("footer a")]
    assert linked[: len(NAMES)] == [f"{name}.ipynb" for name in NAMES]
    assert all((FOLDER / name).exists() for name in linked)


def test_figures_have_captions_and_alternatives_and_tables_captions(page):
    figures, listings = page.select("figure:not(.listing)"), page.select("figure.listing")
    assert len(figures) >= 12 and len(listings) >= 2
    for kind, shown in (("Figure", figures), ("Listing", listings)):
        for number, figure in enumerate(shown, start=1):
            assert figure.figcaption.text.startswith(f"{kind} {number}. ")
    assert all(len(image["alt"]) > 20 for image in page.find_all("img"))
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
    text = page.find(id="provenance").parent.get_text(" ")
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
        ("srcnn_lib/comparison.py", "05", ["06"]),
        ("srcnn_lib/intensity.py", "02", ["03", "04", "05", "06", "07", "08"]),
        ("srcnn_lib/tuning.py", "08", []),
        ("notebooks/05_model.py", "05", ["06", "07"]),
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


def test_exported_networks_give_what_the_trained_ones_do(page, tmp_path, monkeypatch, rng):
    export.weights(Run(FOLDER), tmp_path)
    monkeypatch.setattr(enhancer, "WEIGHTS", tmp_path)
    monkeypatch.setattr(enhancer, "_session", enhancer._session.__wrapped__)
    image = rng.integers(0, 256, (88, 136, 3), dtype=np.uint8)  # on the grid, where Keras needs no padding either
    for name, registered in export.NETWORKS.items():
        network = training.load(FOLDER / "06_training" / "native" / f"{registered}.keras")
        network.set_weights(export.rounded(network.get_weights()))
        expected = evaluation.predict(network, image).astype(int)
        assert np.abs(enhancer.enhance(image, model=name) - expected).max() <= 1
