"""The trained networks at work on anyone's images, without TensorFlow.

The networks lie in `weights/` as ONNX files, with what they were made from in `weights.json`; `make weights` makes
SRCNN's from a finished run, `make legible` those of the house models. Before they see an image, waves that lie over it,
a movement of the hand and a lack of focus are taken away.
"""

import base64
import hashlib
import html
import inspect
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
import onnxruntime
from tqdm import tqdm

from srcnn_lib import photos, provenance, weights
from srcnn_lib.errors import DataError, ForeseenError
from srcnn_lib.files import write_text

WEIGHTS = weights.FOLDER
DEFAULT = "house"
_STEP = 8  # pixels: the grid on which the networks gather pixels into cells
_TILE = 512  # pixels: shortest side of what is enhanced at once by default, without what lies round it
_SEEN = 2200  # pixels: longest side with it, since house-large takes a gigabyte for that
_LOOKED_AT = 1024  # pixels: side of the square in the middle in which waves and blurs are looked for


def models() -> dict[str, dict]:
    """The networks that come with the package, by name: file, sha256, reach in pixels, and what they were made from."""
    file = WEIGHTS / "weights.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def hashes() -> dict[str, str]:
    """What tells results of these networks from others, by name: the SHA-256 of each, and what is done before it."""
    before = f"waves and blur {steps_hash()[:12]}"
    return {name: f"{network['sha256']} after {before}" for name, network in models().items()}


