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
# ## 2.3 Train/Val/Test splits
#
# The network learns from training pairs. Choices, such as that of a learning rate, are made on validation pairs.
# Test pairs are scored once, at the end. The split comes before any pre-processing, so that nothing about
# the test images can leak into training.

# %% tags=["parameters"]
run_folder = "../reports/standard"
seed = 1
train_pairs = 700
validation_pairs = 130
test_pairs = 25

# %%
import pandas as pd
from IPython.display import Markdown

from srcnn_lib import figures, original, split
from srcnn_lib.runs import Run

run = Run(run_folder)
table = run.read_table("01_inspection/pairs.csv")

# %% [markdown]
# The `h` and `v` images of one number show the same card. Were one in training and the other in test, the
# test would ask for a card that the network has seen. So whole cards are drawn, never single pairs. Where
# names hold no number, pairs with the very same sharp image count as one card.

# %%
wanted = (train_pairs, validation_pairs, test_pairs)
counts = split.counts_for(len(table), wanted)
parts = split.draw(table, counts, seed=seed)
run.write_table("03_split/split.csv", parts)

# %%
notice = (
    (
        f"**Notice:** the profile asks for {sum(wanted):,} pairs, but there are only {len(table):,}. "
        "The counts below keep the proportions instead."
    )
    if counts != wanted
    else ""
)
Markdown(notice or f"All {sum(wanted):,} pairs that the profile asks for are there.")

# %%
achieved = parts["part"].value_counts()
cards = parts.groupby("part")["group"].nunique()
summary = {
    "pairs": {part: int(achieved.get(part, 0)) for part in (*split.PARTS, split.UNUSED)},
    "cards": {part: int(cards.get(part, 0)) for part in split.PARTS},
}
run.write_json("03_split/summary.json", summary)
figures.table(
    pd.DataFrame(
        [
            {
                "part": part,
                "cards": cards.get(part, 0),
                "pairs": achieved.get(part, 0),
                "wanted": count,
                "the original": original.SPLIT[part],
            }
            for part, count in zip(split.PARTS, counts, strict=True)
        ]
    ),
    caption="Cards and pairs in each part.",
)

# %%
shared = parts[parts["part"] != split.UNUSED].groupby("group")["part"].nunique()
Markdown(
    f"Cards that are in more than one part: **{int((shared > 1).sum())}**. Pairs left unused: {summary['pairs']['unused']:,}. "
    f"The original used {original.PAIRS_USED} of its {original.PAIRS:,} pairs, since it held all images in memory at once. "
    "Here they are streamed from disk, so memory does not limit their number."
)
