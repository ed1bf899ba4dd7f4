"""A folder with everything that can be wrong with a file: listed, none lost, in little memory."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from srcnn_lib import images, pairs
from tests import hostile
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """The folder, and the kinds by the stems of their names."""
    folder = tmp_path_factory.mktemp("data") / "hostile"
    return folder, hostile.write_all(folder)


# A user runs without these being errors, and so do we here.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
    pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning"),
]


def test_there_are_many_kinds():
    assert len({kind.name for kind in hostile.KINDS}) == len(hostile.KINDS) >= 60


def test_every_entry_is_in_the_index_or_set_aside_with_the_reason_expected(corpus):
    folder, kinds = corpus
    index = pairs.index(folder, max_megapixels=100)
    reasons = dict(zip(index.set_aside["file"], index.set_aside["reason"], strict=True))
    accepted = {*index.pairs["low"], *index.pairs["high"]}
    assert len(accepted) + len(reasons) == sum(len(os.listdir(folder / side)) for side in pairs.SIDES)
    for stem, kind in kinds.items():
        number = stem[:3]
        mine = [reason for file, reason in reasons.items() if re.match(rf"[.-]*{number} ", file.split("/")[1])]
        taken = [file for file in accepted if re.match(rf"[.-]*{number} ", file.split("/")[1])]
        if kind.expected == hostile.SOUND:
            assert len(taken) == 2 and not mine, (kind.name, mine)
        else:
            assert any(re.search(kind.expected, reason) for reason in mine) and not taken, (kind.name, mine)


def test_no_reason_tells_where_the_folder_is(corpus):
    folder, _ = corpus
    set_aside = pairs.index(folder, max_megapixels=100).set_aside
    assert not set_aside["reason"].str.contains(str(folder.parent), regex=False).any()


@pytest.mark.hostile
def test_indexing_stays_within_little_memory(corpus):
    code = (
        "import resource, sys; from pathlib import Path; from srcnn_lib import pairs, quality;"
        "folder = Path(sys.argv[1]);"
        "quality.measure(folder, pairs.index(folder, max_megapixels=100).pairs);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code, corpus[0]], cwd=ROOT, capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 2 * 2**30


def test_a_file_that_vanishes_midway_is_set_aside(make_pairs, monkeypatch):
    folder = make_pairs(["a", "b", "c"])
    describe = images.describe

    def vanish(path: Path):
        if path.name == "b.png":
            path.unlink(missing_ok=True)
        return describe(path)

    monkeypatch.setattr(images, "describe", vanish)
    index = pairs.index(folder, max_megapixels=1)
    assert list(index.pairs["name"]) == ["a", "c"]
    assert set(index.set_aside["reason"]) == {"no such file or directory"}


@pytest.mark.hostile
def test_the_enhancer_goes_through_and_names_what_failed(corpus, tmp_path):
    folder, _ = corpus
    (large,) = (folder / pairs.LOW).glob("*a size over the limit*")
    kept = large.rename(tmp_path / large.name)
    command = [sys.executable, "-m", "srcnn_lib", "enhance", folder / pairs.LOW, "-o", tmp_path / "out"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    kept.rename(large)
    failed = re.findall(r"^failed: .*?blurred_images/(.*?): ", done.stderr, re.M)
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert len(failed) + len(written) == len([path for path in (folder / pairs.LOW).rglob("*") if _image(path)]) - 1


def _image(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
