import pytest

from srcnn_lib import graph

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
    assert not used & {"srcnn_lib/specimens.py", "srcnn_lib/tuning.py", "srcnn_lib/report.py"}


def test_a_package_counts_as_a_whole(tmp_path):
    source = tmp_path / "notebook.py"
    source.write_text("from srcnn_lib import models\n")
    assert graph.ROOT / "srcnn_lib/models/srcnn.py" in graph.files_used(source)
