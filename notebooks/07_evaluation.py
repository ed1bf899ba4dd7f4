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
# ## 2.8 Evaluation metrics
#
# The *mean squared error* (MSE) averages the squared differences between an image and the one it should
# be, over all pixels and colours, with values from 0 to 1. The *peak signal-to-noise ratio* expresses it
# in decibel, against the largest possible value $MAX$:
#
# $$PSNR = 20 \log_{10} \frac{MAX}{\sqrt{MSE}}$$
#
# Less error means more decibel, so a network trained for low MSE is trained for high PSNR. Neither asks
# whether the text can be read.

# %% tags=["parameters"]
run_folder = "../reports/standard"
model = "srcnn-9-1-5"
native_models = ["srcnn-9-1-5", "house", "house-65k"]

# %%
import numpy as np
import pandas as pd
import tensorflow as tf
from IPython.display import Markdown

from srcnn_lib import evaluation, figures, images, metrics, original, pairs, training
from srcnn_lib.runs import Run

run = Run(run_folder)
parts = run.read_table("03_split/split.csv")
names = parts.loc[parts["part"] == "test", "name"].tolist()
prepared = run.existing("04_preprocessing/prepared")

# %% [markdown]
# The functions for training work on tensors, those for evaluation on images as they lie on disk. On one
# test pair they agree with each other and with TensorFlow's own.

# %%
low, high = (images.read(prepared / side / f"{names[0]}.png") for side in ("low", "high"))
as_tensors = [image[None].astype(np.float32) / 255 for image in (high, low)]
figures.table(
    pd.DataFrame(
        [
            {"function": "metrics.psnr, on uint8 images", "PSNR in dB": metrics.psnr(high, low, data_range=255)},
            {"function": "metrics.batch_psnr, on tensors", "PSNR in dB": float(metrics.batch_psnr(*as_tensors)[0])},
            {"function": "tf.image.psnr", "PSNR in dB": float(tf.image.psnr(*as_tensors, max_val=1.0)[0])},
        ]
    ),
    caption=f"PSNR of the untouched input {names[0]} against its label, three ways.",
    formats={"PSNR in dB": "{:.5f}"},
)

# %% [markdown]
# ## 2.9 Model evaluation
#
# The test pairs are scored now, for the first time. Beside the network stand two rows that the original
# lacks: the input left untouched, and one line of unsharp masking.

# %%
LABEL = "label"


def squashed(name):
    low, high = (images.read(prepared / side / f"{name}.png") for side in ("low", "high"))
    return low, {LABEL: high}


network = training.load(run.existing("06_training/model.keras"))
scores = evaluation.score(names, squashed, evaluation.methods({model: network}))
run.write_table("07_evaluation/scores.csv", scores)
summary = evaluation.summary(scores)
run.write_table("07_evaluation/summary.csv", summary)

# %%
beside = pd.DataFrame(
    [
        {
            "method": "SRCNN, the original's report (other images)",
            "mse": original.TEST_MSE,
            "psnr_mean": original.TEST_PSNR,
        }
    ]
)
figures.table(
    pd.concat([summary.drop(columns="truth"), beside], ignore_index=True).rename(
        columns={"mse": "mean MSE", "psnr_mean": "mean PSNR", "psnr_of_mean_mse": "PSNR of the mean MSE"}
    ),
    caption=f"Scores on {len(names)} test pairs, {parts.loc[parts['part'] == 'test', 'group'].nunique()} cards, against the "
    "pre-processed labels.",
    formats={"mean MSE": "{:.6f}", "mean PSNR": "{:.2f} dB", "PSNR of the mean MSE": "{:.2f} dB"},
)

# %%
psnr = summary.set_index("method")["psnr_mean"]
gain = psnr[model] - psnr[evaluation.UNTOUCHED]
Markdown(
    f"The network reaches {psnr[model]:.2f} dB, and leaving the images alone {psnr[evaluation.UNTOUCHED]:.2f} dB: "
    f"the network **{'gains' if gain > 0 else 'loses'} {abs(gain):.2f} dB**. The original quotes {original.TEST_PSNR:.2f} dB and "
    f"measures it against {original.PSNR_YARDSTICK:.0f} dB from the SRCNN paper. Neither is comparable: the paper enlarges clean "
    "photographs and scores brightness only, while the score of the original's untouched input was not reported. Its "
    f"mean MSE of {original.TEST_MSE:.5f} alone would be {metrics.psnr_from_mse(original.TEST_MSE):.2f} dB; the mean of the "
    "single PSNRs is another average, hence another number."
)

