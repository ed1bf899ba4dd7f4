"""The enhancer on large collections and on several machines, by Ray Data (`pip install "ray[data]"`)."""

import secrets
import tempfile
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from srcnn_lib import enhancer, photos
from srcnn_lib.errors import DataError, RunError

try:
    import ray
    from pyarrow import fs
except ImportError:
    raise RunError('Ray Data is not installed: `pip install "ray[data]"` installs it') from None

_BLOCKS = 100  # for each worker, at the most: an image more or less keeps no worker waiting for long


@dataclass(frozen=True)
class Place:
    """A folder on any filesystem that pyarrow knows."""

    files: fs.FileSystem
    folder: str

    @classmethod
    def of(cls, address: str) -> "Place":
        """From a path of this machine (all workers must see it), or an address such as s3://bucket/folder.

        Raises DataError for an address of no known kind.
        """
        try:
            files, folder = fs.FileSystem.from_uri(address if "://" in address else str(Path(address).resolve()))
        except (ValueError, OSError) as error:
            raise DataError(f"{address}: no folder that can be opened ({error})") from error
        return cls(files, folder)

    def images(self) -> list[str]:
        """Paths of all images within the folder that are not hidden, sorted."""
        selector = fs.FileSelector(self.folder, allow_not_found=True, recursive=True)
        found = (file for file in self.files.get_file_info(selector) if file.type == fs.FileType.File)
        inner = (PurePosixPath(file.path).relative_to(self.folder) for file in found)
        return sorted(str(path) for path in inner if photos.is_image(path))

    def holds(self, other: "Place", inner: str) -> bool:
        """Whether a file within another folder lies in this one, which may be a part of it."""
        return self.files == other.files and PurePosixPath(f"{other.folder}/{inner}").is_relative_to(self.folder)

    def copy_here(self, inner: str, local: Path) -> None:
        """Copy one file of the folder to this machine. Raises DataError for one that cannot be read."""
        try:
            with self.files.open_input_stream(f"{self.folder}/{inner}", compression=None) as stream:
                content = stream.read()
        except OSError as error:
            raise DataError(f"the input cannot be read ({error})") from error
        local.write_bytes(content)

    def take(self, inner: str, local: Path) -> None:
        """Copy a file of this machine into the folder: whole or not at all, in one move at the end."""
        target = PurePosixPath(self.folder) / inner
        temporary = target.with_name(f".{secrets.token_hex(6)}.tmp{target.suffix}")  # as `files.whole` does
        self.files.create_dir(str(target.parent))
        with self.files.open_output_stream(str(temporary), compression=None) as stream:
            stream.write(local.read_bytes())
        self.files.move(str(temporary), str(target))

    def tidied(self, images: list[str]) -> AbstractContextManager:
        """Hold the folder as `photos.working_in` does, if it is on this machine; elsewhere nothing is removed."""
        if not isinstance(self.files, fs.LocalFileSystem):
            return nullcontext()
        out = Path(self.folder)
        photos.make_folder(out)
        return photos.working_in(out, {Path(image): out / image for image in images})


class Worker:
    """What each of Ray's actors does to the rows that it gets: read, enhance, write."""

    def __init__(self, source: Place, out: Place, strip: bool, options: dict) -> None:
        self.source, self.out, self.strip, self.options = source, out, strip, options

    def __call__(self, row: dict) -> dict:
        """Enhance the image of a row. It comes back with what went wrong, or nothing.

        A row that is done twice, since a worker died, gives the same file at the same place.
        """
        inner = row["image"]
        try:
            with tempfile.TemporaryDirectory() as folder:
                before, after = (Path(folder) / f"{name}{PurePosixPath(inner).suffix}" for name in ("before", "after"))
                self.source.copy_here(inner, before)
                enhancer.enhance_file(before, after, strip=self.strip, threads=1, **self.options)
                self.out.take(inner, after)
        except Exception as error:  # as in `enhancer.enhance_files`
            return row | {"reason": enhancer.why(error)}
        return row | {"reason": ""}


def enhance(
    source: str, out: str, *, workers: int = 2, force: bool = False, strip: bool = False, **options
) -> enhancer.Summary:
    """Enhance all images in a folder and its folders into another folder, in parallel processes.

    Runs on the Ray cluster that RAY_ADDRESS names, or else on this machine. A worker that dies is replaced, and its
    images are done again.

    Parameters
    ----------
    source, out
        Paths, or addresses that pyarrow knows, such as s3://bucket/folder.
    workers
        Processes, of one core each.
    force, strip
        As for `enhancer.enhance_files`.
    options
        `model`, `strength`, `waves` and `blur`, as for `enhancer.enhance`.

    Raises DataError if there is no image, or if outputs would be written over inputs.
    """
    place, target = Place.of(source), Place.of(out)
    if place == target:
        raise DataError(f"{out}: the images that are read would be written over; choose another folder")
    enhancer.enhance(np.zeros((8, 8, 3), np.uint8), **options)  # says what is wrong with them before any work
    images = [image for image in place.images() if not target.holds(place, image)]
    if not images:
        raise DataError(f"{source}: expected images ({', '.join(photos.SUFFIXES)}), found none")
    there = set() if force else set(target.images())
    wanted = [image for image in images if image not in there]
    with target.tidied(wanted):
        failed = _failures(wanted, workers, place, target, strip, options) if wanted else {}
    return enhancer.Summary(
        [Path(image) for image in wanted if image not in failed],
        [Path(image) for image in images if image in there],
        {Path(image): reason for image, reason in failed.items()},
    )


def _failures(images: list[str], workers: int, *arguments) -> dict[str, str]:
    rows = ray.data.from_items(
        [{"image": image} for image in images], override_num_blocks=min(len(images), _BLOCKS * workers)
    )
    done = rows.map(Worker, fn_constructor_args=arguments, compute=ray.data.ActorPoolStrategy(size=workers), num_cpus=1)
    return {row["image"]: row["reason"] for row in done.iter_rows() if row["reason"]}
