"""Movements and lack of focus: seen where they are, taken back, and nothing done elsewhere."""

import hashlib
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srcnn_lib import blur, blur_training, records, scenes
from srcnn_lib.blur import Defocus, Movement
from srcnn_lib.errors import ForeseenError
from srcnn_lib.specimens import degradations

MOVED = (3.0, 0.0), (7.5, 30.0), (12.0, 135.0)


@pytest.fixture(scope="module")
def drawn():
    return scenes.draw(np.random.default_rng([1, 0]), scenes.families((), "train")).image


def distance(first, second):
    """Root mean square difference in grey levels."""
    return float(np.sqrt(np.mean((first.astype(float) - second) ** 2)))


def apart(found, length, angle):
    """How far the ends of two movements are from one another, in pixels."""
    ends = [
        np.array([np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))]) * size / 2
        for size, turn in ((found.length, found.angle), (length, angle))
    ]
    return min(np.hypot(*(ends[0] - ends[1])), np.hypot(*(ends[0] + ends[1])))


@pytest.mark.parametrize(
    ("blurred", "blur"),
    [
        *((partial(degradations.motion, length=size, angle=turn), Movement(size, turn, 1.0)) for size, turn in MOVED),
        *((partial(degradations.disc, radius=radius), Defocus(radius, 1.0)) for radius in (0.8, 3.0, 6.4)),
    ],
)
def test_the_kernel_is_that_which_spoils_cards(blurred, blur):
    point = np.zeros((33, 33, 3), np.uint8)
    point[16, 16] = 255
    kernel = blur.kernel()
    half = len(kernel) // 2
    spread = blurred(point)[16 - half : 17 + half, 16 - half : 17 + half, 0]
    assert kernel.sum() == pytest.approx(1, abs=1e-5) and np.abs(255 * kernel - spread).max() <= 0.51


def test_a_movement_is_taken_back(drawn):
    blurred = degradations.motion(drawn, length=9.0, angle=25.0)
    undone = blur.undo(blurred, [Movement(9.0, 25.0, 1.0)], noise=0.01)
    assert undone.dtype == np.float32 and undone.shape == drawn.shape
    assert distance(undone, drawn) < 0.85 * distance(blurred, drawn)
    assert distance(blur.undo(blurred, [Movement(9.0, 115.0, 1.0)], noise=0.01), drawn) > distance(blurred, drawn)


def test_a_lack_of_focus_is_taken_back_and_with_a_movement_at_once(drawn):
    blurred = degradations.disc(drawn, radius=4.0)
    assert distance(blur.undo(blurred, [Defocus(4.0, 1.0)], noise=0.01), drawn) < 0.85 * distance(blurred, drawn)
    both = degradations.motion(blurred, length=6.0, angle=80.0)
    left = [
        distance(blur.undo(both, blurs, noise=0.01), drawn)
        for blurs in ([Defocus(4.0, 1.0)], [Movement(6.0, 80.0, 1.0)])
    ]
    assert distance(blur.undo(both, [Defocus(4.0, 1.0), Movement(6.0, 80.0, 1.0)], noise=0.01), drawn) < min(left)


@pytest.mark.parametrize("shape", [(40, 50, 3), (40, 50, 1), (40, 50)])
def test_specks_go_and_what_is_blurred_stays(shape):
    soft = np.full(shape, 0.5, np.float32) + np.linspace(0, 0.4, 50, dtype=np.float32).reshape(
        1, 50, *(1,) * (len(shape) - 2)
    )
    dusty = soft.copy()
    dusty[10, 20], dusty[30, 7] = 0, 1
    freed = blur.without_specks(dusty)
    assert freed.dtype == np.float32 and freed.shape == shape and np.abs(freed - soft).max() < 0.01
    assert np.array_equal(blur.without_specks(soft), soft) and dusty[10, 20].max() == 0


def test_specks_do_not_become_patterns(drawn, rng):
    blurred = degradations.disc(drawn, radius=4.0)
    dusty = degradations.salt_pepper(blurred, rng, share=0.003)
    undone, with_patterns, freed = (
        255 * blur.undo(image, [Defocus(4.0, 1.0)], noise=0.01)
        for image in (np.float32(blurred) / 255, np.float32(dusty) / 255, blur.without_specks(np.float32(dusty) / 255))
    )
    assert distance(freed, undone) < 0.2 * distance(with_patterns, undone)
    assert blur.find(dusty).defocus.radius == pytest.approx(4, abs=0.3)


def test_even_light_stays_and_every_kind_of_array_is_taken():
    blurs = [Movement(8.0, 70.0, 1.0), Defocus(5.0, 1.0)]
    for shape, kind in (((50, 70, 3), np.uint8), ((20, 9), np.uint16), ((3, 5, 1), np.float32)):
        undone = blur.undo(np.full(shape, 7, kind), blurs, noise=0.01)
        assert undone.shape == shape and np.allclose(undone, 7, atol=1e-3)


