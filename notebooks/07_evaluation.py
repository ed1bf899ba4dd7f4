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

# %%
import numpy as np
import pandas as pd
import tensorflow as tf
from IPython.display import Markdown

from srcnn_lib import evaluation, figures, images, metrics, original, training
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
network = training.load(run.existing("06_training/model.keras"))
scores = evaluation.score(network, model, prepared, names)
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
    pd.concat([summary, beside], ignore_index=True).rename(
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
    low, high = (images.read(prepared / side / f"{name}.png") for side in ("low", "high"))
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
