import io
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
import yaml

from srcnn_lib.errors import ExecutionError, ForeseenError
from srcnn_lib.execution import Terminal, execute
from tests.conftest import ROOT

PARAMETERS = '# %% tags=["parameters"]\nseed = 1'
HEADER = (ROOT / "notebooks" / "09_conclusion.py").read_text().split("# %%")[0]


@pytest.fixture
def run_folder(tmp_path):
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({"settings": {"seed": 41}}))
    return tmp_path


def notebook(folder, *cells, name="01_example.py"):
    source = folder / name
    source.write_text(HEADER + "\n".join(cells))
    return source


def test_settings_are_handed_to_the_parameters_cell(run_folder):
    source = notebook(run_folder, PARAMETERS, "# %%\nseed + 1")
    execute(source, run_folder)
    executed = nbformat.read(run_folder / "01_example.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].data["text/plain"] == "42"
    names = sorted(path.name for path in run_folder.iterdir())
    assert names == ["01_example.ipynb", "01_example.py", "logs", "run.yaml"]


def test_a_failing_cell_leaves_its_traceback_where_the_message_says(run_folder):
    source = notebook(run_folder, PARAMETERS, "# %%\n1 / 0")
    with pytest.raises(ExecutionError, match=r"01_example\.py.*ZeroDivisionError") as caught:
        execute(source, run_folder)
    failed = run_folder / "failed" / "01_example.ipynb"
    assert str(failed) in str(caught.value)
    assert "ZeroDivisionError" in failed.read_text()
    assert not (run_folder / "01_example.ipynb").exists()


def test_a_failing_rerun_leaves_nothing_that_looks_finished(run_folder):
    source = notebook(run_folder, PARAMETERS, "# %%\nseed")
    execute(source, run_folder)
    (run_folder / "report.html").touch()
    with pytest.raises(ExecutionError):
        execute(notebook(run_folder, PARAMETERS, "# %%\n1 / 0"), run_folder)
    assert not (run_folder / "01_example.ipynb").exists() and not (run_folder / "report.html").exists()
    execute(notebook(run_folder, PARAMETERS, "# %%\nseed"), run_folder)
    assert not (run_folder / "failed" / "01_example.ipynb").exists()


@pytest.mark.parametrize(
    ("cell", "words"), [("import os; os._exit(137)", "DeadKernelError"), ("raise SystemExit", "ended before cell")]
)
def test_a_kernel_that_dies_or_ends_early_is_a_failure(run_folder, cell, words):
    with pytest.raises(ExecutionError, match=words):
        execute(notebook(run_folder, PARAMETERS, f"# %%\n{cell}", "# %%\nseed"), run_folder)
    assert not (run_folder / "01_example.ipynb").exists()


def test_what_changes_during_a_run_is_newer_than_its_result(run_folder):
    source = notebook(
        run_folder, PARAMETERS, f"# %%\nimport pathlib\npathlib.Path({str(run_folder)!r}, 'module.py').touch()"
    )
    execute(source, run_folder)
    assert (run_folder / "module.py").stat().st_mtime > (run_folder / "01_example.ipynb").stat().st_mtime


def test_two_notebooks_run_side_by_side(run_folder):
    sources = [
        notebook(run_folder, PARAMETERS, "# %%\nimport time\ntime.sleep(1)", name=f"0{n}_example.py") for n in (1, 2)
    ]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "srcnn_lib", "execute", source, run_folder], cwd=ROOT, stderr=-1, text=True
        )
        for source in sources
    ]
    assert [process.communicate(timeout=60)[1] is not None and process.returncode for process in running] == [0, 0]


@pytest.mark.parametrize("cells", [['# %% tags=["parameters"]\nspeed = 1'], ["# %%\nseed = 1"]])
def test_wrong_parameters_are_refused_before_anything_runs(run_folder, cells):
    with pytest.raises(ForeseenError, match=r"speed|expected one cell tagged 'parameters'"):
        execute(notebook(run_folder, *cells), run_folder)
    assert not (run_folder / "01_example.ipynb").exists()


def test_bars_are_thinned_where_the_terminal_cannot_redraw():
    stream = io.StringIO()
    terminal = Terminal("06_training", stream)
    for percent in range(51):
        terminal.write(f"\r{percent}%|   | step")
    terminal.write("\n")
    terminal.write("a line\n")
    assert stream.getvalue().splitlines() == [
        "[06_training] 0%|   | step",
        "[06_training] 50%|   | step",
        "[06_training] a line",
    ]


def test_saving_a_notebook_in_the_lab_leaves_its_source_as_it_was(tmp_path):
    for path in filter(Path.is_file, (ROOT / "notebooks").glob("*.*")):
        shutil.copy(path, tmp_path)
    manager = jupytext.TextFileContentsManager()
    manager.root_dir = str(tmp_path)
    for source in tmp_path.glob("*.py"):
        before = source.read_text()
        manager.save(manager.get(source.name, type="notebook", content=True), source.name)
        assert source.read_text() == before
