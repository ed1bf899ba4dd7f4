"""The enhancer: trains the network that sees blurs, and reads cards after every step (`make blur`).

It learns from crops of drawn scenes and of training cards, which are spoilt as cards are, so that their movements and
radii are known. What it is for, `blur` says.
"""

import hashlib
import inspect
import itertools
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from srcnn_lib import blur, files

LEARNED, LEARNED_RADIUS = 21.0, 8.5
"""The longest movements, and the largest radii, that it learns to tell apart, in pixels. What is beyond them, up to
twice as much, is taken for the largest that it knows, which `blur` leaves as it is."""
_NETWORKS = ("house", "house-large")
_UNSHARP = "unsharp masking: 5, 0.75"  # the best for reading on validation cards, section 2.9

_CROP, _MARGIN = 544, 16  # pixels: side of what a spectrum is learned from, and of what is spoilt round it
_SAMPLES, _WATCHED, _EPOCHS, _SEED = 32_000, 2_048, 8, 1
_PARTS = 64  # that samples are drawn in
_TAUGHT = "motion", "disc"
_MIXTURES = [(False, False)] * 3 + [(True, False)] * 3 + [(False, True)] * 3 + [(True, True)]  # of these two
_LARGER = {  # than recipes have them, in half of the samples, so that none of these is taken for another
    "motion": ("length", blur.SHORTEST, LEARNED),
    "disc": ("radius", float(blur.RADII[0]), LEARNED_RADIUS),
    "gaussian": ("sigma", 0.5, 3.5),
    "downup": ("factor", 1.5, 5.0),
}


