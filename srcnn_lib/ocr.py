"""Section 2.9: what text recognition makes of an image, and how much of it is right.

Errors are counted as the report's readers would check them by hand. A field of a card is looked for in the text
that was recognised at its place: the stretch of that text which is nearest to it counts, white space aside. What
was not found at all costs all of its characters, so that an error rate never exceeds 1.
"""

import csv
import hashlib
import io
import json
import logging
import os
import queue
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from rapidfuzz.distance import Levenshtein

from srcnn_lib import parallel
from srcnn_lib.errors import ForeseenError
from srcnn_lib.files import write_json
from srcnn_lib.specimens import mrz

_idle: queue.SimpleQueue = queue.SimpleQueue()  # RapidOCR's models, read once for each thread that reads at a time


@dataclass(frozen=True)
class Line:
    """A piece of recognised text."""

    text: str
    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 in pixels of the image: the upright rectangle around it."""
    confidence: float
    """From 0 to 1, as the engine sees it."""


Reader = Callable[[np.ndarray], list[Line]]


def engines() -> dict[str, Reader]:
    """The engines at hand, by name: RapidOCR always (its models are in its package), Tesseract where it is installed.

    Each maps a uint8 RGB image (H, W, 3) to its lines, in reading order. RapidOCR runs as it comes, with its guess
    whether a line is upside down; on long machine-readable lines that guess is sometimes wrong, and then the
    line is lost, on sharp images too.
    """
    found = {"RapidOCR": _rapidocr}
    if shutil.which("tesseract"):
        found["Tesseract"] = _tesseract
    return found


def read(images: Mapping[str, Callable[[], np.ndarray]], engine: str, cache_folder: Path) -> dict[str, list[Line]]:
    """Read many images, on all cores, each image content only once.

    Parameters
    ----------
    images
        What gives each image (uint8 RGB), by key.
    engine
        A name in `engines()`.
    cache_folder
        Where results are kept by engine, its version and the image's content.

    Returns
    -------
    The lines by key. Raises ForeseenError for an unknown engine.
    """
    known = engines()
    if engine not in known:
        raise ForeseenError(f"unknown or missing OCR engine {engine!r}; at hand are {', '.join(known)}")
    identity = f"{engine} {_version(engine)}"

    def one(key: str) -> tuple[str, list[Line]]:
        image = images[key]()
        digest = hashlib.sha256(f"{identity} {image.shape}".encode() + np.ascontiguousarray(image).tobytes())
        file = Path(cache_folder) / f"{digest.hexdigest()}.json"
        if file.exists():
            stored = json.loads(file.read_text(encoding="utf-8"))
            return key, [Line(line["text"], tuple(line["box"]), line["confidence"]) for line in stored]
        lines = known[engine](image)
        write_json(file, [asdict(line) for line in lines])
        return key, lines

    return dict(parallel.over(images, one, f"reading with {engine}"))


def squeeze(text: str) -> str:
    """The text without white space."""
    return re.sub(r"\s", "", text)


def whole_text(lines: Iterable[Line]) -> str:
    """All recognised text, squeezed."""
    return squeeze("".join(line.text for line in lines))


def text_at(lines: Iterable[Line], box: tuple[float, float, float, float]) -> str:
    """The squeezed text of the lines that lie on a box, from left to right.

    A line lies on it if it covers at least half of the height that they could share, and any of its width.
    """
    x0, y0, x1, y1 = box
    on_it = []
    for line in lines:
        left, top, right, bottom = line.box
        shared = min(bottom, y1) - max(top, y0)
        if shared >= 0.5 * min(bottom - top, y1 - y0) and min(right, x1) > max(left, x0):
            on_it.append(line)
    return whole_text(sorted(on_it, key=lambda line: line.box[0]))


def character_errors(field: str, found: str) -> int:
    """Edits between a field and the stretch of its length in `found` that is nearest to it.

    Both squeezed; from 0 (it is there, letter for letter) to the length of the field (nothing like it is there).
    """
    size = len(field)
    stretches = (found[start : start + size] for start in range(max(1, len(found) - size + 1)))
    return min(size, min((Levenshtein.distance(field, stretch) for stretch in stretches), default=size))


def score(lines: Sequence[Line], fields: pd.DataFrame) -> pd.DataFrame:
    """Score what was read from one card, field by field.

    Parameters
    ----------
    lines
        What was read.
    fields
        One row a field: kind, name, text and, where known, x0, y0, x1, y1 in pixels. Fields without a place are
        looked for everywhere.

    Returns
    -------
    The kinds and names with: found (text at the place), errors and characters (their ratio, summed over fields, is the
    character error rate), words and words_missed (words of the field that are not in `found` letter for letter), exact
    (the whole field is in it) and confidence (the lowest of the lines there, since all are needed; 0 without any).
    Empty fields are left out.
    """
    rows = []
    for field in fields.itertuples():
        wanted = squeeze(field.text)
        if not wanted:
            continue
        box = tuple(getattr(field, side, np.nan) for side in ("x0", "y0", "x1", "y1"))
        placed = not any(pd.isna(side) for side in box)
        found = text_at(lines, box) if placed else whole_text(lines)
        words = field.text.split()
        there = [line.confidence for line in lines if not placed or text_at([line], box)]
        rows.append(
            {
                "kind": field.kind,
                "field": field.name,
                "found": found,
                "errors": character_errors(wanted, found),
                "characters": len(wanted),
                "words": len(words),
                "words_missed": sum(word not in found for word in words),
                "exact": wanted in found,
                "confidence": min(there, default=0.0),
            }
        )
    columns = ["kind", "field", "found", "errors", "characters", "words", "words_missed", "exact", "confidence"]
    return pd.DataFrame(rows, columns=columns)


def zone_holds(lines: Sequence[Line], fields: pd.DataFrame) -> bool | None:
    """Whether a card's machine-readable zone was read so that all its check digits hold; None if it has none."""
    zone = fields[fields["kind"] == "mrz"].sort_values("name")
    if zone.empty:
        return None
    found = [text_at(lines, (row.x0, row.y0, row.x1, row.y1)).upper() for row in zone.itertuples()]
    return mrz.valid(found)


