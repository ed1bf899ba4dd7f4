"""Periodic patterns: found where they are planted, removed there, and nothing done elsewhere."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from srcnn_lib import frequency
from srcnn_lib.specimens import dataset, degradations, typefaces

SETTINGS = settings(max_examples=20, deadline=None)


@pytest.fixture(scope="module")
def drawn():
    """Clean cards of the training pool; the fine lines of several are themselves periodic."""
    faces = typefaces.typefaces()
    return [dataset.make_card(number, 1, faces).image for number in (5002, 5006, 5014, 5021)]


def wave(shape, fy, fx, amplitude, *, level=128.0):
    down, across = np.indices(shape)
    return np.rint(level + amplitude * np.cos(2 * np.pi * (fy * down + fx * across) + 0.7)).astype(np.uint8)


def spoilt(card):
    """A photograph with lines over it: blurred, with a wave, noise and compression; and the same without the wave."""
    soft = degradations.gaussian(card, sigma=1.2)
    lined = degradations.periodic(soft, amplitude=7.0, period=6.3, angle=90.0, phase=1.0)
    return tuple(
        degradations.jpeg(degradations.noise(image, np.random.default_rng(3), read=3.0, shot=0.1), quality=75)
        for image in (lined, soft)
    )


def distance(first, second):
    """Root mean square difference in grey levels."""
    return float(np.sqrt(np.mean((first.astype(float) - second) ** 2)))


@SETTINGS
@given(
    fy=st.floats(-0.42, 0.42),
    fx=st.floats(0, 0.42),
    amplitude=st.floats(5, 60),
    height=st.integers(130, 170),
    width=st.integers(130, 170),
)
def test_a_wave_is_found_where_it_is_and_removed_up_to_the_edge(fy, fx, amplitude, height, width):
    # where fx is all but 0, a wave and its conjugate are all but one, and either may be found
    assume(np.hypot(fy, fx) > 0.09 and (fx > 0.02 or (fy > 0 and fx == 0)))
    image = wave((height, width), fy, fx, amplitude)
    found = frequency.peaks(image)[0]
    assert (found.fy, found.fx) == pytest.approx((fy, fx), abs=0.1 / min(height, width))
    assert found.amplitude == pytest.approx(amplitude, rel=0.05, abs=0.5)
    assert found.evenness > 0.75
    left = frequency.notch(image, [found])
    assert np.abs(left - 128.0).mean() < 0.05 * amplitude + 0.6


@pytest.mark.parametrize(("fy", "fx"), [(0.5, 0.0), (0.0, 0.5), (0.5, 0.5), (0.25, 0.5)])
def test_waves_at_the_end_of_the_spectrum_are_removed(fy, fx):
    image = wave((64, 80), fy, fx, 20.0)
    assert len(frequency.peaks(image)) == 1
    assert distance(frequency.notch(image), np.full_like(image, 128)) < 1


@pytest.mark.parametrize("shape", [(16, 20), (40, 60), (200, 260)])
@pytest.mark.parametrize("width", [1e-6, 0.004, 0.02])
def test_notches_of_any_width_remove_a_wave_from_any_size(shape, width):
    freed = frequency.notch(wave(shape, 0.21, 0.13, 30.0), [frequency.Wave(0.21, 0.13)], width=width)
    assert distance(freed, np.full(shape, 128)) < 0.12 * 30


@pytest.mark.parametrize("place", range(4))
def test_a_planted_wave_is_removed_and_the_card_stays(drawn, place):
    lined, soft = spoilt(drawn[place])
    found = frequency.peaks(lined)
    assert min(abs(wave.fy - 1 / 6.3) for wave in found) < 0.001
    freed = frequency.notch(lined, found)
    assert distance(freed, drawn[place]) < distance(lined, drawn[place])
    assert distance(freed, soft) < 0.35 * distance(lined, soft)


@pytest.mark.parametrize("place", range(4))
def test_a_card_without_a_wave_stays_as_it_is(drawn, place):
    for image in (drawn[place], spoilt(drawn[place])[1]):
        assert not frequency.peaks(image)
        assert (frequency.notch(image) == image).all()


def test_printed_lines_are_peaks_too_but_not_over_the_whole_card(drawn):
    printed = frequency.peaks(drawn[2], min_evenness=0.0)
    assert max(wave.strength for wave in printed) > 30
    assert max(wave.evenness for wave in printed) < 0.4


@pytest.mark.parametrize("face", ["DejaVuSans.ttf", "DejaVuSansMono.ttf", "DejaVuSerif.ttf"])
def test_evenly_spaced_text_is_no_wave_and_a_wave_between_its_lines_is(face, rng):
    page = Image.new("RGB", (540, 420), "white")
    font = ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", face), 17)
    for y in range(4, 400, 28):
        words = ("".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), rng.integers(2, 11))) for _ in range(20))
        ImageDraw.Draw(page).text((4, y), " ".join(words), fill=(20, 20, 20), font=font)
    soft = degradations.gaussian(np.array(page), sigma=0.8)
    assert len(frequency.peaks(soft, min_steadiness=-np.inf)) > 2
    assert not frequency.peaks(soft)
    lined = degradations.periodic(soft, amplitude=12.0, period=6.3, angle=60.0, phase=1.0)
    assert len(frequency.peaks(lined)) == 1
    kept = np.s_[soft.max(axis=-1) < 240]  # where paper is white, half of the wave was cut off
    assert distance(frequency.notch(lined)[kept], soft[kept]) < 0.6 * distance(lined[kept], soft[kept])


def test_noise_has_no_peaks(rng):
    assert not frequency.peaks(rng.integers(0, 256, (300, 400), dtype=np.uint8))


@SETTINGS
@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.integers(0, 99))
def test_any_size_goes_through(height, width, colour, seed):
    shape = (height, width, 3) if colour else (height, width)
    image = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    before = image.copy()
    planted = [frequency.Wave(0.2, 0.1)]
    results = [frequency.notch(image, planted) for _ in range(2)]
    assert results[0].shape == image.shape and results[0].dtype == np.uint8
    assert (results[0] == results[1]).all() and (image == before).all()
    assert np.isfinite(frequency.spectrum(image)).all() and frequency.spectrum(image).shape == (height, width)
    assert isinstance(frequency.peaks(image), list)


def test_nothing_to_remove_gives_an_equal_copy(rng):
    image = rng.integers(0, 256, (50, 60, 3), dtype=np.uint8)
    planted = [frequency.Wave(0.2, 0.1)]
    for result in (frequency.notch(image, []), frequency.notch(image, planted, width=0), frequency.notch(image)):
        assert (result == image).all() and not np.shares_memory(result, image)


def test_channels_are_filtered_by_themselves():
    image = np.dstack([wave((96, 128), 0.0, 0.2, amplitude) for amplitude in (30, 20, 0)])
    freed = frequency.notch(image)
    assert [freed[..., channel].std() < 1 for channel in range(3)] == [True] * 3
    alone = frequency.notch(image[..., 0], frequency.peaks(image))
    assert (freed[..., 0] == alone).all()


def test_the_spectrum_shows_a_wave_at_its_place_and_height():
    spectrum = frequency.spectrum(wave((128, 160), 0.25, 0.125, 40.0))
    assert np.unravel_index(spectrum.argmax(), spectrum.shape) in [(64 + 32, 80 + 20), (64 - 32, 80 - 20)]
    assert spectrum.max() == pytest.approx(20 * np.log10(20), abs=0.2)


def test_the_spectrum_of_noise_lies_where_it_should(rng):
    noise = np.clip(np.rint(128 + rng.normal(0, 20, (200, 300))), 0, 255).astype(np.uint8)
    power = 10 ** (frequency.spectrum(noise) / 10)
    assert power.mean() == pytest.approx(2.25 * 20**2 / noise.size, rel=0.1)


@pytest.mark.parametrize("function", [frequency.spectrum, frequency.peaks, frequency.notch])
@pytest.mark.parametrize(
    ("image", "received"),
    [
        (np.zeros((4, 4), np.float32), r"float32 of shape \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"uint8 of shape \(4, 4, 4\)"),
        (np.zeros((0, 4), np.uint8), r"uint8 of shape \(0, 4\)"),
        (np.zeros(4, np.uint8), r"uint8 of shape \(4,\)"),
        ([[1, 2]], "list"),
    ],
)
def test_other_images_are_refused(function, image, received):
    with pytest.raises(ValueError, match=f"expected a uint8 array .*received {received}"):
        function(image)


def test_impossible_notches_are_refused():
    image = np.zeros((8, 8), np.uint8)
    with pytest.raises(ValueError, match=r"width: .*received -0.1"):
        frequency.notch(image, width=-0.1)