def train(*, fonts: Sequence[Path], work: Path) -> dict:
    """Train the network, write it as ONNX, and keep what it is and how well it tells as `blur.json`; returns that.

    `fonts` are folders of further typefaces, `work` one for the spectra, which are not drawn again.
    """
    import keras

    from srcnn_lib import export, provenance, training

    keras.utils.set_random_seed(_SEED)
    spectra, movements, radii = _samples("train", _SAMPLES, fonts, work)
    # what is mirrored moves as in a mirror
    spectra = np.concatenate([spectra, np.roll(spectra[:, ::-1], 1, axis=1)])
    movements = np.concatenate([movements, movements * (1, -1)])
    updates = _EPOCHS * (len(spectra) // 128)
    rate = keras.optimizers.schedules.CosineDecay(0.0, updates - 200, warmup_target=1.5e-3, warmup_steps=200)
    network = build()
    parts = slice(1 + len(blur.candidates())), slice(1 + len(blur.candidates()), None)  # movements, radii
    taught = keras.Model(network.input, [network.output[:, part] for part in parts])
    taught.compile(keras.optimizers.Adam(rate), [keras.losses.CategoricalCrossentropy(from_logits=True) for _ in parts])
    wanted = _wanted(movements, np.concatenate([radii, radii]))
    spectra = spectra[..., None].astype(np.float32)
    taught.fit(spectra, [wanted[:, part] for part in parts], batch_size=128, epochs=_EPOCHS)
    network.set_weights(export.rounded(network.get_weights()))
    training.save(network, work / "blur.keras")
    export.write_onnx(network, blur.FILE)
    record = {
        "date": date.today().isoformat(),
        **{key: value for key, value in provenance.collect().items() if key in ("commit", "device")},
        "sha256": hashlib.sha256(blur.FILE.read_bytes()).hexdigest(),
        "parameters": network.count_params(),
        "samples": _SAMPLES,
        "updates": updates,
        "seed": _SEED,
    }
    files.write_json(blur.RECORD, record)
    blur.session.cache_clear()
    return measure(fonts=fonts, work=work)


def measure(*, fonts: Sequence[Path], work: Path) -> dict:
    """See how well the shipped network tells crops that it did not learn from, spoilt in mixtures of their own.

    Kept in `blur.json` as "watched" (see `told`), with the day as "measured"; returns all that is there.
    """
    spectra, *true = _samples("watched", _WATCHED, fonts, work)
    network = blur.session()
    (given,) = network.get_inputs()
    (answers,) = network.run(None, {given.name: spectra[..., None].astype(np.float32)})
    record = json.loads(blur.RECORD.read_text(encoding="utf-8"))
    record["measured"] = date.today().isoformat()
    record["watched"] = told(answers, *true).astype(object).replace(np.nan, None).to_dict("records")
    files.write_json(blur.RECORD, record)
    return record


def judge(*, fonts: Sequence[Path], work: Path) -> pd.DataFrame:
    """Read validation cards and watched scenes after every step of the enhancer; kept as `records/blur.csv`.

    See `legible.compared`. "after both" means after waves and blur were taken away, "eight ways" a `self_ensemble`, as
    an upper mark.
    """
    from srcnn_lib import enhancer, evaluation, legible, records

    unsharp = evaluation.FILTERS[_UNSHARP]
    methods = {
        evaluation.UNTOUCHED: lambda image: image,
        "waves taken away": partial(enhancer.prepare, blur=False),
        "blur taken away": partial(enhancer.prepare, waves=False),
        "waves and blur taken away": enhancer.prepare,
        _UNSHARP: unsharp,
        f"{_UNSHARP}, after both": lambda image: unsharp(enhancer.prepare(image)),
        **{name: partial(enhancer.enhance, model=name, waves=False, blur=False, threads=1) for name in _NETWORKS},
        **{f"{name}, after both": partial(enhancer.enhance, model=name, threads=1) for name in _NETWORKS},
        **{f"{name}, after both, eight ways": partial(_eight_ways, model=name) for name in _NETWORKS},
        **{f"house-large, noise {noise:g} for all": partial(_with_noise, noise=noise) for noise in blur.NOISES},
    }
    read = legible.read_after(methods, fonts=fonts, cache=work / "read", cards=legible.READ_LAST)
    table = legible.compared(read, evaluation.UNTOUCHED)
    with files.whole(records.FOLDER / "blur.csv") as temporary:
        table.to_csv(temporary, index=False)
    return table


def self_ensemble(image: np.ndarray, enhance: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The mean of what becomes of an image's four turns and their mirror images, turned back; uint8 in and out.

    It takes eight times as long; what a network gains by it says how far it is from treating all alike (R. Timofte et
    al., CVPR 2016, arXiv:1511.02228). `enhance` keeps the shape, (H, W) or (H, W, C).
    """
    total = np.zeros(image.shape, np.float32)
    for mirrored, turns in itertools.product((False, True), range(4)):
        shown = np.rot90(image[:, ::-1] if mirrored else image, turns)
        made = np.rot90(enhance(np.ascontiguousarray(shown)), -turns)
        total += made[:, ::-1] if mirrored else made
    return np.rint(total / 8).astype(np.uint8)


def _eight_ways(image: np.ndarray, *, model: str) -> np.ndarray:
    """A network's self-ensemble after both."""
    from srcnn_lib import enhancer

    network = partial(enhancer.enhance, model=model, waves=False, blur=False, threads=1)
    return self_ensemble(enhancer.prepare(image), network)


def _with_noise(image: np.ndarray, *, noise: float) -> np.ndarray:
    """The large network after both, with another strength of the filter."""
    from srcnn_lib import enhancer

    calm = enhancer.prepare(image, blur=False)
    if blurs := blur.find(calm).certain:
        undone = blur.undo(blur.without_specks(np.float32(calm) / 255), blurs, noise=noise)
        calm = np.rint(255 * np.clip(undone, 0, 1)).astype(np.uint8)
    return enhancer.enhance(calm, model="house-large", waves=False, blur=False, threads=1)


def build():
    """The network: spectra, float32 (N, 64, 33, 1), to logits (N, 1 + candidates + 1 + radii), see `blur.decoded`."""
    import keras
    from keras import layers

    given = x = keras.Input((blur.WINDOW, blur.WINDOW // 2 + 1, 1))
    for width, stride in ((24, 1), (32, 2), (48, 1), (48, 2), (64, 1), (48, 2)):
        x = layers.Conv2D(width, 3, strides=stride, padding="same", activation="relu")(x)
    x = layers.Dropout(0.2)(layers.Flatten()(x))
    x = layers.Dense(96, activation="relu")(x)
    return keras.Model(given, layers.Dense(2 + len(blur.candidates()) + len(blur.RADII))(x), name="blur")


def told(answers: np.ndarray, movements: np.ndarray, radii: np.ndarray) -> pd.DataFrame:
    """How well movements, (N, 2): x, y in pixels, and radii, (N,), are told by logits; one row a blur and range.

    Columns: blur, shortest and longest (length or radius), samples, taken back (share that would be), and the median
    and ninth decile of how far from the truth that is, in pixels: ends of a movement, or radius.
    """
    moved, unfocused = zip(*(blur.decoded(answer) for answer in answers), strict=True)
    turn = np.deg2rad([found.angle for found in moved])
    theirs = np.array([found.length for found in moved])[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    apart = np.minimum(np.hypot(*(theirs - movements).T), np.hypot(*(theirs + movements).T)) / 2
    beside = np.abs([found.radius for found in unfocused] - radii)
    ends = (0, blur.SHORTEST, 4, 7, blur.LONGEST, 2 * LEARNED), (0, blur.LEAST, 3, 4, blur.MOST, 2 * LEARNED_RADIUS)
    rows = []
    for name, found, size, wrong, steps in (
        ("movement", moved, np.hypot(*movements.T), apart, ends[0]),
        ("defocus", unfocused, radii, beside, ends[1]),
    ):
        certain = np.array([one.certain for one in found])
        for shortest, longest in [(0, 0), *itertools.pairwise(steps)]:
            chosen = (size > shortest) & (size <= longest) if longest else size == 0
            right = wrong[chosen & certain]
            rows.append(
                {
                    "blur": name,
                    "shortest": shortest,
                    "longest": longest,
                    "samples": int(chosen.sum()),
                    "taken back": float(certain[chosen].mean()) if chosen.any() else None,
                    "apart, median": float(np.median(right)) if longest and len(right) else None,
                    "apart, 90 %": float(np.quantile(right, 0.9)) if longest and len(right) else None,
                }
            )
    return pd.DataFrame(rows)


def _wanted(movements: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """What the network should answer: shares of the candidates near a movement and near a radius, as `blur.decoded`."""
    places = blur.candidates()
    half = movements[:, None] / 2
    squared = np.minimum(((half - places) ** 2).sum(axis=-1), ((half + places) ** 2).sum(axis=-1))
    moved = _near(squared, 0.35, np.hypot(*movements.T) < blur.SHORTEST)
    unfocused = _near((radii[:, None] - blur.RADII) ** 2, 0.25, radii < blur.RADII[0])
    return np.concatenate([moved, unfocused], axis=1)


def _near(squared: np.ndarray, deviation: float, none: np.ndarray) -> np.ndarray:
    """Shares by squared distance, (N, candidates), after that of none at all: float32 (N, 1 + candidates)."""
    shares = np.exp(-(squared - squared.min(axis=1, keepdims=True)) / (2 * deviation**2))
    shares[none] = 0
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
    return np.concatenate([none[:, None], shares], axis=1).astype(np.float32)


def _samples(part: str, count: int, fonts: Sequence[Path], work: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spectra of spoilt crops, float16 (count, 64, 33), their movements, float32 (count, 2), and radii, (count,).

    The last two are in pixels, x before y, and 0 where there is none.
    """
    recipe = _recipe(part, count, fonts)
    file = work / f"blur-{part}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.npz"
    if not file.exists():
        draw = partial(_drawn, part, count // _PARTS, tuple(fonts))
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            made = list(tqdm(pool.map(draw, range(_PARTS)), total=_PARTS, desc=f"spectra to {part}", mininterval=1))
        spectra, movements, radii = (np.concatenate(side) for side in zip(*made, strict=True))
        with files.whole(file) as temporary, temporary.open("wb") as opened:
            np.savez(opened, spectra=spectra, movements=movements, radii=radii)
    with np.load(file) as kept:
        return kept["spectra"], kept["movements"], kept["radii"]


def _recipe(part: str, count: int, fonts: Sequence[Path]) -> str:
    """All that spectra follow from."""
    from srcnn_lib import scenes
    from srcnn_lib.specimens import degradations

    faces = [[face.name for face in family] for family in scenes.families(fonts, part)]
    sizes = _SEED, _CROP, _MARGIN, _PARTS, _TAUGHT, _MIXTURES, _LARGER, blur.WINDOW
    code = [inspect.getsource(source) for source in (_drawn, _sources, blur.spectrum, scenes, degradations)]
    return repr((count, faces, sizes, code))


def _drawn(part: str, count: int, fonts: tuple[Path, ...], number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One part of the samples: half from scenes, half from cards; four in ten moved, four in ten out of focus."""
    from srcnn_lib import scenes
    from srcnn_lib.specimens import degradations

    cv2.setNumThreads(1)
    sources = _sources(part, fonts)
    spectra, movements, radii = [], [], []
    for place in range(count):
        rng = np.random.default_rng([_SEED + (part != "train"), number, place])  # no recipe is learned and watched
        source = sources[int(rng.integers(2))]
        image = source[int(rng.integers(len(source)))].image
        size = min(_CROP, *image.shape[:2])
        y, x = (int(rng.integers(0, side - size + 1)) for side in image.shape[:2])
        clean = np.ascontiguousarray(image[y : y + size, x : x + size])
        wanted = {kind for kind, there in zip(_TAUGHT, _MIXTURES[rng.integers(len(_MIXTURES))], strict=True) if there}
        while True:
            seed = int(rng.integers(2**32))
            steps = scenes.recipe(np.random.default_rng(seed))
            if {step.kind for step in steps} & set(_TAUGHT) == wanted:
                break
        if rng.random() < 0.5:
            for step in steps:
                if step.kind in _LARGER:
                    size_of, smallest, largest = _LARGER[step.kind]
                    bounds = (largest, 2 * largest) if rng.random() < 0.2 else (smallest, largest)
                    step.parameters[size_of] = float(rng.uniform(*bounds))
            spoilt = degradations.apply(clean, steps)
        else:
            spoilt = scenes.degraded(clean, np.random.default_rng(seed))
        known = {step.kind: step.parameters for step in steps if step.kind in wanted}
        length, turn = (known["motion"][name] for name in ("length", "angle")) if "motion" in known else (0.0, 0.0)
        spectra.append(blur.spectrum(spoilt[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]).astype(np.float16))
        movements.append((length * np.cos(np.deg2rad(turn)), length * np.sin(np.deg2rad(turn))))
        radii.append(known["disc"]["radius"] if "disc" in known else 0.0)
    return np.array(spectra), np.array(movements, np.float32), np.array(radii, np.float32)


@lru_cache(maxsize=1)
def _sources(part: str, fonts: tuple[Path, ...]) -> tuple:
    """Clean scenes, and clean cards, in memory as they are needed."""
    from srcnn_lib import legible
    from srcnn_lib.specimens import dataset

    pool = "train" if part == "train" else "validation"
    drawn = legible.bank(1600 if part == "train" else legible.WATCHED, legible.SEED, part, fonts)
    return drawn, legible.Cards(dataset.provide(**legible.CARDS), pool)
