"""The commands behind the Makefile: `python -m srcnn_lib --help`."""

import errno
import os
import sys
from pathlib import Path

import click

# The disk is full or a quota used up, or the place is not ours to write in.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)

# Each command imports what it needs: `prepare` runs at every `make`, and TensorFlow takes seconds to import.


@click.group()
def main() -> None:
    """A reproducible report on enhancing photographs of identity cards."""


@main.command()
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.option("--profile", required=True, help="Name of a file in notebooks/profiles.")
@click.option("--data", help="Folder with blurred_images and sharpened_images; default: drawn specimen cards.")
def prepare(run_folder: Path, profile: str, data: str | None) -> None:
    """Check the settings and the data of a run, and record them in its folder."""
    from srcnn_lib.inputs import prepare

    _or_exit(prepare, run_folder, profile=profile, data=data)


@main.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("run_folder", type=click.Path(exists=True, path_type=Path))
def execute(source: Path, run_folder: Path) -> None:
    """Execute one notebook into a run folder."""
    from srcnn_lib.execution import execute

    _or_exit(execute, source, run_folder)


@main.command()
@click.argument("run_folder", type=click.Path(exists=True, path_type=Path))
@click.option("--share", is_flag=True, help="Make report-share.html, without images, texts and names of the data.")
def assemble(run_folder: Path, share: bool) -> None:
    """Assemble the executed notebooks of a run into its report.html."""
    from srcnn_lib.report import assemble

    _or_exit(assemble, run_folder, share=share)


@main.command()
@click.argument("run_folder", type=click.Path(exists=True, path_type=Path))
def keep(run_folder: Path) -> None:
    """Keep what the training of a run came to in srcnn_lib/records."""
    from srcnn_lib import records
    from srcnn_lib.runs import Run

    _or_exit(lambda: click.echo(f"kept as {records.keep(Run(run_folder))}"))


