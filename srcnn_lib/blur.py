"""The enhancer: sees by which straight movement, and how far out of focus, a photograph was blurred, and takes it back.

A hand that moves during the exposure leaves its mark in the spectrum: along the movement, the frequencies that fit into
its length go out; a lens out of focus puts out rings of them (M. Cannon, IEEE Transactions on Acoustics, Speech, and
Signal Processing 24(1), 1976, doi:10.1109/TASSP.1976.1162770). A small network reads length, direction and radius from
the mean spectrum of small windows; it learns from crops of drawn scenes and of training cards, of which it is known how
they were spoilt (`make blur`). A Wiener filter (R. C. Gonzalez, R. E. Woods, Digital Image Processing, 4th edition,
2018, section 5.8) then undoes both. The networks that enhance were taught on such crops as well and yet hardly learned
it: each direction, length and radius asks for a filter of its own.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy import fft

from srcnn_lib import frequency, weights

FILE = weights.FOLDER / "blur.onnx"
RECORD = Path(__file__).parent / "records" / "blur.json"  # `records` takes seconds to import
"""What the network was made from, and how well it sees."""
SURE = 0.9
"""From which probability on that there is a blur it is taken back; with it, hardly a crop without one has one."""
NOISES = 0.01, 0.03
"""The least and the most power of noise over that of the image, at frequency 0, that the filter expects: `noise`."""
RISE = 40.0
"""How much more of it there is at higher frequencies: times 1 + this times the square of the cycles a pixel."""
REACH = 96
"""How far the filter sees, in pixels."""
SHORTEST, LONGEST = 2.2, 16.0
"""Movements below, in pixels, are none: they spoil hardly any letter. Those above are left: the network tells
only apart what is shorter than 21 pixels, and photographs without any text look like long ones to it."""
LEAST, MOST = 2.2, 8.0
"""Radii below, in pixels, are left to the networks, which undo them as well; the network has learned no larger ones."""

SPECK = 0.1
"""What differs by more than this share of the whole range from the median of its neighbours is a speck where an image
is blurred: dust, or a dead pixel. The filter would make a pattern of each."""

WINDOW = 64
"""Side of the windows whose spectra are averaged, in pixels."""
_LENGTHS, _ANGLES = np.arange(2.5, 20.6, 1.0), np.arange(0, 180, 7.5)
RADII = np.arange(1.5, 8.6, 0.5)
"""Radii that the network tells apart, in pixels."""
_NEAR, _NEAR_RADIUS = 1.5, 0.8  # pixels: candidates so near to the likeliest one say where between them the blur lies


@dataclass(frozen=True)
class Movement:
    """A straight, even movement during the exposure."""

    length: float
    """In pixels."""
    angle: float
    """In degrees, clockwise from the right, from 0 to 180."""
    probability: float
    """That there is one at all."""

    @property
    def certain(self) -> bool:
        """Whether it is to be taken back."""
        return self.probability >= SURE and SHORTEST <= self.length <= LONGEST

    def kernel(self) -> np.ndarray:
        """What it makes of a point: float32 (n, n), n odd, of sum 1, as `degradations.motion` blurs.

        Raises ValueError for a length that is not positive.
        """
        _check_positive(length=self.length)
        down, across = _round_centre(self.length / 2)
        cosine, sine = np.cos(np.deg2rad(self.angle)), np.sin(np.deg2rad(self.angle))
        past_end = np.maximum(np.abs(across * cosine + down * sine) - self.length / 2, 0)
        covered = np.clip(1 - np.hypot(past_end, down * cosine - across * sine), 0, 1)
        return (covered / covered.sum()).astype(np.float32)


@dataclass(frozen=True)
class Defocus:
    """A lens out of focus: every point becomes a disc."""

    radius: float
    """In pixels."""
    probability: float
    """That there is any at all."""

    @property
    def certain(self) -> bool:
        """Whether it is to be taken back."""
        return self.probability >= SURE and LEAST <= self.radius <= MOST

    def kernel(self) -> np.ndarray:
        """What it makes of a point: float32 (n, n), n odd, of sum 1, as `degradations.disc` blurs.

        Raises ValueError for a radius that is not positive.
        """
        _check_positive(radius=self.radius)
        covered = np.clip(self.radius + 0.5 - np.hypot(*_round_centre(self.radius)), 0, 1)
        return (covered / covered.sum()).astype(np.float32)


class Seen(NamedTuple):
    """What blurred an image, as far as it is seen."""

    movement: Movement
    defocus: Defocus
    noise: float
    """What `undo` is to expect, see `noise`."""

    @property
    def certain(self) -> list[Movement | Defocus]:
        """The blurs that are to be taken back."""
        return [one for one in (self.movement, self.defocus) if one.certain]


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < np.inf:
            raise ValueError(f"{name}: expected a positive number, received {value!r}")


def _round_centre(reach: float) -> np.ndarray:
    """Places downwards and to the right of a centre, as far as `reach` pixels: float32 (2, n, n)."""
    reach = int(np.ceil(reach))
    return np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)


def without_specks(image: np.ndarray) -> np.ndarray:
    """Put the median of 3×3 pixels in place of what stands out of a blurred image, channel by channel.

    float32 in [0, 1] of shape (H, W), (H, W, 1) or (H, W, 3) in, a new one of the same shape out; borders are continued
    by their last pixels.
    """
    usual = cv2.medianBlur(image, 3).reshape(image.shape)
    return np.where(np.abs(image - usual) > SPECK, usual, image)


def undo(image: np.ndarray, blurs: Sequence[Movement | Defocus], *, noise: float) -> np.ndarray:
    """Take blurs back, one or all at once: float32 in shape and unit of `image`, (H, W) or (H, W, C) of any real type.

    `noise` is the power of the noise over that of the image at frequency 0. The result is not bounded. The image is
    continued by mirroring. What lies farther away than `REACH` pixels hardly changes a pixel. Raises ValueError for a
    length, radius or noise that is not positive.
    """
    _check_positive(noise=noise)
    from scipy import fft  # faster than NumPy's, but it takes longer to import than a card takes

    values = image.reshape(*image.shape[:2], -1).astype(np.float32)
    sizes = [fft.next_fast_len(side + 2 * REACH, real=True) for side in image.shape[:2]]
    rows, columns = (
        _mirrored(np.arange(size) - REACH, side) for size, side in zip(sizes, image.shape[:2], strict=True)
    )
    spectrum = fft.rfft2(values[np.ix_(rows, columns)], axes=(0, 1))
    spectrum *= _inverse(tuple(sizes), [blur.kernel() for blur in blurs], noise)[..., None]
    undone = fft.irfft2(spectrum, sizes, axes=(0, 1))
    inside = tuple(slice(REACH, REACH + side) for side in image.shape[:2])
    return undone[inside].reshape(image.shape).astype(np.float32)


def _mirrored(places: np.ndarray, length: int) -> np.ndarray:
    """Places beyond a row of so many pixels, as they are mirrored into it."""
    places = places % (2 * length)
    return np.minimum(places, 2 * length - 1 - places)


def _inverse(sizes: tuple[int, int], kernels: Sequence[np.ndarray], noise: float) -> np.ndarray:
    """Response of the Wiener filter, for `rfft2`; even light stays as it is."""
    passed = np.ones((sizes[0], sizes[1] // 2 + 1), np.complex64)
    for kernel in kernels:
        spread, half = np.zeros(sizes, np.float32), len(kernel) // 2
        for (y, x), share in np.ndenumerate(kernel):  # an image may be smaller than the kernel
            spread[(y - half) % sizes[0], (x - half) % sizes[1]] += share
        passed *= fft.rfft2(spread)
    squared = fft.fftfreq(sizes[0])[:, None] ** 2 + fft.rfftfreq(sizes[1]) ** 2
    response = passed.conj() / (np.abs(passed) ** 2 + noise * (1 + RISE * squared))
    return (response / response[0, 0].real).astype(np.complex64)


def spectrum(image: np.ndarray) -> np.ndarray:
    """Mean power spectrum of the luma in overlapping windows: log10, float32 (64, 33), of mean 0.

    `image` is uint8, (H, W) or RGB (H, W, 3), at least 64 pixels each way. Columns are horizontal frequencies from 0 to
    0.5 cycles a pixel, rows vertical ones from -0.5 on. Raises ValueError for others.
    """
    luma = frequency.grey(image)
    if min(luma.shape) < WINDOW:
        raise ValueError(f"image: expected at least {WINDOW} pixels each way, received shape {image.shape}")
    taper = np.hanning(WINDOW + 2)[1:-1].astype(np.float32)
    step = WINDOW // 2
    windows = np.lib.stride_tricks.sliding_window_view(luma, (WINDOW, WINDOW))[::step, ::step]
    power = np.zeros((WINDOW, step + 1), np.float32)
    for row in windows:
        values = row.astype(np.float32)
        values -= values.mean(axis=(1, 2), keepdims=True)
        power += (np.abs(fft.rfft2(values * np.outer(taper, taper))) ** 2).sum(axis=0)
    logged = np.log10(power / (windows.shape[0] * windows.shape[1]) + 1e-3)
    return fft.fftshift(logged - logged.mean(), axes=0)


def noise(spectrum: np.ndarray) -> float:
    """What the filter is to expect, from a `spectrum`: the more, the less its end lies below its beginning.

    Rule and bounds were chosen on training crops, as those that come nearest to what was not blurred.
    """
    frequency = np.hypot(np.arange(-WINDOW // 2, WINDOW // 2)[:, None], np.arange(WINDOW // 2 + 1)) / WINDOW
    end, beginning = (spectrum[part] for part in (frequency > 0.42, (frequency > 0.03) & (frequency < 0.1)))
    logged = float(np.median(end) - beginning.mean()) + 1.3
    return float(10 ** np.clip(logged, *np.log10(NOISES)))


def find(image: np.ndarray) -> Seen:
    """The blurs of an image, as the shipped network sees them; images as for `spectrum`. Smaller ones have none.

    Where there are any, it has to see them again when specks are gone.
    """
    if min(image.shape[:2]) < WINDOW:
        return Seen(Movement(0.0, 0.0, 0.0), Defocus(0.0, 0.0), NOISES[0])
    seen = _seen(image)
    if not seen.certain:
        return seen
    return _seen(np.rint(255 * without_specks(np.float32(image) / 255)).astype(np.uint8))


def _seen(image: np.ndarray) -> Seen:
    found = spectrum(image)
    (given,) = session().get_inputs()
    (answers,) = session().run(None, {given.name: found[None, ..., None]})
    return Seen(*decoded(answers[0]), noise(found))


def decoded(answers: np.ndarray) -> tuple[Movement, Defocus]:
    """What the network's logits say: no movement, then candidates; no defocus, then `RADII`.

    Where several movements or radii are likely, the likeliest is meant.
    """
    places = candidates()
    still, *moved = _shares(answers[: 1 + len(places)])
    likeliest = places[np.argmax(moved)]
    # a movement to the left is one to the right
    turned = places * np.where(places @ likeliest < 0, -1, 1)[:, None]
    near = moved * (((turned - likeliest) ** 2).sum(axis=1) < _NEAR**2)
    across, down = 2 * (turned * near[:, None]).sum(axis=0) / near.sum()
    length, angle = float(np.hypot(across, down)), float(np.rad2deg(np.arctan2(down, across)) % 180)

    sharp, *unfocused = _shares(answers[1 + len(places) :])
    near = unfocused * (np.abs(RADII - RADII[np.argmax(unfocused)]) < _NEAR_RADIUS)
    radius = float((RADII * near).sum() / near.sum())
    return Movement(length, angle, 1 - float(still)), Defocus(radius, 1 - float(sharp))


def _shares(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max())
    return shares / shares.sum()


def candidates() -> np.ndarray:
    """Half of each movement that the network tells apart, as x, y in pixels: (candidates, 2)."""
    lengths, angles = (grid.ravel() for grid in np.meshgrid(_LENGTHS, np.deg2rad(_ANGLES), indexing="ij"))
    return (lengths / 2 * np.stack([np.cos(angles), np.sin(angles)])).T


def recorded_hash() -> str:
    """SHA-256 of the network's file, as it was made."""
    return json.loads(RECORD.read_text(encoding="utf-8"))["sha256"]


@cache
def session():
    """The network ready to run. Raises ForeseenError where its file is missing or has changed."""
    import onnxruntime

    from srcnn_lib.errors import ForeseenError

    expected = recorded_hash()
    content = FILE.read_bytes() if FILE.exists() else b""
    if hashlib.sha256(content).hexdigest() != expected:
        raise ForeseenError(f"{FILE}: expected the file with SHA-256 {expected}, found another or none")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # it is small
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
