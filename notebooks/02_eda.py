# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.format_version,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# ## 2.2 Exploratory data analysis
#
# First the images are looked at, then measured: how bright is each, and do the two sides differ?

# %% tags=["parameters"]
run_folder = "../reports/standard"
seed = 1
spectrum_pairs = 100

# %%
import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from srcnn_lib import figures, intensity, original, pairs
from srcnn_lib.runs import Run

run = Run(run_folder)
table = run.read_table("01_inspection/pairs.csv")

# %% [markdown]
# ### Pairs to look at
#
# The original shows pairs 72, 82, 1071 and 679 of its set, and finds blur, circular marks, salt-and-pepper
# noise, changing background colours, and pairs that are too bad or too good to learn from.

# %%
chosen = np.random.default_rng(seed).choice(len(table), size=min(4, len(table)), replace=False)
gallery = []
for pair in table.iloc[sorted(chosen)].itertuples():
    low, high = pairs.read_pair(run.data_folder, pair)
    gallery += [(f"{pair.name}: low", low), (f"{pair.name}: high", high)]
figures.figure(
    figures.side_by_side(gallery, columns=2),
    caption="Pairs drawn at random: the low side, and the high side that a network should produce.",
    alt=f"{len(chosen)} pairs of images; in each the left image is the degraded copy of the right one.",
)

# %% [markdown]
# ### Mean, median, maximum and minimum
#
# Four numbers describe the brightness of an image, over all its pixels and channels, on the scale from
# 0 (black) to 255 (white). Each histogram counts images.

# %%
statistics = intensity.of_pairs(run.data_folder, table)
run.write_table("02_eda/intensity.csv", statistics)

# %%
figures.figure(
    figures.intensity_histogram(statistics, "mean"),
    caption="Mean intensity of every image. The dashed line is the mean over images.",
    alt="Two histograms of mean intensity, high images on the left and low images on the right.",
)

# %%
low = statistics[statistics["side"] == "low"]["mean"]
high = statistics[statistics["side"] == "high"]["mean"]
summary = {
    "mean_intensity": {"low": low.mean(), "high": high.mean()},
    "deviation_of_mean_intensity": {"low": low.std(), "high": high.std()},
    "skewness_of_mean_intensity": {"low": intensity.skewness(low), "high": intensity.skewness(high)},
}
run.write_json("02_eda/summary.json", summary)
Markdown(
    f"High images have a mean intensity of **{high.mean():.1f}** (standard deviation {high.std():.1f}), low ones "
    f"{low.mean():.1f} ({low.std():.1f}). The original reports {original.MEAN_INTENSITY:.2f} "
    f"({original.MEAN_INTENSITY_DEVIATION:.2f}), without saying of which side, and calls the distribution skewed to the "
    f"bright side. Measured by its third moment, ours has a skewness of {summary['skewness_of_mean_intensity']['high']:+.2f} "
    "on the high side; a negative value means that the longer tail lies on the dark side."
)

# %%
figures.figure(
    figures.intensity_histogram(statistics, "median"),
    caption="Median intensity of every image.",
    alt="Two histograms of median intensity, high images on the left and low images on the right.",
)

# %%
medians = statistics.groupby("side")["median"].mean()
Markdown(
    f"The median lies at {medians['high']:.1f} for high images, {abs(medians['high'] - high.mean()):.1f} grey levels "
    f"{'above' if medians['high'] > high.mean() else 'below'} the mean. The original sees its medians further to the bright "
    "side than its means: most of a card is background, and text only darkens the mean."
)

# %%
figures.figure(
    figures.intensity_histogram(statistics, "maximum"),
    caption="Maximum intensity of every image.",
    alt="Two histograms of maximum intensity, high images on the left and low images on the right.",
)

# %%
figures.figure(
    figures.intensity_histogram(statistics, "minimum"),
    caption="Minimum intensity of every image.",
    alt="Two histograms of minimum intensity, high images on the left and low images on the right.",
)

# %%
minima = statistics.groupby("side")["minimum"].mean()
lifted = minima["low"] - minima["high"]
Markdown(
    f"The darkest pixel of a low image is {abs(lifted):.1f} grey levels {'brighter' if lifted > 0 else 'darker'}, on average, "
    f"than that of a high image"
    + (": blur and haze take the black out of the text." if lifted > 5 else ", so these images are hardly hazy at all.")
)

# %% [markdown]
# ### Channel by channel ◆
#
# The original looks at all colours together. Apart, they show whether the degradation tints the images.