@pytest.mark.parametrize("found", [Movement(12.0, 20.0, 1.0), Defocus(6.0, 1.0)])
def test_beyond_its_reach_nothing_changes_a_pixel(rng, found):
    image = np.float32(rng.random((300, 420)))
    other = image.copy()
    other[:, 250:] = 1 - other[:, 250:]
    changed = np.abs(blur.undo(image, [found], noise=0.01) - blur.undo(other, [found], noise=0.01))
    assert changed[:, : 250 - blur.REACH].max() < 0.01 < changed[:, 240:].max()


@pytest.mark.parametrize(
    ("found", "noise", "message"),
    [
        (Movement(0.0, 0.0, 1.0), 0.1, "length: expected a positive number, received 0.0"),
        (Defocus(np.inf, 1.0), 0.1, "radius: expected a positive number, received inf"),
        (Movement(3.0, 0.0, 1.0), 0.0, "noise: expected a positive number, received 0.0"),
    ],
)
def test_what_cannot_be_undone_is_named(found, noise, message):
    with pytest.raises(ValueError, match=message):
        blur.undo(np.zeros((8, 8), np.uint8), [found], noise=noise)


def test_a_spectrum_does_not_depend_on_light_or_place(drawn):
    spectrum = blur.spectrum(drawn)
    assert spectrum.shape == (64, 33) and spectrum.dtype == np.float32 and spectrum.mean() == pytest.approx(0, abs=1e-4)
    darker = blur.spectrum((drawn // 2).astype(np.uint8))
    assert np.abs(darker - spectrum).mean() < 0.1
    with pytest.raises(ValueError, match=r"at least 64 pixels each way, received shape \(63, 80\)"):
        blur.spectrum(np.zeros((63, 80), np.uint8))


def test_a_wave_is_where_its_frequency_is():
    across = np.arange(256)
    wave = np.uint8(127 + 100 * np.sin(2 * np.pi * across / 8))
    at = np.unravel_index(blur.spectrum(np.tile(wave, (256, 1))).argmax(), (64, 33))
    assert at == (32, 8)  # no vertical frequency, an eighth of a cycle a pixel across


@given(length=st.floats(2.6, 20), angle=st.floats(0, 179.9), radius=st.floats(1.5, 8.4))
def test_what_the_network_is_to_answer_means_the_blurs(length, angle, radius):
    turn = np.deg2rad(angle)
    movement = length * np.array([[np.cos(turn), np.sin(turn)]])
    wanted = blur_training._wanted(movement, np.array([radius]))[0]
    moved, unfocused = blur.decoded(np.log(wanted + 1e-9))
    assert wanted.sum() == pytest.approx(2, abs=1e-4) and wanted[0] == 0
    assert moved.probability > 0.999 and apart(moved, length, angle) < 0.5
    assert unfocused.probability > 0.999 and unfocused.radius == pytest.approx(radius, abs=0.2)


def test_no_blur_is_none():
    wanted = blur_training._wanted(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1.0]))
    first = 1 + len(blur.candidates())
    assert wanted[:, 0].tolist() == [1, 1] and wanted[:, first].tolist() == [1, 1] and wanted.sum() == 4
    assert blur.find(np.zeros((40, 400, 3), np.uint8)) == (Movement(0.0, 0.0, 0.0), Defocus(0.0, 0.0), blur.NOISES[0])


@pytest.mark.parametrize(
    ("found", "certain"),
    [
        (Movement(9.0, 0.0, 0.99), True),
        (Movement(9.0, 0.0, 0.5), False),
        (Movement(2.0, 0.0, 0.99), False),
        (Movement(17.0, 0.0, 0.99), False),
        (Defocus(4.0, 0.99), True),
        (Defocus(4.0, 0.5), False),
        (Defocus(1.0, 0.99), False),
        (Defocus(8.4, 0.99), False),
    ],
)
def test_only_what_is_sure_and_neither_small_nor_large_is_taken_back(found, certain):
    assert found.certain == certain


def test_what_is_larger_than_anything_learned_is_left(drawn):
    for angle in (0.0, 40.0, 110.0):
        assert not blur.find(degradations.motion(drawn, length=30.0, angle=angle)).movement.certain
    assert not blur.find(degradations.disc(drawn, radius=12.0)).defocus.certain


@pytest.mark.parametrize(("length", "angle"), [(6.0, 0.0), (9.0, 40.0), (13.0, 100.0)])
def test_the_shipped_network_sees_movements(drawn, length, angle):
    blurred = degradations.motion(drawn, length=length, angle=angle)
    blurred = degradations.jpeg(degradations.haze(blurred, veil=0.3, level=200), quality=70)
    found = blur.find(blurred)
    assert found.certain == [found.movement] and apart(found.movement, length, angle) < 1


