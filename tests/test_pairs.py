import numpy as np
import pytest

from srcnn_lib import images, pairs
from srcnn_lib.errors import DataError


def test_names_numbers_and_sizes_are_found(make_pairs):
    folder = make_pairs(["f.h.fornt.5000", "f.v.fornt.5000", "page 9", "page 10"])
    table, set_aside, files = pairs.index(folder, max_megapixels=1)
    assert list(table["name"]) == ["f.h.fornt.5000", "f.v.fornt.5000", "page 9", "page 10"]
    assert table["number"].tolist()[:2] == [5000, 5000] and table["number"].isna().tolist()[2:] == [True, True]
    assert table["variant"].tolist()[:2] == ["h", "v"]
    assert set(zip(table["width"], table["height"], strict=True)) == {(64, 48)}
    assert set_aside.empty and table["pool"].isna().all()
    assert len(files) == 8 and set(files["mode"]) == {"RGB"} and set(files["orientation"]) == {1}


def test_every_file_is_paired_or_set_aside_with_a_reason(make_pairs, rng):
    folder = make_pairs([f"card{number}" for number in range(7)])
    low, high = folder / pairs.LOW, folder / pairs.HIGH
    (low / "card0.png").unlink()
    (high / "card1.png").unlink()
    (low / "card2.png").write_bytes(b"broken")
    images.write(high / "card3.png", rng.integers(0, 256, (20, 20, 3), dtype=np.uint8))
    (low / "notes.txt").write_text("not an image")
    (high / "card4.jpg").write_bytes((high / "card4.png").read_bytes())
    images.write(high / "card5.png", np.zeros((1200, 900, 3), np.uint8))
    table, set_aside, _ = pairs.index(folder, max_megapixels=1)
    assert list(table["name"]) == ["card6"]
    reasons = dict(zip(set_aside["file"], set_aside["reason"], strict=True))
    assert reasons["sharpened_images/card0.png"] == "no partner in blurred_images"
    assert reasons["blurred_images/card1.png"] == "no partner in sharpened_images"
    assert "not an image of a known format" in reasons["blurred_images/card2.png"]
    assert reasons["sharpened_images/card2.png"] == "its partner cannot be used"
    assert "64×48" in reasons["blurred_images/card3.png"] and "20×20" in reasons["blurred_images/card3.png"]
    assert "not an image" in reasons["blurred_images/notes.txt"]
    assert reasons["sharpened_images/card5.png"] == "900×1200 is over 1 megapixels"
    assert not any(str(folder) in reason for reason in reasons.values()), "reasons name no folders"
    assert "card4.png" in reasons["sharpened_images/card4.jpg"]
    on_disk = {path.relative_to(folder).as_posix() for side in (low, high) for path in side.iterdir()}
    assert on_disk == set(reasons) | set(table["low"]) | set(table["high"])


def test_no_sound_pair_is_an_error_that_says_why(make_pairs):
    folder = make_pairs(["a"])
    (folder / pairs.LOW / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"no sound pair.*a\.png"):
        pairs.index(folder, max_megapixels=1)


def test_the_data_hash_depends_on_content_not_on_place(make_pairs, tmp_path):
    folder = make_pairs(["a", "b"])
    before = pairs.data_hash(pairs.index(folder, max_megapixels=1).pairs)
    moved = folder.rename(tmp_path.parent / "moved")
    assert pairs.data_hash(pairs.index(moved, max_megapixels=1).pairs) == before
    images.write(moved / pairs.LOW / "a.png", np.zeros((48, 64, 3), np.uint8))
    assert pairs.data_hash(pairs.index(moved, max_megapixels=1).pairs) != before


def test_gaps():
    assert pairs.gaps([5000, 5003, 5001]) == [5002]
    assert pairs.gaps([]) == []


def test_pools_of_a_drawn_set_stand_in_the_index(make_pairs):
    folder = make_pairs(["f.h.fornt.5000", "f.h.fornt.5003"])
    (folder / "truth").mkdir()
    (folder / "truth" / "pools.csv").write_text("number,pool\n5000,train\n5003,validation\n")
    assert pairs.index(folder, max_megapixels=1).pairs["pool"].tolist() == ["train", "validation"]


def test_squash_gives_a_square_and_keeps_a_flat_colour():
    squashed = pairs.squash(np.full((30, 50, 3), 77, np.uint8), 16)
    assert squashed.shape == (16, 16, 3) and (squashed == 77).all()
