"""Writing a data set of specimen cards: images, truth and manifest.

    blurred_images/f.h.fornt.5000.jpg    degraded side; `h` is strong, `v` very strong
    sharpened_images/f.h.fornt.5000.jpg  the label: the same rendering with faint noise
    truth/clean/5000.png                 that rendering, common to `h` and `v`
    truth/fields.csv                     number, kind, name, text, x0, y0, x1, y1
    truth/degradations.csv               file, side, variant, number, order, kind, parameters (JSON)
    truth/pools.csv                      number, pool, layout, typeface, width, height
    truth/faults.csv                     number, variant, fault, files (separated by spaces), explanation
    manifest.json                        settings and SHA-256 of every file; written last

Everything about a number follows from (seed, number), so neither the order nor the number of processes
matters. While the set is being made, `.partial` holds one record for each number that is complete.
"""

import csv
import hashlib
import io
import json
import math
import multiprocessing
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import astuple, dataclass, fields
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from srcnn_lib import images
from srcnn_lib.errors import DataError
from srcnn_lib.files import ROOT, write_json, write_text
from srcnn_lib.specimens import cards, degradations, faults, typefaces
from srcnn_lib.specimens.cards import Card
from srcnn_lib.specimens.degradations import Step
from srcnn_lib.specimens.faults import Fault

VERSION = 1  # of the cards and their strength; a change makes every earlier figure incomparable
POOLS = ("train", "validation", "test")
# Set so that RapidOCR 3.10 misreads 15 to 35 % of the characters of the values on the blurred side of test
# cards (seed 7: 16 % of `h`, 37 % of `v`, 26 % in all), then frozen.
STRENGTH = {"h": 0.64, "v": 0.78}
LOW, HIGH, CLEAN = "blurred_images", "sharpened_images", "truth/clean"
TABLES = {
    "fields": ("number", *(field.name for field in fields(cards.Field))),
    "degradations": ("file", "side", "variant", "number", "order", "kind", "parameters"),
    "pools": ("number", "pool", "layout", "typeface", "width", "height"),
    "faults": ("number", "variant", "fault", "files", "explanation"),
}
_VALIDATION, _TEST = (3, 9, 15), (5, 11, 17)  # of twenty, spread so that a short series has all pools
_CARD, _FAULT, _SIDES = 0, 3, {"h": 1, "v": 2}  # streams of random numbers of one identity


@dataclass(frozen=True)
class _Plan:
    """What every process needs to know to make any identity of the set."""

    folder: Path
    seed: int
    faces: dict[str, tuple[typefaces.Typeface, ...]]
    faulty: dict[int, Fault]


def pool_of(number: int) -> str:
    """Return the pool of an identity number: 14 of 20 train, 3 validation, 3 test, whatever the seed.

    >>> [pool_of(number) for number in (5000, 5003, 5005)]
    ['train', 'validation', 'test']
    """
    place = number % 20
    return "validation" if place in _VALIDATION else "test" if place in _TEST else "train"


def file_name(variant: str, number: int) -> str:
    """Return the name that both sides of a pair share, in the original's manner ("fornt" is its spelling)."""
    return f"f.{variant}.fornt.{number}.jpg"


def draw(
    folder: Path, *, first: int = 5000, identities: int, seed: int, fault_share: float = 0.03,
    fonts: Sequence[Path] = (), processes: int | None = None,
) -> None:  # fmt: skip
    """Write a data set of specimen cards, or what an earlier, broken-off call has left to do.

    Parameters
    ----------
    folder
        New, empty, or holding a data set of the same settings; files that it lacks are written again.
    first, identities
        Numbers first … first + identities - 1 give two sound pairs each, `h` and `v`.
    seed
        Any integer from 0. The same settings give the same files byte for byte, with the same versions
        of Pillow, OpenCV and matplotlib.
    fault_share
        Faulty pairs as a share of the sound ones, 0 to 1. They come on top and have the numbers that
        follow. Two pairs have one number, so the count is rounded up to an even one.
    fonts
        Folders of further .ttf and .otf files, dealt out over the pools by family.
    processes
        How many to work with; None takes one for each core.

    Raises
    ------
    DataError
        If `folder` holds anything else: a set with other settings, or files of another origin.
    ValueError
        If a setting is out of range or a font folder has no usable font.
    """
    folder = Path(folder)
    _check_settings(first, identities, seed, fault_share)
    faces = typefaces.typefaces(tuple(map(Path, fonts)))
    settings = {
        "version": VERSION,
        "seed": seed,
        "first": first,
        "identities": identities,
        "fault_share": fault_share,
        "typefaces": typefaces.digests(faces),
        "source": _source_hash(),
    }
    manifest = _manifest_of(folder, settings)
    faulty = faults.plan(first, identities, math.ceil(fault_share * identities), seed, pool_of)
    numbers = [*range(first, first + identities), *faulty]
    wanted = numbers if manifest is None else _lacking(folder, manifest, numbers)
    if wanted:
        write_json(folder / ".partial" / "settings.json", settings)
        _run(_Plan(folder, seed, faces, faulty), wanted, processes)
    if wanted == numbers:
        _merge(folder, numbers, settings)
    shutil.rmtree(folder / ".partial", ignore_errors=True)