@pytest.mark.parametrize("radius", [3.0, 4.5, 6.0])
def test_the_shipped_network_sees_a_lack_of_focus(drawn, radius):
    blurred = degradations.jpeg(
        degradations.haze(degradations.disc(drawn, radius=radius), veil=0.3, level=200), quality=70
    )
    found = blur.find(blurred)
    assert found.certain == [found.defocus] and found.defocus.radius == pytest.approx(radius, abs=0.3)


def test_the_shipped_network_sees_none_in_other_blurs(drawn):
    for other in (drawn, degradations.gaussian(drawn, sigma=2.0), degradations.downup(drawn, factor=2.5)):
        assert not blur.find(other).certain


def test_more_noise_asks_for_a_milder_filter(drawn, rng):
    blurred = degradations.disc(drawn, radius=4.0)
    noisy = [degradations.noise(blurred, rng, read=read, shot=0.0) for read in (0.5, 3.0, 20.0)]
    expected = [blur.noise(blur.spectrum(image)) for image in noisy]
    assert expected == sorted(expected) and (expected[0], expected[-1]) == pytest.approx(blur.NOISES)
    best = blur.undo(noisy[2], [Defocus(4.0, 1.0)], noise=expected[2])
    assert distance(best, drawn) < distance(blur.undo(noisy[2], [Defocus(4.0, 1.0)], noise=expected[0]), drawn)


def test_telling_is_measured_by_size():
    movements = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 9.0], [0.0, 9.0]])
    radii = np.array([0.0, 3.5, 3.5, 0.0])
    answers = np.log(blur_training._wanted(movements * (1, -1), radii) + 1e-6)
    answers[3, : 1 + len(blur.candidates())] = [20] + [0] * len(blur.candidates())  # missed
    table = blur_training.told(answers, movements, radii).set_index(["blur", "shortest", "longest"])
    moved, unfocused = table.loc["movement"], table.loc["defocus"]
    assert moved.loc[(0, 0), "taken back"] == 0 and moved.loc[(4, 7), "taken back"] == 1
    assert moved.loc[(7, 16), "taken back"] == 0.5 and moved.loc[(7, 16), "apart, median"] < 0.5
    assert unfocused.loc[(0, 0), "taken back"] == 0 and unfocused.loc[(3, 4), "taken back"] == 1
    assert unfocused.loc[(3, 4), "samples"] == 2 and unfocused.loc[(3, 4), "apart, median"] < 0.2


def test_the_file_is_the_recorded_one_and_a_changed_one_is_refused(tmp_path, monkeypatch):
    content = blur.FILE.read_bytes()
    assert hashlib.sha256(content).hexdigest() == records.read("blur")["sha256"]
    (tmp_path / "blur.onnx").write_bytes(content + b" ")
    monkeypatch.setattr(blur, "FILE", tmp_path / "blur.onnx")
    monkeypatch.setattr(blur, "session", blur.session.__wrapped__)
    with pytest.raises(ForeseenError, match=r"blur\.onnx: expected the file with SHA-256"):
        blur.find(np.zeros((80, 80, 3), np.uint8))


def test_samples_follow_from_their_number_and_none_is_both_learned_and_watched(monkeypatch, drawn):
    scene = scenes.Scene(np.ascontiguousarray(drawn[:200, :260]), np.zeros((0, 4), np.float32), ())
    monkeypatch.setattr(blur_training, "_sources", lambda part, fonts: ([scene], [replace(scene)]))
    drawn_once, again = (blur_training._drawn("train", 12, (), 3) for _ in range(2))
    assert all(np.array_equal(*sides) for sides in zip(drawn_once, again, strict=True))
    spectra, movements, radii = drawn_once
    _, watched, watched_radii = blur_training._drawn("watched", 12, (), 3)
    assert not np.array_equal(movements, watched) and not np.array_equal(radii, watched_radii)
    lengths = np.hypot(*movements.T)
    assert spectra.shape == (12, 64, 33) and (lengths > 0).any() and lengths.max() <= 2 * blur_training.LEARNED
    assert (radii > 0).any() and radii.max() <= 2 * blur_training.LEARNED_RADIUS


def test_a_self_ensemble_turns_back_what_it_turned(rng):
    image = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(blur_training.self_ensemble(image, lambda shown: shown), image)
    shapes = []

    def brightened_on_top(shown):
        shapes.append(shown.shape)
        made = shown // 2
        made[0] += 80
        return made

    made = blur_training.self_ensemble(image, brightened_on_top)
    assert shapes == [(5, 7, 3), (7, 5, 3)] * 4
    gained = made.astype(int) - image // 2
    assert np.all(gained[1:-1, 1:-1] == 0) and np.all(gained[0, 1:-1] == 20) and np.all(gained[0, 0] == 40)
    assert np.array_equal(gained, gained[::-1]) and np.array_equal(gained, gained[:, ::-1])
