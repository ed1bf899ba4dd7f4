import pytest

from srcnn_lib import files


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), files.whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == '{\n  "a": 1\n}\n'
    assert list(tmp_path.iterdir()) == [path]


def test_an_unchanged_file_is_left_alone(tmp_path):
    path = tmp_path / "run.yaml"
    assert files.write_text_if_changed(path, "a")
    before = path.stat().st_mtime_ns
    assert not files.write_text_if_changed(path, "a")
    assert path.stat().st_mtime_ns == before
    assert files.write_text_if_changed(path, "b")