# %%
figures.figure(
    figures.score_spread(scores),
    caption="PSNR of every test image. Boxes span the middle half, the line is the median.",
    alt="Box plots of PSNR, one for each method; "
    + ", ".join(f"{name} {value:.1f} dB on average" for name, value in psnr.items())
    + ".",
)

# %% [markdown]
# ### Samples
#
# Low, predicted and high image of up to four test pairs, as in the original.

# %%
triples = []
for number, name in enumerate(names[:: max(1, len(names) // 4)][:4], start=1):
    low, high = squashed(name)[0], squashed(name)[1][LABEL]
    predicted = evaluation.predict(network, low)
    triples += [
        (f"sample {number}: low, {metrics.psnr(high, low, data_range=255):.2f} dB", low),
        (f"predicted, {metrics.psnr(high, predicted, data_range=255):.2f} dB", predicted),
        (f"high ({name})", high),
    ]
figures.figure(
    figures.side_by_side(triples),
    caption="Samples from the test set: input, output and label, with the PSNR of each against the label.",
    alt="Rows of three images: the blurred input, the network's output, and the sharp label.",
)

# %% [markdown]
# ### At native resolution
#
# The networks that were trained on crops of the unsquashed images, on the whole test images, against the sharp
# file as it lies on disk. Drawn cards have a second truth: the card before anything was done to it.

# %%
folder = run.data_folder
table = run.read_table("01_inspection/pairs.csv").set_index("name")


def unsquashed(name):
    pair = table.loc[name]
    low, high = pairs.read_pair(folder, pair)
    clean = pairs.clean_file(folder, pair)
    return low, {"sharp file": high} | ({"clean truth": images.read(clean)} if clean else {})


native = {name: training.load(run.existing(f"06_training/native/{name}.keras")) for name in native_models}
native_scores = evaluation.score(names, unsquashed, evaluation.methods(native))
run.write_table("07_evaluation/native_scores.csv", native_scores)
native_summary = evaluation.summary(native_scores)
run.write_table("07_evaluation/native_summary.csv", native_summary)

# %%
by_truth = native_summary.pivot(index="method", columns="truth", values="psnr_mean")
by_truth = by_truth.loc[native_summary["method"].unique(), native_summary["truth"].unique()]
figures.table(
    by_truth.reset_index(),
    caption=f"Mean PSNR in dB on {len(names)} whole test images at native resolution.",
    formats=dict.fromkeys(by_truth.columns, "{:.2f}"),
)

# %%
best = by_truth["sharp file"].idxmax()
first = native_models[0]
Markdown(
    f"Best against the sharp file is **{best}** with {by_truth['sharp file'].max():.2f} dB, "
    f"{by_truth['sharp file'].max() - by_truth.loc[evaluation.UNTOUCHED, 'sharp file']:+.2f} dB from the untouched input"
    + (
        f" and {by_truth['sharp file'].max() - by_truth.loc[first, 'sharp file']:+.2f} dB from {first}"
        if best != first
        else ""
    )
    + ". That is a statement about pixels. Whether a machine reads the card any better is another question."
)

# %%
name = names[len(names) // 2]
low, truths = unsquashed(name)
y, x = (side // 4 for side in low.shape[:2])
window = (slice(y, y + 160), slice(x, x + 240))
shown = [
    ("low", low),
    *((key, evaluation.predict(each, low)) for key, each in native.items()),
    ("sharp file", truths["sharp file"]),
]
figures.figure(
    figures.side_by_side(
        [
            (f"{title}, {metrics.psnr(truths['sharp file'], image, data_range=255):.2f} dB", image[window])
            for title, image in shown
        ],
    ),
    caption=f"A piece of {name} at native resolution; PSNR of the whole image.",
    alt="The same piece of a card: blurred, after each network, and sharp.",
)
