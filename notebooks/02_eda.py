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

# %%
import numpy as np
from IPython.display import Markdown

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
chosen = np.random.default_rng(seed).choice(len(table), size=min(3, len(table)), replace=False)
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