@main.command()
@click.argument("first", type=click.Path(exists=True, path_type=Path))
@click.argument("second", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The page; default: beside the second run's report.")
def compare(first: Path, second: Path, out: Path | None) -> None:
    """Write a page with the differences of settings and results between two run folders."""
    from srcnn_lib import compare

    page = out or second / f"compared-with-{first.name}.html"
    _or_exit(lambda: click.echo(f"written: {compare.write(first, second, page)}"))


class _Filled(click.Path):
    """A path that is not empty, as a shell's variable may be: it would mean the folder that one is in."""

    def convert(self, value, param, ctx):
        if not os.fspath(value):
            self.fail("it is empty; expected a path", param, ctx)
        return super().convert(value, param, ctx)


class _Share(click.FloatRange):
    """A number from 0 to 1, and nothing like `nan`, which click lets through."""

    def __init__(self) -> None:
        super().__init__(0, 1)

    def convert(self, value, param, ctx):
        number = super().convert(value, param, ctx)
        if not 0 <= number <= 1:
            self.fail(f"{value} is not in the range 0<=x<=1.", param, ctx)
        return number


@main.command()
@click.argument("sources", nargs=-1, required=True, type=_Filled(path_type=Path))
@click.option("-o", "--out", required=True, type=_Filled(file_okay=False, path_type=Path), help="Where outputs go.")
@click.option("--model", default="house", show_default=True, help="A network of srcnn_lib/weights.")
@click.option("--strength", default=1.0, show_default=True, type=_Share(), help="0 changes nothing.")
@click.option("--waves/--keep-waves", default=True, help="Take regular patterns away first, if there are.")
@click.option("--blur/--keep-blur", default=True, help="Take a movement and a lack of focus back first, if there were.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Images at a time.")
@click.option("--force", is_flag=True, help="Write over outputs that are there already.")
@click.option("--strip", is_flag=True, help="Leave out EXIF, which can tell place and owner.")
@click.option("--read", is_flag=True, help="Write what OCR reads on each output beside it, as JSON.")
@click.option("--compare", is_flag=True, help="Write compare.html, with every image before and after.")
def enhance(sources: tuple[Path, ...], out: Path, compare: bool, **options) -> None:
    """Enhance image files, and all images in folders, into another folder."""
    import warnings

    from PIL import Image

    from srcnn_lib import enhancer, photos

    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # large photographs are no attack

    def run() -> None:
        targets = photos.targets(sources, out)
        photos.make_folder(out)
        page = out / "compare.html"
        if compare and not options["force"]:
            enhancer.check_page(page)
        with photos.working_in(out, targets):
            try:
                summary = enhancer.enhance_files(targets, **options)
            except enhancer.Stopped as stop:
                _say_stopped(stop.summary, len(targets))
        _report(summary, out, options["strip"])
        if compare:
            enhancer.compare(targets, page)
        if summary.failed:
            sys.exit(1)

    _or_exit(run)


@main.command()
@click.argument("source", type=_Filled())
@click.argument("out", type=_Filled())
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Processes, of one core each.")
@click.option("--model", default="house", show_default=True, help="A network of srcnn_lib/weights.")
@click.option("--strength", default=1.0, show_default=True, type=_Share(), help="0 changes nothing.")
@click.option("--waves/--keep-waves", default=True, help="Take regular patterns away first, if there are.")
@click.option("--blur/--keep-blur", default=True, help="Take a movement and a lack of focus back first, if there were.")
@click.option("--force", is_flag=True, help="Write over outputs that are there already.")
@click.option("--strip", is_flag=True, help="Leave out EXIF, which can tell place and owner.")
def enhance_many(source: str, out: str, **options) -> None:
    """Enhance a large collection with Ray, on this machine or on the cluster that RAY_ADDRESS names.

    SOURCE and OUT are folders, or addresses such as s3://bucket/folder.
    """

    def run() -> None:
        from srcnn_lib import collection

        summary = collection.enhance(source, out, **options)
        _report(summary, out, options["strip"])
        if summary.failed:
            sys.exit(1)

    _or_exit(run)


def _report(summary, out: Path | str, strip: bool) -> None:
    for source, reason in summary.failed.items():
        click.echo(f"failed: {click.format_filename(source)}: {reason}", err=True)
    kept = len(summary.kept)
    counts = f"{len(summary.done)} enhanced, {kept} there already, {len(summary.failed)} failed"
    click.echo(f"{counts}; in {click.format_filename(out)}")
    if kept:
        stripped = "; their EXIF was not stripped" if strip else ""
        click.echo(
            f"outputs there already: {kept}, kept as they are; options count for them only with --force{stripped}"
        )


def _say_stopped(summary, images: int) -> None:
    """End an interrupted command, with the exit status that shells know."""
    done = len(summary.done) + len(summary.kept)
    click.echo(
        f"stopped; {done} of {images} images are done, and the same command, without --force, goes on with the others",
        err=True,
    )
    sys.exit(130)


@main.command()
@click.argument("run_folder", type=click.Path(exists=True, path_type=Path))
def export(run_folder: Path) -> None:
    """Make the networks of a finished run into those that `enhance` uses (needs tf2onnx)."""
    from srcnn_lib import export
    from srcnn_lib.runs import Run

    _or_exit(lambda: click.echo(f"written: {', '.join(map(str, export.weights(Run(run_folder))))}"))


@main.command()
@click.argument("run_folder", type=click.Path(exists=True, path_type=Path))
@click.argument("names", nargs=-1)
def zoo(run_folder: Path, names: tuple[str, ...]) -> None:
    """Train, score and keep the light networks of the literature, or only those named."""
    from srcnn_lib import evaluation, zoo
    from srcnn_lib.runs import Run

    def run() -> None:
        for name in names or zoo.NAMES:
            click.echo(f"{name}: {'trained' if zoo.train(Run(run_folder), name) else 'kept'}")
        for name in (*(names or zoo.NAMES), evaluation.UNTOUCHED):
            click.echo(f"{name}: {'scored' if zoo.score(Run(run_folder), name) else 'was scored'}")

    _or_exit(run)


@main.command()
@click.argument("run_folder", type=click.Path(exists=True, path_type=Path))
@click.argument("names", nargs=-1)
@click.option("--fonts", multiple=True, type=click.Path(exists=True, path_type=Path), help="Folder of typefaces.")
@click.option("--ship", is_flag=True, help="Give what comes of it to the enhancer, scored on the run's test cards.")
def legible(run_folder: Path, names: tuple[str, ...], fonts: tuple[Path, ...], ship: bool) -> None:
    """Train networks for reading and judge them on validation cards, all experiments or only those named."""
    from srcnn_lib import legible
    from srcnn_lib.runs import Run

    work = run_folder.parent / "legible"

    def run() -> None:
        options = {"fonts": fonts, "work": work}
        chosen = {name: legible.experiment(name) for name in names or legible.EXPERIMENTS}
        for name, experiment in chosen.items():
            legible.train(name, experiment, **options)
        if alone := [name for name, experiment in chosen.items() if not experiment.prepared]:
            click.echo(legible.score(alone, **options).round(4).to_string(index=False))
        if len(alone) < len(chosen):
            click.echo(legible.choose_after_steps(**options).round(4).to_string(index=False))
        if ship:
            click.echo(legible.choose(**options).round(4).to_string(index=False))
            click.echo(f"written: {', '.join(map(str, legible.ship(Run(run_folder), work=work)))}")

    with _alone(work):
        _or_exit(run)


@main.command()
@click.option("--fonts", multiple=True, type=click.Path(exists=True, path_type=Path), help="Folder of typefaces.")
def blur(fonts: tuple[Path, ...]) -> None:
    """Train the network that sees blurs, and read validation cards after every step of the enhancer."""
    from srcnn_lib import blur_training, files

    def run() -> None:
        options = {"fonts": fonts, "work": work}
        blur_training.train(**options)
        click.echo(blur_training.judge(**options).round(4).to_string(index=False))

    work = files.ROOT / "reports" / "legible"
    with _alone(work):
        _or_exit(run)


@main.command()
@click.option("--fonts", multiple=True, type=click.Path(exists=True, path_type=Path), help="Folder of typefaces.")
@click.option(
    "--pages",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of pairs of pages.",
)
@click.option("--trained", is_flag=True, help="Only judge what is trained by now.")
def ablation(fonts: tuple[Path, ...], pages: Path | None, trained: bool) -> None:
    """Change the recipe of the house model one thing at a time, and see what is read after each short training."""
    from srcnn_lib import ablation, files

    def run() -> None:
        table = ablation.run(fonts=fonts, work=work, pages=pages, train=not trained)
        shown = table.pivot(index="method", columns="measure", values="difference")
        click.echo(shown.loc[table["method"].unique()].round(4).to_string())

    work = files.ROOT / "reports" / "legible"
    with _alone(work):
        _or_exit(run)


def _alone(work: Path):
    """While no other process trains into the same folder."""
    from srcnn_lib import locking

    def say(holder: str) -> None:
        click.echo(f"process {holder} trains in {work}: waiting until it has ended (Ctrl-C stops the waiting)")

    return locking.held(work.with_name(f".{work.name}.lock"), say)


def _or_exit(function, *arguments, **options) -> None:
    """Call, and turn an error that was foreseen, or of the file system, into its message and exit status 1."""
    from srcnn_lib.errors import ForeseenError

    try:
        function(*arguments, **options)
    except ForeseenError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        place = error.filename or next(iter(arguments), "a file")
        sys.exit(f"error: {place}: cannot be written ({error.strerror})")


if __name__ == "__main__":
    main(prog_name="python -m srcnn_lib")
