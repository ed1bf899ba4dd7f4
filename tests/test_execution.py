import io

import nbformat
import pytest
import yaml

from srcnn_lib.errors import ExecutionError, ForeseenError
from srcnn_lib.execution import Terminal, execute
from tests.conftest import ROOT

HEADER = (ROOT / "notebooks" / "09_conclusion.py").read_text().split("# %%")[0]


@pytest.fixture
def run_folder(tmp_path):
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({"settings": {"seed": 41}}))
    return tmp_path


def notebook(folder, *cells):
    source = folder / "01_example.py"
    source.write_text(HEADER + "\n".join(cells))
    return source


def test_settings_are_handed_to_the_parameters_cell(run_folder):
    source = notebook(run_folder, '# %% tags=["parameters"]\nseed = 1', "# %%\nseed + 1")
    execute(source, run_folder)
    executed = nbformat.read(run_folder / "01_example.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].data["text/plain"] == "42"
    assert sorted(path.name for path in run_folder.iterdir()) == [
        "01_example.ipynb",
        "01_example.py",
        "logs",
        "run.yaml",
    ]


def test_a_failing_cell_leaves_its_traceback_where_the_message_says(run_folder):
    source = notebook(run_folder, '# %% tags=["parameters"]\nseed = 1', "# %%\n1 / 0")
    with pytest.raises(ExecutionError, match=r"01_example\.py.*ZeroDivisionError") as caught:
        execute(source, run_folder)
    failed = run_folder / "failed" / "01_example.ipynb"
    assert str(failed) in str(caught.value)
    assert "ZeroDivisionError" in failed.read_text()
    assert not (run_folder / "01_example.ipynb").exists()


@pytest.mark.parametrize("cells", [['# %% tags=["parameters"]\nspeed = 1'], ["# %%\nseed = 1"]])
def test_wrong_parameters_are_refused_before_anything_runs(run_folder, cells):
    with pytest.raises(ForeseenError, match=r"speed|expected one cell tagged 'parameters'"):
        execute(notebook(run_folder, *cells), run_folder)
    assert not (run_folder / "01_example.ipynb").exists()


def test_bars_are_thinned_where_the_terminal_cannot_redraw():
    stream = io.StringIO()
    terminal = Terminal("06_training", stream)
    for percent in range(50):
        terminal.write(f"\r{percent}%|   | step")
    terminal.write("a line\n")
    assert stream.getvalue().splitlines() == ["[06_training] 0%|   | step", "[06_training] a line"]
