"""The copy of a report that may be passed on: secrets are planted wherever they could come through."""

import getpass
import re
import socket

import nbformat
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup

from srcnn_lib import graph, report, sharing
from srcnn_lib.errors import RunError
from srcnn_lib.execution import execute
from srcnn_lib.files import write_json
from srcnn_lib.runs import Run
from tests.test_execution import HEADER, PARAMETERS

CARDS = pd.DataFrame(
    {
        "name": ["Jane Doe 1", "b&<i>"],
        "psnr": [21.5, 22.5],
        "found": ["MUSTERMANN", "<script>alert('read')</script>"],
        "numbers": ["28501", "28599"],
    }
)
# The sources of notebooks are on the page, so that what is confidential comes from a file, as it does in earnest.
CELLS = """
# %%
import numpy as np, pandas as pd
from IPython.display import Markdown, display
from srcnn_lib import figures
names = pd.read_csv("cards.csv", dtype={"numbers": "string"})
first, read = names["name"][0], names["found"][0]
figures.table(names[["name", "psnr", "found"]], caption="Every card.")
# %%
black = np.zeros((9, 9, 3), np.uint8)
figures.figure(figures.side_by_side([(first, black)]), caption=first, alt=first)
# %%
figures.figure(figures.importance(pd.Series({"width": 1.0})), caption="curve", alt="a curve")
# %%
figures.table(pd.DataFrame({"method": ["untouched"]}), caption=f"Of {first}.")
# %%
rows = [("pairs", "2", "4,060"), ("numbers", " to ".join(names["numbers"]), "28,000 to 29,000")]
figures.beside_original(rows, caption="numbers", private=["numbers"])
# %%
Markdown(f"Best was {first}.")
# %%
Markdown("On average **22.0 dB**.")
# %%
print(read); display(names); read
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on a person's own two cards, with one notebook executed, as far as sharing looks at it."""
    place = tmp_path_factory.mktemp("place")
    data = place / "doe family"
    data.mkdir()
    folder = place / "run"
    inputs = {"run": "doe_family-ci", "profile": "ci", "data": {"folder": str(data), "drawn": False}}
    inputs["settings"] = {"seed": 1}
    folder.mkdir()
    (folder / "run.yaml").write_text(yaml.safe_dump(inputs))
    files = [
        f"{side}/{name}.png" for side in ("blurred_images", "sharpened_images") for name in ("Jane Doe 1", "b&<i>")
    ]
    table = pd.DataFrame({"file": files, "reason": "none"})
    for name, rows in (("files", table), ("set_aside", table[:0])):
        (folder / "01_inspection").mkdir(exist_ok=True)
        rows.to_csv(folder / "01_inspection" / f"{name}.csv", index=False)
    texts = ("MUSTERMANN", "<script>alert('read')</script>", "enhan")
    lines = [{"text": text, "box": [0] * 4, "confidence": 1} for text in texts]
    write_json(folder / "07_evaluation" / "read" / "0.json", lines)
    write_json(folder / "01_inspection" / "summary.json", {"data_sha256": "0a1b", "pairs": 2})
    write_json(folder / "06_training" / "summary.json", {"device": "a machine"})
    CARDS.to_csv(folder / "cards.csv", index=False)
    (folder / "01_example.py").write_text(HEADER + PARAMETERS + CELLS)
    execute(folder / "01_example.py", folder)
    return Run(folder)


def test_only_what_is_listed_as_shareable_is_shared(run):
    notebook = nbformat.read(run.folder / "01_example.ipynb", as_version=4)
    confidential = sharing.Confidential.of(run)
    confidential.strip(notebook)
    said = "\n".join(str(output.data) for cell in notebook.cells for output in cell.get("outputs", []))
    said = re.sub('base64,[^"]*', "", said)
    for secret in ("Jane", "<i>", "&lt;i", "MUSTERMANN", "alert", "28501", str(run.folder), "doe"):
        assert secret not in said
    assert "image 1" in said and "image 2" in said and "21.5" in said, "names are numbers, and numbers stay"
    assert said.count("<img") == 1 and "a curve" in said and "22.0 dB" in said and "4,060" in said
    assert not any("injected-parameters" in cell.metadata.get("tags", []) for cell in notebook.cells)
    confidential.check(said)


def test_a_page_shows_names_and_texts_as_text_and_its_copy_to_share_shows_none(run, monkeypatch):
    monkeypatch.setattr(graph, "notebooks", lambda: [run.folder / "01_example.py"])
    page, copy = (
        BeautifulSoup(report.assemble(run.folder, share=share).read_text(encoding="utf-8"), "html.parser")
        for share in (False, True)
    )
    assert not page.main.find_all("script") and not copy.main.find_all("script")
    shown = page.main.get_text()
    assert all(text in shown for text in ("Jane Doe 1", "b&<i>", "MUSTERMANN", "<script>alert('read')</script>"))
    everything = str(copy)
    for secret in ("Jane", "b&amp;", "MUSTERMANN", "alert", "28501", str(run.folder), str(run.data_folder), "doe"):
        assert secret not in everything, secret
    assert "image 1" in copy.main.get_text() and "4,060" in copy.main.get_text()


def test_what_stands_within_a_word_of_the_sources_is_a_secret_all_the_same(run):
    secrets = sharing.Confidential.of(run).secrets
    assert "enhan" in secrets and "enhancer" not in secrets


@pytest.mark.parametrize(
    "secret",
    ["Jane Doe 1", "Jane Doe 1.png", "doe family", "MUSTERMANN", "does-laptop", "jdoe", "doe_family-ci", "enhan"],
)
def test_a_page_with_a_secret_is_refused(run, secret, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "does-laptop")
    monkeypatch.setattr(getpass, "getuser", lambda: "jdoe")
    with pytest.raises(RunError, match="was not written"):
        sharing.Confidential.of(run).check(f"<p>of /{secret.replace(' ', '&#32;')}!</p>")


def test_provenance_keeps_neither_places_nor_names(run):
    shared = sharing.Confidential.of(run).provenance(
        {
            "Made from": {"data": "../doe family", "data hash": "SHA-256 0", "commit": "0a1b", "operating system": "x"},
            "Settings: profile for-doe": {"seed": 1, "font_folders": ["/home/doe/fonts"], "vgg19_weights": None},
            "Seconds": {"together": "1.0"},
        }
    )
    assert shared == {
        "Made from": {"commit": "0a1b"},
        "Settings": {"seed": 1, "font_folders": sharing.LEFT_OUT, "vgg19_weights": None},
        "Seconds": {"together": "1.0"},
    }
