"""The trained networks at work on anyone's images, in NumPy and ONNX Runtime alone.

The networks lie in `weights/` as ONNX files, with what they were made from in `weights.json`; `make weights` makes both
from a finished run. TensorFlow is not imported.
"""

import hashlib
import html
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
import onnxruntime
from tqdm import tqdm

from srcnn_lib import photos
from srcnn_lib.errors import ForeseenError
from srcnn_lib.files import write_text

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT = "house"
_STEP = 8  # pixels: the grid on which the networks gather pixels into cells
_TILE = 1024  # pixels: side of what is enhanced at once, without what lies round it; takes about 1 GiB


def models() -> dict[str, dict]:
    """The networks that come with the package, by name: file, sha256, reach in pixels, and what they were made from."""
    file = WEIGHTS / "weights.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def enhance(
    image: np.ndarray,
    *,
    model: str = DEFAULT,
    strength: float = 1.0,
    tile: int = _TILE,
    threads: int | None = None,
) -> np.ndarray:
    """Enhance one image.

    Parameters
    ----------
    image
        uint8 or uint16, of shape (H, W) or (H, W, C) with C = 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha).
        It stays as it is.
    model
        A name in `models()`.
    strength
        How far to go from the image (0) to the network's result (1); from 0 to 1.
    tile
        Side in pixels of the squares that larger images are cut into, a multiple of 8. Each is enhanced with as much of
        the image round it as the network can see, so the result is that of the whole image up to rounding.
    threads
        How many to compute with; None takes all cores.

    Returns
    -------
    A new array of the same shape and type. Alpha is taken over as it is. A grey image is shown to the network in three
    equal colours, and gets the mean of what comes back.

    Raises
    ------
    ForeseenError
        For an unknown model, or a file of weights that is missing or has changed.
    ValueError
        For another type or shape, and for a strength or tile out of range.
    """
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.dtype not in (np.uint8, np.uint16) or image.ndim not in (2, 3) or channels > 4 or 0 in image.shape:
        raise ValueError(
            f"expected uint8 or uint16 of shape (H, W) or (H, W, 1 to 4), received {image.dtype} of shape {image.shape}"
        )
    if not 0 <= strength <= 1:
        raise ValueError(f"strength: expected a number from 0 to 1, received {strength!r}")
    if tile < _STEP or tile % _STEP:
        raise ValueError(f"tile: expected a multiple of {_STEP}, received {tile!r}")
    session, reach = _session(model, threads or os.cpu_count() or 1)
    result = image.copy()
    height, width = image.shape[:2]
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            place = (top, left, min(tile, height - top), min(tile, width - left))
            _enhance_tile(session, reach, image, result, place, strength)
    return result


class Summary(NamedTuple):
    """What came of the files."""

    done: list[Path]
    """Inputs that were enhanced."""
    kept: list[Path]
    """Inputs whose output was there already, and was left alone."""
    failed: dict[Path, str]
    """Inputs that could not be enhanced, and why."""


