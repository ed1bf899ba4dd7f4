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


def test_only_what_killed_writers_left_behind_is_removed(tmp_path):
    for name in (".0a.tmp.csv", "01_inspection/.0b.tmp.json", "lab/.0c.tmp.csv", "01_inspection/pairs.csv"):
        files.write_text(tmp_path / name, "half")
    files.remove_left_behind(tmp_path, besides="lab")
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"lab/.0c.tmp.csv", "01_inspection/pairs.csv"}


def test_the_longest_name_can_be_written(tmp_path):
    files.write_text(tmp_path / f"{'x' * 251}.csv", "")
