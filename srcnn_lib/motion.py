"""The enhancer: sees by which straight movement a photograph was blurred, and takes it back.

A hand that moves during the exposure leaves its mark in the spectrum: along the movement, the frequencies that fit into
its length go out (M. Cannon, IEEE Transactions on Acoustics, Speech, and Signal Processing 24(1), 1976,
doi:10.1109/TASSP.1976.1162770). A small network reads length and direction from the mean spectrum of small windows; it
learns from crops of drawn scenes and of training cards, of which it is known how they were spoilt (`make motion`). A
Wiener filter (R. C. Gonzalez, R. E. Woods, Digital Image Processing, 4th edition, 2018, section 5.8) then undoes it.
The networks that enhance were taught on such crops as well and yet hardly learned it: each direction and length asks
for a filter of its own.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from scipy import fft
from tqdm import tqdm

from srcnn_lib import files, frequency

FILE = Path(__file__).parent / "weights" / "motion.onnx"
_RECORD = Path(__file__).parent / "records" / "motion.json"  # `records` takes seconds to import
SURE = 0.9
"""From which probability on that there is a movement it is taken back; with it, hardly a crop without one has one."""
NOISE = 0.01
"""Power of the noise over that of the image, which the filter expects at frequency 0; see `NOISES`."""
RISE = 40.0
"""How much more of it there is at higher frequencies: times 1 + this times the square of the cycles a pixel."""
REACH = 96
"""How far the filter sees, in pixels."""
SHORTEST = 2.2
"""Movements below, in pixels, are none: they spoil hardly any letter."""
LONGEST = 15.0
"""Movements above, in pixels, are left: photographs without any text look like long ones to the network, and what is
longer than it has learned does, too."""

_WINDOW = 64  # pixels: side of the windows whose spectra are averaged
_LENGTHS, _ANGLES = np.arange(2.5, 20.6, 1.0), np.arange(0, 180, 7.5)
_NEAR = 1.5  # pixels: candidates so near to the likeliest one say where between them the movement lies
_LEARNED = 21.0  # pixels: the longest movements that are learned from
_CROP, _MARGIN = 544, 16  # pixels: side of what a spectrum is learned from, and of what is spoilt round it
_SAMPLES, _WATCHED, _EPOCHS, _SEED = 24_000, 2_048, 8, 1
_PARTS = 64  # that samples are drawn in


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


def kernel(length: float, angle: float) -> np.ndarray:
    """What such a movement makes of a point: float32 (n, n), n odd, of sum 1, as `degradations.motion` blurs."""
    reach = int(np.ceil(length / 2))
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    past_end = np.maximum(np.abs(across * cosine + down * sine) - length / 2, 0)
    covered = np.clip(1 - np.hypot(past_end, down * cosine - across * sine), 0, 1)
    return (covered / covered.sum()).astype(np.float32)


def undo(image: np.ndarray, movement: Movement, *, noise: float = NOISE) -> np.ndarray:
    """Take a movement back: float32 in shape and unit of `image`, (H, W) or (H, W, C) of any real type; not bounded.

    The image is continued by mirroring. What lies farther away than `REACH` pixels hardly changes a pixel. Raises
    ValueError for a length or noise that is not positive.
    """
    for name, value in (("length", movement.length), ("noise", noise)):
        if not 0 < value < np.inf:
            raise ValueError(f"{name}: expected a positive number, received {value!r}")
    values = image.reshape(*image.shape[:2], -1).astype(np.float32)
    sizes = [fft.next_fast_len(side + 2 * REACH, real=True) for side in image.shape[:2]]
    rows, columns = (
        _mirrored(np.arange(size) - REACH, side) for size, side in zip(sizes, image.shape[:2], strict=True)
    )
    spectrum = fft.rfft2(values[np.ix_(rows, columns)], axes=(0, 1))
    spectrum *= _inverse(tuple(sizes), movement, noise)[..., None]
    undone = fft.irfft2(spectrum, sizes, axes=(0, 1))
    inside = tuple(slice(REACH, REACH + side) for side in image.shape[:2])
    return undone[inside].reshape(image.shape).astype(np.float32)


def _mirrored(places: np.ndarray, length: int) -> np.ndarray:
    """Places beyond a row of so many pixels, as they are mirrored into it."""
    places = places % (2 * length)
    return np.minimum(places, 2 * length - 1 - places)


def _inverse(sizes: tuple[int, int], movement: Movement, noise: float) -> np.ndarray:
    """Response of the Wiener filter, for `rfft2`; even light stays as it is."""
    blur = kernel(movement.length, movement.angle)
    spread = np.zeros(sizes, np.float32)
    half = len(blur) // 2
    for (y, x), share in np.ndenumerate(blur):  # an image may be smaller than the kernel
        spread[(y - half) % sizes[0], (x - half) % sizes[1]] += share
    passed = fft.rfft2(spread)
    squared = fft.fftfreq(sizes[0])[:, None] ** 2 + fft.rfftfreq(sizes[1]) ** 2
    response = passed.conj() / (np.abs(passed) ** 2 + noise * (1 + RISE * squared))
    return (response / response[0, 0].real).astype(np.complex64)


def spectrum(image: np.ndarray) -> np.ndarray:
    """Mean power spectrum of the luma in overlapping windows: log10, float32 (64, 33), of mean 0.

    `image` is uint8, (H, W) or RGB (H, W, 3), at least 64 pixels each way. Columns are horizontal frequencies from 0 to
    0.5 cycles a pixel, rows vertical ones from -0.5 on. Raises ValueError for others.
    """
    luma = frequency.grey(image)
    if min(luma.shape) < _WINDOW:
        raise ValueError(f"image: expected at least {_WINDOW} pixels each way, received shape {image.shape}")
    taper = np.hanning(_WINDOW + 2)[1:-1].astype(np.float32)
    step = _WINDOW // 2
    windows = np.lib.stride_tricks.sliding_window_view(luma, (_WINDOW, _WINDOW))[::step, ::step]
    power = np.zeros((_WINDOW, step + 1), np.float32)
    for row in windows:
        values = row.astype(np.float32)
        values -= values.mean(axis=(1, 2), keepdims=True)
        power += (np.abs(fft.rfft2(values * np.outer(taper, taper))) ** 2).sum(axis=0)
    logged = np.log10(power / (windows.shape[0] * windows.shape[1]) + 1e-3)
    return fft.fftshift(logged - logged.mean(), axes=0)


def find(image: np.ndarray) -> Movement:
    """The movement that an image was blurred by, as the shipped network sees it; images as for `spectrum`.

    Smaller ones have none. Where several movements are likely, the likeliest is meant.
    """
    if min(image.shape[:2]) < _WINDOW:
        return Movement(0.0, 0.0, 0.0)
    session = _session()
    (given,) = session.get_inputs()
    (answers,) = session.run(None, {given.name: spectrum(image)[None, ..., None]})
    return decoded(answers[0])


def decoded(answers: np.ndarray) -> Movement:
    """What the network's logits, (1 + candidates,), say; the first is that of no movement."""
    shares = np.exp(answers - answers.max())
    shares /= shares.sum()
    places, shares_there = _candidates(), shares[1:]
    likeliest = places[shares_there.argmax()]
    # a movement to the left is one to the right
    turned = places * np.where(places @ likeliest < 0, -1, 1)[:, None]
    near = shares_there * (((turned - likeliest) ** 2).sum(axis=1) < _NEAR**2)
    across, down = 2 * (turned * near[:, None]).sum(axis=0) / near.sum()
    return Movement(
        float(np.hypot(across, down)), float(np.rad2deg(np.arctan2(down, across)) % 180), 1 - float(shares[0])
    )


