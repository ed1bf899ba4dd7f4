import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srcnn_lib import motion, motion_training, records, scenes
from srcnn_lib.errors import ForeseenError
from srcnn_lib.motion import Movement
from srcnn_lib.specimens import degradations


@pytest.fixture(scope="module")
def drawn():
    return scenes.draw(np.random.default_rng([1, 0]), scenes.families((), "train")).image


def apart(found, length, angle):
    """How far the ends of two movements are from one another, in pixels."""
    ends = [
        np.array([np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))]) * size / 2
        for size, turn in ((found.length, found.angle), (length, angle))
    ]
    return min(np.hypot(*(ends[0] - ends[1])), np.hypot(*(ends[0] + ends[1])))


@pytest.mark.parametrize(("length", "angle"), [(3.0, 0.0), (7.5, 30.0), (12.0, 135.0)])
def test_the_kernel_is_that_which_spoils_cards(length, angle):
    point = np.zeros((33, 33, 3), np.uint8)
    point[16, 16] = 255
    kernel = motion.kernel(length, angle)
    half = len(kernel) // 2
    blurred = degradations.motion(point, length=length, angle=angle)[16 - half : 17 + half, 16 - half : 17 + half, 0]
    assert kernel.sum() == pytest.approx(1, abs=1e-5) and np.abs(255 * kernel - blurred).max() <= 0.51


def test_a_movement_is_taken_back(drawn):
    blurred = degradations.motion(drawn, length=9.0, angle=25.0)
    undone = motion.undo(blurred, Movement(9.0, 25.0, 1.0))
    before, after = (cv2.PSNR(drawn.astype(np.float32), image.astype(np.float32)) for image in (blurred, undone))
    assert undone.dtype == np.float32 and undone.shape == drawn.shape and after > before + 1.5
    wrong = motion.undo(blurred, Movement(9.0, 115.0, 1.0))
    assert cv2.PSNR(drawn.astype(np.float32), wrong) < before


def test_even_light_stays_and_every_kind_of_array_is_taken():
    movement = Movement(8.0, 70.0, 1.0)
    for shape, kind in (((50, 70, 3), np.uint8), ((20, 9), np.uint16), ((3, 5, 1), np.float32)):
        undone = motion.undo(np.full(shape, 7, kind), movement)
        assert undone.shape == shape and np.allclose(undone, 7, atol=1e-3)


def test_beyond_its_reach_nothing_changes_a_pixel(rng):
    movement = Movement(12.0, 20.0, 1.0)
    image = np.float32(rng.random((300, 420)))
    other = image.copy()
    other[:, 250:] = 1 - other[:, 250:]
    changed = np.abs(motion.undo(image, movement) - motion.undo(other, movement))
    assert changed[:, : 250 - motion.REACH].max() < 0.01 < changed[:, 240:].max()


@pytest.mark.parametrize(
    ("movement", "noise", "message"),
    [
        (Movement(0.0, 0.0, 1.0), 0.1, "length: expected a positive number, received 0.0"),
        (Movement(3.0, 0.0, 1.0), 0.0, "noise: expected a positive number, received 0.0"),
    ],
)
def test_what_cannot_be_undone_is_named(movement, noise, message):
    with pytest.raises(ValueError, match=message):
        motion.undo(np.zeros((8, 8), np.uint8), movement, noise=noise)


