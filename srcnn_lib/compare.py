"""Two runs side by side: what was set otherwise, and what came out otherwise."""

import html
import json
from pathlib import Path

import pandas as pd

from srcnn_lib.errors import RunError
from srcnn_lib.files import write_text
from srcnn_lib.report import TEMPLATE
from srcnn_lib.runs import Run

_TABLES = {  # result tables: what names a row, and what is compared
    "07_evaluation/summary.csv": (["method"], ["mse", "psnr_mean"]),
    "07_evaluation/native_summary.csv": (["method"], ["figure", "difference"]),
    "07_evaluation/reading_summary.csv": (["engine", "method"], ["error_rate", "exact"]),
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


def write(first: Path, second: Path, page: Path) -> Path:
    """Write the comparison of two run folders as an HTML page, and return its path.

    Raises RunError if one of them is no run folder.
    """
    runs = [Run(folder) for folder in (first, second)]
    for run in runs:
        if not (run.folder / "run.yaml").exists():
            raise RunError(f"{run.folder}: expected the folder of a run, which holds run.yaml")
    title = " and ".join(html.escape(run.folder.name) for run in runs)
    parts = []
    for heading, table in (("Settings", settings(*runs)), ("Results", results(*runs))):
        shown = (
            table.to_html(index=False, border=0, float_format="{:.6g}".format)
            if len(table)
            else "<p>No differences.</p>"
        )
        parts.append(f"<h2>{heading}</h2>\n{shown}")
    style = (TEMPLATE / "style.css").read_text(encoding="utf-8")
    write_text(
        page,
        f"<!DOCTYPE html>\n<html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>\n"
        f"<title>{title}</title><style>{style}</style>\n"
        f"<body style='display: block; margin: 2rem auto; max-width: 60rem'><main><h1>{title}</h1>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n",
    )
    return page


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
