"""Section 2.9: how well a model does on images it has never seen, beside doing nothing."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from srcnn_lib import images, metrics, ocr, pairs, parallel, perceptual, preprocess, stress
from srcnn_lib.errors import DataError
from srcnn_lib.pairs import LOW

UNTOUCHED, SHARP = "untouched", "the sharp image itself"
CLASSICAL = "unsharp masking"
# Which parameter of a degradation says how bad it is, and 1 where more of it is worse, -1 where less is.
_STRENGTH = {
    "gaussian": ("sigma", 1),
    "disc": ("radius", 1),
    "motion": ("length", 1),
    "downup": ("factor", 1),
    "haze": ("veil", 1),
    "contrast": ("gain", -1),
    "uneven_light": ("drop", 1),
    "glare": ("peak", 1),
    "periodic": ("amplitude", 1),
    "noise": ("read", 1),
    "salt_pepper": ("share", 1),
    "jpeg": ("quality", -1),
}
FILTERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    **{
        f"unsharp masking: {sigma:g}, {amount:g}": partial(preprocess.sharpen, sigma=sigma, amount=amount)
        for sigma in (1.0, 2.0, 3.0, 5.0)
        for amount in (0.4, 0.75, 1.5)
    },
    **{f"Wiener: {sigma:g}": partial(preprocess.wiener, sigma=sigma) for sigma in (1.0, 1.5, 2.2)},
    **{f"Richardson–Lucy: {sigma:g}": partial(preprocess.richardson_lucy, sigma=sigma) for sigma in (1.0, 1.5, 2.2)},
}
"""The classical filters that section 2.9 chooses from, with their width in pixels and amount."""
MILD = partial(preprocess.sharpen, sigma=1.0, amount=0.5)
SQUASHED_FILTERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    f"{CLASSICAL}: {sigma:g}, {amount:g}": partial(preprocess.sharpen, sigma=sigma, amount=amount)
    for sigma in (0.5, 1.0, 2.0)
    for amount in (0.25, 0.5, 0.75, 1.5, 3.0)
}
"""The unsharp maskings that are tried on squashed images, which are a fraction of the size."""


def predict(model: keras.Model, image: np.ndarray) -> np.ndarray:
    """Enhance one image: uint8 RGB (H, W, 3) in and out, cut to [0, 255] and rounded as a file would be."""
    output = np.asarray(_graph(model)(image[None].astype(np.float32) / 255)[0])
    return (np.clip(output, 0, 1) * 255).round().astype(np.uint8)


@lru_cache(maxsize=32)
def _graph(model: keras.Model) -> Callable:
    """A model as a graph for images of any size: called layer by layer, Keras holds what all layers give at once."""
    any_size = tf.TensorSpec((1, *model.inputs[0].shape[1:]), tf.float32)
    return tf.function(partial(model, training=False), input_signature=[any_size])


def methods(
    models: Mapping[str, keras.Model], *, classical: Callable[[np.ndarray], np.ndarray] = MILD
) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """What is always scored: doing nothing, unsharp masking, and the given models; uint8 RGB in and out.

    `classical` is the unsharp masking, such as `best` finds; without it a mild one that nothing was chosen for.
    """
    return {
        UNTOUCHED: lambda image: image,
        CLASSICAL: classical,
        **{name: partial(predict, model) for name, model in models.items()},
    }


def pool(index: pd.DataFrame, part: str) -> list[str]:
    """Names of all images of a part of the split, and of those in its pool that no part uses, in order.

    `index` is the pair index with the columns part and pool.
    """
    there = index[(index["part"] == part) | ((index["part"] == "unused") & (index["pool"] == part))]
    return sorted(there["name"])


def unsquashed(folder: Path, index: pd.DataFrame) -> Callable[[str], tuple[np.ndarray, dict[str, np.ndarray]]]:
    """What reads an image as it lies on disk, for `score`: by name, the low image and its truths.

    These are "sharp file" and, where the data set knows it, "clean truth". `index` is the pair index.
    """
    by_name = index.set_index("name")

    def read(name: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        low, high = pairs.read_pair(folder, by_name.loc[name])
        clean = pairs.clean_file(folder, by_name.loc[name])
        return low, {"sharp file": high} | ({"clean truth": images.read(clean)} if clean else {})

    return read


def score(
    names: Sequence[str],
    read: Callable[[str], tuple[np.ndarray, Mapping[str, np.ndarray]]],
    enhancers: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    *,
    detailed: bool = False,
    features: Mapping[str, keras.Model] | None = None,
) -> pd.DataFrame:
    """Score every method on every image, against every truth there is.

    Parameters
    ----------
    names
        The images to score.
    read
        Gives for a name the low image and the truths by what they are called: uint8 RGB (H, W, 3), all of one shape.
    enhancers
        The methods, see `methods`.
    detailed
        Also psnr_y, ssim, ms_ssim and gmsd, all on brightness, which cost a good deal more.
    features
        Networks by name: for each, a column of that name gets the distance of what they see, see `perceptual.distance`.

    Returns
    -------
    One row an image, method and truth: name, method, truth, mse (of values in [0, 1]) and psnr (dB), over all
    RGB values, no border cut; with `detailed` the others, which `srcnn_lib.metrics` describes.
    """
    on_brightness = {"data_range": 255, "channel": "y", "border": 0}

    def one(name: str) -> list[dict]:
        low, truths = read(name)
        rows = []
        for method, enhance in enhancers.items():
            enhanced = enhance(low)
            for truth, image in truths.items():
                error = metrics.mse(image, enhanced, data_range=255)
                rows.append(
                    {
                        "name": name,
                        "method": method,
                        "truth": truth,
                        "mse": error,
                        "psnr": metrics.psnr_from_mse(error),
                    }
                )
                if detailed:
                    rows[-1] |= {
                        "psnr_y": metrics.psnr(image, enhanced, **on_brightness),
                        "ssim": metrics.ssim(image, enhanced, **on_brightness),
                        "ms_ssim": metrics.ms_ssim(image, enhanced, **on_brightness),
                        "gmsd": metrics.gmsd(image, enhanced, **on_brightness),
                    }
                for network, seen in (features or {}).items():
                    rows[-1][network] = perceptual.distance(seen, image, enhanced)
        return rows

    return pd.DataFrame([row for rows in parallel.over(names, one, "scoring") for row in rows])


def best(
    names: Sequence[str],
    read: Callable[[str], tuple[np.ndarray, Mapping[str, np.ndarray]]],
    enhancers: Mapping[str, Callable[[np.ndarray], np.ndarray]],
) -> str:
    """The method with the highest mean PSNR on some images, all as for `score`, against the first of their truths."""
    scores = score(names, read, enhancers)
    return scores[scores["truth"] == scores["truth"].iloc[0]].groupby("method", sort=False)["psnr"].mean().idxmax()


def fields(folder: Path, table: pd.DataFrame, names: Sequence[str]) -> dict[str, pd.DataFrame] | None:
    """The text fields of each named card of a drawn data set (kind, name, text and place); None for other folders.

    `table` is the pair index. Raises DataError, naming the file, where `truth/fields.csv` lacks a column or a card.
    """
    file = Path(folder) / "truth" / "fields.csv"
    if not file.exists():
        return None
    known = pd.read_csv(file, dtype={"text": "string", "name": "string", "kind": "string"}, keep_default_na=False)
    expected = ("number", "kind", "name", "text", "x0", "y0", "x1", "y1")
    if absent := [column for column in expected if column not in known]:
        raise DataError(f"{file}: expected the columns {', '.join(expected)}; {', '.join(absent)} not found")
    by_number = dict(iter(known.groupby("number")))
    numbers = table.set_index("name")["number"]
    if absent := [name for name in names if numbers[name] not in by_number]:
        raise DataError(f"{file}: expected rows of every card, by its number; there are none of {absent[0]}")
    return {name: by_number[numbers[name]].drop(columns="number") for name in names}


class Reading(NamedTuple):
    """What was read from many cards after every method."""

    lines: dict[tuple[str, str], list[ocr.Line]]
    """By image name and method."""
    scores: pd.DataFrame
    """One row an image, method and field (see `ocr.score`) where the text is known, else one an image and method:
    kind "page", errors (edits to the reading of the sharp image) and characters (of the longer reading, at least 1)."""


def legibility(
    names: Sequence[str],
    read: Callable[[str], tuple[np.ndarray, Mapping[str, np.ndarray]]],
    enhancers: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    known: Mapping[str, pd.DataFrame] | None,
    *,
    engine: str,
    cache_folder: Path,
) -> Reading:
    """Let an OCR engine read every card after every method, and the sharp image as the ceiling.

    Parameters
    ----------
    names, read, enhancers
        As for `score`; the first truth is the sharp image.
    known
        The text fields of each card, as `fields` gives them, or None.
    engine, cache_folder
        As for `ocr.read`.
    """

    def image(name: str, method: str) -> np.ndarray:
        low, truths = read(name)
        return next(iter(truths.values())) if method == SHARP else enhancers[method](low)

    keys = [(name, method) for name in names for method in (*enhancers, SHARP)]
    lines = ocr.read({key: partial(image, *key) for key in keys}, engine, cache_folder)
    tables = []
    for (name, method), found in lines.items():
        if known is None:
            reference = ocr.whole_text(lines[name, SHARP])
            longest = max(len(reference), len(ocr.whole_text(found)), 1)  # two empty readings agree
            errors = round(ocr.agreement(found, lines[name, SHARP]) * longest)
            scored = pd.DataFrame([{"kind": "page", "errors": errors, "characters": longest, "exact": errors == 0}])
        else:
            scored = ocr.score(found, known[name])
        tables.append(scored.assign(name=name, method=method))
    return Reading(lines, pd.concat(tables, ignore_index=True))


def per_image(scores: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Sums over the fields of one kind: one row an image and method, with errors, characters, words, words_missed,
    exact and fields."""
    chosen = scores[scores["kind"] == kind].assign(fields=1)
    columns = [name for name in ("errors", "characters", "words", "words_missed", "exact", "fields") if name in chosen]
    return chosen.groupby(["name", "method"], sort=False)[columns].sum().reset_index()


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """One row a method and truth: mean MSE, mean PSNR over images, and the PSNR of the mean MSE.

    The two averages differ, because the logarithm of a mean is not the mean of the logarithms.
    """
    table = scores.groupby(["method", "truth"], sort=False).agg(mse=("mse", "mean"), psnr_mean=("psnr", "mean"))
    table["psnr_of_mean_mse"] = table["mse"].map(metrics.psnr_from_mse)
    return table.reset_index()


