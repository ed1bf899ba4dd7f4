"""A report that may be passed on: no image of the data, no recognised text, no name of a file, a person or a place.

What may stay is listed where it is made (`figures`): charts of many images, numbers, columns of this project's own
words. Everything else is left out. At last the whole page is searched for all that is known to be confidential.
"""

import getpass
import html
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pandas as pd
from bs4 import BeautifulSoup

from srcnn_lib import graph
from srcnn_lib.errors import RunError
from srcnn_lib.files import ROOT
from srcnn_lib.runs import Run

LEFT_OUT = "left out"
_PROVENANCE = ("commit", "requirements.lock", "Python", "packages", "device", "trained on", "elsewhere")
# Settings are this project's words and numbers, but for these, which name a person's own files.
_OWN_WORDS = ("font_folders", "vgg19_weights")
_PROFILES = ("ci", "standard", "published", "long", "full")
# Characters that a word or a number must have to be searched for: shorter ones stand in any page by chance.
_SHORTEST, _SHORTEST_NUMBER = 4, 8


@dataclass(frozen=True)
class Confidential:
    """What must not leave, and how each file is called instead."""

    numbers: dict[str, int]
    """A number for each file, by every form of its name; both sides of a pair have one number."""
    secrets: frozenset[str]
    """What must not stand on the page as a word of its own; what so stands in the project's own sources is none."""

    @classmethod
    def of(cls, run: Run) -> "Confidential":
        """Look up what is confidential in a finished run."""
        files = {
            *run.read_table("01_inspection/set_aside.csv")["file"],
            *run.read_table("01_inspection/files.csv")["file"],
        }
        stems = {file: Path(file).stem for file in files}
        number_of = {stem: number for number, stem in enumerate(sorted(set(stems.values())), start=1)}
        numbers = {form: number_of[stem] for file, stem in stems.items() for form in (file, Path(file).name, stem)}
        data = run.data_folder.resolve()
        own = {data.name, str(data), str(Path.home()), str(ROOT), run.inputs["data"]["folder"], run.inputs["run"]}
        machine = {socket.gethostname(), getpass.getuser()}
        if run.inputs["data"]["drawn"]:
            own.discard(run.inputs["run"])  # then the run is called after its profile
        words = numbers.keys() | own | machine | set(_texts(run))
        public = _public()
        return cls(numbers, frozenset(word for word in words if _telling(word) and not _stands_in(public, word)))

    def strip(self, notebook: nbformat.NotebookNode) -> None:
        """Leave in a notebook only what may be shared."""
        notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [
                    nbformat.v4.new_output("display_data", data=data)
                    for output in cell.outputs
                    if (data := self._shared(output))
                ]

    def provenance(self, tables: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
        """What the last page may say of how the report was made."""
        made, settings, seconds = tables.items()
        profile = settings[0].rpartition(" ")[2]
        return {
            made[0]: {key: value for key, value in made[1].items() if key in _PROVENANCE},
            settings[0] if profile in _PROFILES else "Settings": {
                key: LEFT_OUT if key in _OWN_WORDS and value else value for key, value in settings[1].items()
            },
            seconds[0]: seconds[1],
        }

    def check(self, page: str) -> None:
        """Raise RunError if a secret stands on the page, in whatever place."""
        if found := self._found(page):
            raise RunError(f"report-share.html was not written, since it would say {found!r}")

    def _shared(self, output: nbformat.NotebookNode) -> dict[str, str]:
        data = output.get("data", {})
        if "text/markdown" in data:
            text = data["text/markdown"]
            return {"text/markdown": f"*A paragraph is {LEFT_OUT}.*" if self._found(text) else text}
        if "text/html" not in data:
            return {}
        shown, shared = data["text/html"], output.metadata.get("text/html", {}).get("shared")
        if isinstance(shared, dict):
            shown = self._table(shown, **{key.replace(" ", "_"): value for key, value in shared.items()})
        if shared == "without figures":
            shown = re.sub(r"<figure.*</figure>", "", shown, flags=re.DOTALL)
        if not shared or self._found(shown):
            shown = f"<p><em>A figure or table that shows the data is {LEFT_OUT} of this copy.</em></p>"
        return {"text/html": shown}

    def _table(self, shown: str, columns: list[str], rows_out: list[int]) -> str:
        table = BeautifulSoup(shown, "html.parser")
        for number, row in enumerate(table.select("tbody tr")):
            for cell, treatment in zip(row.find_all("td"), columns, strict=True):
                if number in rows_out or treatment == "out":
                    cell.string = LEFT_OUT
                elif treatment == "names":
                    known = self.numbers.get(cell.get_text())
                    cell.string = f"image {known}" if known else LEFT_OUT
        return str(table)

    def _found(self, text: str) -> str | None:
        """A secret that stands in `text` as a word of its own, or None."""
        text = re.sub(r"base64,[A-Za-z0-9+/=]+|<style>.*?</style>", "", text, flags=re.DOTALL)  # images and style
        text = html.unescape(text)
        return next((secret for secret in self.secrets if _stands_in(text, secret)), None)


def _stands_in(text: str, word: str) -> bool:
    """Whether `word` stands in `text` with neither a letter nor a digit right before or after it."""
    place = text.find(word)
    while place >= 0:
        around = text[max(place - 1, 0) : place], text[place + len(word) : place + len(word) + 1]
        if not any(character.isalnum() for character in around):
            return True
        place = text.find(word, place + 1)
    return False


def _telling(word: str) -> bool:
    return len(word) >= (_SHORTEST if any(character.isalpha() for character in word) else _SHORTEST_NUMBER)


def _texts(run: Run) -> Iterator[str]:
    """All that OCR read in this run, line by line and word by word, and the true texts where they are known."""
    for file in run.folder.glob("**/read/*.json"):
        for line in json.loads(file.read_text(encoding="utf-8")):
            yield from (line["text"], *line["text"].split())
    fields = run.data_folder / "truth" / "fields.csv"
    if fields.exists():
        yield from pd.read_csv(fields, dtype="string")["text"].dropna()


def _public() -> str:
    """The project's own sources, whose words are no secrets."""
    sources = [*graph.notebooks(), *(ROOT / "srcnn_lib").rglob("*.py"), *(ROOT / "reports" / "template").iterdir()]
    return "\n".join(source.read_text(encoding="utf-8") for source in sources)