def test_a_spectrum_does_not_depend_on_light_or_place(drawn):
    spectrum = motion.spectrum(drawn)
    assert spectrum.shape == (64, 33) and spectrum.dtype == np.float32 and spectrum.mean() == pytest.approx(0, abs=1e-4)
    darker = motion.spectrum((drawn // 2).astype(np.uint8))
    assert np.abs(darker - spectrum).mean() < 0.1
    with pytest.raises(ValueError, match=r"at least 64 pixels each way, received shape \(63, 80\)"):
        motion.spectrum(np.zeros((63, 80), np.uint8))


def test_a_wave_is_where_its_frequency_is():
    across = np.arange(256)
    wave = np.uint8(127 + 100 * np.sin(2 * np.pi * across / 8))
    at = np.unravel_index(motion.spectrum(np.tile(wave, (256, 1))).argmax(), (64, 33))
    assert at == (32, 8)  # no vertical frequency, an eighth of a cycle a pixel across


@given(length=st.floats(2.6, 20), angle=st.floats(0, 179.9))
def test_what_the_network_is_to_answer_means_the_movement(length, angle):
    turn = np.deg2rad(angle)
    wanted = motion_training._wanted(length * np.array([[np.cos(turn), np.sin(turn)]]))[0]
    assert wanted.sum() == pytest.approx(1, abs=1e-4) and wanted[0] == 0
    found = motion.decoded(np.log(wanted + 1e-9))
    assert found.probability > 0.999 and apart(found, length, angle) < 0.5


def test_no_movement_is_no_movement():
    assert motion_training._wanted(np.array([[0.0, 0.0], [1.0, 1.0]]))[:, 0].tolist() == [1, 1]
    assert motion.find(np.zeros((40, 400, 3), np.uint8)) == Movement(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("movement", "certain"),
    [
        (Movement(9.0, 0.0, 0.99), True),
        (Movement(9.0, 0.0, 0.5), False),
        (Movement(2.0, 0.0, 0.99), False),
        (Movement(17.0, 0.0, 0.99), False),
    ],
)
def test_only_what_is_sure_and_neither_short_nor_long_is_taken_back(movement, certain):
    assert movement.certain == certain


def test_what_is_longer_than_anything_learned_is_left(drawn):
    assert not motion.find(degradations.motion(drawn, length=30.0, angle=40.0)).certain


@pytest.mark.parametrize(("length", "angle"), [(6.0, 0.0), (9.0, 40.0), (13.0, 100.0)])
def test_the_shipped_network_sees_movements(drawn, length, angle):
    blurred = degradations.motion(drawn, length=length, angle=angle)
    blurred = degradations.jpeg(degradations.haze(blurred, veil=0.3, level=200), quality=70)
    found = motion.find(blurred)
    assert found.certain and apart(found, length, angle) < 1


def test_the_shipped_network_sees_none_in_other_blurs(drawn):
    for other in (drawn, degradations.gaussian(drawn, sigma=2.0), degradations.disc(drawn, radius=3.0)):
        assert motion.find(other).probability < motion.SURE


def test_telling_is_measured_by_length():
    movements = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 9.0], [0.0, 9.0]])
    answers = np.log(motion_training._wanted(movements * (1, -1)) + 1e-6)
    answers[3] = [20] + [0] * (answers.shape[1] - 1)  # missed
    table = motion_training.told(answers, movements).set_index(["shortest", "longest"])
    assert table.loc[(0, 0), "found"] == 0 and table.loc[(4, 7), "found"] == 1
    assert table.loc[(7, 12), "found"] == 0.5 and table.loc[(7, 12), "apart, median"] < 0.5


def test_the_file_is_the_recorded_one_and_a_changed_one_is_refused(tmp_path, monkeypatch):
    content = motion.FILE.read_bytes()
    assert hashlib.sha256(content).hexdigest() == records.read("motion")["sha256"]
    (tmp_path / "motion.onnx").write_bytes(content + b" ")
    monkeypatch.setattr(motion, "FILE", tmp_path / "motion.onnx")
    monkeypatch.setattr(motion, "session", motion.session.__wrapped__)
    with pytest.raises(ForeseenError, match=r"motion\.onnx: expected the file with SHA-256"):
        motion.find(np.zeros((80, 80, 3), np.uint8))


def test_samples_follow_from_their_number(monkeypatch, drawn):
    scene = scenes.Scene(np.ascontiguousarray(drawn[:200, :260]), np.zeros((0, 4), np.float32), ())
    monkeypatch.setattr(motion_training, "_sources", lambda part, fonts: ([scene], [replace(scene)]))
    spectra, movements = motion_training._drawn("train", 6, (), 3)
    again = motion_training._drawn("train", 6, (), 3)
    assert np.array_equal(spectra, again[0]) and np.array_equal(movements, again[1])
    lengths = np.hypot(*movements.T)
    assert spectra.shape == (6, 64, 33) and (lengths > 0).any() and lengths.max() <= motion_training.LEARNED