def provide(*, identities: int, seed: int, fault_share: float, fonts: Sequence[Path] = ()) -> Path:
    """Return the folder of the project's data set of these settings, after drawing what it lacks.

    It lies in `data/specimens` under a name of its own for each seed, settings and version of this
    package, so that a set is never taken for another. Arguments and errors are those of `draw`.
    """
    faces = typefaces.digests(typefaces.typefaces(tuple(map(Path, fonts))))
    recipe = json.dumps([VERSION, fault_share, faces, _source_hash()])
    name = f"{identities}-identities-seed-{seed}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}"
    folder = ROOT / "data" / "specimens" / name
    draw(folder, identities=identities, seed=seed, fault_share=fault_share, fonts=fonts)
    return folder


def check(folder: Path) -> list[str]:
    """Return the files of a data set that are missing or differ from its manifest, sorted.

    Raises DataError if there is no manifest, that is if the set was never finished.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    if manifest is None:
        raise DataError(f"{folder}: expected a finished data set with a manifest.json, found none")
    return [
        name
        for name, digest in manifest["files"].items()
        if not (folder / name).exists() or _sha256(folder / name) != digest
    ]


def make_card(number: int, seed: int, faces: dict[str, tuple[typefaces.Typeface, ...]]) -> Card:
    """Draw the clean card of one number; `faces` are those of `typefaces.typefaces()`."""
    pool = pool_of(number)
    return cards.draw_card(_generator(seed, number, _CARD), pool, faces[pool])


def make_recipes(number: int, seed: int, variant: str, letter: float) -> dict[str, list[Step]]:
    """Sample how both sides of one pair are degraded; `letter` is the card's."""
    rng = _generator(seed, number, _SIDES[variant])
    return {LOW: degradations.recipe(rng, STRENGTH[variant], letter=letter), HIGH: degradations.light(rng)}


def _generator(seed: int, number: int, stream: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, number, stream]))


def _check_settings(first: int, identities: int, seed: int, fault_share: float) -> None:
    for name, value, low in (("first", first, 0), ("identities", identities, 1), ("seed", seed, 0)):
        if not isinstance(value, int) or value < low:
            raise ValueError(f"{name}: expected an integer from {low}, received {value!r}")
    if not 0 <= fault_share <= 1:
        raise ValueError(f"fault_share: expected a share from 0 to 1, received {fault_share!r}")


def _source_hash() -> str:
    """SHA-256 of the package's own source, so that no set is taken for another version's."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _manifest(folder: Path) -> dict | None:
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _manifest_of(folder: Path, settings: dict) -> dict | None:
    """Return the manifest of a finished set; raise DataError where the folder is not ours to write in."""
    manifest, begun = _manifest(folder), folder / ".partial" / "settings.json"
    found = manifest or (json.loads(begun.read_text(encoding="utf-8")) if begun.exists() else None)
    if found is None:
        if folder.is_dir() and any(path.name != ".partial" for path in folder.iterdir()):
            raise DataError(f"{folder}: expected a new or empty folder, found files of another origin")
        return None
    differing = [
        f"{name} {found.get(name)!r} instead of {value!r}" if not isinstance(value, dict) else name
        for name, value in settings.items()
        if found.get(name) != value
    ]
    if differing:
        raise DataError(
            f"{folder}: holds a specimen set with other settings ({', '.join(differing)}); "
            "remove it or name another folder"
        )
    return manifest


def _lacking(folder: Path, manifest: dict, numbers: list[int]) -> list[int]:
    """Return the numbers whose images a finished set lacks; all, if it lacks a table."""
    missing = [Path(name) for name in manifest["files"] if not (folder / name).exists()]
    if any(path.suffix == ".csv" for path in missing):
        return numbers
    lacking = {int(path.stem.rpartition(".")[2]) for path in missing}
    return [number for number in numbers if number in lacking]


def _record_path(folder: Path, number: int) -> Path:
    return folder / ".partial" / f"{number}.json"


def _complete(folder: Path, number: int) -> bool:
    path = _record_path(folder, number)
    if not path.exists():
        return False
    return all((folder / name).exists() for name in json.loads(path.read_text(encoding="utf-8"))["files"])


def _run(plan: _Plan, numbers: list[int], processes: int | None) -> None:
    """Make those of `numbers` that are not complete, with a progress bar over all of them."""
    for left_behind in plan.folder.rglob(".*.tmp.*"):  # by a process that was killed while it wrote
        left_behind.unlink()
    remaining = [number for number in numbers if not _complete(plan.folder, number)]
    with tqdm(total=len(numbers), initial=len(numbers) - len(remaining), desc="drawing cards", unit="card") as bar:
        for _ in _made(plan, remaining, processes or multiprocessing.cpu_count()):
            bar.update()


def _made(plan: _Plan, remaining: list[int], processes: int) -> Iterator[None]:
    if processes == 1 or len(remaining) < 2:
        threads = cv2.getNumThreads()
        _one_thread()
        try:
            yield from map(partial(_make, plan), remaining)
        finally:
            cv2.setNumThreads(threads)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_one_thread) as executor:
        try:
            jobs = [executor.submit(_make, plan, number) for number in remaining]
            yield from (job.result() for job in as_completed(jobs))
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _one_thread() -> None:
    """One process a core is faster than OpenCV's threads, and results do not hang on their number."""
    cv2.setNumThreads(1)


