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
# # 2 Entering the pipeline
#
# ## 2.1 Data inspection and importing
#
# The data lie in two folders, `blurred_images` and `sharpened_images`. Two files of one name show the same
# card. Before anything is learned from them we look into every file: which have a partner, which can be
# read, how large they are.

# %% tags=["parameters"]
run_folder = "../reports/standard"
image_size = 256

# %%
import numpy as np
from IPython.display import Markdown

from srcnn_lib import figures, original, pairs
from srcnn_lib.runs import Run

run = Run(run_folder)

# %%
table, set_aside = pairs.index(run.data_folder)
run.write_table("01_inspection/pairs.csv", table)
run.write_table("01_inspection/set_aside.csv", set_aside)

# %% [markdown]
# ### What is there
#
# The original's names, such as `f.h.fornt.5000`, hold a letter and a number. It guesses that `h` and `v`
# stand for “high” and “very high”, two degrees of blur or sharpness.

# %%
numbers = table["number"].dropna()
first, last = original.NUMBERS
missing = pairs.gaps(numbers)
summary = {
    "pairs": len(table),
    "files_set_aside": len(set_aside),
    "pairs_per_variant": {str(name): int(count) for name, count in table["variant"].value_counts().items()},
    "first_number": int(numbers.min()) if len(numbers) else None,
    "last_number": int(numbers.max()) if len(numbers) else None,
    "numbers_missing": len(missing),
    "mean_megapixels": float((table["width"] * table["height"]).mean() / 1e6),
    "data_sha256": pairs.data_hash(table),
}
run.write_json("01_inspection/summary.json", summary)
number_range = f"{summary['first_number']} to {summary['last_number']}" if len(numbers) else "no numbers in the names"
letters = ", ".join(f"{letter}: {count:,}" for letter, count in summary["pairs_per_variant"].items())
figures.beside_original(
    [
        ("sound pairs", f"{summary['pairs']:,}", f"{original.PAIRS:,}"),
        (
            "pairs of each letter",
            letters or "no letters in the names",
            f"h: {original.PAIRS_PER_VARIANT:,}, v: {original.PAIRS_PER_VARIANT:,}",
        ),
        ("numbers", number_range, f"{first} to {last}"),
        ("numbers missing in between", summary["numbers_missing"] if len(numbers) else "", "not reported"),
        ("mean size in megapixels", f"{summary['mean_megapixels']:.2f}", "not reported"),
        ("files set aside", summary["files_set_aside"], "none, though some are called too hazy"),
    ],
    caption="The data set in numbers, beside the original's.",
)

# %%
Markdown(
    f"The original speaks of {original.PAIRS_PER_VARIANT:,} images of each letter, numbered {first} to {last}. That range "
    f"holds {last - first + 1:,} numbers, so either one is missing or the last is {last - 1}."
)

# %% [markdown]
# ### What was set aside
#
# A file that cannot be used does not stop the run. It is listed here with its reason.

# %%
if len(set_aside):
    shown = figures.table(set_aside.head(50), caption=f"Files set aside ({len(set_aside)}, at most 50 shown).")
else:
    shown = Markdown("Nothing was set aside: every file has a readable partner of its own size.")
shown

# %% [markdown]
# ### Sizes
#
# The original's images all differ in width and height, it says, without showing how much.

# %%
figures.figure(
    figures.sizes(table),
    caption="Width and height of every pair.",
    alt=f"Scatter plot: widths from {table['width'].min()} to {table['width'].max()} pixels, heights from "
    f"{table['height'].min()} to {table['height'].max()} pixels.",
)

# %% [markdown]
# ### Importing
#
# To train on whole images in batches, the original squashed each to a square, and suspected afterwards
# that this had been a mistake: letters lose their proportions, and large images lose pixels.

# %%
example = table.iloc[0]
low, high = pairs.read_pair(run.data_folder, example)
squashed = pairs.squash(high, image_size)
figures.figure(
    figures.side_by_side(
        [
            (f"as it is, {example['width']}×{example['height']}", high),
            (f"squashed to {image_size}×{image_size}", squashed),
        ],
        columns=2,
    ),
    caption=f"{example['name']}, sharp side, before and after squashing.",
    alt=f"The image {example['name']} at its own proportions, and the same squashed to a square.",
)

# %%
Markdown(
    f"On average {1 - float((image_size**2 / (table['width'] * table['height'])).clip(upper=1).mean()):.0%} of the pixels "
    f"are given up. Values are scaled from [0, {np.iinfo(squashed.dtype).max}] to [0, 1] when batches are made."
)
