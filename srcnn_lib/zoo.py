"""Section 2.5: a light network of every family, all trained alike, and what they came to (`make zoo`).

Equal data, equal updates, equal recipe: random crops of the native training cards, as in section 2.7. One file of
weights and one JSON record a network are kept in `srcnn_lib/records/zoo`; validation cards judge, test cards have no
say in it.
"""

import dataclasses
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from srcnn_lib import (
    batches,
    comparison,
    evaluation,
    metrics,
    models,
    perceptual,
    provenance,
    recogniser,
    records,
    training,
)
from srcnn_lib.errors import ForeseenError
from srcnn_lib.files import write_json
from srcnn_lib.models import srgan
from srcnn_lib.runs import Run

FOLDER = records.FOLDER / "zoo"
GAN, GENERATOR = "srgan-light", "srresnet-light"
NAMES = (*models.LIGHT, "srcnn-9-1-5", "house", GAN)

SEED = 1
EPOCH_STEPS, BATCH, CROP = 100, 4, 96
RECIPE = training.Recipe(epochs=20, learning_rate=2e-3, schedule="cosine", clip_norm=0.1, keep="best")
# SRGAN goes on from the generator's weights. The paper's weight of the adversarial loss, 1e-3, is for features of VGG19
# times 0.006; the reader's features are of order 1, and this keeps the share that it has there. Not tuned.
ADVERSARIAL_RECIPE = training.Recipe(epochs=4, learning_rate=2e-4)
ADVERSARIAL_WEIGHT = 0.02
READER_CHARACTERS = 24_000
WATCHED, WATCHED_SIZE = 12, 160  # validation cards whose middle is looked at after each epoch
SCORED, READ = 24, 16  # validation cards that are scored as a whole, and those of them that OCR reads
_COLUMNS = [
    "network", "parameters", "multiply-adds per pixel", "PSNR", "gain", "gain_low", "gain_high", "SSIM", "MSE of crops",
    "character errors", "ms per card", "training seconds",
]  # fmt: skip


def train(run: Run, name: str, folder: Path = FOLDER) -> bool:
    """Train one of `NAMES` on a run's training cards and keep it, unless that was done; whether it was trained now.

    An interrupted training goes on from its last epoch. SRGAN needs its generator to be there, and is trained anew when
    that has other weights. Raises ForeseenError, listing the known names, for an unknown one.
    """
    _known(name)
    recipe = _recipe(name, folder)
    data_sha256 = _data_sha256(run)
    kept = _record(name, folder)
    if kept and (kept["recipe"], kept["data_sha256"]) == (recipe, data_sha256) and not _damage(kept, folder):
        return False
    keras.utils.set_random_seed(SEED)
    seen, watched = _pairs(run)
    steps = run.path(f"zoo/{name}/checkpoint.npz").parent
    data = batches.Shuffled(seen, BATCH, SEED, CROP, epoch_steps=EPOCH_STEPS, swap_colours=True)
    network = load(GENERATOR, folder) if name == GAN else _build(name)
    trained = _adversarial(network) if name == GAN else network
    history = training.fit(
        trained,
        data,
        batches.stream(watched, batch_size=BATCH),
        ADVERSARIAL_RECIPE if name == GAN else RECIPE,
        folder=steps,
    )
    file = folder / f"{name}.keras"
    training.save(network, file)
    training.save(training.load(file), file)  # without the optimizer's state, three times as large
    shutil.rmtree(steps)
    record = {
        "network": name,
        "sha256": _sha256(file),
        "parameters": network.count_params(),
        "multiply-adds per pixel": models.multiply_adds(network),
        "recipe": recipe,
        "data_sha256": data_sha256,
        "seconds": round(len(history) * history["seconds"].median(), 1),  # whether or not it was interrupted
        "date": date.today().isoformat(),
        **{key: value for key, value in provenance.collect().items() if key in ("commit", "device")},
        "history": history.to_dict("records"),
    }
    write_json(folder / f"{name}.json", record)
    return True


def score(run: Run, name: str, folder: Path = FOLDER) -> bool:
    """Score a kept network, or `evaluation.UNTOUCHED`, on a run's validation cards, unless that was done on these.

    Adds to its record, for each card, PSNR, SSIM and what OCR misread; and how long one card takes. Returns whether it
    was done now.
    """
    kept = _record(name, folder) or {"network": name}
    if _is_scored(kept) and kept["data_sha256"] == _data_sha256(run):
        return False
    enhance = (lambda image: image) if name == evaluation.UNTOUCHED else partial(evaluation.predict, load(name, folder))
    index = run.read_table("01_inspection/pairs.csv").merge(run.read_table("03_split/split.csv"), on="name")
    cards = validation_cards(index, SCORED)
    read = evaluation.unsquashed(run.data_folder, index)
    known = evaluation.fields(run.data_folder, index, cards[:READ])
    kept |= {"data_sha256": _data_sha256(run), "scored_on": _scored_on()}
    kept["seconds_a_card"] = seconds(enhance, read(cards[0])[0])
    kept["scored_card"] = list(read(cards[0])[0].shape)
    scores = [judge(cards[:READ], read, {name: enhance}, known, cache_folder=run.path("zoo/read"))]
    scores += [quality(cards[READ:], read, {name: enhance})] if cards[READ:] else []
    kept["scores"] = [
        {key: value for key, value in row.items() if pd.notna(value)}
        for row in pd.concat(scores).drop(columns=["method", "seconds"]).round(5).to_dict("records")
    ]
    write_json(folder / f"{name}.json", kept)
    return True