def _make(plan: _Plan, number: int) -> None:
    """Write the files of one identity, and its record last."""
    fault = plan.faulty.get(number)
    kind = fault.kind if fault else "sound"
    rng = _generator(plan.seed, number, _FAULT)
    source = fault.other if kind == "near_duplicate" else number
    card = make_card(source, plan.seed, plan.faces)
    if kind == "near_duplicate":
        card = faults.trimmed(card, rng)
    shown = {LOW: card.image, HIGH: card.image}
    if kind == "swapped_partner":
        shown[HIGH] = faults.partner(card, make_card(fault.other, plan.seed, plan.faces), rng)
    record = _Record(plan.folder, number)
    for variant in STRENGTH:
        recipes = make_recipes(source, plan.seed, variant, card.letter)
        if kind in ("too_bad", "too_good"):
            too_bad = kind == "too_bad"
            recipes[LOW] = faults.unreadable(rng, card.letter) if too_bad else degradations.light(rng)
        absent = {"missing_blurred": LOW, "missing_sharpened": HIGH}.get(kind)
        broken = (LOW, HIGH)[rng.integers(2)] if kind in faults.BROKEN else None
        for side in (side for side in recipes if side != absent):
            path = plan.folder / side / file_name(variant, number)
            _write_degraded(path, shown[side], recipes[side])
            if side == broken:
                faults.spoil(path, kind, rng)
            record.add_image(path, side, variant, recipes[side])
        if fault:
            record.add_fault(fault, variant, broken or {"too_bad": LOW, "too_good": LOW}.get(kind))
    record.finish(card)


class _Record:
    """What one identity adds to the tables, and the checksums of its files."""

    def __init__(self, folder: Path, number: int):
        self.folder, self.number = folder, number
        self.files: dict[str, str] = {}
        self.rows: dict[str, list] = {table: [] for table in TABLES}

    def add_file(self, path: Path) -> None:
        self.files[path.relative_to(self.folder).as_posix()] = _sha256(path)

    def add_image(self, path: Path, side: str, variant: str, recipe: list[Step]) -> None:
        self.add_file(path)
        self.rows["degradations"] += [
            [path.name, side, variant, self.number, order, step.kind, json.dumps(step.parameters)]
            for order, step in enumerate(recipe)
        ]

    def add_fault(self, fault: Fault, variant: str, side: str | None) -> None:
        """Note a fault of one pair: of one side, or of whatever sides there are."""
        sides = (LOW, HIGH) if side is None else (side,)
        files = [f"{each}/{file_name(variant, self.number)}" for each in sides]
        files = [file for file in files if file in self.files]
        self.rows["faults"].append([self.number, variant, fault.kind, " ".join(files), fault.explanation])

    def finish(self, card: Card) -> None:
        """Write the clean rendering, then the record itself."""
        path = self.folder / CLEAN / f"{self.number}.png"
        images.write(path, card.image)
        self.add_file(path)
        height, width = card.image.shape[:2]
        self.rows["fields"] = [[self.number, *astuple(field)] for field in card.fields]
        self.rows["pools"] = [[self.number, pool_of(self.number), card.layout, card.typeface, width, height]]
        write_json(_record_path(self.folder, self.number), {"files": self.files, "rows": self.rows})


def _write_degraded(path: Path, clean: np.ndarray, recipe: list[Step]) -> None:
    """Degrade and write; the recipe's last step, JPEG, is the writing itself."""
    *steps, last = recipe
    images.write(path, degradations.apply(clean, steps), quality=last.parameters["quality"])


def _merge(folder: Path, numbers: list[int], settings: dict) -> None:
    """Turn the records into the tables, and write the manifest last."""
    records = [json.loads(_record_path(folder, number).read_text(encoding="utf-8")) for number in numbers]
    digests = {name: digest for record in records for name, digest in record["files"].items()}
    for table, header in TABLES.items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(row for record in records for row in record["rows"][table])
        path = folder / "truth" / f"{table}.csv"
        write_text(path, text.getvalue())
        digests[path.relative_to(folder).as_posix()] = _sha256(path)
    write_json(folder / "manifest.json", settings | {"files": dict(sorted(digests.items()))})
