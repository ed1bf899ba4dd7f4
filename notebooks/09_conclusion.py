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
# # 3 Conclusion and final remarks
#
# The original ends by saying that images were enhanced so that OCR may read them, and that much room for
# improvement is left. What this run found, stage by stage, is read here from its results.

# %% tags=["parameters"]
run_folder = "../reports/standard"
model = "srcnn-9-1-5"

# %%
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
psnr = scores["psnr_mean"]
figures.beside_original(
    [
        ("2.1 sound pairs", f"{inspection['pairs']:,}", f"{original.PAIRS:,}"),
        (
            "2.2 mean intensity, high side",
            f"{brightness['mean_intensity']['high']:.1f}",
            f"{original.MEAN_INTENSITY:.1f}",
        ),
        (
            "2.3 pairs for training / validation / test",
            " / ".join(str(parts["pairs"][part]) for part in original.SPLIT),
            " / ".join(map(str, original.SPLIT.values())),
        ),
        ("2.4 steps on labels", ", ".join(preprocessing["label_steps"]) or "none", "non-local means"),
        ("2.6 parameters", f"{network['parameters']:,}", f"{original.PARAMETERS:,}"),
        ("2.7 final validation error", f"{trained['final_val_loss']:.4f}", f"{original.VAL_LOSS[-1]:.4f}"),
        ("2.9 PSNR on test pairs", f"{psnr[model]:.2f} dB", f"{original.TEST_PSNR:.2f} dB"),
        ("2.9 PSNR of the untouched input", f"{psnr[evaluation.UNTOUCHED]:.2f} dB", "not reported"),
        (
            "2.10 best learning rate of those tried",
            f"{tuned['best_learning_rate']:g}",
            f"{original.LEARNING_RATE:g} (used)",
        ),
    ],
    caption="The whole run in a few numbers, beside the original's.",
)

# %%
gain, classical = (psnr[method] - psnr[evaluation.UNTOUCHED] for method in (model, evaluation.CLASSICAL))
Markdown(
    f"On images squashed to {preprocessing['image_size']} pixels, SRCNN {'gains' if gain > 0 else 'loses'} {abs(gain):.2f} dB "
    f"over leaving the images alone; one line of unsharp masking {'gains' if classical > 0 else 'loses'} {abs(classical):.2f} dB. "
    "Whether a card can be read better is another question: a decibel says nothing about a letter, and text squashed to so few "
    "pixels is hard to read even when it is sharp."
)