def load(name: str, folder: Path = FOLDER) -> keras.Model:
    """A kept network. Raises ForeseenError if there is none, or if its weights are not those of its record."""
    _known(name)
    kept = _record(name, folder)
    if kept is None:
        raise ForeseenError(f"{name}: not trained yet; `make zoo` trains it")
    if damage := _damage(kept, folder):
        raise ForeseenError(damage)
    return training.load(folder / f"{name}.keras")


def kept(folder: Path = FOLDER) -> dict[str, dict]:
    """The records of all networks that are trained and scored as it is done now, and of doing nothing, by name."""
    found = {name: _record(name, folder) for name in (evaluation.UNTOUCHED, *NAMES)}
    return {name: record for name, record in found.items() if record and _is_scored(record)}


def table(folder: Path = FOLDER) -> pd.DataFrame:
    """One row a kept network, and one of doing nothing: what its record says, over its validation cards.

    Columns network, parameters, multiply-adds per pixel, PSNR and gain (dB, with gain_low and gain_high, the ends of
    its 95 % interval over the cards; missing where doing nothing was not scored on the same ones), SSIM, MSE of crops
    (of values in [0, 1], on the middles of the cards that the training watched), character errors (a share), ms per
    card, training seconds (those of the median epoch times the number of epochs).
    """
    records = kept(folder)
    scores = {name: pd.DataFrame(record["scores"]) for name, record in records.items()}
    gains = _gains(scores)
    rows = [
        {
            "network": name,
            "parameters": record.get("parameters", 0),
            "multiply-adds per pixel": record.get("multiply-adds per pixel", 0),
            "PSNR": scores[name]["psnr"].mean(),
            **{column: gains[column].get(name, np.nan) for column in gains},
            "SSIM": scores[name]["ssim"].mean(),
            "MSE of crops": _watched_error(record),
            "character errors": scores[name]["errors"].sum() / scores[name]["characters"].sum(),
            "ms per card": 1000 * record["seconds_a_card"],
            "training seconds": record.get("seconds", 0.0),
        }
        for name, record in records.items()
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def validation_cards(index: pd.DataFrame, count: int) -> list[str]:
    """So many names of the validation part, always the same ones of the same split."""
    names = sorted(index.loc[index["part"] == "validation", "name"])
    return [names[place] for place in np.random.default_rng(SEED).permutation(len(names))[:count]]


def quality(
    names: Sequence[str], read: Callable, enhancers: Mapping[str, Callable[[np.ndarray], np.ndarray]]
) -> pd.DataFrame:
    """PSNR over RGB and SSIM over Y against the sharp file; `names` and `read` as for `evaluation.score`.

    One card after the other, so that times can be taken. Returns one row a card and method: name, method, psnr (dB),
    ssim, seconds.
    """
    rows = []
    for name in tqdm(names, desc="scoring", dynamic_ncols=True):
        low, truths = read(name)
        for method, enhance in enhancers.items():
            began = time.perf_counter()
            pair = truths["sharp file"], enhance(low)
            rows.append(
                {
                    "name": name,
                    "method": method,
                    "seconds": time.perf_counter() - began,
                    "psnr": metrics.psnr(*pair, data_range=255),
                    "ssim": metrics.ssim(*pair, data_range=255, channel="y", border=0),
                }
            )
    return pd.DataFrame(rows)


def judge(
    names: Sequence[str],
    read: Callable,
    enhancers: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    known: Mapping[str, pd.DataFrame] | None,
    *,
    cache_folder: Path,
) -> pd.DataFrame:
    """`quality`, and what RapidOCR misreads on the same cards; every card is enhanced once.

    Arguments as for `evaluation.legibility`. Returns the rows of `quality` with errors and characters (of the values,
    where the text is known).
    """
    tables = []
    for name in names:
        outputs: dict[str, np.ndarray] = {}
        remembering = {method: _remembering(outputs, method, enhance) for method, enhance in enhancers.items()}
        scores = quality([name], read, remembering)
        texts = evaluation.legibility([name], read, remembering, known, engine="RapidOCR", cache_folder=cache_folder)
        read_well = evaluation.per_image(texts.scores, "page" if known is None else "value")
        columns = ["name", "method", "errors", "characters"]
        tables.append(scores.merge(read_well[columns], on=["name", "method"], how="left"))
    return pd.concat(tables, ignore_index=True)


def seconds(enhance: Callable[[np.ndarray], np.ndarray], image: np.ndarray, repeats: int = 3) -> float:
    """How long enhancing an image takes: the shortest of so many times, after one that does not count."""
    enhance(image)
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        enhance(image)
        times.append(time.perf_counter() - began)
    return min(times)


def _remembering(outputs: dict[str, np.ndarray], method: str, enhance: Callable) -> Callable[[np.ndarray], np.ndarray]:
    """`enhance` for one card: asked again, it gives what it gave."""

    def enhanced(image: np.ndarray) -> np.ndarray:
        if method not in outputs:
            outputs[method] = enhance(image)
        return outputs[method]

    return enhanced


def _gains(scores: Mapping[str, pd.DataFrame]) -> dict[str, pd.Series]:
    """Over doing nothing, by name: gain, gain_low and gain_high in dB, of those scored on the same cards."""
    base = scores.get(evaluation.UNTOUCHED)
    if base is None:
        return {}
    same = [table.assign(method=name) for name, table in scores.items() if set(table["name"]) == set(base["name"])]
    found = comparison.against(pd.concat(same), evaluation.UNTOUCHED, "psnr", seed=SEED).set_index("method")
    return {column.replace("difference", "gain"): found[column] for column in found if "difference" in column}


def _watched_error(record: Mapping) -> float:
    """The error of the kept weights on the crops that were watched while training; NaN where nothing was trained."""
    if "history" not in record:
        return float("nan")
    errors = pd.DataFrame(record["history"])["val_mse"]
    return float(errors.min() if record["recipe"]["keep"] == "best" else errors.iloc[-1])


def _build(name: str) -> keras.Model:
    return models.build(name, **({"start": "identity"} if name.startswith("srcnn") else {}))


def _adversarial(generator: keras.Model) -> srgan.Adversarial:
    reader, _ = recogniser.train(SEED, READER_CHARACTERS)
    content = perceptual.loss(perceptual.features(reader, recogniser.FEATURES))
    judge = srgan.discriminator(size=CROP, width=16, units=64)
    return srgan.Adversarial(generator, judge, content, ADVERSARIAL_WEIGHT, name=GAN)


def _pairs(run: Run) -> tuple[batches.Files, batches.Centres]:
    """Training cards of at least a crop's size, and the middle of validation cards."""
    table = run.read_table("01_inspection/pairs.csv").merge(run.read_table("03_split/split.csv"), on="name")
    smaller = table[["width", "height"]].min(axis=1)
    seen = table[(table["part"] == "train") & (smaller >= CROP)]
    watched = table[(table["part"] == "validation") & (smaller >= WATCHED_SIZE)].iloc[:WATCHED]
    seen, watched = (
        batches.Files(*([run.data_folder / file for file in rows[side]] for side in ("low", "high")))
        for rows in (seen, watched)
    )
    return seen, batches.Centres(watched, WATCHED_SIZE)


def _data_sha256(run: Run) -> str:
    return run.read_json("01_inspection/summary.json")["data_sha256"]


def _recipe(name: str, folder: Path) -> dict:
    """What a kept network must have been trained by; SRGAN's says which generator's weights it started from."""
    recipe = dataclasses.asdict(ADVERSARIAL_RECIPE if name == GAN else RECIPE)
    own = {"epoch_steps": EPOCH_STEPS, "batch": BATCH, "crop": CROP, "seed": SEED}
    if name == GAN:
        generator = _record(GENERATOR, folder) or {}
        own |= {"adversarial_weight": ADVERSARIAL_WEIGHT, "generator_sha256": generator.get("sha256")}
    return recipe | own


def _scored_on() -> dict:
    """How many validation cards are scored and read, and what draws them."""
    return {"cards": SCORED, "read": READ, "seed": SEED}


def _is_scored(record: Mapping) -> bool:
    return "scores" in record and record.get("scored_on") == _scored_on()


def _record(name: str, folder: Path) -> dict | None:
    file = folder / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _damage(record: dict, folder: Path) -> str | None:
    """What is wrong with the weights that a record speaks of."""
    file = folder / f"{record['network']}.keras"
    if not file.exists():
        return f"{file}: missing; `git checkout` brings it back, `make zoo` trains it anew"
    if (found := _sha256(file)) != record["sha256"]:
        return f"{file}: expected SHA-256 {record['sha256']}, received {found}; `git checkout` brings the file back"
    return None


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _known(name: str) -> None:
    if name not in NAMES:
        raise ForeseenError(f"unknown network {name!r}; the known ones are {', '.join(NAMES)}")
