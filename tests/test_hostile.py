"""A folder with everything that can be wrong with a file: listed, none lost, in little memory."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from srcnn_lib import images, pairs
from tests import hostile
from tests.conftest import LIMIT, ROOT, watched


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
        "import sys; from pathlib import Path; from srcnn_lib import pairs, quality;"
        "folder = Path(sys.argv[1]);"
        "quality.measure(folder, pairs.index(folder, max_megapixels=100).pairs)"
    )
    status, peak = watched(lambda: subprocess.Popen([sys.executable, "-c", code, corpus[0]], cwd=ROOT))
    assert status == 0 and peak < LIMIT


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
def test_the_enhancer_goes_through_and_names_what_failed_in_little_memory(corpus, tmp_path, capfd):
    folder, _ = corpus
    command = [sys.executable, "-m", "srcnn_lib", "enhance", folder / pairs.LOW, "-o", tmp_path / "out"]
    with (tmp_path / "said").open("w") as said:
        status, peak = watched(lambda: subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said))
    said = (tmp_path / "said").read_text()
    failed = re.findall(r"^failed: .*?blurred_images/(.*?): ", said, re.M)
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert status == 1 and "Traceback" not in said
    assert any("a size over the limit" in path.name for path in written), "108 megapixels are no reason to refuse"
    assert len(failed) + len(written) == len([path for path in (folder / pairs.LOW).rglob("*") if _image(path)])
    with capfd.disabled():
        print(f"\n{len(written)} enhanced, {len(failed)} refused, peak of {peak / 2**30:.2f} GiB")
    assert peak < LIMIT


def _image(path: Path) -> bool:
    """Whether the enhancer takes it: hidden files are none of its business."""
    suffixes = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
    return path.is_file() and not path.name.startswith(".") and path.suffix.lower() in suffixes
