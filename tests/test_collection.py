import os
import signal

import numpy as np
import pytest
from PIL import Image

from srcnn_lib import enhancer, photos
from srcnn_lib.errors import DataError

ray = pytest.importorskip("ray", reason='Ray is optional: pip install "ray[data]"')
from srcnn_lib import collection  # noqa: E402  needs Ray

pytestmark = [
    pytest.mark.scale,
    pytest.mark.filterwarnings("default"),  # Ray's own
]


@pytest.fixture(scope="module")
def cluster():
    # The workers import what this process can import.
    paths = {"PYTHONPATH": os.pathsep.join([str(collection.Path(collection.__file__).parent.parent), *os.sys.path])}
    ray.init(num_cpus=2, include_dashboard=False, runtime_env={"env_vars": paths})
    yield
    ray.shutdown()


@pytest.fixture
def folder(tmp_path, rng):
    for number in range(12):
        file = tmp_path / "in" / f"part {number % 3}" / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 56, 3), dtype=np.uint8)).save(file)
    return tmp_path


def files(folder):
    return {str(file.relative_to(folder)): file for file in folder.rglob("[!.]*") if file.is_file()}


def test_every_image_has_one_output_though_a_worker_is_killed(cluster, folder, monkeypatch):
    killed = folder / "killed"

    def kill_once(worker, row):
        if row["image"].endswith("/5.png") and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return alive(worker, row)

    class Mortal(collection.Worker):
        __call__ = kill_once

    alive = collection.Worker.__call__
    monkeypatch.setattr(collection, "Worker", Mortal)
    summary = collection.enhance(str(folder / "in"), str(folder / "out"), workers=2, model="srcnn")
    assert killed.exists() and len(summary.done) == 12 and not summary.failed
    before, after = files(folder / "in"), files(folder / "out")
    assert before.keys() == after.keys()
    for name, file in after.items():
        expected = enhancer.enhance(photos.read(before[name]).pixels, model="srcnn")
        assert np.array_equal(photos.read(file).pixels, expected), name


def test_bad_files_are_named_and_outputs_are_kept(cluster, folder):
    (folder / "in" / "bad.jpg").write_text("no image")
    (folder / "out").mkdir()
    (folder / "out" / "part 0").mkdir()
    (folder / "out" / "part 0" / "0.png").write_bytes(b"edited")
    summary = collection.enhance(str(folder / "in"), str(folder / "out"), workers=2, model="srcnn")
    assert (len(summary.done), len(summary.kept)) == (11, 1)
    assert {str(name): reason for name, reason in summary.failed.items()} == {
        "bad.jpg": "not an image of a known format"
    }
    assert (folder / "out" / "part 0" / "0.png").read_bytes() == b"edited"


def test_what_cannot_be_is_named_before_any_work(folder):
    with pytest.raises(DataError, match="written over"):
        collection.enhance(str(folder / "in"), str(folder / "in"))
    with pytest.raises(DataError, match="found none"):
        collection.enhance(str(folder / "none"), str(folder / "out"))
    with pytest.raises(DataError, match="nothing://x"):
        collection.enhance("nothing://x", str(folder / "out"))
    with pytest.raises(ValueError, match="unknown model 'other'"):
        collection.enhance(str(folder / "in"), str(folder / "out"), model="other")
