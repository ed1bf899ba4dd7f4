"""What each notebook depends on, read from its source and written as Make rules.

A notebook depends on its source, on every module of the library that it imports (directly or through
another module), and on every notebook whose results it names: a string that begins with another
notebook's name and a slash, such as "03_split/split.csv", names a result of that notebook.

Needs nothing beyond the standard library. `python srcnn_lib/graph.py` prints the rules.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = "srcnn_lib"
_RESULT = re.compile(r"^(\d\d_[a-z_]+)/")


def notebooks() -> list[Path]:
    """The notebook sources, in the order of the report."""
    return sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.py"))


def results_read(source: Path) -> set[str]:
    """Names of the other notebooks whose results the notebook `source` mentions."""
    strings = (
        node.value
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {match[1] for text in strings if (match := _RESULT.match(text))} - {source.stem}


def parameters(source: Path) -> set[str]:
    """The names that the notebook's cell tagged `parameters` assigns."""
    cells = re.split(r"^# %%", source.read_text(encoding="utf-8"), flags=re.M)
    tagged = "\n".join(cell.split("\n", 1)[1] for cell in cells if cell.startswith(' tags=["parameters"]'))
    return {node.id for node in ast.walk(ast.parse(tagged)) if isinstance(node, ast.Name)}


def files_used(source: Path) -> set[Path]:
    """Every file of the library that `source` needs, however indirectly; of a package, all its files."""
    found: set[Path] = set()
    waiting = [source]
    while waiting:
        for file in _imports(waiting.pop()) - found:
            found.add(file)
            if file.suffix == ".py":
                waiting.append(file)
    return found


def _imports(source: Path) -> set[Path]:
    files: set[Path] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for module in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                files |= _files_of(module)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                files |= _files_of(alias.name)
    return files


def _files_of(module: str) -> set[Path]:
    """The files behind a dotted name of the library: nothing if it names a function or a foreign module."""
    if module.split(".")[0] != LIBRARY:
        return set()
    place = ROOT.joinpath(*module.split("."))
    if place.is_dir() and place.name != LIBRARY:
        return {file for file in place.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    return {file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()}


def rules() -> str:
    """One Make rule a notebook, and one for the page, in terms of $(RUN_DIR)."""
    lines = []
    for source in notebooks():
        needs = sorted(file.relative_to(ROOT).as_posix() for file in {source} | files_used(source))
        needs += [f"$(RUN_DIR)/{name}.ipynb" for name in sorted(results_read(source))]
        lines.append(f"$(RUN_DIR)/{source.stem}.ipynb: {' '.join(needs)}")
    report = ROOT / LIBRARY / "report.py"
    needs = sorted(file.relative_to(ROOT).as_posix() for file in {report} | files_used(report))
    lines.append(f"$(RUN_DIR)/report.html: {' '.join(needs)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(rules(), end="")
