"""Executing one notebook: py:percent source in, executed notebook out, or a traceback where it is said."""

import ast
import os
import re
import tempfile
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

from srcnn_lib import provenance
from srcnn_lib.errors import ExecutionError, ForeseenError
from srcnn_lib.files import whole
from srcnn_lib.runs import EXECUTING

# TensorFlow's runtime says at every start, on machines without one, that it found no GPU.
_NOISE = re.compile(r"^([IWE]\d{4} |WARNING: All log messages before absl)")


def execute(source: Path, run_folder: Path) -> None:
    """Execute the notebook `source` with the settings of a run into `<run_folder>/<stem>.ipynb`.

    The notebook receives the settings that its `parameters` cell names, and `run_folder`. What it
    prints is shown as it runs. An earlier result of the notebook, and the report made from it, are
    removed first; the new one appears only when every cell has succeeded.

    Raises
    ------
    ExecutionError
        If a cell fails or the kernel dies; the notebook as far as it came, with the traceback, is then
        left in `<run_folder>/failed/`.
    ForeseenError
        If the parameters cell names something that is no setting.
    """
    began = time.time()
    target = run_folder / f"{source.stem}.ipynb"
    failed = run_folder / "failed" / target.name
    settings = yaml.safe_load((run_folder / "run.yaml").read_text(encoding="utf-8"))["settings"]
    notebook = jupytext.read(source)
    notebook.metadata["provenance"] = provenance.collect()
    _name_cells(notebook)
    values = settings | {"run_folder": os.path.relpath(run_folder, source.parent)}
    parameters = {name: _setting(values, name, source) for name in declared_parameters(notebook)}
    for stale in (target, failed, run_folder / "report.html"):
        stale.unlink(missing_ok=True)
    # A copy of standard error to show things on: the kernel's own goes to a log meanwhile.
    with os.fdopen(os.dup(2), "w") as stream, whole(target) as output:
        terminal = Terminal(source.stem, stream)
        terminal.say("started")
        try:
            with _own_stderr(run_folder / "logs" / f"{source.stem}.log"):
                _run(notebook, output, parameters, source.parent, terminal)
        except Exception as error:
            if output.exists():
                failed.parent.mkdir(exist_ok=True)
                os.replace(output, failed)
            raise ExecutionError(
                f"{source}: {_what_happened(error)}\nthe notebook as far as it came is {failed}, "
                f"what its process said is in {run_folder / 'logs' / source.stem}.log"
            ) from error
        # Make compares dates: what was changed while the notebook ran is newer than what the notebook read.
        os.utime(output, (began, began))
        terminal.say(f"finished in {time.time() - began:.0f} s")


def _run(notebook: nbformat.NotebookNode, output: Path, parameters: dict, folder: Path, terminal: "Terminal") -> None:
    """Execute through papermill, over sockets that nobody else can reach, and see that every cell ran."""
    with tempfile.TemporaryDirectory(prefix="kernel-") as private:
        sockets = {"transport": "ipc", "ip": f"{private}/socket"} if os.name == "posix" else {}
        source = Path(private) / "source.ipynb"
        nbformat.write(notebook, source)
        os.environ[EXECUTING] = "1"
        papermill.execute_notebook(
            source,
            output,
            parameters,
            kernel_name="python3",
            cwd=folder,
            progress_bar=False,
            stdout_file=terminal,
            stderr_file=terminal,
            iopub_timeout=600,  # the default of 4 s fails a cell that has succeeded, on a busy machine
            config=Config({"KernelManager": sockets}),
        )
    for number, cell in enumerate(nbformat.read(output, as_version=4).cells):
        if cell.cell_type == "code" and cell.source.strip() and cell.execution_count is None:
            raise RuntimeError(f"the notebook ended before cell {number}, as if by sys.exit()")


def _what_happened(error: Exception) -> str:
    if isinstance(error, PapermillExecutionError):
        return f"cell {error.exec_count} failed with {error.ename}: {error.evalue}"
    return f"{type(error).__name__}: {error}"


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
    a bar is shown every ten seconds, and as it ends.
    """

    def __init__(self, name: str, stream: TextIO, seconds_between_bars: float = 10) -> None:
        self.name = name
        self.stream = stream
        self.seconds_between_bars = seconds_between_bars
        self._shown_at = -float("inf")
        self._held_back = ""  # the latest state of a bar that is not shown yet
        self._new_line = ""  # what a redrawn bar leaves to be written before the next line

    def say(self, text: str) -> None:
        """Show one line."""
        self.stream.write(f"{self._new_line}[{self.name}] {text}\n")
        self._new_line = self._held_back = ""
        self.stream.flush()

    def write(self, text: str) -> int:
        """Show what a cell wrote."""
        for piece in text.splitlines(keepends=True):
            line = piece.strip("\r\n")
            if piece == "\n" and self._held_back:
                self.say(self._held_back)
            elif line.strip() and not _NOISE.match(line):
                self._show(line, is_bar=not piece.endswith("\n"))
        return len(text)

    def _show(self, line: str, is_bar: bool) -> None:
        if not is_bar:
            self.say(line)
        elif self.stream.isatty():
            self.stream.write(f"\r[{self.name}] {line}")
            self._new_line = "\n"
            self.stream.flush()
        elif time.monotonic() - self._shown_at > self.seconds_between_bars:
            self._shown_at = time.monotonic()
            self.say(line)
        else:
            self._held_back = line

    def flush(self) -> None:
        """Nothing waits to be shown."""
