"""The report: executed notebooks of a run, merged into one HTML page that needs nothing else."""

import datetime
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import jinja2
import nbformat
from bs4 import BeautifulSoup
from latex2mathml.converter import convert as mathml
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter

from srcnn_lib import figures, graph, records, sharing
from srcnn_lib.files import ROOT, write_text
from srcnn_lib.runs import Run

TITLE = "Image enhancement using deep learning, revisited"
TEMPLATE = ROOT / "reports" / "template"
BEYOND = "◆"
"""Ends the heading of a piece that the original has nothing of."""


@dataclass(frozen=True)
class Heading:
    """A line of the contents page: its depth (1 for a chapter), its text and where it leads."""

    level: int
    text: str
    id: str


def assemble(run_folder: Path, *, share: bool = False) -> Path:
    """Merge the executed notebooks of a run into `<run_folder>/report.html` and return its path.

    With `share` it is `report-share.html`, which may be passed on: see `srcnn_lib.sharing`.
    Raises RunError if a notebook has not been executed, or if the page to share would give a secret away.
    """
    run = Run(run_folder)
    notebooks = {
        source.stem: nbformat.read(run.existing(f"{source.stem}.ipynb"), as_version=4) for source in graph.notebooks()
    }
    provenance = _provenance(run, notebooks)
    if share:
        confidential = sharing.Confidential.of(run)
        for notebook in notebooks.values():
            confidential.strip(notebook)
        provenance = confidential.provenance(provenance)
    body = BeautifulSoup("\n".join(map(_render, notebooks.values())), "html.parser")
    summary = body.find("section", class_="summary")
    contents = _give_headings_ids(body)
    if summary:  # which a copy to share may leave out
        body.insert(0, summary.extract())
    _mark_beyond(body)
    _number(body, "figure:not(.listing) > figcaption", "Figure")
    _number(body, ".listing > figcaption", "Listing")
    _number(body, "caption", "Table")
    _name_references(body)
    _let_scroll(body)
    page = (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=TITLE,
            run="a copy to share" if share else run.inputs["run"],
            date=datetime.date.today().isoformat(),
            style=Markup(style()),
            script=Markup((TEMPLATE / "script.js").read_text(encoding="utf-8")),
            contents=[*contents, Heading(1, "Provenance", "provenance")],
            body=Markup(body.decode(formatter="minimal")),
            provenance=provenance,
            beside=[] if share else _beside(run, notebooks),
        )
    )
    if share:
        confidential.check(page)
    target = run.folder / ("report-share.html" if share else "report.html")
    write_text(target, page)
    return target


def _render(notebook: NotebookNode) -> str:
    """One notebook as a piece of HTML, its formulas as MathML."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _formulas(cell.source)
    exporter = HTMLExporter(
        template_name=TEMPLATE.name, extra_template_basedirs=[str(TEMPLATE.parent)], anchor_link_text=""
    )
    return exporter.from_notebook_node(notebook)[0]


def _formulas(markdown: str) -> str:
    """Replace $…$ and $$…$$ by MathML, which browsers draw without any script."""
    markdown = re.sub(
        r"\$\$(.+?)\$\$",
        lambda match: f'<div class="formula">{mathml(match[1], display="block")}</div>',
        markdown,
        flags=re.S,
    )
    return re.sub(r"\$([^$\n]+?)\$", lambda match: mathml(match[1]), markdown)


def _give_headings_ids(body: BeautifulSoup) -> list[Heading]:
    """Give every heading an id of its own, and return the chapters and sections for the contents page."""
    contents, section = [], ""
    for tag in body.find_all(["h1", "h2", "h3"]):
        text = tag.get_text().strip()
        if tag.name == "h3":
            tag["id"] = figures.anchor(section, text)
        else:
            section, tag["id"] = text, figures.anchor(text)
            contents.append(Heading(int(tag.name[1]), text, tag["id"]))
        for link in tag.find_all("a", class_="anchor-link"):
            link.decompose()
    return contents


def _mark_beyond(body: BeautifulSoup) -> None:
    """Say in words, to those who hear the page, what the mark of a heading stands for."""
    for tag in body.find_all(["h1", "h2", "h3"]):
        if tag.get_text().endswith(BEYOND):
            last = tag.find_all(string=True)[-1]
            last.replace_with(last.removesuffix(BEYOND))
            mark = body.new_tag(
                "span", attrs={"class": "beyond", "title": "beyond the original", "aria-hidden": "true"}
            )
            words = body.new_tag("span", attrs={"class": "for-readers"})
            mark.string, words.string = BEYOND, "(beyond the original)"
            tag.extend([mark, words])


def _number(body: BeautifulSoup, captions: str, kind: str) -> None:
    for number, caption in enumerate(body.select(captions), start=1):
        label = body.new_tag("strong")
        label.string = f"{kind} {number}. "
        caption.insert(0, label)


def _name_references(body: BeautifulSoup) -> None:
    """Links to a figure or a table say its number."""
    for link in body.find_all("a", href=re.compile("^#")):
        target = body.find(id=link["href"][1:])
        if target is not None and target.name in ("figure", "table"):
            link.string = target.find(["figcaption", "caption"]).strong.string.strip(". ")


def _let_scroll(body: BeautifulSoup) -> None:
    """What may be wider than a phone scrolls in a box of its own, so that the page does not."""
    for table in body.find_all("table"):
        table.wrap(body.new_tag("div", attrs={"class": "scroll"}))


def style() -> str:
    """The page's own style, and colours for code in the light and in the dark; both reach a contrast of 4.5."""
    light, dark = (HtmlFormatter(style=name).get_style_defs(".highlight") for name in ("xcode", "lightbulb"))
    by_system = f"@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme='light']) {{\n{dark}\n}} }}"
    by_button = f"@media screen {{ :root[data-theme='dark'] {{\n{dark}\n}} }}"
    return "\n".join([light, by_system, by_button, (TEMPLATE / "style.css").read_text(encoding="utf-8")])


