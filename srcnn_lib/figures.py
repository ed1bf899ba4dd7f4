"""Everything that is drawn, and how figures, tables and prose with live numbers reach the page.

Drawing functions return a matplotlib Figure; `figure` gives it a caption and a text alternative.
"""

import base64
import html
import inspect
import io
import re
import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import wraps

import numpy as np
import pandas as pd
import seaborn as sns
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, rgb_to_hsv
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from srcnn_lib.frequency import Wave

sns.set_theme(style="whitegrid", palette="colorblind")

LOW_COLOUR, HIGH_COLOUR = "C0", "C1"
ORIGINAL_COLOUR = "0.45"
_LARGEST = 1200  # side of an image to compare, in pixels: more is not seen, and makes the page heavy


# What of a table may be passed on, see `srcnn_lib.sharing`: numbers, and of the columns of text those that are
# listed here, since they hold words of this project. Names of files are replaced, any other text is left out.
SHARED_COLUMNS = frozenset([
    "", "this run", "the original", "the kept run", "network", "layer", "type", "kernel", "activation", "made",
    "parameters, published", "source of the figure", "format", "mode", "flag", "meaning", "what happens", "kind",
    "variant", "side", "part", "technique", "trained on", "the original's claim", "measured", "verdict", "metric",
    "method", "filter: width in pixels, amount", "PSNR", "PSNR, label", "PSNR, clean card", "PSNR, range", "gain",
    "engine", "character errors", "against untouched", "half", "case", "test", "argument", "section", "rung",
    "here", "search", "candidate", "training", "pre-processing", "what is scored", "published size", "built",
    "blur", "length, radius", "95 % interval", "Set5 ×2 / ×3 / ×4", "light version", "recipe",
    "against", "read untouched", "scored", "before it", "p", "exact", "recovered share",
])  # fmt: skip
NAME_COLUMNS = frozenset({"name", "file", "low", "high", "first", "second"})


class Shown:
    """Something that Jupyter shows as HTML, with a note of what of it may be shared."""

    def __init__(self, content: str, shared: object = False) -> None:
        self.html = content
        self.shared = shared

    def _repr_html_(self) -> tuple[str, dict[str, object]]:
        return self.html, {"shared": self.shared}


