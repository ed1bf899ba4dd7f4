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
# ## 2.4 Pre-processing
#
# The original cleaned its label images, the sharp side, to make the mapping easier to learn. It kept
# non-local means denoising, dropped sharpening, a weighted sum of sharpened and denoised images, and
# adaptive histogram equalisation (CLAHE), and found that filtering the input made things worse.

# %% tags=["parameters"]
run_folder = "../reports/standard"
image_size = 256
input_steps = []
label_steps = ["denoise"]
trial_pairs = 40

# %%
import pandas as pd
from IPython.display import Markdown

from srcnn_lib import figures, pairs, preprocess
from srcnn_lib.runs import Run

run = Run(run_folder)
table = run.read_table("01_inspection/pairs.csv").merge(
    run.read_table("03_split/split.csv"), on="name", validate="one_to_one"
)

# %% [markdown]
# ### Before and after
#
# The same piece of one card, squashed as the network will see it, after each technique. The original shows
# number 5019; so do we where the data have it.

# %%
train = table[table["part"] == "train"]
preferred = train[train["number"] == 5019]
example = (preferred if len(preferred) else train).iloc[0]
low, high = (pairs.squash(image, image_size) for image in pairs.read_pair(run.data_folder, example))
window = (slice(image_size // 6, image_size // 2), slice(image_size // 3, image_size * 2 // 3))

# %%
figures.figure(
    figures.side_by_side(
        [("label, untouched", high[window]), *((name, step(high)[window]) for name, step in preprocess.STEPS.items())]
    ),
    caption=f"Techniques on the label side of {example['name']}.",
    alt="One piece of the sharp image, untouched and after each of the techniques.",
)

# %%
figures.figure(
    figures.side_by_side(
        [("input, untouched", low[window]), *((name, step(low)[window]) for name, step in preprocess.STEPS.items())]
    ),
    caption=f"Techniques on the input side of {example['name']}.",
    alt="One piece of the blurred image, untouched and after each of the techniques.",
)

# %% [markdown]
# ### Measured
#
# Three numbers for each image: the noise that is left, the contrast, and the share of values stuck at 0 or
# 255, where information may have been cut off.

# %%
sample = train.head(trial_pairs)
trials = pd.concat(
    [
        preprocess.trial(run.data_folder, sample, size=image_size, side=side).assign(side=side)
        for side in ("low", "high")
    ],
    ignore_index=True,
)
run.write_table("04_preprocessing/trials.csv", trials)
figures.figure(
    figures.technique_effects(trials),
    caption=f"Noise, contrast and saturation after each technique, over {len(sample)} training pairs "
    "(bars: standard deviation).",
    alt="Three bar charts, one for each measure, with a bar for each technique and side.",
)

# %%
means = trials[trials["side"] == "high"].groupby("technique")[["noise", "contrast", "saturated"]].mean()
Markdown(
    f"On labels, non-local means takes the noise from {means.loc['none', 'noise']:.2f} to "
    f"{means.loc['denoise', 'noise']:.2f} grey levels. The weighted addition leaves {means.loc['weighted_addition', 'saturated']:.1%} "
    f"of the values at 0 or 255, against {means.loc['none', 'saturated']:.1%} in untouched labels; the original saw this as white, "
    f"overflowing backgrounds. CLAHE changes the contrast from {means.loc['none', 'contrast']:.1f} to "
    f"{means.loc['clahe', 'contrast']:.1f}; the original found that it dims the image."
)

# %% [markdown]
# ### The chosen steps
#
# The profile names the steps. From here on, every network sees the images written now.

# %%
used = table[table["part"] != "unused"]
preprocess.prepare(
    run.data_folder,
    used,
    run.path("04_preprocessing/prepared"),
    size=image_size,
    input_steps=input_steps,
    label_steps=label_steps,
)
summary = {
    "image_size": image_size,
    "input_steps": input_steps,
    "label_steps": label_steps,
    "pairs": len(used),
    "label_noise": {"before": means.loc["none", "noise"], "denoised": means.loc["denoise", "noise"]},
}
run.write_json("04_preprocessing/summary.json", summary)
Markdown(
    f"Input steps: {', '.join(input_steps) or 'none'}. Label steps: {', '.join(label_steps) or 'none'}. "
    f"{len(used):,} pairs were written at {image_size}×{image_size} pixels."
)
