import cv2
import numpy as np
import pandas as pd
import pytest

from srcnn_lib import images, pairs, quality


@pytest.fixture
def text(rng) -> np.ndarray:
    """Something with strokes in it, on paper that is not plain."""
    image = np.full((120, 200, 3), 220, np.uint8)
    image[:, :100] -= 40
    for row in range(5):
        cv2.putText(image, f"AB{rng.integers(1e6)}", (8, 22 + 22 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 2)
    return image


def blur(image, sigma):
    return cv2.GaussianBlur(image, (0, 0), sigma)


def test_noise_is_near_the_truth(rng):
    grey = (128 + rng.normal(0, 6, (256, 256))).astype(np.float32)
    assert quality.noise(grey) == pytest.approx(6, rel=0.03)


def test_blur_lowers_sharpness_and_detail_step_by_step(text):
    measured = [quality.compare(blur(text, sigma), text) for sigma in (0.5, 1.5, 3, 6)]
    for column in ("low_sharpness", "detail"):
        values = [measures[column] for measures in measured]
        assert values == sorted(values, reverse=True) and values[0] > values[-1] + 0.2
    assert {round(measures["high_sharpness"], 9) for measures in measured} == {round(measured[0]["high_sharpness"], 9)}


def test_identical_sides_agree_in_everything(text):
    same = quality.compare(text, text)
    assert same["detail"] == pytest.approx(1) and same["layout"] == pytest.approx(1)
    assert same["contrast_kept"] == 1 and same["shift"] == pytest.approx(0, abs=0.05)


def test_a_shift_is_measured_in_pixels(text):
    assert quality.compare(np.roll(text, (3, 4), axis=(0, 1)), text)["shift"] == pytest.approx(5, abs=0.3)


def test_flat_images_do_not_break_the_measures():
    flat = np.full((40, 40, 3), 90, np.uint8)
    assert quality.compare(flat, flat)["detail"] == 0
    assert all(np.isfinite(value) for value in quality.compare(flat, flat).values())


def test_flags_name_what_is_wrong_and_another_card_gets_no_other_flag():
    columns = ["name", "detail", "layout", "contrast_kept", "shift"]
    rows = [
        ("sound", 0.9, 0.95, 0.7, 1.0), ("bad", 0.1, 0.9, 0.1, 0.0), ("good", 0.999, 1.0, 1.0, 0.0),
        ("other", 0.0, 0.1, 0.1, 50.0), ("moved", 0.6, 0.9, 0.7, 30.0),
    ]  # fmt: skip
    limits = {"min_layout": 0.36, "min_detail": 0.4, "max_detail": 0.997, "min_contrast_kept": 0.2, "max_shift": 10}
    flags = quality.flags(pd.DataFrame(rows, columns=columns), limits)
    found = flags.groupby("name")["flag"].agg(set).to_dict()
    assert found == {
        "bad": {"too bad", "too hazy"},
        "good": {"too good"},
        "other": {"other card"},
        "moved": {"misaligned"},
    }
    assert set().union(*found.values()) <= quality.FLAGS.keys()
    assert flags.loc[flags["name"] == "moved", "reason"].item() == "shift 30.000"


def test_near_duplicates_are_found_and_strangers_are_not(make_pairs, text):
    folder = make_pairs(["a", "b", "c"])
    images.write(folder / pairs.HIGH / "a.png", text[:48, :64])
    images.write(folder / pairs.HIGH / "c.png", (text[:48, :64] * 0.97).astype(np.uint8))
    measures = quality.measure(folder, pairs.index(folder, max_megapixels=1).pairs)
    couples = quality.near_duplicates(measures.set_index("name")["hash"], max_distance=24)
    assert couples[["first", "second"]].to_numpy().tolist() == [["a", "c"]]


def test_all_couples_are_found_across_blocks():
    hashes = pd.Series(["00" * 32, "ff" * 32, *["0f" * 32] * 600, "00" * 31 + "01"])
    found = quality.near_duplicates(hashes, max_distance=1)
    assert len(found) == 600 * 599 / 2 + 1
    assert {0, len(hashes) - 1} in [set(couple) for couple in found[["first", "second"]].to_numpy().tolist()]


def test_precision_and_recall():
    table = quality.found_and_planted({"x": {"a", "b"}, "z": set()}, {"x": {"a", "c", "d"}, "z": {"e"}}).set_index(
        "kind"
    )
    assert table.loc["x", ["right", "precision", "recall"]].tolist() == [1, 0.5, pytest.approx(1 / 3)]
    assert pd.isna(table.loc["z", "precision"]) and table.loc["z", "recall"] == 0
    assert table.loc["any fault", ["planted", "found", "right"]].tolist() == [4, 2, 1]
