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
# the test images can leak into training. The original, short of time, took the sizes of its layers from the SRCNN paper, so that its
# validation pairs had little to decide; here they choose filters, parameters and weights.

# %% tags=["parameters"]
run_folder = "../reports/standard"
seed = 1
train_pairs = 700
validation_pairs = 130
test_pairs = 25
stream_pairs = 200

# %%
import numpy as np
import pandas as pd
from IPython.display import Markdown

from srcnn_lib import batches, figures, original, split
from srcnn_lib.runs import Run

run = Run(run_folder)
table = run.read_table("01_inspection/pairs.csv")

# %% [markdown]
# The `h` and `v` images of one number show the same card. Were one in training and the other in test, the
# test would ask for a card that the network has seen. So whole cards are drawn, never single pairs. Where
# names hold no number, pairs with the very same sharp image count as one card, and near-duplicates found in
# section 2.1 stay together. The drawn cards, besides, belong to three pools with words, layouts and typefaces
# of their own, and each part draws from its pool, so that nothing on a test card was seen in training.

# %%
group = split.groups(table, run.read_table("01_inspection/near_duplicates.csv"))
wanted = (train_pairs, validation_pairs, test_pairs)
counts = split.counts_for(len(table), wanted)
parts = split.draw(table, group, counts, seed=seed)
run.write_table("03_split/split.csv", parts)

# %%
notice = (
    f"**Notice:** the profile asks for {sum(wanted):,} pairs, but there are only {len(table):,}. "
    "The counts below keep the proportions instead."
)
Markdown(notice if counts != wanted else f"All {sum(wanted):,} pairs that the profile asks for are there.")

# %%
achieved = parts["part"].value_counts()
cards = parts.groupby("part")["group"].nunique()
figures.table(
    pd.DataFrame(
        {
            "part": part,
            "cards": cards.get(part, 0),
            "pairs": achieved.get(part, 0),
            "wanted": count,
            "the original": original.SPLIT[part],
        }
        for part, count in zip(split.PARTS, counts, strict=True)
    ),
    caption="Cards and pairs in each part. An odd count leaves the twin of its last pair unused.",
)

# %% [markdown]
# ### The leak of a naive split ◆
#
# What if single pairs had been drawn, as is often done? The same counts, ten times in random order:

# %%
naive = [split.leaked(split.naive(table, group, counts, seed=seed + turn)) for turn in range(10)]
summary = {
    "pairs": {part: int(achieved.get(part, 0)) for part in (*split.PARTS, split.UNUSED)},
    "cards": {part: int(cards.get(part, 0)) for part in split.PARTS},
    "leaked": {
        "naive_mean": float(np.mean(naive)),
        "test": split.leaked(parts),
        "validation": split.leaked(parts, "validation"),
    },
}
run.write_json("03_split/summary.json", summary)
Markdown(
    f"A naive split puts the card of **{np.mean(naive):.0%}** of its test pairs into training as well "
    f"({min(naive):.0%} to {max(naive):.0%}). Ours: **{summary['leaked']['test']:.0%}** of the test pairs and "
    f"{summary['leaked']['validation']:.0%} of the validation pairs. {summary['pairs']['unused']:,} pairs are left unused."
)

# %% [markdown]
# ### Streaming
#
# The original used only part of its data, since it held all images in memory at once, and names the way out: a generator, which
# yields one batch, forgets it, and yields the next. So it is here: images are streamed
# from disk: decoded, cropped, augmented and batched while the network computes. How fast is that, against
# decoding the same files and nothing else?

# %%
files = [run.data_folder / file for side in ("low", "high") for file in table[side].head(stream_pairs)]
sides = files[: len(files) // 2], files[len(files) // 2 :]
crop = min(64, int(table[["width", "height"]].min().min()))
stream = batches.Shuffled(batches.Files(*sides), batch_size=10, seed=seed, crop_size=crop)
speeds = pd.DataFrame(
    [
        ("decoding alone, all cores", batches.decoding_speed(files)),
        ("streamed: crops, augmentation, batches", batches.speed(stream.from_epoch(0), stream.steps)),
    ],
    columns=["", "images per second"],
)
run.write_table("03_split/speeds.csv", speeds)
figures.table(
    speeds, caption=f"Speed over {len(files):,} native image files.", formats={"images per second": "{:,.0f}"}
)

# %%
decoding, streaming = speeds["images per second"]
Markdown(
    f"Streaming reaches {streaming / decoding:.0%} of the plain decoding speed. The original used {original.PAIRS_USED} of its "
    f"{original.PAIRS:,} pairs; here memory does not depend on their number (`make bench` measures it)."
)