def steps_hash() -> str:
    """SHA-256 of what the steps before a network follow from: the network that sees blurs, and named constants."""
    from srcnn_lib import blur, frequency

    constants = {
        f"{module.__name__}.{name}": np.asarray(value).tolist()
        for module in (blur, frequency)
        for name, value in vars(module).items()
        if name.isupper() and not isinstance(value, Path)
    }
    defaults = [
        {name: its.default for name, its in inspect.signature(step).parameters.items() if its.kind is its.KEYWORD_ONLY}
        for step in (frequency.peaks, frequency.waves)
    ]
    said = json.dumps([blur.recorded_hash(), _LOOKED_AT, constants, defaults], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def measured_now() -> dict[str, object]:
    """What a record of measurements begins with: date, device, and `hashes()` as weights."""
    return {"date": date.today().isoformat(), "device": provenance.collect()["device"], "weights": hashes()}


def origin(record: Mapping) -> str:
    """When and where such a record was made, for a caption, and whether the enhancer is still the same."""
    changed = "" if record["weights"] == hashes() else "; the enhancer has changed since"
    return f"{record['date']}, {record['device']}{changed}"


def enhance(
    image: np.ndarray,
    *,
    model: str = DEFAULT,
    strength: float = 1.0,
    waves: bool = True,
    blur: bool = True,
    tile: int | None = None,
    threads: int | None = None,
    before_tile: Callable[[], None] | None = None,
) -> np.ndarray:
    """Enhance one image: take regular patterns and blur away, then show what is left to a network.

    Parameters
    ----------
    image
        A NumPy array, uint8 or uint16, of shape (H, W) or (H, W, C) with C = 1 (grey), 2 (grey, alpha), 3 (RGB) or
        4 (RGB, alpha). It stays as it is.
    model
        A name in `models()`.
    strength
        How far to go from the image (0) to the network's result (1); from 0 to 1.
    waves
        Whether to look for waves that lie over the whole image, such as the lines of a screen or a scanner, and to
        take them away before the network sees it (see `frequency.notch`). They are looked for in the 1,024 pixels in
        the middle, each way.
    blur
        Whether to look, there too, for a straight movement during the exposure and for a lack of focus, and to take
        them back before the network sees it (see `blur.undo`).
    tile
        Longest side in pixels, a multiple of 8, of the equal tiles that larger images are cut into. Each is enhanced
        with as much of the image round it as the network can see, so the result is that of the whole image up to
        rounding. None takes ten times as much as the network sees to one side, so that this costs little, or less where
        that would take more than about a gigabyte of memory; at least 512.
    threads
        How many to compute with, at least 1; None takes all cores, and so does any number above theirs.
    before_tile
        Called before every tile; what it raises ends the work.

    Returns
    -------
    A new array of the same shape and type, in the byte order of the machine. Alpha is taken over as it is. A grey
    image is shown to the network in three equal colours, and gets the mean of what comes back.

    Raises
    ------
    ForeseenError
        For an unknown model, or a file of weights that is missing or has changed.
    TypeError
        For an image that is no array, or one of masks or matrices, and for options of another type.
    ValueError
        For another type of pixels or shape, and for a strength, tile or number of threads out of range.
    """
    if not isinstance(image, np.ndarray) or isinstance(image, (np.matrix, np.ma.MaskedArray)):
        raise TypeError(f"image: expected a NumPy array (np.asarray makes one), received {type(image).__name__}")
    channels = image.shape[2] if image.ndim == 3 else 1
    native = image.dtype.newbyteorder("=")
    if native not in (np.uint8, np.uint16) or image.ndim not in (2, 3) or channels > 4 or 0 in image.shape:
        raise ValueError(
            f"expected uint8 or uint16 of shape (H, W) or (H, W, 1 to 4), received {image.dtype} of shape {image.shape}"
        )
    result = np.array(image, native, order="C")
    options = {"model": model, "strength": strength, "waves": waves, "blur": blur}
    _enhance_in_place(result, **options, tile=tile, threads=threads, before_tile=before_tile)
    return result


def prepare(image: np.ndarray, *, waves: bool = True, blur: bool = True) -> np.ndarray:
    """What `enhance` shows to a network: the image without waves and blur, rounded; a new array of the same shape.

    `image` is uint8, (H, W) or RGB (H, W, 3), with at least one pixel; raises ValueError for others.
    """
    from srcnn_lib import frequency

    frequency.check_image(image)
    before, _ = _preparation(image, waves, blur)
    return np.rint(255 * before(np.float32(image) / 255)).astype(np.uint8)


def _enhance_in_place(
    pixels: np.ndarray,
    *,
    model: str = DEFAULT,
    strength: float = 1.0,
    waves: bool = True,
    blur: bool = True,
    tile: int | None = None,
    threads: int | None = None,
    before_tile: Callable[[], None] | None = None,
    run_options: onnxruntime.RunOptions | None = None,
) -> None:
    """As `enhance`, but write the result into the image. With `run_options`, another thread can end the work."""
    _check_options(model, strength, waves, blur, tile, threads)
    cores = os.cpu_count() or 1
    session, reach = _session(model, min(threads or cores, cores))
    before, further = _preparation(pixels, waves, blur)
    reach += further
    tile = tile or max(_TILE, min(10 * reach, (_SEEN - 2 * reach) // _STEP * _STEP))
    above = pixels[:0]  # what the image was above the band, where it is enhanced by now, as far as the network sees
    for top, height in _cuts(pixels.shape[0], tile):
        band = np.concatenate([above, pixels[top : top + height + reach]])
        bottom = len(above) + height
        for left, width in _cuts(pixels.shape[1], tile):
            if before_tile:
                before_tile()
            margin = min(left, reach)
            seen = band[:, left - margin : left + width + reach]
            inner = slice(len(above), bottom), slice(margin, margin + width)
            written = pixels[top : top + height, left : left + width]
            _enhance_tile(session, seen, inner, written, strength, before, run_options)
        above = band[max(0, bottom - reach) : bottom].copy()


def _preparation(pixels: np.ndarray, waves: bool, blur: bool) -> tuple[Callable[[np.ndarray], np.ndarray], int]:
    """What is done to a part of an image, float32 (H, W, C) in [0, 1], before the network, and how far that sees."""
    if not (waves or blur):
        return lambda part: part, 0
    from srcnn_lib import blur as blurs
    from srcnn_lib import frequency

    middle = tuple(slice(max(side - _LOOKED_AT, 0) // 2, (side + _LOOKED_AT) // 2) for side in pixels.shape[:2])
    shown = _colours(pixels[middle])
    shown = (shown >> 8).astype(np.uint8) if shown.dtype == np.uint16 else shown
    shown = shown if shown.shape[2] == 3 else shown[..., 0]
    steps, reach = [], 0
    if waves and (found := frequency.peaks(shown)):
        steps.append(lambda part: part - frequency.waves(part, found))
        reach += frequency.reach()
        shown = frequency.notch(shown, found)
    if blur and (seen := blurs.find(shown)).certain:
        steps.append(lambda part: blurs.undo(blurs.without_specks(part), seen.certain, noise=seen.noise))
        reach += blurs.REACH

    def before(part: np.ndarray) -> np.ndarray:
        for step in steps:
            part = np.clip(step(part), 0, 1)
        return part

    return before, -(-reach // _STEP) * _STEP


def _colours(pixels: np.ndarray) -> np.ndarray:
    """An image without its alpha, (H, W, 1 or 3)."""
    colours = pixels.reshape(*pixels.shape[:2], -1)
    return colours[..., : colours.shape[2] - (colours.shape[2] in (2, 4))]


def _check_options(model: object, strength: object, waves: object, blur: object, tile: object, threads: object) -> None:
    """Raise TypeError or ValueError for what `enhance` cannot take; whether there is such a model is not looked at."""
    if not isinstance(model, str):
        raise TypeError(f"model: expected a name, received {model!r}")
    if not isinstance(strength, Real):
        raise TypeError(f"strength: expected a number from 0 to 1, received {strength!r}")
    if not 0 <= strength <= 1:
        raise ValueError(f"strength: expected a number from 0 to 1, received {strength!r}")
    for name, value in (("waves", waves), ("blur", blur)):
        if not isinstance(value, bool):
            raise TypeError(f"{name}: expected True or False, received {value!r}")
    for name, value in (("tile", tile), ("threads", threads)):
        if value is not None and not isinstance(value, Integral):
            raise TypeError(f"{name}: expected a whole number or None, received {value!r}")
    if tile is not None and (tile < _STEP or tile % _STEP):
        raise ValueError(f"tile: expected a multiple of {_STEP}, received {tile!r}")
    if threads is not None and threads < 1:
        raise ValueError(f"threads: expected at least 1, received {threads!r}")


class Summary(NamedTuple):
    """What came of the files."""

    done: list[Path]
    """Inputs that were enhanced."""
    kept: list[Path]
    """Inputs whose output was there already, and was left alone."""
    failed: dict[Path, str]
    """Inputs that could not be enhanced, and why."""


class Stopped(KeyboardInterrupt):
    """A person interrupted the work; `summary` says what was done by then."""

    def __init__(self, summary: Summary) -> None:
        super().__init__("stopped")
        self.summary = summary


def enhance_files(
    targets: Mapping[Path, Path],
    *,
    model: str = DEFAULT,
    strength: float = 1.0,
    waves: bool = True,
    blur: bool = True,
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
    model, strength, waves, blur
        As for `enhance`.
    jobs
        Images at a time; the cores are shared out among them.
    force
        Write over outputs that are there already, and over others' files in place of those that `read` writes. Without
        it they are kept, so that calling again goes on where an interrupted call stopped.
    strip
        Leave out EXIF, which can tell place and owner.
    read
        Write what RapidOCR reads on each output into a JSON file of its name. Without it, such a file goes when its
        output is written anew.

    Raises ForeseenError for an unknown model, before any work, and Stopped where a person interrupts. A file that fails
    never stops the others.
    """
    threads = max(1, (os.cpu_count() or 1) // jobs)
    _session(model, threads)
    summary = Summary([], [], {})
    runs = onnxruntime.RunOptions()  # of all images, so that one word ends the work on all

    def safely(source: Path) -> None:
        try:
            options = {"model": model, "strength": strength, "waves": waves, "blur": blur}
            options |= {"threads": threads, "run_options": runs}
            done = enhance_file(source, targets[source], force=force, strip=strip, read=read, **options)
        except Exception as error:  # decoders of broken files raise all kinds
            summary.failed[source] = why(error)
        else:
            (summary.done if done else summary.kept).append(source)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            list(
                tqdm(pool.map(safely, targets), total=len(targets), desc="enhancing", unit="image", dynamic_ncols=True)
            )
        except KeyboardInterrupt:
            runs.terminate = True
            pool.shutdown(cancel_futures=True)
            raise Stopped(summary) from None
    return summary


def enhance_file(
    source: Path, target: Path, *, force: bool = False, strip: bool = False, read: bool = False, **options
) -> bool:
    """Enhance one image file; `force`, `strip` and `read` as for `enhance_files`, `options` as for `enhance`.

    Returns whether there was anything to do: an output that exists is kept unless `force`. Raises ImageError for a file
    that is no image which can be enhanced, DataError where another's file is in the place of what OCR reads, and
    OSError where the output cannot be written.
    """
    note = target.with_name(f"{target.name}.json")
    if read and note.exists() and not force and not _is_note(note):
        raise DataError(f"{note.name} is there already and not by --read; --force writes over it")
    if target.exists() and not force:
        if read and not note.exists():
            write_text(note, photos.text_of(photos.read(target).pixels) + "\n")
        return False
    photo = photos.read(source)
    _enhance_in_place(photo.pixels, **options)
    if _is_note(note):  # on an earlier output; without it, a call that is killed here is made up for by the next
        note.unlink()
    photos.write(target, photo, photo.pixels, strip=strip)
    if read:
        write_text(note, photos.text_of(photo.pixels) + "\n")
    return True


def _is_note(file: Path) -> bool:
    """Whether a file is one that `read` makes."""
    try:
        lines = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(lines, list) and all(
        isinstance(line, dict) and line.keys() == {"text", "box", "confidence"} for line in lines
    )


def why(error: Exception) -> str:
    """What went wrong with a file, for a line that names it."""
    if isinstance(error, OSError) and error.strerror:  # reading raises ImageError
        return f"the output cannot be written ({error.strerror})"
    return getattr(error, "reason", None) or str(error) or type(error).__name__


_PAGE = (
    "<!DOCTYPE html>\n<html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
    "<title>Before and after</title><style>body{font-family:sans-serif;margin:2em}figure{margin:0 0 2em}"
    "img{width:49%;vertical-align:top}img+img{margin-left:1%}</style>\n<h1>Before and after</h1>\n"
)


def check_page(page: Path) -> None:
    """Raise DataError if there is a file in place of the page, and it was not written by `compare`."""
    if page.exists() and not (page.is_file() and page.read_bytes().startswith(_PAGE.encode())):
        raise DataError(f"{page} is there already and not by --compare; --force writes over it")


def compare(targets: Mapping[Path, Path], page: Path) -> None:
    """Write an HTML page with every input beside its output, for those that are there."""
    rows = "\n".join(
        f"<figure><img src='{_address(source, page)}' alt='before'><img src='{_address(target, page)}' alt='after'>"
        f"<figcaption>{html.escape(_shown(os.path.relpath(target, page.parent)))}: before, after</figcaption></figure>"
        for source, target in targets.items()
        if target.exists()
    )
    write_text(page, f"{_PAGE}{rows}\n</html>\n")


def _shown(path: str) -> str:
    """A path for people, whatever its bytes."""
    return os.fsencode(path).decode("utf-8", "replace")


def _address(file: Path, page: Path) -> str:
    """A link from the page to a file, which works when the folder that holds both is moved; a TIFF is put into it."""
    if file.suffix.lower() in (".tif", ".tiff"):
        return f"data:image/jpeg;base64,{base64.b64encode(photos.preview(file)).decode()}"
    relative = os.path.relpath(file.resolve(), page.parent.resolve())
    return html.escape(quote(os.fsencode(relative)), quote=True)


def _cuts(length: int, tile: int) -> Iterator[tuple[int, int]]:
    """Start and length of as few pieces as possible, equal up to the grid and no longer than `tile`."""
    piece = math.ceil(length / math.ceil(length / tile) / _STEP) * _STEP
    for start in range(0, length, piece):
        yield start, min(piece, length - start)


def _enhance_tile(
    session: onnxruntime.InferenceSession,
    seen: np.ndarray,
    inner: tuple[slice, slice],
    written: np.ndarray,
    strength: float,
    before: Callable[[np.ndarray], np.ndarray],
    run_options: onnxruntime.RunOptions | None,
) -> None:
    """Show the network a part of an image, and write what comes of its `inner` part into `written`."""
    largest = np.float32(np.iinfo(seen.dtype).max)
    values = np.divide(_colours(seen), largest, dtype=np.float32)
    shown = before(values)
    shown = np.repeat(shown, 3, axis=2) if shown.shape[2] == 1 else shown
    below, beside = (-side % _STEP for side in shown.shape[:2])
    if below or beside:  # the grid must not depend on the size
        shown = np.pad(shown, ((0, below), (0, beside), (0, 0)), mode="edge")
    (name,) = (given.name for given in session.get_inputs())
    enhanced = session.run(None, {name: shown[None]}, run_options)[0][0]
    enhanced, values = enhanced[inner], values[inner]
    if values.shape[2] == 1:
        enhanced = enhanced.mean(axis=2, keepdims=True)
    if strength < 1:
        enhanced = values + np.float32(strength) * (enhanced - values)
    np.clip(enhanced, 0, 1, out=enhanced)
    enhanced *= largest
    np.rint(enhanced, out=enhanced)
    (written if written.ndim == 3 else written[..., None])[..., : values.shape[2]] = enhanced


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
    options.enable_cpu_mem_arena = False  # it takes up to twice the memory, and keeps it
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that wait leave their core
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session, -(-known[model]["reach"] // _STEP) * _STEP