def degradations(folder: Path, names: Sequence[str]) -> pd.DataFrame | None:
    """What was done to the low side of each named card of a drawn data set; None for other folders.

    Columns name, kind and strength: the parameter by which a kind mostly harms (see `_STRENGTH`), larger is worse; NaN
    for kinds that have none.
    """
    file = Path(folder) / "truth" / "degradations.csv"
    if not file.exists():
        return None
    done = pd.read_csv(file, dtype="string")
    done["name"] = done["file"].str.rsplit(".", n=1).str[0]
    done = done[(done["side"] == LOW) & done["name"].isin(list(names))].reset_index(drop=True)
    done["strength"] = [
        sign * float(json.loads(parameters)[parameter]) if parameter else np.nan
        for parameters, (parameter, sign) in zip(
            done["parameters"], done["kind"].map(lambda kind: _STRENGTH.get(kind, (None, 1))), strict=True
        )
    ]
    return done[["name", "kind", "strength"]]


def beyond(
    clean: Sequence[np.ndarray],
    enhancers: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    *,
    seed: int,
    engine: str,
    cache_folder: Path,
) -> pd.DataFrame:
    """Score methods on every case of `stress.CASES`, made from clean uint8 RGB cards.

    Returns one row a case and method: case, method, psnr (mean over the cards, dB, against the sharp image) and error
    (how far the reading differs from that of the sharp image, see `ocr.agreement`, over all cards).
    """
    made = {
        (case, str(number)): make(card, np.random.default_rng([seed, number]))
        for case, make in stress.CASES.items()
        for number, card in enumerate(clean)
    }
    rows = []
    for case in stress.CASES:
        sides = {number: pair for (name, number), pair in made.items() if name == case}

        def read(number: str, sides=sides) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            return sides[number][0], {SHARP: sides[number][1]}

        scores = score(list(sides), read, enhancers).groupby("method")["psnr"].mean()
        reading = legibility(list(sides), read, enhancers, None, engine=engine, cache_folder=cache_folder).scores
        sums = reading.groupby("method")[["errors", "characters"]].sum()
        rows += [
            {
                "case": case,
                "method": method,
                "psnr": scores[method],
                "error": sums.loc[method, "errors"] / max(1, sums.loc[method, "characters"]),
            }
            for method in enhancers
        ]
    return pd.DataFrame(rows)
