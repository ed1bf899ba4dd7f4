# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 Conclusion and final remarks
#
# The original ends by saying that images were enhanced so that OCR may read them, and that much room for
# improvement is left. What this run found, stage by stage, is read here from its results.

# %% tags=["parameters"]
run_folder = "../reports/standard"
model = "srcnn-9-1-5"

# %%
import pandas as pd
from IPython.display import Markdown

from srcnn_lib import evaluation, figures, original
from srcnn_lib.runs import Run

run = Run(run_folder)
inspection = run.read_json("01_inspection/summary.json")
brightness = run.read_json("02_eda/summary.json")
parts = run.read_json("03_split/summary.json")
preprocessing = run.read_json("04_preprocessing/summary.json")
network = run.read_json("05_model/summary.json")
trained = run.read_json("06_training/summary.json")
scores = run.read_table("07_evaluation/summary.csv").set_index("method")
tuned = run.read_json("08_tuning/summary.json")

# %%
figures.table(
    pd.DataFrame(
        [
            {
                "section": "2.1",
                "": "sound pairs",
                "this run": f"{inspection['pairs']:,}",
                "the original": f"{original.PAIRS:,}",
            },
            {
                "section": "2.2",
                "": "mean intensity, high side",
                "this run": f"{brightness['mean_intensity']['high']:.1f}",
                "the original": f"{original.MEAN_INTENSITY:.1f}",
            },
            {
                "section": "2.3",
                "": "pairs for training / validation / test",
                "this run": " / ".join(str(parts["pairs"][part]) for part in original.SPLIT),
                "the original": " / ".join(map(str, original.SPLIT.values())),
            },
            {
                "section": "2.4",
                "": "steps on labels",
                "this run": ", ".join(preprocessing["label_steps"]) or "none",
                "the original": "non-local means",
            },
            {
                "section": "2.6",
                "": "parameters",
                "this run": f"{network['parameters']:,}",
                "the original": f"{original.PARAMETERS:,}",
            },
            {
                "section": "2.7",
                "": "final validation error",
                "this run": f"{trained['final_val_loss']:.4f}",
                "the original": f"{original.VAL_LOSS[-1]:.4f}",
            },
            {
                "section": "2.9",
                "": "PSNR on test pairs",
                "this run": f"{scores.loc[model, 'psnr_mean']:.2f} dB",
                "the original": f"{original.TEST_PSNR:.2f} dB",
            },
            {
                "section": "2.9",
                "": "PSNR of the untouched input",
                "this run": f"{scores.loc[evaluation.UNTOUCHED, 'psnr_mean']:.2f} dB",
                "the original": "not reported",
            },
            {
                "section": "2.10",
                "": "best learning rate of those tried",
                "this run": f"{tuned['best_learning_rate']:g}",
                "the original": f"{original.LEARNING_RATE:g} (used)",
            },
        ]
    ),
    caption="The whole run in nine numbers, beside the original's.",
)

# %%
gain = scores.loc[model, "psnr_mean"] - scores.loc[evaluation.UNTOUCHED, "psnr_mean"]
classical = scores.loc[evaluation.CLASSICAL, "psnr_mean"] - scores.loc[evaluation.UNTOUCHED, "psnr_mean"]
Markdown(
    f"On images squashed to {preprocessing['image_size']} pixels, SRCNN {'gains' if gain > 0 else 'loses'} {abs(gain):.2f} dB "
    f"over leaving the images alone; one line of unsharp masking {'gains' if classical > 0 else 'loses'} {abs(classical):.2f} dB. "
    "Whether a card can be read better is another question: a decibel says nothing about a letter, and text squashed to so few "
    "pixels is hard to read even when it is sharp."
)
