"""Inputs made by chance: whatever they hold, the outcome is a result or an error that names the input.

`make test-fuzz` tries many more of them than `make test`; FUZZ is the number for each test.
"""

import os

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from srcnn_lib import images, pairs, photos
from srcnn_lib.errors import DataError, ImageError, SettingsError
from srcnn_lib.settings import PROFILES, Settings, load
from srcnn_lib.specimens import mrz
from tests import hostile

EXAMPLES = int(os.environ.get("FUZZ", "25"))
many = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Decoders warn of what they find odd; that is no error of ours.
pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning"), pytest.mark.filterwarnings("ignore::RuntimeWarning")]

WHOLE = [
    hostile.encoded(hostile.page(0), kind, **options)
    for kind, options in (
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
        ("BMP", {}),
    )
]
CI = yaml.safe_load((PROFILES / "ci.yaml").read_text(encoding="utf-8"))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def spoilt(draw, whole=WHOLE) -> bytes:
    """A file with bytes changed, left out or put in, or cut short; or bytes that never were one."""
    content = bytearray(draw(st.sampled_from(whole)))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, min(len(content) - 1, draw(st.sampled_from([60, 400, 10**6])))))
        change = draw(st.sampled_from(["flip", "drop", "insert"]))
        if change == "flip":
            content[place] = draw(st.integers(0, 255))
        elif change == "drop":
            del content[place : place + draw(st.integers(1, 8))]
        else:
            content[place:place] = draw(st.binary(min_size=1, max_size=8))
    return bytes(content[: draw(st.integers(1, len(content)) | st.just(len(content)))]) or b"-"


@many
@given(content=spoilt() | st.binary(max_size=200))
def test_any_bytes_are_an_image_or_an_image_error(tmp_path, content):
    path = tmp_path / "file.png"
    path.write_bytes(content)
    for look in (images.describe, images.read):
        try:
            found = look(path)
        except ImageError as error:
            assert "file.png" in str(error) and str(tmp_path) not in error.reason and error.reason
        else:
            assert isinstance(found, dict) or (found.dtype == np.uint8 and found.ndim == 3 and found.shape[2] == 3)


PHOTOS = [
    *WHOLE[:-1],  # no BMP
    hostile.encoded(Image.fromarray(hostile.page(0)).convert("CMYK"), "JPEG"),
    hostile.encoded(hostile.page(0), "JPEG", exif=hostile.exif()),
    *(cv2.imencode(suffix, hostile.page(0).astype(np.uint16) * 257)[1].tobytes() for suffix in (".png", ".tiff")),
]


@many
@given(content=spoilt(PHOTOS) | st.binary(max_size=200))
def test_any_bytes_are_a_photograph_or_an_image_error(tmp_path, content):
    path = tmp_path / "file.png"
    path.write_bytes(content)
    try:
        photo = photos.read(path)
    except ImageError as error:
        assert "file.png" in str(error) and error.reason
    else:
        assert photo.pixels.dtype in (np.uint8, np.uint16) and photo.pixels.ndim in (2, 3)
        photos.write(tmp_path / f"again.{photo.kind.lower()}", photo, photo.pixels)


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)


@settings(parent=many, max_examples=max(1, EXAMPLES // 4))
@given(entries=st.lists(st.tuples(st.booleans(), names, st.sampled_from(["", *images.SUFFIXES]), spoilt()), max_size=8))
def test_no_entry_of_any_folder_is_lost(tmp_path_factory, entries):
    folder = tmp_path_factory.mktemp("folder")
    for side in pairs.SIDES:
        (folder / side).mkdir()
        (folder / side / "sound.png").write_bytes(WHOLE[0])
    for low, name, suffix, content in entries:
        (folder / pairs.SIDES[low] / f"{name}{suffix}").write_bytes(content)
    try:
        index = pairs.index(folder, max_megapixels=1)
    except DataError:
        return
    named = [*index.pairs["low"], *index.pairs["high"], *index.set_aside["file"]]
    assert len(named) == len(set(named)) == sum(len(os.listdir(folder / side)) for side in pairs.SIDES)


@many
@given(changes=st.dictionaries(st.sampled_from([*CI, "unknown"]), anything, max_size=4))
def test_any_profile_is_accepted_or_refused_in_words(tmp_path, changes):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(CI | changes, allow_unicode=True), encoding="utf-8")
    try:
        assert isinstance(load(path), Settings)
    except SettingsError as error:
        assert "mine.yaml" in str(error)


@many
@given(content=st.binary(max_size=300))
def test_any_bytes_are_a_profile_or_refused_in_words(tmp_path, content):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"mine\.yaml"):
        load(path)


@many
@given(lines=st.lists(st.text(max_size=50) | st.text("ABC019<", min_size=28, max_size=45), max_size=4))
def test_any_lines_are_a_zone_that_holds_or_not(lines):
    assert mrz.valid(lines) in (True, False)
