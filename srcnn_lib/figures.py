"""Everything that is drawn, and how figures, tables and prose with live numbers reach the page.

Drawing functions return a matplotlib Figure; `figure` gives it a caption and a text alternative.
"""

import base64
import html
import io
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import rgb_to_hsv
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

sns.set_theme(style="whitegrid", palette="colorblind")

LOW_COLOUR, HIGH_COLOUR = "C0", "C1"
ORIGINAL_COLOUR = "0.45"


class Shown:
    """Something that Jupyter shows as HTML."""

    def __init__(self, content: str) -> None:
        self.html = content

    def _repr_html_(self) -> str:
        return self.html


def figure(drawing: Figure, *, caption: str, alt: str) -> Shown:
    """A drawing with its caption, and `alt`: what it shows, for those who cannot see it."""
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="webp", dpi=160, pil_kwargs={"quality": 90, "method": 6})
    data = base64.b64encode(buffer.getvalue()).decode()
    return Shown(
        f'<figure><img src="data:image/webp;base64,{data}" alt="{html.escape(alt)}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def table(
    frame: pd.DataFrame, *, caption: str, formats: Mapping[str, str] | None = None, sortable: bool = False
) -> Shown:
    """A table with its caption; `formats` maps columns to format strings such as "{:.2f}".

    On the page, a click on a column of a `sortable` table sorts it.
    """
    shown = frame.copy().astype(object)
    for column, pattern in (formats or {}).items():
        shown[column] = [pattern.format(value) if pd.notna(value) else "" for value in frame[column]]
    body = shown.to_html(index=False, border=0, na_rep="", classes="sortable" if sortable else None)
    head, rest = body.split(">", 1)
    return Shown(f"{head}><caption>{html.escape(caption)}</caption>{rest}")


def beside_original(rows: Sequence[tuple[str, object, object]], *, caption: str, ours: str = "this run") -> Shown:
    """A table of facts: what it is, in our run, called `ours`, and in the original."""
    return table(pd.DataFrame(rows, columns=["", ours, "the original"]), caption=caption)


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


def sizes(pairs: pd.DataFrame) -> Figure:
    """Width against height of every pair, and the distribution of their ratio."""
    drawing = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    sns.scatterplot(pairs, x="width", y="height", s=12, alpha=0.5, ax=left, edgecolor="none")
    left.set(xlabel="width in pixels", ylabel="height in pixels")
    sns.histplot(pairs["width"] / pairs["height"], bins=40, ax=right, edgecolor="none")
    right.set(xlabel="width / height", ylabel="pairs")
    return drawing


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
        )
    return drawing


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


def spectra(table: pd.DataFrame) -> Figure:
    """Mean radial power spectra of the low and the high side."""
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axis = drawing.subplots()
    for side, colour in (("low", LOW_COLOUR), ("high", HIGH_COLOUR)):
        axis.plot(table["frequency"], table[side], color=colour, label=f"{side} side")
    axis.set(xlabel="frequency in cycles a pixel", ylabel="log10 of the power")
    axis.legend()
    return drawing


def parameter_search(found: pd.DataFrame) -> Figure:
    """Mean PSNR over the values of each technique's parameter, a panel a technique; dashed where nothing is done."""
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
            if len(means) == 0:
                continue
            axis.plot(means.index, means - means.iloc[0], ".-", color=colour, label=side)
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
    for axis, (name, values) in zip(grid, others, strict=False):
        axis.hist(first, bins=bins, color="0.8")
        axis.hist(values, bins=bins, histtype="step", color=HIGH_COLOUR)
        axis.set_title(name.replace("_", " "), fontsize=7)
        axis.set_yticks([])
    return drawing


