"""Section 2.4, frequency domain: finds and removes regular patterns, such as a scanner's or a screen's lines."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy import fft

_TILES = 4  # each way, in which a pattern must be present
_MOST_CANDIDATES = 16  # whose evenness is looked at, highest first
_SIDE, _AXIS, _CORE = 15, 30, 3  # bins: neighbourhood of a peak, along its row and column, and its own width


class Wave(NamedTuple):
    """A sine over the whole image; of one that was not found there, only the frequency is known."""

    fy: float
    """Cycles a pixel downwards."""
    fx: float
    """Cycles a pixel to the right."""
    strength: float = math.nan
    """How far its peak stands out, in dB."""
    amplitude: float = math.nan
    """In grey levels."""
    evenness: float = math.nan
    """See `peaks`, as for the next."""
    steadiness: float = math.nan


def check_image(image: np.ndarray) -> None:
    """Raise ValueError unless `image` is a uint8 array of shape (H, W) or (H, W, 3) with at least one pixel."""
    kind = f"{image.dtype} of shape {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
    shaped = isinstance(image, np.ndarray) and (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3))
    if not shaped or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"expected a uint8 array of shape (H, W) or (H, W, 3) with pixels in it, received {kind}")


def grey(image: np.ndarray) -> np.ndarray:
    """Luma (ITU-R BT.601) of a uint8 image, RGB (H, W, 3) or grey (H, W): uint8 (H, W). ValueError for others."""
    check_image(image)
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def spectrum(image: np.ndarray) -> np.ndarray:
    """Power spectrum of the luma under a Hann window, in dB, for figures.

    uint8 (H, W) or (H, W, 3) in, float32 (H, W) out. Frequency 0 lies at [H // 2, W // 2], and fy, fx in
    cycles a pixel at [H // 2 + fy · H, W // 2 + fx · W]. A sine of `a` grey levels reaches about
    20 log10(a / 2), white noise of standard deviation s lies near 10 log10(2.25 s² / (H · W)).
    Raises ValueError for other types and shapes.
    """
    return _power(grey(image))


def peaks(
    image: np.ndarray,
    *,
    lowest: float = 0.06,
    min_strength: float = 14.0,
    min_amplitude: float = 1.0,
    min_evenness: float = 0.5,
    min_steadiness: float = 0.6,
) -> list[Wave]:
    """Find the sine waves that lie over the whole image, from the peaks of its windowed power spectrum.

    A peak has to stand out from the square of frequencies round it, and from those on its own row and column,
    where the lines of text and the frames of a card have their energy. The fine lines printed on a card make
    peaks just as high, but they leave out its portrait and its blank areas, while what a scanner adds leaves
    out nothing: the wave must be found in every one of 4×4 parts of the image. A page full of text has its lines
    and columns of letters in every part, too, but with gaps between them, while a scanner's wave fills the gaps.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, 3), which is taken as its luma.
    lowest
        Frequencies below, in cycles a pixel, belong to the picture. So do those with fewer than eight
        periods along the shorter side; an image of less than 16 pixels has no peaks.
    min_strength
        In dB above the mean log power of the surroundings; white noise hardly ever reaches 14.
    min_amplitude
        In grey levels. Weaker waves cannot be seen.
    min_evenness
        Amplitude of the wave in that part of the image where it is weakest, over the median of the parts,
        0 to 1. Where light saturates, up to half of a wave is cut off.
    min_steadiness
        Amplitude of the wave below which three tenths of the places within a part lie, over the median of the
        places; the median of the parts, at most 1. Waves laid over 47 blurred cards had 0.6 at least, and those over 39
        of 40 sharp ones; of 641 waves that lines of text make on drawn pages 1 had. A wave may be missed where text or
        fine print leaves no gaps.

    Returns
    -------
    One wave a pair of conjugate peaks, strongest first: fx from 0 to 0.5, both frequencies refined by a parabola
    through the neighbours; the amplitude is the median of the parts.

    Raises
    ------
    ValueError
        For other types and shapes.
    """
    luma = grey(image)
    values = luma.astype(np.float32)
    found = []
    for fy, fx, strength in _candidates(luma, max(lowest, 8 / min(luma.shape)), min_strength, min_amplitude / 2):
        amplitudes, steadiness = _over_parts(values, fy, fx)
        amplitude = np.median(amplitudes)
        evenness = amplitudes.min() / max(amplitude, 1e-6)
        wave = Wave(*map(float, (fy, fx, strength, amplitude, evenness, np.median(steadiness))))
        if wave.amplitude >= min_amplitude and wave.evenness >= min_evenness and wave.steadiness >= min_steadiness:
            found.append(wave)
    return sorted(found, key=lambda wave: -wave.strength)


_find = peaks  # `notch` has an argument of that name


def notch(image: np.ndarray, peaks: Sequence[Wave] | None = None, *, width: float = 0.004) -> np.ndarray:
    """Remove waves with Gaussian notches at their frequencies and the conjugate ones.

    The response of the filter is one minus the largest of the Gaussians, R. C. Gonzalez, R. E. Woods, Digital
    Image Processing, 4th edition, 2018, section 4.10. Past its edges the image is not continued but left out
    (normalised convolution, H. Knutsson, C.-F. Westin, CVPR 1993, doi:10.1109/CVPR.1993.341081), so that a
    wave is removed up to the edge.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, 3), each channel filtered by itself.
    peaks
        The waves; None takes those that `peaks` finds.
    width
        Standard deviation of each notch in cycles a pixel. 1 / (2π · width) pixels is the distance over which
        a wave's amplitude may change. 0 leaves the image as it is, and so do no peaks.

    Returns
    -------
    Array of the shape and type of `image`; what leaves [0, 255] is cut off there.

    Raises
    ------
    ValueError
        For other types and shapes, and for a negative width.
    """
    check_image(image)
    found = _find(image) if peaks is None else peaks
    return np.clip(np.rint(image - waves(image, found, width=width)), 0, 255).astype(np.uint8)


def waves(image: np.ndarray, peaks: Sequence[Wave], *, width: float = 0.004) -> np.ndarray:
    """What `notch` takes away: float32, in the shape and unit of `image`, (H, W) or (H, W, C) of any real type.

    Arguments and errors as for `notch`. What lies farther away than `reach` pixels hardly changes it.
    """
    if not 0 <= width < np.inf:
        raise ValueError(f"width: expected cycles a pixel from 0, received {width!r}")
    if width == 0 or not peaks:
        return np.zeros(image.shape, np.float32)
    return _waves(image, np.array([(wave.fy, wave.fx) for wave in peaks]), width)


def reach(width: float = 0.004) -> int:
    """How far `waves` sees, in pixels: three standard deviations of its Gaussian."""
    return round(3 / (2 * np.pi * width))


def _power(luma: np.ndarray) -> np.ndarray:
    """Power of a sine of amplitude 2 is 0 dB at the middle of its bin."""
    window = _hann(luma.shape)
    values = (luma - luma.mean(dtype=np.float32)).astype(np.float32) * window
    power = np.abs(fft.fftshift(fft.fft2(values))) ** 2 / window.sum() ** 2
    return 10 * np.log10(power + 1e-12)


def _hann(shape: tuple[int, int]) -> np.ndarray:
    """Without the zeros at its ends, so that an image of one pixel has a window too."""
    return np.outer(*(np.hanning(length + 2)[1:-1] for length in shape)).astype(np.float32)


def _candidates(luma: np.ndarray, lowest: float, min_strength: float, min_height: float) -> np.ndarray:
    """Peaks of one half of the spectrum that stand out, before it is known how even they are: fy, fx, strength.

    `min_height` is in grey levels; between two bins, a wave shows about half of its amplitude at worst.
    """
    if min(luma.shape) < 16:
        return np.empty((0, 3))
    power = _power(luma)
    prominence = power - _surroundings(power)
    fy, fx = (_frequencies(length) for length in luma.shape)
    height = 2 * 10 ** (power / 20)
    standing_out = (prominence >= min_strength) & (height >= min_height) & _half_plane(fy, fx, lowest)
    rows, columns = np.nonzero(standing_out & (_wrapped_maximum(power) == power))
    highest = np.argsort(-height[rows, columns], kind="stable")[:_MOST_CANDIDATES]
    rows, columns = rows[highest], columns[highest]
    fy = fy[rows] + _vertex(power, rows, columns, axis=0) / luma.shape[0]
    fx = fx[columns] + _vertex(power, rows, columns, axis=1) / luma.shape[1]
    return np.stack([fy, fx, prominence[rows, columns]], axis=1)


def _frequencies(length: int) -> np.ndarray:
    """As in a shifted spectrum, in cycles a pixel, with the one that is its own partner as 0.5, not -0.5."""
    centred = fft.fftshift(fft.fftfreq(length))
    return np.where(centred == -0.5, 0.5, centred)


def _half_plane(fy: np.ndarray, fx: np.ndarray, lowest: float) -> np.ndarray:
    """One of each pair of conjugate frequencies, from `lowest` on. In column 0 and the last one, pairs share it."""
    down, across = np.meshgrid(fy, fx, indexing="ij")
    shared = (across == 0) | (across == 0.5)
    return (np.hypot(down, across) >= lowest) & (across >= 0) & (~shared | (down >= 0))


def _surroundings(power: np.ndarray) -> np.ndarray:
    """The largest of three means of the power in dB round each frequency: of a square, a row and a column."""
    return np.maximum.reduce([_mean_round(power, size) for size in ((_SIDE, _SIDE), (0, _AXIS), (_AXIS, 0))])


def _mean_round(power: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Mean over a rectangle of 2 · size + 1 frequencies without its core; the spectrum wraps round."""
    size = tuple(min(reach, (length - 1) // 2) for reach, length in zip(size, power.shape, strict=True))
    down, across = size
    padded = cv2.copyMakeBorder(power, down, down, across, across, cv2.BORDER_WRAP)
    inside = np.s_[down : down + power.shape[0], across : across + power.shape[1]]
    core = tuple(min(reach, _CORE) for reach in size)
    outer, inner = (
        cv2.boxFilter(padded, cv2.CV_64F, (2 * x + 1, 2 * y + 1), normalize=False)[inside] for y, x in (size, core)
    )
    count, own = ((2 * y + 1) * (2 * x + 1) for y, x in (size, core))
    return (outer - inner) / (count - own)


def _wrapped_maximum(power: np.ndarray) -> np.ndarray:
    padded = cv2.copyMakeBorder(power, _CORE, _CORE, _CORE, _CORE, cv2.BORDER_WRAP)
    return cv2.dilate(padded, np.ones((2 * _CORE + 1, 2 * _CORE + 1)))[_CORE:-_CORE, _CORE:-_CORE]


def _vertex(power: np.ndarray, rows: np.ndarray, columns: np.ndarray, *, axis: int) -> np.ndarray:
    """Where, in bins from each maximum, the parabola through it and its two neighbours on one axis has its top."""
    before, after = (np.roll(power, shift, axis)[rows, columns] for shift in (1, -1))
    curvature = 2 * power[rows, columns] - before - after
    return np.clip((after - before) / np.maximum(2 * curvature, 1e-6), -0.5, 0.5)


def _over_parts(values: np.ndarray, fy: float, fx: float) -> tuple[np.ndarray, np.ndarray]:
    """Amplitude of a wave in each of the parts of an image, in grey levels, and its steadiness there.

    Medians over places about a period apart keep text, which covers the smaller share of a part, from
    passing for the wave or from hiding it. For the steadiness, places are small beside the gaps of text.
    """
    period = 1 / np.hypot(fy, fx)
    fine = 2 * (values - cv2.GaussianBlur(values, (0, 0), period / 2))
    phase = [np.exp(-2j * np.pi * f * np.arange(n)) for f, n in zip((fy, fx), values.shape, strict=True)]
    shifted = fine * np.outer(*phase).astype(np.complex64)
    # at least 3 pixels tell a wave near 0.5 from its conjugate
    usual = [_median(part) for part in _parts(shifted, max(0.7 * period, 3.0))]
    steadiness = [_steadiness(part) for part in _parts(shifted, max(0.3 * period, 2.0))]
    return np.abs(usual), np.array(steadiness)


def _parts(shifted: np.ndarray, near: float) -> list[np.ndarray]:
    """What is left of a wave that was shifted to frequency 0, at places `near` apart, in each part of the image."""
    step = int(near)
    local = cv2.GaussianBlur(np.dstack([shifted.real, shifted.imag]), (0, 0), near)
    local = local[step // 2 :: step, step // 2 :: step] @ np.array([1, 1j])
    return [part for band in np.array_split(local, _TILES, 0) for part in np.array_split(band, _TILES, 1)]


def _median(part: np.ndarray) -> complex:
    return np.median(part.real) + 1j * np.median(part.imag)


def _steadiness(part: np.ndarray) -> float:
    """What three tenths of the values in phase with the median lie below, over its amplitude."""
    usual = _median(part)
    return np.quantile((part * usual.conjugate()).real, 0.3) / max(abs(usual) ** 2, 1e-12)


def _waves(image: np.ndarray, frequencies: np.ndarray, width: float) -> np.ndarray:
    """What the notches take away: float32, in the shape of `image`."""
    from scipy import fft  # faster than NumPy's, but it takes longer to import than a card takes

    values = image.reshape(*image.shape[:2], -1).astype(np.float32)
    values -= values.mean(axis=(0, 1))
    height, breadth = image.shape[:2]
    reach = min(1 / (2 * np.pi * width), max(height, breadth))  # a wider Gaussian sees no more of the image
    padded = tuple(fft.next_fast_len(n + int(3 * reach) + 1, real=True) for n in (height, breadth))
    passed = _gaussians(padded, frequencies, 1 / (2 * np.pi * reach))[..., None]
    waves = fft.irfft2(fft.rfft2(values, padded, axes=(0, 1)) * passed, padded, axes=(0, 1))[:height, :breadth]
    covered = np.outer(*(_covered(n, reach) for n in (height, breadth)))
    return (waves / covered[..., None]).reshape(image.shape).astype(np.float32)


def _gaussians(shape: tuple[int, int], frequencies: np.ndarray, width: float) -> np.ndarray:
    """The largest of Gaussians of peak 1 round each of the frequencies and its conjugate, for `rfft2`."""
    grid = fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :]
    passed = np.zeros((shape[0], shape[1] // 2 + 1), np.float32)
    for centre in np.concatenate([frequencies, -frequencies]):
        # frequencies wrap round at 1
        along = [
            np.exp(-(((f - at + 0.5) % 1 - 0.5) ** 2) / (2 * width**2)) for f, at in zip(grid, centre, strict=True)
        ]
        np.maximum(passed, along[0] * along[1], out=passed)
    return passed


def _covered(length: int, reach: float) -> np.ndarray:
    """Share of a Gaussian of standard deviation `reach` round each pixel of a row that lies within the row."""
    below = np.array([math.erf((place + 0.5) / (reach * math.sqrt(2))) / 2 for place in range(length)])
    return below + below[::-1]
