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
    for name in ("pairs.csv", "no suffix"):
        with files.whole(tmp_path / name) as temporary:
            temporary.write_text("whole")
        temporary.write_text("half")
    others = {".mine.tmp.csv", ".0123456789ab.tmp_of_mine", ".0123456789AB.tmp.csv", "0123456789ab.tmp.csv"}
    for name in others:
        (tmp_path / name).write_text("whole")
    (tmp_path / ".0123456789ab.tmp.d").mkdir()
    files.remove_left_behind(tmp_path.iterdir())
    assert {path.name for path in tmp_path.iterdir()} == others | {".0123456789ab.tmp.d", "pairs.csv", "no suffix"}


def test_the_longest_name_can_be_written(tmp_path):
    files.write_text(tmp_path / f"{'x' * 251}.csv", "")
