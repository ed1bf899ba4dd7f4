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
# ## 2.7 Model training
#
# `fit` goes over the training pairs again and again. After each batch it moves the weights a little in the
# direction that lowers the loss; one pass over all pairs is an epoch. Now and then the loss on the validation pairs
# is measured, from which nothing is learned.

# %% tags=["parameters"]
run_folder = "../reports/standard"
seed = 1
model = "srcnn-9-1-5"
learning_rate = 0.0008
batch_size = 10
epochs = 40
validate_every = 4
crop_size = 64

# %%
import keras
import numpy as np
import tensorflow as tf
from IPython.display import Markdown

from srcnn_lib import batches, figures, images, models, original, training
from srcnn_lib.runs import Run

run = Run(run_folder)
parts = run.read_table("03_split/split.csv")
prepared = run.existing("04_preprocessing/prepared")
train, validation = (batches.files(prepared, parts, part) for part in ("train", "validation"))

# %%
keras.utils.set_random_seed(seed)
network = models.build(model)
history = training.fit(
    network,
    batches.stream(*train, batch_size=batch_size, crop_size=crop_size, seed=seed),
    batches.stream(*validation, batch_size=batch_size),
    epochs=epochs,
    learning_rate=learning_rate,
    validate_every=validate_every,
)
training.save(network, run.path("06_training/model.keras"))
run.write_table("06_training/history.csv", history)

# %%
what = f"random crops of {crop_size}×{crop_size} pixels" if crop_size else "whole images"
steps = training.steps_per_epoch(len(train[0]), batch_size)
Markdown(
    f"Trained on {what}, {len(train[0]):,} pairs in batches of {batch_size}: {steps} steps an epoch "
    f"({len(train[0]):,} / {batch_size}, rounded up), {epochs} epochs. The original: {original.SPLIT['train']} / "
    f"{original.BATCH_SIZE} = {original.STEPS_PER_EPOCH} steps, {original.EPOCHS} epochs, on whole images."
)

# %%
figures.figure(
    figures.learning_curve(history, {"loss": original.LOSS, "val_loss": original.VAL_LOSS}),
    caption="Loss after each epoch, this run's and the original's (its labels and images are others, so only the shape compares).",
    alt=f"Curves of training and validation loss. This run's validation loss goes from {history['val_loss'].dropna().iloc[0]:.4f} to "
    f"{history['val_loss'].iloc[-1]:.4f}, the original's from {original.VAL_LOSS[0]} to {original.VAL_LOSS[-1]}.",
)

# %%
milliseconds = 1000 * history["training_seconds"].sum() / history["steps"].sum()
log = history.copy()
log["original_loss"] = log.index.map(dict(enumerate(original.LOSS)))
log["original_val_loss"] = log.index.map(dict(enumerate(original.VAL_LOSS)))
shown = log[["epoch", "loss", "val_loss", "original_loss", "original_val_loss", "seconds"]]
figures.table(
    shown.rename(columns={"original_loss": "loss, original", "original_val_loss": "val_loss, original"}),
    caption="The training log, beside the original's.",
    formats={
        "loss": "{:.4f}",
        "val_loss": "{:.4f}",
        "loss, original": "{:.4f}",
        "val_loss, original": "{:.4f}",
        "seconds": "{:.1f}",
    },
)

# %%
last, best = history.iloc[-1], history.loc[history["val_loss"].idxmin()]
summary = {
    "epochs": epochs,
    "steps_per_epoch": steps,
    "seconds": float(history["seconds"].sum()),
    "milliseconds_per_step": float(milliseconds),
    "final_loss": float(last["loss"]),
    "final_val_loss": float(last["val_loss"]),
    "best_val_loss": float(best["val_loss"]),
    "best_epoch": int(best["epoch"]),
    "device": ", ".join(device.name for device in tf.config.list_physical_devices("GPU")) or "CPU",
}
run.write_json("06_training/summary.json", summary)
Markdown(
    f"The last epoch ends at a loss of {summary['final_loss']:.4f} and a validation loss of {summary['final_val_loss']:.4f}; "
    f"epoch {summary['best_epoch']} was best with {summary['best_val_loss']:.4f}. The original went from {original.LOSS[0]:.4f} / "
    f"{original.VAL_LOSS[0]:.4f} to {original.LOSS[-1]} / {original.VAL_LOSS[-1]}. A step took {milliseconds:.0f} ms here and about "
    f"{original.MILLISECONDS_PER_STEP[-1]} ms there. Its log prints “{original.SECONDS_PER_EPOCH[-1]}s "
    f"{original.MILLISECONDS_PER_STEP[-1]}ms/step”: the seconds are those of the whole epoch, the milliseconds those of one "
    "step, which is easily read as one number."
)

# %% [markdown]
# ### Does scaling to [0, 1] help?
#
# The original scales values to [0, 1] because training does better then. Here the same network, the same first
# weights, the same crops and the same step size meet each scale once.

# %%
sample = [np.stack([images.read(file) for file in side[:8]]) for side in train]
scales = training.scale_trial(*sample, scales=(1.0, 255.0), updates=40, seed=seed)
run.write_table("06_training/scales.csv", scales)
figures.table(
    scales,
    caption="Error on a few training pairs before and after a few dozen updates, with either scale, expressed in [0, 1].",
    formats={"largest value": "{:g}", "MSE before": "{:.4f}", "MSE after": "{:.4f}"},
)

# %%
unit, grey = scales["MSE after"]
ratio = grey / unit
Markdown(
    f"With values up to 1 the error falls to {unit:.4f}, with values up to 255 to {grey:.4f}, {ratio:.2f} times as much. "
    + (
        "With this step size, after so few updates, the scale makes no difference worth the name."
        if 0.9 < ratio < 1.1
        else f"With this step size, values in [0, 1] do {'better' if ratio > 1 else 'worse'}."
    )
)
