import jupytext
import pytest
import yaml

from srcnn_lib import graph, inputs, settings
from srcnn_lib.execution import declared_parameters

ORDER = [source.stem for source in graph.notebooks()]


def test_notebooks_are_numbered_without_gaps():
    assert [name[:2] for name in ORDER] == [f"{number:02d}" for number in range(10)]


@pytest.mark.parametrize("source", graph.notebooks(), ids=lambda path: path.stem)
def test_results_are_only_read_from_earlier_notebooks(source):
    assert all(name in ORDER and name < source.stem for name in graph.results_read(source))


def test_modules_are_followed_through_other_modules():
    used = {
        file.relative_to(graph.ROOT).as_posix() for file in graph.files_used(graph.ROOT / "notebooks/07_evaluation.py")
    }
    assert {"srcnn_lib/evaluation.py", "srcnn_lib/preprocess.py", "srcnn_lib/images.py", "srcnn_lib/files.py"} <= used
    assert {"srcnn_lib/weights/house.onnx", "srcnn_lib/weights/weights.json"} <= used
    assert not used & {"srcnn_lib/specimens.py", "srcnn_lib/tuning.py", "srcnn_lib/report.py"}


def test_a_package_counts_as_a_whole(tmp_path):
    source = tmp_path / "notebook.py"
    source.write_text("from srcnn_lib import models\n")
    assert graph.ROOT / "srcnn_lib/models/srcnn.py" in graph.files_used(source)


@pytest.mark.parametrize("source", graph.notebooks(), ids=lambda path: path.stem)
def test_parameters_are_those_that_the_execution_sees(source):
    assert graph.parameters(source) == set(declared_parameters(jupytext.read(source)))


def test_a_setting_changes_the_inputs_of_the_notebooks_that_use_it_only(tmp_path, monkeypatch, make_pairs):
    data, run = make_pairs(["a", "b"]), tmp_path / "run"

    def prepared(**changes):
        content = yaml.safe_load((settings.PROFILES / "ci.yaml").read_text()) | changes
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
        monkeypatch.setattr(settings, "PROFILES", tmp_path)
        inputs.prepare(run, profile="mine", data=str(data))
        monkeypatch.undo()
        return {path.stem: path.read_text() for path in (run / "inputs").iterdir()}

    before, after = prepared(), prepared(tuning_epochs=77)
    assert before.keys() == after.keys() == set(ORDER)
    assert [name for name in ORDER if before[name] != after[name]] == ["08_tuning"]
