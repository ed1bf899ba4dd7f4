"""Executing one notebook: py:percent source in, executed notebook out, or a traceback where it is said."""

import ast
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import jupytext
import nbformat
import papermill
import yaml
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from srcnn_lib.errors import ExecutionError, ForeseenError
from srcnn_lib.files import whole

_PRIVATE_SOCKETS = Config({"KernelManager": {"transport": "ipc"}} if os.name == "posix" else {})

# TensorFlow's runtime says at every start, on machines without one, that it found no GPU.
_NOISE = re.compile(r"^([IWE]\d{4} |WARNING: All log messages before absl)")


def execute(source: Path, run_folder: Path) -> None:
    """Execute the notebook `source` with the settings of a run into `<run_folder>/<stem>.ipynb`.

    The notebook receives the settings that its `parameters` cell names, and `run_folder`. What it
    prints is shown as it runs. The target appears only when every cell has succeeded.

    Raises
    ------
    ExecutionError
        If a cell fails; the notebook with its traceback is then left in `<run_folder>/failed/`.
    ForeseenError
        If the parameters cell names something that is no setting.
    """
    target = run_folder / f"{source.stem}.ipynb"
    failed = run_folder / "failed" / target.name
    settings = yaml.safe_load((run_folder / "run.yaml").read_text(encoding="utf-8"))["settings"]
    notebook = jupytext.read(source)
    _name_cells(notebook)
    values = settings | {"run_folder": os.path.relpath(run_folder, source.parent)}
    parameters = {name: _setting(values, name, source) for name in declared_parameters(notebook)}
    began = time.monotonic()
    # A copy of standard error to show things on: the kernel's own goes to a log meanwhile.
    with os.fdopen(os.dup(2), "w") as stream, whole(target) as output:
        terminal = Terminal(source.stem, stream)
        terminal.say("started")
        drawn_from = output.with_suffix(".source.ipynb")
        try:
            nbformat.write(notebook, drawn_from)
            with _own_stderr(run_folder / "logs" / f"{source.stem}.log"):
                papermill.execute_notebook(
                    drawn_from,
                    output,
                    parameters,
                    kernel_name="python3",
                    cwd=source.parent,
                    progress_bar=False,
                    stdout_file=terminal,
                    stderr_file=terminal,
                    config=_PRIVATE_SOCKETS,
                )
        except PapermillExecutionError as error:
            failed.parent.mkdir(exist_ok=True)
            os.replace(output, failed)
            raise ExecutionError(
                f"{source}: cell {error.exec_count} failed with {error.ename}: {error.evalue}\n"
                f"the notebook with its whole traceback is {failed}"
            ) from None
        finally:
            drawn_from.unlink(missing_ok=True)
        terminal.say(f"finished in {time.monotonic() - began:.0f} s")
    failed.unlink(missing_ok=True)


def declared_parameters(notebook: nbformat.NotebookNode) -> list[str]:
    """Names assigned in the one cell tagged `parameters`. Raises ForeseenError unless there is exactly one."""
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise ForeseenError(f"expected one cell tagged 'parameters', found {len(cells)}")
    return [
        target.id
        for node in ast.parse(cells[0].source).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]


def _setting(settings: dict, name: str, source: Path) -> object:
    if name not in settings:
        raise ForeseenError(
            f"{source}: its parameters cell names '{name}', which is no setting; known are {', '.join(settings)}"
        )
    return settings[name]


def _name_cells(notebook: nbformat.NotebookNode) -> None:
    """Number the cells: jupytext gives random ids, which would make every execution differ."""
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"


@contextmanager
def _own_stderr(log: Path) -> Iterator[None]:
    """Send what processes started meanwhile write to their bare standard error to a log file.

    A kernel passes on everything that its cells print, and besides writes it to the terminal itself.
    """
    log.parent.mkdir(exist_ok=True)
    terminal = os.dup(2)
    try:
        with log.open("wb") as file:
            os.dup2(file.fileno(), 2)
            yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


class Terminal:
    """A file-like object that shows a notebook's output live, each line led by the notebook's name.

    Progress bars redraw their line with a carriage return. Where the terminal cannot redraw (a log),
    a bar's line is shown every ten seconds only.
    """

    def __init__(self, name: str, stream: TextIO, seconds_between_bars: float = 10) -> None:
        self.name = name
        self.stream = stream
        self.seconds_between_bars = seconds_between_bars
        self._shown_at = -float("inf")
        self._new_line = ""  # what a bar leaves to be written before the next line

    def say(self, text: str) -> None:
        """Show one line."""
        self.stream.write(f"{self._new_line}[{self.name}] {text}\n")
        self._new_line = ""
        self.stream.flush()

    def write(self, text: str) -> int:
        """Show what a cell wrote."""
        for piece in text.splitlines(keepends=True):
            line = piece.strip("\r\n")
            if line.strip() and not _NOISE.match(line):
                self._show(line, is_bar=not piece.endswith("\n"))
        return len(text)

    def _show(self, line: str, is_bar: bool) -> None:
        if is_bar and self.stream.isatty():
            self.stream.write(f"\r[{self.name}] {line}")
            self._new_line = "\n"
            self.stream.flush()
        elif not is_bar or time.monotonic() - self._shown_at > self.seconds_between_bars:
            self._shown_at = time.monotonic()
            self.say(line)

    def flush(self) -> None:
        """Nothing waits to be shown."""