def _of_many(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Mark a chart that shows many images together, and none of them: only such figures may be shared."""

    @wraps(draw)
    def marked(*arguments, **options) -> Figure:
        drawing = draw(*arguments, **options)
        drawing.set_gid("shared")
        return drawing

    return marked


def figure(drawing: Figure, *, caption: str, alt: str, key: str | None = None) -> Shown:
    """A drawing with its caption, and `alt`: what it shows, for those who cannot see it.

    `key` is what a link in the prose calls it: on the page, "[figure](#key)" becomes "Figure 7".
    """
    buffer = io.BytesIO()
    drawing.savefig(buffer, dpi=160)
    is_chart = drawing.get_gid() in ("shared", "chart")
    with Image.open(buffer) as picture:
        drawn = _picture(np.asarray(picture.convert("RGB")), alt, lossless=is_chart)
    kind = ' class="chart"' if is_chart else ""  # the page dims it in the dark
    # where the page is narrow, it scrolls, since its words would be too small to read
    drawn = f'<div class="scroll" style="--inches: {drawing.get_figwidth():g}">{drawn}</div>'
    return Shown(
        f"<figure{kind}{_id(key)}>{drawn}<figcaption>{html.escape(caption)}</figcaption></figure>",
        shared=drawing.get_gid() == "shared",
    )


def before_after(views: Mapping[str, np.ndarray], *, caption: str, alt: str, key: str | None = None) -> Shown:
    """Images of one size and one subject, uint8 RGB by title, to be compared pixel by pixel; "after" is one of them.

    On the page a slider draws the border between "after" and any other, and a lens shows the same place of all of
    them, one pixel a pixel. Without a script, and on paper, they stand side by side. Large images show their middle.
    """
    panels = "".join(
        f'<div class="view" data-title="{html.escape(title)}">{_picture(_middle(image), f"{alt} {title}")}'
        f'<span class="tag">{html.escape(title)}</span></div>'
        for title, image in views.items()
    )
    return Shown(
        f'<figure class="compare"{_id(key)}><div class="views">{panels}</div>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def listing(*functions: Callable, caption: str, key: str | None = None) -> Shown:
    """The source of functions as it runs, without their docstrings, which the prose around it replaces.

    `key` is as for `figure`.
    """
    sources = []
    for function in functions:
        source = inspect.getsource(function)
        documentation = inspect.getdoc(function) and function.__doc__
        sources.append(source.replace(f'    """{documentation}"""\n', "") if documentation else source)
    code = highlight("\n\n".join(sources), PythonLexer(), HtmlFormatter())
    return Shown(
        f'<figure class="listing"{_id(key)}>{code}<figcaption>{html.escape(caption)}</figcaption></figure>', shared=True
    )


def _picture(image: np.ndarray, alt: str, *, lossless: bool = False) -> str:
    """An image within the page, in the formats that are small there and in the PDF.

    Chromium takes JPEG into a PDF as it is; all else it packs pixel by pixel, which suits only the flat colours of a
    chart.
    """
    kind = "webp" if lossless else "jpeg"
    options = {"lossless": True, "method": 6} if lossless else {"quality": 90, "optimize": True, "progressive": True}
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format=kind, **options)
    data = base64.b64encode(buffer.getvalue()).decode()
    height, width = image.shape[:2]
    size = f'width="{width}" height="{height}"'
    return f'<img src="data:image/{kind};base64,{data}" {size} decoding="async" alt="{html.escape(alt)}">'


def _middle(image: np.ndarray) -> np.ndarray:
    top, left = (max(0, side - _LARGEST) // 2 for side in image.shape[:2])
    return image[top : top + _LARGEST, left : left + _LARGEST]


def _id(key: str | None) -> str:
    return f' id="{key}"' if key else ""


def table(
    frame: pd.DataFrame,
    *,
    caption: str,
    formats: Mapping[str, str] | None = None,
    sortable: bool = False,
    key: str | None = None,
    private: Collection[str] = (),
) -> Shown:
    """A table with its caption; `formats` maps columns to format strings such as "{:.2f}".

    On the page, a click on a column of a `sortable` table sorts it. Text is shown as it is; a `Markup` is HTML.
    `key` is as for `figure`. Rows whose first value is in `private` are not shared.
    """
    shown = frame.copy().astype(object)
    for column, pattern in (formats or {}).items():
        shown[column] = [_formatted(value, pattern) for value in frame[column]]
    shown = shown.map(lambda value: escape(value) if isinstance(value, str) else value)
    shown.columns = [escape(name).replace("_", Markup("_<wbr>")) for name in frame.columns]  # long names may break
    body = shown.to_html(index=False, border=0, na_rep="", escape=False, classes="sortable" if sortable else None)
    head, rest = body.split(">", 1)
    return Shown(
        f"{head}{_id(key)}><caption>{html.escape(caption)}</caption>{rest}",
        shared={
            "columns": [_sharing(name, frame.iloc[:, place]) for place, name in enumerate(frame.columns)],
            "rows out": [row for row, first in enumerate(frame.iloc[:, 0]) if first in private],
        },
    )


def _formatted(value: object, pattern: str) -> str:
    """A missing value as nothing, and what is rounded to nothing without a sign."""
    text = pattern.format(value) if pd.notna(value) else ""
    return text[1:] if re.fullmatch(r"[-+]0(\.0+)?\D*", text) else text


def summary(numbers: Sequence[tuple[str, str, str]], *pictures: Shown) -> Shown:
    """What a hurried reader takes away: numbers (what it is, the number, a remark) and a picture or two.

    The page shows it on top, wherever its notebook stands. The numbers are shared, the pictures are not. A remark may
    be a `Markup` with links.
    """
    items = "".join(
        f"<div><dt>{escape(what)}</dt><dd><strong>{escape(number)}</strong> <span>{escape(remark)}</span></dd></div>"
        for what, number, remark in numbers
    )
    shown = "".join(picture.html for picture in pictures)
    return Shown(
        f'<section class="summary" aria-label="In short"><dl>{items}</dl>{shown}</section>', shared="without figures"
    )


def anchor(section: str, heading: str = "") -> str:
    """The id that a section has on the page, or a heading within it: lower case, words joined by dashes."""
    return "-".join(re.sub(r"\W+", "-", text.lower()).strip("-") for text in (section, heading) if text)


def link(text: str, target: str) -> Markup:
    """A link to a place on the page, for a cell of a table."""
    return Markup('<a href="#{}">{}</a>').format(target, text)


def _sharing(column: str, values: pd.Series) -> str:
    """What is done with a column when the table is shared: it is "kept", its "names" replaced, or it is left "out"."""
    if column in NAME_COLUMNS:
        return "names"
    return "kept" if column in SHARED_COLUMNS or pd.api.types.is_numeric_dtype(values) else "out"


def beside_original(
    rows: Sequence[tuple[str, object, object]],
    *,
    caption: str,
    ours: str = "this run",
    key: str | None = None,
    private: Collection[str] = (),
) -> Shown:
    """A table of facts: what it is, in our run, called `ours`, and in the original; `key`, `private` as for `table`."""
    return table(pd.DataFrame(rows, columns=["", ours, "the original"]), caption=caption, key=key, private=private)


def side_by_side(images: Sequence[tuple[str, np.ndarray]], *, columns: int = 3, width: float = 8) -> Figure:
    """Images with their titles above them, on a grid; very tall ones are shown narrower."""
    titles, pictures = zip(*images, strict=True)
    rows = -(-len(pictures) // columns)
    shapes = [
        max(min(picture.shape[0] / picture.shape[1], 1.5) for picture in pictures[row * columns : (row + 1) * columns])
        for row in range(rows)
    ]
    drawing = Figure(figsize=(width, sum(width / columns * shape + 0.3 for shape in shapes)), layout="constrained")
    axes = np.atleast_1d(drawing.subplots(rows, columns, squeeze=False, height_ratios=shapes)).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, title, picture in zip(axes, titles, pictures, strict=False):
        axis.imshow(picture, interpolation="nearest")
        axis.set_title(title, fontsize=9, parse_math=False)
    return drawing


@_of_many
def sizes(pairs: pd.DataFrame) -> Figure:
    """Width against height of every pair, and the distribution of their ratio."""
    drawing = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    sns.scatterplot(pairs, x="width", y="height", s=12, alpha=0.5, ax=left, edgecolor="none")
    left.set(xlabel="width in pixels", ylabel="height in pixels")
    sns.histplot(pairs["width"] / pairs["height"], bins=40, ax=right, edgecolor="none")
    right.set(xlabel="width / height", ylabel="pairs")
    return drawing


@_of_many
def quality_spread(measures: pd.DataFrame, limits: Mapping[str, float], flags: pd.DataFrame) -> Figure:
    """The measures of every pair, two and two, with their limits; flagged pairs stand out."""
    flagged = measures["name"].isin(flags["name"])
    drawing = Figure(figsize=(8, 3.6), layout="constrained")
    views = (
        ("detail", "layout", ("min_detail", "max_detail"), "min_layout"),
        ("contrast_kept", "shift", ("min_contrast_kept",), "max_shift"),
    )
    for axis, (x, y, uprights, level) in zip(drawing.subplots(1, 2), views, strict=True):
        axis.plot(measures.loc[~flagged, x], measures.loc[~flagged, y], ".", markersize=3, alpha=0.5)
        axis.plot(measures.loc[flagged, x], measures.loc[flagged, y], "x", color="C3", markersize=5)
        for limit in uprights:
            axis.axvline(limits[limit], color="0.3", linestyle="--", linewidth=1)
        axis.axhline(limits[level], color="0.3", linestyle="--", linewidth=1)
        axis.set(xlabel=x.replace("_", " "), ylabel=y)
    drawing.axes[1].set_ylabel("shift in pixels")
    return drawing


@_of_many
def intensity_histogram(statistics: pd.DataFrame, statistic: str) -> Figure:
    """Distribution over the images of one statistic, low and high side, on the scale from 0 to 255."""
    drawing = Figure(figsize=(8, 2.8), layout="constrained")
    for axis, side, colour in zip(
        drawing.subplots(1, 2, sharey=True), ("high", "low"), (HIGH_COLOUR, LOW_COLOUR), strict=True
    ):
        values = statistics.loc[statistics["side"] == side, statistic]
        sns.histplot(values, bins=np.linspace(0, 256, 65), color=colour, ax=axis, edgecolor="none")
        axis.axvline(values.mean(), color="0.2", linestyle="--", linewidth=1)
        axis.set(
            title=f"{side} images: mean {values.mean():.1f}",
            xlabel=f"{statistic} intensity",
            ylabel="images",
            xlim=(0, 256),
            xticks=(0, 100, 200),
        )
    return drawing


@_of_many
def channel_histogram(statistics: pd.DataFrame) -> Figure:
    """Distribution over the images of the mean of each colour channel, low and high side."""
    drawing = Figure(figsize=(8, 2.8), layout="constrained")
    for axis, side in zip(drawing.subplots(1, 2, sharey=True), ("high", "low"), strict=True):
        for name, colour in zip(("red", "green", "blue"), ("C3", "C2", "C0"), strict=True):
            values = statistics.loc[statistics["side"] == side, name]
            sns.histplot(
                values, bins=np.linspace(0, 256, 65), color=colour, ax=axis, element="step", fill=False, label=name
            )
        axis.set(title=f"{side} images", xlabel="mean of the channel", ylabel="images", xlim=(0, 256))
    drawing.axes[0].legend(loc="upper left")
    return drawing


@_of_many
def low_against_high(statistics: pd.DataFrame, columns: Sequence[str]) -> Figure:
    """Each statistic of the low side against that of the high side of the same pair."""
    sides = statistics.pivot(index="name", columns="side", values=list(columns))
    drawing = Figure(figsize=(8, 8 / len(columns) + 0.3), layout="constrained")
    for axis, column in zip(drawing.subplots(1, len(columns)), columns, strict=True):
        axis.plot(sides[column]["high"], sides[column]["low"], ".", markersize=2, alpha=0.5)
        axis.axline((0, 0), slope=1, color="0.4", linewidth=1)
        axis.set(xlabel=f"{column}, high side", ylabel=f"{column}, low side", aspect="equal")
        axis.set(xlim=(0, 260), ylim=(0, 260))
    return drawing


def colour_strip(colours: np.ndarray) -> Figure:
    """Colours (N, 3), 0 to 255, side by side, ordered by hue."""
    hues = rgb_to_hsv(colours / 255)[:, 0]
    drawing = Figure(figsize=(8, 0.8), layout="constrained")
    axis = drawing.subplots()
    axis.imshow(colours[np.argsort(hues)][None].astype(np.uint8), aspect="auto", interpolation="nearest")
    axis.axis("off")
    return drawing


@_of_many
def spectra(table: pd.DataFrame) -> Figure:
    """Mean radial power spectra of the low and the high side."""
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axis = drawing.subplots()
    for side, colour in (("low", LOW_COLOUR), ("high", HIGH_COLOUR)):
        axis.plot(table["frequency"], table[side], color=colour, label=f"{side} side")
    axis.set(xlabel="frequency in cycles a pixel", ylabel="log10 of the power")
    axis.legend()
    return drawing


@_of_many
def parameter_search(found: pd.DataFrame, untouched: Mapping[str, float]) -> Figure:
    """Change of the mean PSNR over the values of each technique's parameter, a panel a technique.

    `untouched` is the mean PSNR where nothing is done, by side (dashed).
    """
    names = found["technique"].unique()
    columns = 4
    rows = -(-len(names) // columns)
    drawing = Figure(figsize=(8, 1.9 * rows), layout="constrained")
    grid = drawing.subplots(rows, columns, squeeze=False).ravel()
    for axis in grid[len(names) :]:
        axis.axis("off")
    for axis, name in zip(grid, names, strict=False):
        own = found[found["technique"] == name]
        for side, colour in (("label", HIGH_COLOUR), ("input", LOW_COLOUR)):
            means = own[(own["side"] == side) & np.isfinite(own["psnr"])].groupby("value")["psnr"].mean()
            if len(means) and side in untouched:
                axis.plot(means.index, means - untouched[side], ".-", color=colour, label=side)
        axis.axhline(0, color="0.4", linestyle="--", linewidth=1)
        axis.set_title(name.replace("_", " "), fontsize=8)
        axis.set_xlabel(own["parameter"].iloc[0].replace("_", " "), fontsize=8)
        axis.tick_params(labelsize=7)
    grid[0].set_ylabel("change in dB", fontsize=8)
    grid[0].legend(fontsize=7)
    return drawing


def histograms(images: Mapping[str, np.ndarray]) -> Figure:
    """Grey-level histograms of several images (uint8 RGB), each over that of the first one, in grey."""
    (_, first), *others = ((name, image.mean(axis=2).ravel()) for name, image in images.items())
    columns = 5
    rows = -(-len(others) // columns)
    drawing = Figure(figsize=(8, 1.5 * rows), layout="constrained")
    grid = drawing.subplots(rows, columns, squeeze=False, sharex=True).ravel()
    bins = np.linspace(0, 256, 65)
    for axis in grid[len(others) :]:
        axis.axis("off")
    for axis in grid[max(0, len(others) - columns) : len(others)]:
        axis.set_xlabel("grey level", fontsize=7)
    for axis, (name, values) in zip(grid, others, strict=False):
        axis.hist(first, bins=bins, histtype="stepfilled", color="0.7")
        axis.hist(values, bins=bins, histtype="step", color=HIGH_COLOUR)
        axis.set_title(name.replace("_", " "), fontsize=7)
        axis.set_yticks([])
    drawing.set_gid("chart")  # though of single images, which are not shared
    return drawing


def notching(before: np.ndarray, after: np.ndarray, spectrum: np.ndarray, peaks: Sequence[Wave]) -> Figure:
    """A piece of an image with a wave, its `frequency.spectrum` with the peaks circled, and the piece without."""
    drawing = Figure(figsize=(8, 8 / 3 * before.shape[0] / before.shape[1] + 0.3), layout="constrained")
    left, middle, right = drawing.subplots(1, 3)
    rows, columns = (slice(side // 3, side // 3 + 160) for side in before.shape[:2])
    left.imshow(before[rows, columns])
    right.imshow(after[rows, columns])
    middle.imshow(spectrum, cmap="gray", aspect="auto", vmin=np.quantile(spectrum, 0.05), extent=(-0.5, 0.5, 0.5, -0.5))
    for peak in peaks:
        for sign in (1, -1):
            middle.plot(sign * peak.fx, sign * peak.fy, "o", markersize=9, markerfacecolor="none", color="yellow")
    for axis, title in ((left, "with the pattern"), (middle, "spectrum"), (right, "filtered")):
        axis.set_title(title, fontsize=9)
        if axis is not middle:
            axis.axis("off")
    middle.grid(False)
    middle.tick_params(labelsize=7)
    middle.set_xlabel("cycles a pixel", fontsize=8)
    return drawing


@_of_many
def technique_effects(trials: pd.DataFrame) -> Figure:
    """Mean over images of noise, contrast and saturation after each technique, for both sides."""
    measures = {"noise": "noise (grey levels)", "contrast": "contrast (grey levels)", "saturated": "share of 0 or 255"}
    drawing = Figure(figsize=(8, 3.3), layout="constrained")
    for axis, (column, label) in zip(drawing.subplots(1, 3, sharey=True), measures.items(), strict=True):
        sns.barplot(
            trials.assign(technique=trials["technique"].str.replace("_", " ")),
            x=column,
            y="technique",
            hue="side",
            hue_order=["input", "label"],
            errorbar="sd",
            ax=axis,
            legend=column == "noise",
            palette=[LOW_COLOUR, HIGH_COLOUR],
            err_kws={"linewidth": 1},
        )
        axis.set(xlabel=label, ylabel="", xlim=(0, None))  # no measure is negative, so no whisker goes there
    legend = drawing.axes[0].get_legend()
    drawing.legend(legend.legend_handles, ("input", "label"), loc="outside upper center", ncols=2, frameon=False)
    legend.remove()
    return drawing


@_of_many
def architecture(layers: pd.DataFrame, channels: int) -> Figure:
    """A chain of convolutions (as `models.layers` lists them) as blocks, as high as they have channels."""
    chain = [channels, *layers["output channels"]]
    labels = [
        "",
        *(f"{row.kernel} convolution\n{row.parameters:,} parameters" for row in layers.itertuples()),
    ]
    drawing = Figure(figsize=(8, 2.6), layout="constrained")
    axis = drawing.subplots()
    for position, (depth, label) in enumerate(zip(chain, labels, strict=True)):
        height = 0.35 + 0.65 * (depth / max(chain)) ** 0.5
        axis.add_patch(Rectangle((position * 2, -height), 0.5, 2 * height, facecolor=f"C{position}", alpha=0.75))
        axis.text(position * 2 + 0.25, -1.15, f"{depth} channels", ha="center", va="top", fontsize=9)
        if label:
            arrow = {"arrowstyle": "->", "color": "0.3"}
            axis.annotate("", (position * 2 - 0.1, 0), (position * 2 - 1.4, 0), arrowprops=arrow)
            axis.text(position * 2 - 0.75, 0.1, label, ha="center", va="bottom", fontsize=8)
    axis.set(xlim=(-0.4, 2 * len(chain) - 1.1), ylim=(-1.5, 1.1))
    axis.axis("off")
    return drawing


def feature_maps(stages: Sequence[tuple[str, np.ndarray]], *, columns: int = 8) -> Figure:
    """The strongest channels of each stage (name, array (H, W, C)), a row a stage, each scaled to its own range."""
    drawing = Figure(figsize=(8, 1.25 * len(stages)), layout="constrained")
    grid = drawing.subplots(len(stages), columns, squeeze=False)
    for row, (name, values) in zip(grid, stages, strict=True):
        strongest = np.argsort(-values.std(axis=(0, 1)), kind="stable")[:columns]
        for axis in row:
            axis.axis("off")
        for axis, channel in zip(row, strongest, strict=False):
            axis.imshow(values[..., channel], cmap="gray", interpolation="nearest")
        row[0].set_title(f"{name}: {len(strongest)} of {values.shape[-1]} channels", fontsize=8, loc="left")
    return drawing


@_of_many
def experiment_curves(table: pd.DataFrame, groups: Sequence[Sequence[str]], *, untouched: float) -> Figure:
    """Validation PSNR over updates, a panel a group of models; lines are means, bands the range over seeds."""
    drawing = Figure(figsize=(8, 2.9), layout="constrained")
    for axis, names in zip(drawing.subplots(1, len(groups), sharey=True, squeeze=False)[0], groups, strict=True):
        for name in names:
            curves = table[table["model"] == name].pivot(index="updates", columns="seed", values="psnr")
            (line,) = axis.plot(curves.index, curves.mean(axis=1), label=name)
            axis.fill_between(
                curves.index, curves.min(axis=1), curves.max(axis=1), color=line.get_color(), alpha=0.2, linewidth=0
            )
        axis.axhline(untouched, color="0.3", linestyle="--", linewidth=1, label="untouched")
        axis.set(xlabel="updates")
        axis.legend(fontsize=8)
    drawing.axes[0].set_ylabel("validation PSNR in dB")
    return drawing


@_of_many
def complexity(table: pd.DataFrame) -> Figure:
    """Error on training and validation images, and the parts of the latter, against the number of filters."""
    drawing = Figure(figsize=(7, 3.4), layout="constrained")
    axis = drawing.subplots()
    for column, style in (("error", "o-"), ("training error", "s-"), ("bias²", "--"), ("variance", ":")):
        axis.plot(table["filters"], table[column], style, label="validation error" if column == "error" else column)
    axis.set(xlabel="filters of the first layer", ylabel="mean squared error", xscale="log", yscale="log")
    axis.set_xticks(table["filters"], labels=map(str, table["filters"]))
    axis.minorticks_off()
    axis.legend()
    return drawing


@_of_many
def training_curves(histories: Mapping[str, pd.DataFrame], *, untouched: float) -> Figure:
    """Validation error of several trainings, over updates and over seconds, with that of doing nothing."""
    drawing = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = drawing.subplots(1, 2, sharey=True)
    for name, history in histories.items():
        updates, seconds = history["steps"].cumsum(), history["seconds"].cumsum()
        known = history["val_mse"].notna()
        for axis, x in ((left, updates), (right, seconds)):
            axis.plot(x[known], history.loc[known, "val_mse"], ".-", label=name)
    for axis, label in ((left, "updates"), (right, "seconds, with validation")):
        axis.axhline(untouched, color="0.3", linestyle="--", linewidth=1, label="untouched")
        axis.set(xlabel=label, yscale="log")
    left.set_ylabel("validation error (MSE)")
    left.legend(fontsize=8)
    return drawing


@_of_many
def learning_curve(history: pd.DataFrame, original: Mapping[str, Sequence[float]], untouched: float) -> Figure:
    """Training and validation loss over epochs, ours and the original's, and the loss of doing nothing; logarithmic."""
    drawing = Figure(figsize=(7, 3.6), layout="constrained")
    axis = drawing.subplots()
    for column, style in (("loss", "-"), ("val_loss", "--")):
        known = history.dropna(subset=column)
        dots = "o" if len(known) < len(history) else ""  # where not every epoch was looked at, only those are known
        axis.plot(known["epoch"], known[column], style, marker=dots, color="C0", label=f"{column}, this run")
        axis.plot(
            range(1, len(original[column]) + 1),
            original[column],
            style,
            color=ORIGINAL_COLOUR,
            label=f"{column}, the original's",
        )
    axis.axhline(untouched, color="C0", linestyle=":", linewidth=1, label="doing nothing, validation pairs")
    axis.set(xlabel="epoch", ylabel="mean squared error", yscale="log")
    axis.legend()
    return drawing


@_of_many
def changes(table: pd.DataFrame, labels: Mapping[str, str], factors: Mapping[str, float]) -> Figure:
    """What one change at a time does, with its 95 % interval: a panel a measure, a row a change.

    `table` has method, measure, difference, difference_low, difference_high, chance (half the width of the band that
    chance alone fills) and decided (whether it is coloured), see `ablation.kept`; `labels` names the axes of the
    measures, `factors` what they are multiplied by.
    """
    names = table["method"].unique()
    drawing = Figure(figsize=(10, 0.9 + 0.27 * len(names)), layout="constrained")
    rows = np.arange(len(names))
    for axis, (measure, label) in zip(drawing.subplots(1, len(labels), sharey=True), labels.items(), strict=True):
        of_it = table[table["measure"] == measure].set_index("method").loc[names]
        figure, low, high = (
            factors[measure] * of_it[name] for name in ("difference", "difference_low", "difference_high")
        )
        chance = factors[measure] * of_it["chance"].max()
        colours = np.where(of_it["decided"], "C0", "0.65")
        axis.axvspan(-chance, chance, color="0.93", zorder=0)
        axis.axvline(0, color="0.3", linewidth=1)
        axis.hlines(rows, low, high, color=colours, linewidth=2)
        axis.scatter(figure, rows, c=colours, s=18, zorder=3)
        axis.set(xlabel=label, yticks=rows, yticklabels=names)
        axis.grid(False, axis="y")
    drawing.axes[0].invert_yaxis()
    return drawing


@_of_many
def score_spread(scores: pd.DataFrame) -> Figure:
    """PSNR of every test image under each method."""
    drawing = Figure(figsize=(7, 0.7 + 0.6 * scores["method"].nunique()), layout="constrained")
    axis = drawing.subplots()
    sns.boxplot(scores, x="psnr", y="method", hue="method", width=0.5, fliersize=0, boxprops={"alpha": 0.4}, ax=axis)
    sns.stripplot(scores, x="psnr", y="method", color="0.25", size=3, ax=axis)
    axis.set(xlabel="PSNR in dB (higher is better)", ylabel="")
    return drawing


@_of_many
def search_progress(searches: Mapping[str, pd.DataFrame], reference: float) -> Figure:
    """Best validation PSNR so far over the seconds of several searches (tables as `tuning.table` gives them).

    Dots are trials, crosses (at the foot) those that were pruned, the dashed line is the `reference`.
    """
    drawing = Figure(figsize=(7, 3.4), layout="constrained")
    axis = drawing.subplots()
    for number, (name, trials) in enumerate(searches.items()):
        seconds = trials["seconds"].cumsum()
        axis.step(
            seconds, trials["psnr"].cummax().ffill(), where="post", color=f"C{number}", label=f"{name}: best so far"
        )
        axis.plot(seconds, trials["psnr"], ".", color=f"C{number}", alpha=0.7)
        pruned = seconds[trials["pruned"]]
        axis.plot(pruned, np.full(len(pruned), 0.03), "x", color=f"C{number}", transform=axis.get_xaxis_transform())
    axis.axhline(reference, color="0.3", linestyle="--", linewidth=1, label="untouched")
    winners = [trials["psnr"].max() for trials in searches.values()]
    axis.set_ylim(
        bottom=min(*winners, reference - 2 * abs(max(winners) - reference)) - 0.1
    )  # the worst may lie far off
    axis.set(xlabel="seconds of search", ylabel="validation PSNR in dB")
    axis.legend(fontsize=8)
    return drawing


@_of_many
def importance(shares: pd.Series) -> Figure:
    """Shares of importance as bars, the largest on top."""
    drawing = Figure(figsize=(6, 0.6 + 0.28 * len(shares)), layout="constrained")
    axis = drawing.subplots()
    sns.barplot(x=shares.to_numpy(), y=[name.replace("_", " ") for name in shares.index], color="C0", ax=axis)
    axis.set(xlabel="share of importance", ylabel="")
    axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return drawing


@_of_many
def contour(trials: pd.DataFrame, x: str, y: str) -> Figure:
    """Validation PSNR over two numeric hyperparameters, between the best trials of a place (dots; pruned: crosses).

    `x` is drawn on a logarithmic axis. Where trials are too few to span a plane, there are only dots. The best is
    darkest, and so stands out from the page: on a dark one, where charts are inverted, it is bright.
    """
    drawing = Figure(figsize=(6, 3.6), layout="constrained")
    axis = drawing.subplots()
    axis.set(xscale="log", xlabel=x.replace("_", " "), ylabel=y.replace("_", " "))
    _four_ticks(axis, trials[x])
    known = trials.dropna(subset="psnr").groupby([x, y], as_index=False)["psnr"].max()
    levels = np.linspace(known["psnr"].quantile(0.2), known["psnr"].max() + 1e-6, 9)  # the poorest may lie far off
    if known[x].nunique() > 2 and known[y].nunique() > 1:
        axis.tricontourf(known[x], known[y], known["psnr"], levels=levels, cmap="viridis_r", extend="min", alpha=0.8)
    scale = Normalize(levels[0], levels[-1])
    dots = axis.scatter(
        known[x], known[y], c=known["psnr"], norm=scale, cmap="viridis_r", edgecolor="white", zorder=3, clip_on=False
    )
    pruned = trials[trials["pruned"]]
    axis.plot(pruned[x], pruned[y], "x", color="0.3", clip_on=False)
    drawing.colorbar(dots, ax=axis, label="validation PSNR in dB")
    return drawing


def _four_ticks(axis: Axes, values: pd.Series) -> None:
    """Ticks from the least to the largest value of a logarithmic axis: powers of ten may lie outside, others crowd."""
    ticks = np.geomspace(values.min(), values.max(), 4)
    axis.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
    axis.minorticks_off()


@_of_many
def parallel_coordinates(trials: pd.DataFrame, parameters: Sequence[str]) -> Figure:
    """Every trial as a line through its hyperparameters, coloured by PSNR; the best is thick, pruned ones are grey."""
    drawing = Figure(figsize=(9, 3.8), layout="constrained")
    axis = drawing.subplots()
    heights = pd.DataFrame(index=trials.index)
    for place, name in enumerate(parameters):
        values = trials[name]
        ticks = sorted(values.unique())
        if name == "learning_rate":
            values, ticks = np.log10(values), sorted({values.min(), values.max()})
            heights[name] = (values - values.min()) / max(np.ptp(values), 1e-9)
            shown = dict(zip((0, 1), (f"{tick:.1g}" for tick in ticks), strict=False))
        else:
            heights[name] = values.map(ticks.index) / max(len(ticks) - 1, 1)
            shown = {number / max(len(ticks) - 1, 1): f"{tick}" for number, tick in enumerate(ticks)}
        for height, text in shown.items():
            axis.annotate(text, (place, height), (3, 2), textcoords="offset points", fontsize=7, zorder=5)
    best = trials["psnr"].idxmax()
    scale = Normalize(trials["psnr"].quantile(0.2), trials["psnr"].max())
    colours = ScalarMappable(scale, "viridis_r")
    for number in [*trials.index.drop(best), best]:
        psnr = trials.loc[number, "psnr"]
        colour = "0.8" if np.isnan(psnr) else colours.to_rgba(psnr)
        axis.plot(heights.loc[number], color=colour, linewidth=3 if number == best else 1)
    axis.set_xticks(range(len(parameters)), [name.replace("_", "\n") for name in parameters], fontsize=8)
    axis.set(yticks=[], xlim=(-0.2, len(parameters) - 0.4))
    axis.grid(axis="y", visible=False)
    drawing.colorbar(colours, ax=axis, label="validation PSNR in dB")
    return drawing


@_of_many
def more_pairs(points: pd.DataFrame, predictions: Mapping[str, pd.DataFrame], untouched: Mapping[str, float]) -> Figure:
    """Gain over the untouched images against the number of training pairs, a panel a network.

    `points` has one row a training (network, pairs, psnr), `predictions` a curve (pairs, psnr, low, high) for each
    network that has one, `untouched` the PSNR of doing nothing for each network.
    """
    drawing = Figure(figsize=(8, 3.2), layout="constrained")
    for axis, name in zip(drawing.subplots(1, len(untouched), squeeze=False)[0], untouched, strict=True):
        own = points[points["network"] == name]
        if name in predictions:
            curve = predictions[name]
            band = (curve[side] - untouched[name] for side in ("low", "high"))
            axis.fill_between(curve["pairs"], *band, alpha=0.2, linewidth=0)
            axis.plot(curve["pairs"], curve["psnr"] - untouched[name], "--", label="power law")
        axis.plot(own["pairs"], own["psnr"] - untouched[name], "o", color="C1", label="trained")
        axis.axvline(own["pairs"].max(), color="0.5", linewidth=1)
        spread = max(np.ptp(own["psnr"]), 0.1)
        axis.set_ylim(*(own["psnr"].agg(["min", "max"]) - untouched[name] + np.array([-1, 1.5]) * spread))
        axis.set(xscale="log", xlabel="training pairs", title=name)
        axis.set_xticks(own["pairs"].unique(), [f"{pairs:,}" for pairs in own["pairs"].unique()], fontsize=8)
        axis.minorticks_off()
        axis.legend(fontsize=8, loc="lower right")
    drawing.axes[0].set_ylabel("gain in dB")
    return drawing


@_of_many
def ladder(rungs: pd.DataFrame, untouched: float, sharp: float) -> Figure:
    """The rungs from the bottom up: gain in dB, character error rate, seconds of training.

    `rungs` has one row a rung, the lowest first: name, gain, gain_low, gain_high, error, seconds (missing where it was
    not measured). `untouched` and `sharp` are the error rates of the images themselves.
    """
    drawing = Figure(figsize=(10, 0.9 + 0.42 * len(rungs)), layout="constrained")
    left, middle, right = drawing.subplots(1, 3, sharey=True, width_ratios=(3, 2.2, 1))
    places, names = np.arange(len(rungs)), ["\n".join(textwrap.wrap(name, 34)) for name in rungs["name"]]
    helps = np.where(rungs["gain"] > 0, "C2", "C3")
    left.barh(places, rungs["gain"], color=helps, alpha=0.85)
    left.hlines(places, rungs["gain_low"], rungs["gain_high"], color="0.2", linewidth=1)
    left.axvline(0, color="0.2", linewidth=1)
    for place, gain, end in zip(places, rungs["gain"], rungs["gain_high"].clip(lower=0), strict=True):
        left.annotate(f"{gain:+.2f}", (end, place), (4, 0), textcoords="offset points", fontsize=8, va="center")
    left.margins(x=0.2)
    left.set_yticks(places, names, fontsize=8)
    left.set_xlabel("gain in dB over the untouched card")
    middle.hlines(places, untouched, rungs["error"], color="0.6", linewidth=2)
    middle.scatter(rungs["error"], places, color=np.where(rungs["error"] <= untouched, "C2", "C3"), zorder=3)
    for value, style, name in ((untouched, "--", "untouched"), (sharp, ":", "sharp image")):
        middle.axvline(value, color="0.3", linestyle=style, linewidth=1, label=name)
    middle.xaxis.set_major_formatter(PercentFormatter(1))
    middle.set_xlabel("character error rate of OCR")
    middle.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    right.barh(places, rungs["seconds"].fillna(0), color="0.6")
    for place, seconds in zip(places, rungs["seconds"], strict=True):
        text = "kept" if np.isnan(seconds) else f"{seconds:.0f}"
        right.annotate(
            text,
            (0 if np.isnan(seconds) else seconds, place),
            (3, 0),
            textcoords="offset points",
            fontsize=8,
            va="center",
        )
    right.margins(x=0.3)
    right.set_xlabel("training, s")
    for axis in (left, middle, right):
        axis.grid(axis="y", visible=False)
    return drawing


def error_map(image: np.ndarray, truth: np.ndarray, magnified: float = 4) -> np.ndarray:
    """The absolute difference of two uint8 RGB images, magnified, white where there is none."""
    return (255 - np.minimum(magnified * np.abs(image.astype(np.float32) - truth), 255)).astype(np.uint8)


@_of_many
def quality_against_reading(points: pd.DataFrame, moved: pd.DataFrame) -> Figure:
    """PSNR against character error rate: the means of the methods, every image, and the changes of both on it.

    `points` has one row an image and method: method, psnr, error, errors, characters; `moved` too, as
    `comparison.gains` gives it: method, gain, change.
    """
    drawing = Figure(figsize=(11, 4.2), layout="constrained")
    means, images, changes = drawing.subplots(1, 3)
    methods = points["method"].unique()
    for method, colour in zip(methods, sns.color_palette("husl", len(methods)), strict=True):
        mine, change = (table[table["method"] == method] for table in (points, moved))
        rate = mine["errors"].sum() / mine["characters"].sum()
        means.plot(mine["psnr"].mean(), rate, "o", color=colour, label=method)
        images.plot(mine["psnr"], mine["error"], ".", color=colour, alpha=0.6)
        changes.plot(change["gain"], change["change"], ".", color=colour, alpha=0.6)
    means.set(xlabel="PSNR in dB", ylabel="character error rate", title="means of the methods")
    images.set(xlabel="PSNR in dB", ylabel="character error rate", title="every card")
    changes.set(xlabel="gain in PSNR in dB", ylabel="change of the error rate", title="changes of every card")
    changes.axhline(0, color="0.5", linewidth=0.8)
    changes.axvline(0, color="0.5", linewidth=0.8)
    for axis in (means, images, changes):
        axis.yaxis.set_major_formatter(PercentFormatter(1))
    drawing.legend(*means.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return drawing


@_of_many
def quality_against_cost(table: pd.DataFrame, published: pd.DataFrame) -> Figure:
    """What networks gain for what they cost: above the light ones trained here, below those of full size as published.

    `table` has one row a network: network, parameters, multiply-adds per pixel, ms per card, gain, gain_low and
    gain_high (dB, the ends of its interval); `published` too: network, parameters, multiply-adds per pixel (missing
    where not known) and PSNR (dB).
    """
    drawing = Figure(figsize=(10, 8), layout="constrained")
    above, below = drawing.subplots(2, 3)
    colours = sns.color_palette("husl", len(table))
    for axis, cost in zip(above, ("parameters", "multiply-adds per pixel", "ms per card"), strict=True):
        for number, row in enumerate(table.to_dict("records")):
            axis.vlines(row[cost], row["gain_low"], row["gain_high"], color=colours[number], linewidth=1, alpha=0.5)
            axis.plot(row[cost], row["gain"], "osD^v"[number % 5], color=colours[number], label=row["network"])
        axis.axhline(0, color="0.3", linestyle="--", linewidth=1)
        axis.set(xlabel=cost, ylabel="gain in dB", title="light networks, here")
    above[0].set_xscale("log")
    above[0].minorticks_off()
    for axis, cost in zip(below[:2], ("parameters", "multiply-adds per pixel"), strict=True):
        _named_dots(axis, published.dropna(subset=cost), cost)
        axis.set(xlabel=cost, ylabel="Y-PSNR in dB, Set5 ×2", title="full size, published")
    below[2].axis("off")
    below[2].legend(*above[0].get_legend_handles_labels(), loc="center", ncols=2, fontsize=8)
    return drawing


def _named_dots(axis: Axes, table: pd.DataFrame, cost: str) -> None:
    """A dot for each network over its cost, on a logarithmic axis, with the name at the side that is free."""
    axis.plot(table[cost], table["PSNR"], "o", color="0.3", markersize=4)
    for row in table.to_dict("records"):
        beside = table[(table[cost] > row[cost]) & ((table["PSNR"] - row["PSNR"]).abs() < 0.06)]
        side = {"xytext": (-4, -3), "ha": "right"} if len(beside) else {"xytext": (4, -3)}
        axis.annotate(row["network"], (row[cost], row["PSNR"]), textcoords="offset points", fontsize=7, **side)
    axis.set_xscale("log")
    axis.margins(x=0.35)