def _provenance(run: Run, notebooks: dict[str, NotebookNode]) -> dict[str, dict[str, object]]:
    """Tables for the last page: what the notebooks were made from, when each was executed, how long it took."""
    inspection, trained = run.read_json("01_inspection/summary.json"), run.read_json("06_training/summary.json")
    seconds = {name: notebook.metadata.papermill.duration for name, notebook in notebooks.items()}
    return {
        "Made from": {
            "data": run.inputs["data"]["folder"] + (" (drawn)" if run.inputs["data"]["drawn"] else ""),
            "data hash": f"SHA-256 {inspection['data_sha256']} over {inspection['pairs']:,} sound pairs",
            **_together({name: notebook.metadata.provenance for name, notebook in notebooks.items()}),
            "trained on": trained["device"],
            "elsewhere": _elsewhere(),
        },
        f"Settings: profile {run.inputs['profile']}": run.inputs["settings"],
        "Seconds of the last execution; what was kept from an earlier one was not computed again": {
            name: f"{value:.1f}" for name, value in seconds.items()
        }
        | {"together": f"{sum(seconds.values()):.1f}"},
    }


def _beside(run: Run, notebooks: Collection[str]) -> list[str]:
    """Files in the run folder that the page leads to: the executed notebooks, and the PDF if it was printed."""
    return [*(f"{name}.ipynb" for name in notebooks), *(["report.pdf"] if (run.folder / "report.pdf").exists() else [])]


def _elsewhere() -> str:
    """What is known of how results differ on other machines, from `benchmarks/threads.py`."""
    measured = records.read("threads")
    if measured is None:
        return "how far results differ was not measured: python benchmarks/threads.py"
    counts = ", ".join(map(str, sorted(set(measured["threads"]))))
    return (
        f"the same number of threads repeats a training with a difference of {measured['same_count_differs_by']:g}; "
        f"with {counts} threads its validation error differs by up to {measured['largest_relative_difference']:.1g} of "
        f"itself ({measured['date']}, {measured['device']}). Other processors and GPUs: not measured"
    )


def _together(provenances: dict[str, dict[str, str]]) -> dict[str, str]:
    """One value a line where all notebooks agree; where they do not, each value with its notebooks."""
    merged = {}
    for key in next(iter(provenances.values())):
        notebooks_of: dict[str, list[str]] = {}
        for name, values in provenances.items():
            notebooks_of.setdefault(values[key], []).append(name[:2])
        merged[key] = "; ".join(
            value if len(notebooks_of) == 1 else f"{value} (notebooks {', '.join(names)})"
            for value, names in notebooks_of.items()
        )
    return merged


def _environment() -> jinja2.Environment:
    return jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATE), autoescape=True, trim_blocks=True)