def enhance_files(
    targets: Mapping[Path, Path],
    *,
    model: str = DEFAULT,
    strength: float = 1.0,
    jobs: int = 1,
    force: bool = False,
    strip: bool = False,
    read: bool = False,
) -> Summary:
    """Enhance image files, several at a time, with a progress bar.

    Parameters
    ----------
    targets
        Where each input goes, see `photos.targets`.
    model, strength
        As for `enhance`.
    jobs
        Images at a time; the cores are shared out among them.
    force
        Write over outputs that are there already. Without it they are kept, so that calling again goes on where an
        interrupted call stopped.
    strip
        Leave out EXIF, which can tell place and owner.
    read
        Write what RapidOCR reads on each output into a JSON file of its name.

    Raises ForeseenError for an unknown model, before any work. A file that fails never stops the others.
    """
    threads = max(1, (os.cpu_count() or 1) // jobs)
    _session(model, threads)
    summary = Summary([], [], {})

    def one(source: Path) -> None:
        target = targets[source]
        note = target.with_name(f"{target.name}.json")
        if target.exists() and not force:
            if read and not note.exists():
                write_text(note, photos.text_of(photos.read(target).pixels) + "\n")
            summary.kept.append(source)
            return
        photo = photos.read(source)
        enhanced = enhance(photo.pixels, model=model, strength=strength, threads=threads)
        if read:
            write_text(note, photos.text_of(enhanced) + "\n")
        photos.write(target, photo, enhanced, strip=strip)
        summary.done.append(source)

    def safely(source: Path) -> None:
        try:
            one(source)
        except (ForeseenError, OSError, MemoryError) as error:
            summary.failed[source] = str(error) or type(error).__name__

    with ThreadPoolExecutor(jobs) as pool:
        try:
            list(
                tqdm(pool.map(safely, targets), total=len(targets), desc="enhancing", unit="image", dynamic_ncols=True)
            )
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    return summary


def compare(targets: Mapping[Path, Path], page: Path) -> None:
    """Write an HTML page with every input beside its output, for those that are there."""
    rows = "\n".join(
        f"<figure><img src='{_address(source, page)}' alt='before'><img src='{_address(target, page)}' alt='after'>"
        f"<figcaption>{html.escape(source.name)}: before, after</figcaption></figure>"
        for source, target in targets.items()
        if target.exists()
    )
    style = (
        "body{font-family:sans-serif;margin:2em}figure{margin:0 0 2em}"
        "img{width:49%;vertical-align:top}img+img{margin-left:1%}"
    )
    write_text(
        page,
        "<!DOCTYPE html>\n<html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>Before and after</title><style>{style}</style>\n<h1>Before and after</h1>\n{rows}\n</html>\n",
    )


def _address(file: Path, page: Path) -> str:
    """A link from the page to a file, which works when the folder that holds both is moved."""
    relative = os.path.relpath(file.resolve(), page.parent.resolve())
    return html.escape(quote(Path(relative).as_posix()), quote=True)


def _enhance_tile(
    session: onnxruntime.InferenceSession,
    reach: int,
    image: np.ndarray,
    result: np.ndarray,
    place: tuple[int, int, int, int],
    strength: float,
) -> None:
    """Write the enhanced tile at `place` (top, left, height, width) into `result`."""
    top, left, height, width = place
    above, before = min(top, reach), min(left, reach)
    seen = image[top - above : top + height + reach, left - before : left + width + reach]
    colours = seen.reshape(*seen.shape[:2], -1)
    alpha = colours.shape[2] in (2, 4)
    colours = colours[..., : colours.shape[2] - alpha]
    largest = np.float32(np.iinfo(image.dtype).max)
    values = colours.astype(np.float32) / largest
    shown = np.repeat(values, 3, axis=2) if values.shape[2] == 1 else values
    below, beside = (-side % _STEP for side in shown.shape[:2])
    shown = np.pad(shown, ((0, below), (0, beside), (0, 0)), mode="edge")  # the grid must not depend on the size
    (name,) = (given.name for given in session.get_inputs())
    enhanced = session.run(None, {name: shown[None]})[0][0]
    inner = slice(above, above + height), slice(before, before + width)
    enhanced, values = enhanced[inner], values[inner]
    if values.shape[2] == 1:
        enhanced = enhanced.mean(axis=2, keepdims=True)
    blended = values + np.float32(strength) * (enhanced - values)
    written = result[top : top + height, left : left + width].reshape(height, width, -1)
    written[..., : values.shape[2]] = np.rint(np.clip(blended, 0, 1) * largest).astype(image.dtype)
    result[top : top + height, left : left + width] = written.reshape(height, width, *image.shape[2:])


@cache
def _session(model: str, threads: int) -> tuple[onnxruntime.InferenceSession, int]:
    """A network ready to run, and how far it sees in pixels, rounded up to the grid."""
    known = models()
    if model not in known:
        raise ForeseenError(
            f"unknown model {model!r}; those that come with the package are {', '.join(known) or 'none'}"
        )
    file = WEIGHTS / known[model]["file"]
    content = file.read_bytes() if file.exists() else b""
    if hashlib.sha256(content).hexdigest() != known[model]["sha256"]:
        raise ForeseenError(f"{file}: expected the file with SHA-256 {known[model]['sha256']}, found another or none")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = False  # gives a large tile's memory back
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session, -(-known[model]["reach"] // _STEP) * _STEP