def agreement(lines: Sequence[Line], reference: Sequence[Line]) -> float:
    """How far two readings of a page differ: edits between all their text, as a share of the longer one, 0 to 1.

    For images without known text: the reference is what was read from the sharp side. Two empty readings agree.
    """
    return Levenshtein.normalized_distance(whole_text(lines), whole_text(reference))


def _version(engine: str) -> str:
    return version("rapidocr") if engine == "RapidOCR" else _tesseract_version()


@cache
def _tesseract_version() -> str:
    done = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)
    return (done.stdout or done.stderr).splitlines()[0]


def _rapidocr(image: np.ndarray) -> list[Line]:
    try:
        engine = _idle.get_nowait()
    except queue.Empty:
        engine = _new_rapidocr()
    try:
        result = engine(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    finally:
        _idle.put(engine)
    if result.txts is None:
        return []
    lines = [
        Line(text, (*map(float, box.min(axis=0)), *map(float, box.max(axis=0))), float(confidence))
        for box, text, confidence in zip(np.asarray(result.boxes), result.txts, result.scores, strict=True)
    ]
    order = sorted(range(len(lines)), key=lambda index: tuple(result.boxes[index][0][::-1]))
    return [lines[index] for index in order]


def _new_rapidocr():
    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    # One thread each: cards are read in parallel, and the result does not depend on the number of cores.
    return RapidOCR(params={"EngineConfig.onnxruntime.intra_op_num_threads": 1, "Global.log_level": "error"})


def _tesseract(image: np.ndarray) -> list[Line]:
    """Read the image at twice its size, as sparse text, word by word."""
    doubled = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    png = cv2.imencode(".png", cv2.cvtColor(doubled, cv2.COLOR_RGB2BGR))[1].tobytes()
    command = ["tesseract", "stdin", "stdout", "--psm", "11", "tsv"]
    done = subprocess.run(command, input=png, capture_output=True, check=True, env=_one_thread())
    rows = csv.DictReader(io.StringIO(done.stdout.decode(errors="ignore")), delimiter="\t", quoting=csv.QUOTE_NONE)
    lines = []
    for row in rows:
        if (row["text"] or "").strip():
            left, top, width, height = (float(row[key]) / 2 for key in ("left", "top", "width", "height"))
            lines.append(Line(row["text"], (left, top, left + width, top + height), float(row["conf"]) / 100))
    return lines


def _one_thread() -> dict[str, str]:
    return os.environ | {"OMP_THREAD_LIMIT": "1"}
