"""Two runs side by side: what was set otherwise, and what came out otherwise."""

import json
import os
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from srcnn_lib.errors import RunError
from srcnn_lib.files import write_text
from srcnn_lib.report import TEMPLATE, style
from srcnn_lib.runs import Run

_TABLES = {  # result tables: what names a row, and what is compared
    "05_model/zoo.csv": (["network"], ["PSNR", "gain", "character errors"]),
    "06_training/native_comparison.csv": (["network"], ["PSNR", "gain"]),
    "07_evaluation/summary.csv": (["method"], ["mse", "psnr_mean"]),
    "07_evaluation/native_summary.csv": (["method"], ["figure", "difference"]),
    "07_evaluation/reading_summary.csv": (["engine", "method"], ["error_rate", "exact"]),
    "08_tuning/confirmed.csv": (["candidate", "seed"], ["psnr"]),
    "08_tuning/ladder.csv": (["name"], ["gain", "error"]),
}


def settings(first: Run, second: Run) -> pd.DataFrame:
    """Settings and data that differ: setting, and its value in either run."""
    sides = [
        run.inputs["settings"] | {"profile": run.inputs["profile"], "data": run.inputs["data"]["folder"]}
        for run in (first, second)
    ]
    names = list(dict.fromkeys([*sides[0], *sides[1]]))
    rows = [(name, *(side.get(name, "–") for side in sides)) for name in names]
    return pd.DataFrame(
        [row for row in rows if row[1] != row[2]], columns=["setting", first.folder.name, second.folder.name]
    ).astype(object)


def results(first: Run, second: Run) -> pd.DataFrame:
    """Numbers that both runs have and that differ: result, the two values, and the second less the first."""
    found = [_numbers(run) for run in (first, second)]
    rows = [
        (name, value, found[1][name], found[1][name] - value)
        for name, value in found[0].items()
        if name in found[1] and found[1][name] != value
    ]
    return pd.DataFrame(rows, columns=["result", first.folder.name, second.folder.name, "difference"])


def alone(first: Run, second: Run) -> pd.DataFrame:
    """Numbers that one run has and the other has not: result, run, value."""
    mine, theirs = (_numbers(run) for run in (first, second))
    rows = [(key, first.folder.name, value) for key, value in mine.items() if key not in theirs]
    rows += [(key, second.folder.name, value) for key, value in theirs.items() if key not in mine]
    return pd.DataFrame(rows, columns=["result", "run", "value"])


def write(first: Path, second: Path, page: Path) -> Path:
    """Write the comparison of two run folders as an HTML page, and return its path.

    Raises RunError if one of them is no run folder.
    """
    runs = [Run(folder) for folder in (first, second)]
    for run in runs:
        if not (run.folder / "run.yaml").exists():
            raise RunError(f"{run.folder}: expected the folder of a run, which holds run.yaml")
    differences = results(*runs)
    stages = differences["result"].str.split("/").str[0]
    title = f"{runs[0].folder.name} and {runs[1].folder.name}"
    content = (
        jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATE), autoescape=True, trim_blocks=True)
        .get_template("compare.html.j2")
        .render(
            title=title,
            style=Markup(style()),
            reports={
                run.folder.name: Path(os.path.relpath(run.folder / "report.html", page.parent)).as_posix()
                for run in runs
                if (run.folder / "report.html").exists()
            },
            same_data=_data(runs[0]) == _data(runs[1]),
            settings=_html(settings(*runs)),
            stages={stage: _html(table) for stage, table in differences.groupby(stages, sort=True)},
            alone=_html(alone(*runs)),
        )
    )
    write_text(page, content)
    return page


def _data(run: Run) -> str | None:
    """What tells the run's images from others; None where it has not read them yet."""
    name = "01_inspection/summary.json"
    return run.read_json(name)["data_sha256"] if (run.folder / name).exists() else None


def _html(table: pd.DataFrame) -> Markup | None:
    return Markup(table.to_html(index=False, border=0, float_format="{:.6g}".format)) if len(table) else None


def _numbers(run: Run) -> dict[str, float]:
    found = {}
    for file in sorted(run.folder.glob("[0-9][0-9]_*/*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        stage = f"{file.parent.name}/{file.stem}"
        found |= {
            f"{stage}: {name}": value
            for name, value in content.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
    for name, (keys, columns) in _TABLES.items():
        if not (run.folder / name).exists():
            continue
        for row in run.read_table(name).to_dict("records"):
            what = ", ".join(str(row[key]) for key in keys)
            found |= {
                f"{name.removesuffix('.csv')}: {what}: {column}": row[column]
                for column in columns
                if pd.notna(row.get(column))
            }
    return found