def _candidates() -> np.ndarray:
    """Half of each movement that the network tells apart, as x, y in pixels: (candidates, 2)."""
    lengths, angles = (grid.ravel() for grid in np.meshgrid(_LENGTHS, np.deg2rad(_ANGLES), indexing="ij"))
    return (lengths / 2 * np.stack([np.cos(angles), np.sin(angles)])).T


@cache
def _session():
    import onnxruntime

    from srcnn_lib.errors import ForeseenError

    expected = json.loads(_RECORD.read_text(encoding="utf-8"))["sha256"]
    content = FILE.read_bytes() if FILE.exists() else b""
    if hashlib.sha256(content).hexdigest() != expected:
        raise ForeseenError(f"{FILE}: expected the file with SHA-256 {expected}, found another or none")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # it is small
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


# What follows trains the network.


def train(*, fonts: Sequence[Path], work: Path) -> dict:
    """Train the network, write it as ONNX, and keep how well it tells as `motion.json`; returns that.

    `fonts` are folders of further typefaces, `work` one for the spectra, which are not drawn again.
    """
    import keras

    from srcnn_lib import export, provenance, training

    keras.utils.set_random_seed(_SEED)
    spectra, movements = _samples("train", _SAMPLES, fonts, work)
    # what is mirrored moves as in a mirror
    spectra = np.concatenate([spectra, np.roll(spectra[:, ::-1], 1, axis=1)])
    movements = np.concatenate([movements, movements * (1, -1)])
    updates = _EPOCHS * (len(spectra) // 128)
    rate = keras.optimizers.schedules.CosineDecay(0.0, updates - 200, warmup_target=1.5e-3, warmup_steps=200)
    network = build()
    network.compile(keras.optimizers.Adam(rate), keras.losses.CategoricalCrossentropy(from_logits=True))
    network.fit(spectra[..., None].astype(np.float32), _wanted(movements), batch_size=128, epochs=_EPOCHS)
    watched, true = _samples("watched", _WATCHED, fonts, work)
    network.set_weights(export.rounded(network.get_weights()))
    training.save(network, work / "motion.keras")
    answers = network.predict(watched[..., None].astype(np.float32), verbose=0)
    export.write_onnx(network, FILE)
    record = {
        "date": date.today().isoformat(),
        **{key: value for key, value in provenance.collect().items() if key in ("commit", "device")},
        "sha256": hashlib.sha256(FILE.read_bytes()).hexdigest(),
        "parameters": network.count_params(),
        "samples": _SAMPLES,
        "updates": updates,
        "seed": _SEED,
        "watched": told(answers, true).astype(object).replace(np.nan, None).to_dict("records"),
    }
    files.write_json(_RECORD, record)
    _session.cache_clear()
    return record


NOISES = (0.003, 0.01, 0.03)
"""From which `NOISE` was chosen, by the errors of the large network on validation cards."""
_NETWORKS = ("house", "house-large")
_UNSHARP = "unsharp masking: 5, 0.75"  # the best for reading on validation cards, section 2.9


def judge(*, fonts: Sequence[Path], work: Path) -> pd.DataFrame:
    """Read validation cards and watched scenes after every step of the enhancer; kept as `records/motion.csv`.

    One row a method and test: the columns of `comparison.against` with errors per character (against doing nothing,
    drawn by card), exact (share of values), exact_low and exact_high, and test. "after both" means after waves and
    movement were taken away.
    """
    from srcnn_lib import comparison, enhancer, evaluation, legible, records

    unsharp = evaluation.FILTERS[_UNSHARP]
    methods = {
        evaluation.UNTOUCHED: lambda image: image,
        "waves taken away": partial(enhancer.prepare, motion=False),
        "movement taken away": partial(enhancer.prepare, waves=False),
        "both taken away": enhancer.prepare,
        _UNSHARP: unsharp,
        f"{_UNSHARP}, after both": lambda image: unsharp(enhancer.prepare(image)),
        **{name: partial(enhancer.enhance, model=name, waves=False, motion=False, threads=1) for name in _NETWORKS},
        **{f"{name}, after both": partial(enhancer.enhance, model=name, threads=1) for name in _NETWORKS},
        **{f"house-large, noise {noise:g}": partial(_with_noise, noise=noise) for noise in NOISES if noise != NOISE},
    }
    read = legible.read_after(methods, fonts=fonts, cache=work / "read", cards=legible.READ_LAST)
    tables = []
    for test, found in read.groupby("test", sort=False):
        found = found.assign(card=found["name"].str.split(".").str[-1])
        errors, exact = (
            comparison.against(found, evaluation.UNTOUCHED, top, bottom, group="card", seed=legible.SEED)
            for top, bottom in (("errors", "characters"), ("exact", "fields"))
        )
        share = exact[["figure", "low", "high"]].set_axis(["exact", "exact_low", "exact_high"], axis=1)
        tables.append(pd.concat([errors, share], axis=1).assign(test=test))
    table = pd.concat(tables, ignore_index=True)
    with files.whole(records.FOLDER / "motion.csv") as temporary:
        table.to_csv(temporary, index=False)
    return table


def _with_noise(image: np.ndarray, *, noise: float) -> np.ndarray:
    """The large network after both, with another strength of the filter."""
    from srcnn_lib import enhancer

    calm = enhancer.prepare(image, motion=False)
    movement = find(calm)
    if movement.certain:
        calm = np.clip(np.rint(undo(calm, movement, noise=noise)), 0, 255).astype(np.uint8)
    return enhancer.enhance(calm, model="house-large", waves=False, motion=False, threads=1)


def build():
    """The network: spectra, float32 (N, 64, 33, 1), to logits (N, 1 + candidates)."""
    import keras
    from keras import layers

    given = x = keras.Input((_WINDOW, _WINDOW // 2 + 1, 1))
    for width, stride in ((24, 1), (32, 2), (48, 1), (48, 2), (64, 1), (48, 2)):
        x = layers.Conv2D(width, 3, strides=stride, padding="same", activation="relu")(x)
    x = layers.Dropout(0.2)(layers.Flatten()(x))
    x = layers.Dense(96, activation="relu")(x)
    return keras.Model(given, layers.Dense(1 + len(_candidates()))(x), name="motion")


def told(answers: np.ndarray, movements: np.ndarray) -> pd.DataFrame:
    """How well movements, (N, 2): x, y in pixels, are told by logits; one row a range of lengths.

    Columns: shortest and longest, samples, found (share that is taken for one with `SURE`), and the median and ninth
    decile of how far the ends of the movement found are from the true ones, in pixels.
    """
    found = [decoded(answer) for answer in answers]
    sure = np.array([movement.probability >= SURE for movement in found])
    turn = np.deg2rad([movement.angle for movement in found])
    theirs = np.array([movement.length for movement in found])[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    apart = np.minimum(np.hypot(*(theirs - movements).T), np.hypot(*(theirs + movements).T)) / 2
    length = np.hypot(*movements.T)
    rows = []
    for shortest, longest in ((0, 0), (0, SHORTEST), (SHORTEST, 4), (4, 7), (7, 12), (12, _LEARNED)):
        chosen = (length > shortest) & (length <= longest) if longest else length == 0
        right = apart[chosen & sure]
        rows.append(
            {
                "shortest": shortest,
                "longest": longest,
                "samples": int(chosen.sum()),
                "found": float(sure[chosen].mean()) if chosen.any() else None,
                "apart, median": float(np.median(right)) if longest and len(right) else None,
                "apart, 90 %": float(np.quantile(right, 0.9)) if longest and len(right) else None,
            }
        )
    return pd.DataFrame(rows)


def _wanted(movements: np.ndarray) -> np.ndarray:
    """What the network should answer: shares of the candidates near a movement, (N, 1 + candidates)."""
    places = _candidates()
    half = movements[:, None] / 2
    squared = np.minimum(((half - places) ** 2).sum(axis=-1), ((half + places) ** 2).sum(axis=-1))
    shares = np.exp(-(squared - squared.min(axis=1, keepdims=True)) / (2 * 0.35**2))
    none = np.hypot(*movements.T) < SHORTEST
    shares[none] = 0
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
    return np.concatenate([none[:, None], shares], axis=1).astype(np.float32)


def _samples(part: str, count: int, fonts: Sequence[Path], work: Path) -> tuple[np.ndarray, np.ndarray]:
    """Spectra, float16 (count, 64, 33), of spoilt crops, and their movements, float32 (count, 2): x, y in pixels."""
    recipe = repr((count, _SEED, [str(folder) for folder in fonts], Path(__file__).read_text(encoding="utf-8")))
    file = work / f"motion-{part}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.npz"
    if not file.exists():
        draw = partial(_drawn, part, count // _PARTS, tuple(fonts))
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            made = list(tqdm(pool.map(draw, range(_PARTS)), total=_PARTS, desc=f"spectra to {part}", mininterval=1))
        spectra, movements = (np.concatenate(side) for side in zip(*made, strict=True))
        with files.whole(file) as temporary, temporary.open("wb") as opened:
            np.savez(opened, spectra=spectra, movements=movements)
    with np.load(file) as kept:
        return kept["spectra"], kept["movements"]


def _drawn(part: str, count: int, fonts: tuple[Path, ...], number: int) -> tuple[np.ndarray, np.ndarray]:
    """One part of the samples: half from scenes, half from cards, six in ten of them moved."""
    from srcnn_lib import scenes
    from srcnn_lib.specimens import degradations

    cv2.setNumThreads(1)
    sources = _sources(part, fonts)
    spectra, movements = [], []
    for place in range(count):
        rng = np.random.default_rng([_SEED, number, place])
        source = sources[int(rng.integers(2))]
        image = source[int(rng.integers(len(source)))].image
        size = min(_CROP, *image.shape[:2])
        y, x = (int(rng.integers(0, side - size + 1)) for side in image.shape[:2])
        clean = np.ascontiguousarray(image[y : y + size, x : x + size])
        moved = rng.random() < 0.6
        while True:
            seed = int(rng.integers(2**32))
            steps = scenes.recipe(np.random.default_rng(seed))
            movement = next((step.parameters for step in steps if step.kind == "motion"), None)
            if bool(movement) == moved:
                break
        if moved and rng.random() < 0.5:  # recipes seldom have long ones
            movement["length"] = float(rng.uniform(SHORTEST, _LEARNED))
            spoilt = degradations.apply(clean, steps)
        else:
            spoilt = scenes.degraded(clean, np.random.default_rng(seed))
        spoilt = spoilt[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        length, turn = (movement["length"], np.deg2rad(movement["angle"])) if moved else (0.0, 0.0)
        spectra.append(spectrum(spoilt).astype(np.float16))
        movements.append((length * np.cos(turn), length * np.sin(turn)))
    return np.array(spectra), np.array(movements, np.float32)


@lru_cache(maxsize=1)
def _sources(part: str, fonts: tuple[Path, ...]) -> tuple:
    """Clean scenes, and clean cards, in memory as they are needed."""
    from srcnn_lib import legible
    from srcnn_lib.specimens import dataset

    pool = "train" if part == "train" else "validation"
    drawn = legible.bank(1600 if part == "train" else legible.WATCHED, legible.SEED, part, fonts)
    return drawn, legible.Cards(dataset.provide(**legible.CARDS), pool)