# %%
figures.figure(
    figures.channel_histogram(statistics),
    caption="Mean of each colour channel of every image.",
    alt="Histograms of the red, green and blue means, high images on the left and low images on the right.",
)

# %%
by_side = statistics.groupby("side")[list(intensity.CHANNELS)].mean()
change = (by_side.loc["low"] - by_side.loc["high"]).round(1)
Markdown(
    "From high to low, on average, "
    + ", ".join(f"{name} changes by {value:+.1f}" for name, value in change.items())
    + f" grey levels. The three changes differ by {change.max() - change.min():.1f}, so the degradation "
    + ("tints the images." if change.max() - change.min() > 2 else "hardly tints the images on average.")
)

# %% [markdown]
# ### Low against high ◆
#
# Every dot is a pair. On the line, both sides are alike.

# %%
figures.figure(
    figures.low_against_high(statistics, ["mean", "median", "minimum"]),
    caption="Mean, median and minimum of the low side against those of the high side of the same pair.",
    alt="Three scatter plots of the low side against the high side, with the line of equality.",
)

# %%
sides = statistics.pivot(index="name", columns="side", values="mean")
difference = sides["low"] - sides["high"]
Markdown(
    f"The low side is brighter in {(difference > 0).mean():.0%} of the pairs; the difference of the means is "
    f"{difference.mean():+.1f} grey levels on average, with a standard deviation of {difference.std():.1f}. The two means "
    f"correlate with {sides['low'].corr(sides['high']):.2f}."
)

# %% [markdown]
# ### Background colours
#
# The original keeps an eye on changing background colours, unsure whether they matter. The median colour of a
# card is a colour of its background.

# %%
background = [f"background_{name}" for name in intensity.CHANNELS]
colours = {side: statistics.loc[statistics["side"] == side, background].to_numpy() for side in ("high", "low")}
figures.figure(
    figures.colour_strip(colours["high"]),
    caption="The background colours of all high images, ordered by hue.",
    alt="A strip of the background colours of all sharp images, side by side.",
)

# %%
spread = {side: float(np.linalg.norm(values.std(axis=0))) for side, values in colours.items()}
Markdown(
    f"Background colours spread by {spread['high']:.1f} grey levels (root of the summed variances of the channels) on the "
    f"high side and by {spread['low']:.1f} on the low side: "
    + ("haze and tint wash them out." if spread["low"] < spread["high"] else "the degradation does not wash them out.")
)

# %% [markdown]
# ### Blur and noise as spectra ◆
#
# A power spectrum tells how much of an image is coarse (left) and how much is fine (right). Blur takes away
# the right side, noise makes the right end level, and a pattern that repeats raises one place.

# %%
spectra = intensity.mean_spectra(run.data_folder, table.sample(min(spectrum_pairs, len(table)), random_state=seed))
run.write_table("02_eda/spectra.csv", spectra)
if len(spectra):
    display(
        figures.figure(
            figures.spectra(spectra),
            caption=f"Mean power spectra of both sides, over up to {spectrum_pairs} pairs.",
            alt="Two falling curves of power against frequency, for the low and the high side.",
        )
    )
else:
    display(Markdown("All images are smaller than the square that a spectrum needs."))

# %%
if len(spectra):
    gap = spectra["high"] - spectra["low"]
    widest = spectra.loc[gap.idxmax()]
    display(
        Markdown(
            f"The low side lacks most at {widest['frequency']:.2f} cycles a pixel, structures of about "
            f"{1 / max(widest['frequency'], 1e-9):.0f} pixels: there it has {10 ** -gap.max():.2g} times the power of the high side. "
            f"At the fine end it has {10 ** -gap.iloc[-1]:.2g} times as much"
            + (", more than there should be: that is noise." if gap.iloc[-1] < 0 else ".")
        )
    )

# %% [markdown]
# ### Every image ◆
#
# The darkest and the brightest images, by their means. A click on a heading sorts the table.

# %%
ordered = statistics.sort_values("mean")
ends = pd.concat([ordered.head(12), ordered.tail(12)]).drop_duplicates()
columns = ["name", "side", *intensity.STATISTICS, "skewness"]
figures.table(
    ends[columns],
    caption=f"The darkest and the brightest of {len(statistics):,} images; all are in 02_eda/intensity.csv.",
    formats={name: "{:.1f}" for name in intensity.STATISTICS} | {"skewness": "{:+.2f}"},
    sortable=True,
)