def notching(before: np.ndarray, after: np.ndarray, spectrum: np.ndarray, peaks: pd.DataFrame) -> Figure:
    """A piece of an image with a wave, its `frequency.spectrum` with the peaks circled, and the piece without."""
    drawing = Figure(figsize=(8, 8 / 3 * before.shape[0] / before.shape[1] + 0.3), layout="constrained")
    left, middle, right = drawing.subplots(1, 3)
    rows, columns = (slice(side // 3, side // 3 + 160) for side in before.shape[:2])
    left.imshow(before[rows, columns])
    right.imshow(after[rows, columns])
    middle.imshow(spectrum, cmap="gray", aspect="auto", vmin=np.quantile(spectrum, 0.05), extent=(-0.5, 0.5, 0.5, -0.5))
    for peak in peaks.itertuples():
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


def technique_effects(trials: pd.DataFrame) -> Figure:
    """Mean over images of noise, contrast and saturation after each technique, for both sides."""
    measures = {"noise": "noise (grey levels)", "contrast": "contrast (grey levels)", "saturated": "share of 0 or 255"}
    drawing = Figure(figsize=(8, 3), layout="constrained")
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
        axis.set(xlabel=label, ylabel="")
    return drawing


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


def learning_curve(history: pd.DataFrame, original: Mapping[str, Sequence[float]], untouched: float) -> Figure:
    """Training and validation loss over epochs, ours and the original's, and the loss of doing nothing; logarithmic."""
    drawing = Figure(figsize=(7, 3.6), layout="constrained")
    axis = drawing.subplots()
    for column, style in (("loss", "-"), ("val_loss", "--")):
        known = history.dropna(subset=column)
        axis.plot(known["epoch"], known[column], style, color="C0", label=f"{column}, this run")
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


def score_spread(scores: pd.DataFrame) -> Figure:
    """PSNR of every test image under each method."""
    drawing = Figure(figsize=(7, 0.7 + 0.6 * scores["method"].nunique()), layout="constrained")
    axis = drawing.subplots()
    sns.boxplot(scores, x="psnr", y="method", hue="method", width=0.5, fliersize=0, boxprops={"alpha": 0.4}, ax=axis)
    sns.stripplot(scores, x="psnr", y="method", color="0.25", size=3, ax=axis)
    axis.set(xlabel="PSNR in dB (higher is better)", ylabel="")
    return drawing


def tuning_curve(trials: pd.DataFrame, chosen: float) -> Figure:
    """Validation error after a short training, against the learning rate."""
    drawing = Figure(figsize=(6, 3), layout="constrained")
    axis = drawing.subplots()
    axis.plot(trials["learning_rate"], trials["val_loss"], "o-")
    axis.axvline(chosen, color=ORIGINAL_COLOUR, linestyle="--", label="the original's")
    axis.set(xscale="log", xlabel="learning rate", ylabel="validation error (MSE)")
    axis.legend()
    return drawing


def error_map(image: np.ndarray, truth: np.ndarray, magnified: float = 4) -> np.ndarray:
    """The absolute difference of two uint8 RGB images, magnified, white where there is none."""
    return (255 - np.minimum(magnified * np.abs(image.astype(np.float32) - truth), 255)).astype(np.uint8)


def quality_against_reading(points: pd.DataFrame) -> Figure:
    """PSNR against character error rate: the means of the methods with their names, and every image.

    `points` has one row an image and method: method, psnr, error, errors, characters.
    """
    drawing = Figure(figsize=(9, 4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for number, (method, mine) in enumerate(points.groupby("method", sort=False)):
        rate = mine["errors"].sum() / mine["characters"].sum()
        left.plot(mine["psnr"].mean(), rate, "o", color=f"C{number}", label=method)
        right.plot(mine["psnr"], mine["error"], ".", color=f"C{number}", alpha=0.6)
    for axis in (left, right):
        axis.set(xlabel="PSNR in dB", ylabel="character error rate")
        axis.yaxis.set_major_formatter(PercentFormatter(1))
    drawing.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return drawing


def quality_against_cost(table: pd.DataFrame, published: pd.DataFrame) -> Figure:
    """What networks gain for what they cost.

    `table` has one row a network: network, parameters, gain (dB) and ms per card; `published` too: network, parameters
    and PSNR (dB).
    """
    drawing = Figure(figsize=(10, 4.5), layout="constrained")
    left, middle, right = drawing.subplots(1, 3)
    colours = sns.color_palette("husl", len(table))
    for number, row in enumerate(table.to_dict("records")):
        marker = "osD^v"[number % 5]
        for axis, cost in ((left, "parameters"), (middle, "ms per card")):
            axis.plot(row[cost], row["gain"], marker, color=colours[number], label=row["network"])
    for axis, cost in ((left, "parameters"), (middle, "ms per card")):
        axis.set(xlabel=cost, ylabel="gain in dB", title="light networks, here")
    left.set_xscale("log")
    left.minorticks_off()
    right.plot(published["parameters"], published["PSNR"], "o", color="0.3", markersize=4)
    for row in published.to_dict("records"):
        beside = published[
            (published["parameters"] > row["parameters"]) & ((published["PSNR"] - row["PSNR"]).abs() < 0.06)
        ]
        side = {"xytext": (-4, -3), "ha": "right"} if len(beside) else {"xytext": (4, -3)}
        place = row["parameters"], row["PSNR"]
        right.annotate(row["network"], place, textcoords="offset points", fontsize=7, **side)
    right.set(xlabel="parameters", ylabel="Y-PSNR in dB, Set5 ×2", xscale="log", title="full size, published")
    right.margins(x=0.35)
    drawing.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8)
    return drawing
