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
start = "identity"
learning_rate = 0.002
schedule = "cosine"
clip_norm = 0.1
keep = "best"
precision = "auto"
strategy = "one"
batch_size = 10
epochs = 40
validate_every = 10
crop_size = 40
experiment_crop_size = 24
complexity_filters = [4, 8, 16, 32, 64, 128, 256]
complexity_updates = 60
complexity_seeds = 3
complexity_pairs = 20
native_models = ["srcnn-9-1-5", "house"]
native_epochs = 4
native_epoch_steps = 100
native_batch_size = 4
native_crop_size = 128
native_learning_rate = 0.002
reader_characters = 24000

# %%
import dataclasses

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from IPython.display import Markdown

from srcnn_lib import batches, experiments, figures, metrics, models, original, recogniser, records, training
from srcnn_lib.runs import Run

run = Run(run_folder)
parts = run.read_table("03_split/split.csv")
prepared = run.existing("04_preprocessing/prepared")
train, validation = (
    batches.Packed(batches.Files(*batches.files(prepared, parts, part))) for part in ("train", "validation")
)
untouched = metrics.error_of_doing_nothing(batches.stream(validation, batch_size=batch_size))

# %% [markdown]
# ### The call
#
# The original trains with one line, the method `fit` of a Keras model. Its arguments, and what they are here:

# %%
figures.table(
    pd.DataFrame(
        [
            (
                "input data",
                "the low images, which the network maps",
                f"{original.SPLIT['train']} arrays in memory",
                f"{len(train):,}, streamed",
            ),
            ("target labels", "the high images, which it should reach", "the same number", "the same number"),
            ("epochs", "passes over all training pairs", original.EPOCHS, epochs),
            (
                "batch_size",
                "pairs for one update of the weights; pairs / batch size = updates an epoch",
                original.BATCH_SIZE,
                batch_size,
            ),
            (
                "validation_data",
                "pairs to measure the loss on, not to learn from",
                f"{original.SPLIT['validation']}, after each epoch",
                f"{len(validation):,}, after every {validate_every} epochs and the last",
            ),
            ("callbacks", "what is done beside training", "none", "checkpoints, a watch on the loss, logs"),
            (
                "optimizer",
                "how a gradient becomes a step (set when compiling)",
                f"Adam, {original.LEARNING_RATE:g}",
                f"Adam, {learning_rate:g}, {schedule}",
            ),
        ],
        columns=["argument", "meaning", "the original", "this run"],
    ),
    caption="What fit is given.",
    key="fit",
)

# %% [markdown]
# What it returns is a history, the losses of every epoch: [the log](#log), and [the curves](#learning-curve) drawn from it.

# %%
figures.listing(training.fit, caption="The one training loop of this project.", key="training-loop")

# %% [markdown]
# Line by line: `_Fitting` writes the log and the checkpoints; everything under `_computing_in` uses the recipe's number format. `_compile`
# sets optimiser and loss and makes the optimiser's memory, before `resume` reads a checkpoint into it and says from which epoch to go on.
# `callbacks` are called between batches and epochs. `fit` then takes batches from the stream, so many steps an epoch, and validates at the epochs
# named; the stream has shuffled already. Whatever happens, the progress bar is closed; `finish` puts the best weights back where the recipe asks
# for them.

# %%
recipe = training.Recipe(
    epochs=epochs,
    learning_rate=learning_rate,
    schedule=schedule,
    clip_norm=clip_norm,
    keep=keep,
    validate_every=validate_every,
    precision=precision,
)
shuffled = batches.Shuffled(train, batch_size, seed, crop_size)
with training.strategy(strategy).scope():
    keras.utils.set_random_seed(seed)
    network = models.build(model, **({"start": start} if start != "random" else {}))
    history = training.fit(
        network,
        shuffled,
        batches.stream(validation, batch_size=batch_size),
        recipe,
        folder=run.path("06_training/squashed"),
    )
training.save(network, run.path("06_training/model.keras"))
run.write_table("06_training/history.csv", history)

# %%
what = f"random crops of {crop_size}×{crop_size} pixels" if crop_size else "whole images"
remainder = len(train) % batch_size
Markdown(
    f"Trained on {what}, {len(train):,} pairs in batches of {batch_size}: {shuffled.steps} steps an epoch, {epochs} epochs. "
    + (
        f"The last batch of an epoch has {remainder} pairs, since {batch_size} does not divide {len(train):,}. "
        if remainder
        else ""
    )
    + f"The original: {original.SPLIT['train']} / {original.BATCH_SIZE} = {original.STEPS_PER_EPOCH} steps, {original.EPOCHS} epochs, on "
    f"whole images; with one pair more it would be {original.STEPS_PER_EPOCH + 1} steps, the last on a single pair. First weights: "
    f"{start}. Step size: {learning_rate:g}, {schedule}. Computed in "
    f"{'bfloat16' if precision == 'mixed_bfloat16' or (precision == 'auto' and training.fast_bfloat16()) else 'float32'}. "
    f"The network kept is the {keep} one."
)

# %% [markdown]
# ### The log

# %%
figures.figure(
    figures.learning_curve(history, {"loss": original.LOSS, "val_loss": original.VAL_LOSS}, untouched),
    caption="Loss after each epoch, this run's and the original's (its labels and images are others, so only the shape compares).",
    alt=f"Curves of training and validation loss. This run's validation loss goes from {history['val_loss'].dropna().iloc[0]:.4f} to "
    f"{history['val_loss'].iloc[-1]:.4f}, the original's from {original.VAL_LOSS[0]} to {original.VAL_LOSS[-1]}.",
    key="learning-curve",
)

# %%
ours = history.assign(milliseconds=1000 * history["training_seconds"] / history["steps"]).set_index("epoch")
columns = {"loss": "{:.4f}", "val_loss": "{:.4f}", "seconds": "{:.1f}", "ms a step": "{:.0f}"}
log = ours.rename(columns={"milliseconds": "ms a step"})[list(columns)].join(
    original.log().add_suffix(", original"), how="outer"
)
figures.table(
    log.reset_index(),
    caption=f"The training log, beside the original's {original.EPOCHS} lines.",
    formats={f"{name}{whose}": pattern for name, pattern in columns.items() for whose in ("", ", original")},
    key="log",
)

# %%
last, best = history.iloc[-1], history.loc[history["val_loss"].idxmin()]
milliseconds = 1000 * history["training_seconds"].sum() / history["steps"].sum()
summary = {
    "model": model,
    "epochs": epochs,
    "steps_per_epoch": shuffled.steps,
    "seconds": float(history["seconds"].sum()),
    "milliseconds_per_step": float(milliseconds),
    "final_loss": float(last["loss"]),
    "final_val_loss": float(last["val_loss"]),
    "best_val_loss": float(best["val_loss"]),
    "best_epoch": int(best["epoch"]),
    "untouched_val_mse": untouched,
    "device": ", ".join(device.name for device in tf.config.list_physical_devices("GPU")) or "CPU",
    **training.reading(history),
}
run.write_json("06_training/summary.json", summary)
Markdown(
    f"The last epoch ends at a loss of {summary['final_loss']:.4f} and a validation loss of {summary['final_val_loss']:.4f}; "
    f"epoch {summary['best_epoch']} was best with {summary['best_val_loss']:.4f}. Leaving the validation images alone is an error of "
    f"**{untouched:.4f}**. The original went from {original.LOSS[0]:.4f} / "
    f"{original.VAL_LOSS[0]:.4f} to {original.LOSS[-1]} / {original.VAL_LOSS[-1]}. A step took {milliseconds:.0f} ms here"
    + (f", on crops of {crop_size}×{crop_size} pixels," if crop_size else "")
    + f" and about {original.MILLISECONDS_PER_STEP[-1]} ms there, on whole images. Its log prints “{original.SECONDS_PER_EPOCH[-1]}s "
    f"{original.MILLISECONDS_PER_STEP[-1]}ms/step”: the seconds are those of the whole epoch, the milliseconds those of one "
    "step, which is easily read as one number."
)

# %% [markdown]
# ### Reading the curves
#
# The original reads its log in several ways, each of which can be checked on [the curves](#learning-curve).

# %%
reading = training.reading(history)
theirs = training.reading(pd.DataFrame({"epoch": range(1, 41), "loss": original.LOSS, "val_loss": original.VAL_LOSS}))
first_seconds, later_seconds = history["training_seconds"].iloc[0], history["training_seconds"].iloc[1:].median()
Markdown(
    f"- *A loss of 0.00… is good.* Here, doing nothing already has {untouched:.4f}"
    + (", which passes that test without a network" if untouched < 0.01 else "")
    + f". What counts is the ratio: the network's validation error is {summary['best_val_loss'] / untouched:.0%} of it.\n"
    f"- *Training and validation loss lie close, so the model is rather underfitted.* At the end the gap is {reading['gap']:+.0%} here and "
    f"{theirs['gap']:+.0%} in the original, and over the last quarter of the epochs the lowest validation loss so far fell by "
    f"{reading['still_falling']:.1%} here, {theirs['still_falling']:.1%} there. A small gap alone shows that nothing was learned by heart; "
    "it takes the falling as well to speak of too few epochs, and a validation loss that rises to speak of too many.\n"
    f"- *40 epochs are hardly better than 30.* In the original's log the validation loss goes from {original.VAL_LOSS[29]} to "
    f"{original.VAL_LOSS[39]}, {1 - original.VAL_LOSS[39] / original.VAL_LOSS[29]:.1%} less. Within 1 % of the best it is from epoch "
    f"{theirs['enough_epoch']} on; here from epoch {reading['enough_epoch']}"
    + (", though a step size that goes down to 0 makes every curve end flat" if schedule == "cosine" else "")
    + ".\n"
    f"- *The first epoch is slow.* The original's took {original.SECONDS_PER_EPOCH[0]} s, later ones {original.SECONDS_PER_EPOCH[1]} s. Here "
    f"{first_seconds:.1f} s and {later_seconds:.1f} s: in the first one TensorFlow traces and compiles the step."
)

# %% [markdown]
# ### What the layers see ◆
#
# One validation image on its way through the network: the most varied channels after each layer.

# %%
card = validation[0][0]
outputs = keras.Model(network.input, [layer.output for layer in network.layers if hasattr(layer, "kernel_size")])
maps = outputs(card[None].astype(np.float32) / 255)
names = [layer.name for layer in network.layers if hasattr(layer, "kernel_size")]
stages = [(name, np.asarray(values)[0]) for name, values in zip(names, maps, strict=True)][:4]
figures.figure(
    figures.feature_maps([("input", card), *stages]),
    caption="Feature maps of one validation card; black: silent on it.",
    alt="Rows of small grey images: the input's colours, then edges and surfaces in different mixtures after each layer.",
)

# %%
several = np.stack([low for low, _ in validation[: min(8, len(validation))]]).astype(np.float32) / 255


def silent_filters(network):
    """How many filters of each layer but the last answer with 0 everywhere."""
    hidden = [layer for layer in network.layers if hasattr(layer, "kernel_size")][:-1]
    answers = keras.Model(network.input, [layer.output for layer in hidden])(several)
    return {
        layer.name: int((np.asarray(answer).max(axis=(0, 1, 2)) <= 0).sum())
        for layer, answer in zip(hidden, answers, strict=True)
    }


keras.utils.set_random_seed(seed)
untrained = models.build(model, **({"start": start} if start != "random" else {}))
silent, silent_before = silent_filters(network), silent_filters(untrained)
run.write_json("06_training/silent.json", silent)
Markdown(
    "A filter behind a ReLU whose sum never rises above 0 passes no gradient on, and hardly ever recovers: its feature map is black. On "
    f"{len(several)} validation images "
    + ", ".join(
        f"{count} of {network.get_layer(name).filters} filters of {name} ({silent_before[name]} before training)"
        for name, count in silent.items()
    )
    + " are silent."
    + (
        " What is silent adds nothing to the output: the network that was trained is a narrower one than the table of its layers says."
        if sum(silent.values()) > sum(silent_before.values())
        else ""
    )
)

# %% [markdown]
# ### Error against complexity
#
# The original shows the textbook's curve: as a model grows, its bias falls and its variance rises. Here it is
# measured. For each number of filters several networks are trained, each on its own few pairs; how far their
# mean is off is the bias, how far they scatter around it is the variance, and the two sum to the error.

# %%
complexity = experiments.complexity(
    complexity_filters,
    train,
    batches.Centres(validation, experiments.WATCHED_SIZE)[: experiments.WATCHED_PAIRS],
    updates=complexity_updates,
    seeds=range(seed, seed + complexity_seeds),
    pairs_each=complexity_pairs,
    batch_size=batch_size,
    crop_size=experiment_crop_size,
    learning_rate=learning_rate,
)
run.write_table("06_training/complexity.csv", complexity)
figures.figure(
    figures.complexity(complexity),
    caption=f"Error of SRCNN with w and w/2 filters, after {complexity_updates} updates on {complexity_pairs} pairs each, "
    f"{complexity_seeds} networks for each w. The bias includes the noise of the labels.",
    alt="Four curves over the number of filters on logarithmic axes: validation error, training error, bias² and variance.",
)

# %%
least = complexity.loc[complexity["error"].idxmin()]
share = complexity["variance"] / complexity["error"]
Markdown(
    f"The validation error is lowest with {least['filters']:.0f} filters ({least['error']:.4f}). Variance is between "
    f"{share.min():.1%} and {share.max():.1%} of the error: almost all of it is bias. "
    + (
        "The textbook's right-hand branch, where variance takes over, does not show: convolutions see thousands of windows in every "
        "image, so that even a few pairs are many samples."
        if share.max() < 0.5
        else "The textbook's right-hand branch shows: with so few pairs, larger networks scatter."
    )
)

# %% [markdown]
# ### The published recipe, in full ◆
#
# The original's training to the letter, on whole images, takes long on a processor. `make published` runs it;
# what it came to is kept with the project.

# %%
published = records.read("published")
published_rows = (
    [
        (
            "first epoch, loss / val_loss",
            "{loss:.4f} / {val_loss:.4f}".format(**published["history"][0]),
            f"{original.LOSS[0]:.4f} / {original.VAL_LOSS[0]:.4f}",
        ),
        (
            "last epoch, loss / val_loss",
            "{loss:.4f} / {val_loss:.4f}".format(**published["history"][-1]),
            f"{original.LOSS[-1]:.4f} / {original.VAL_LOSS[-1]:.4f}",
        ),
        ("doing nothing on the validation pairs", f"{published['untouched_val_mse']:.4f}", "not reported"),
        *(
            (
                f"test PSNR, {row['method']}",
                f"{row['psnr_mean']:.2f} dB",
                f"{original.TEST_PSNR:.2f} dB" if row["method"] == published["model"] else "not reported",
            )
            for row in published["test"]
        ),
        ("steps an epoch", published["steps_per_epoch"], original.STEPS_PER_EPOCH),
        ("ms a step", f"{published['milliseconds_per_step']:,.0f}", original.MILLISECONDS_PER_STEP[-1]),
    ]
    if published
    else [("", "not run yet: `make published`", "")]
)
figures.beside_original(
    published_rows,
    caption="The published recipe on the drawn cards"
    + (f", run on {published['date']} ({published['device']}). {published.get('remark', '')}" if published else "."),
    ours="the kept run",
    key="published-run",
)

# %%
if published is None:
    verdict = "Until then there is nothing to compare this run with but the original's own log, in [the table](#log)."
elif not np.isclose(published["untouched_val_mse"], untouched, rtol=1e-4):
    verdict = "This run has other validation images (leaving them alone gives another error), so that its errors do not compare with that record."
else:
    verdict = (
        f"It ended at {published['history'][-1]['val_loss']:.5f} after {published['seconds']:,.0f} s of training and validation. "
        f"This run, on the same validation images, came to {summary['best_val_loss']:.5f} after {summary['seconds']:,.0f} s."
    )
Markdown(verdict)

# %% [markdown]
# ### The paper's own test ◆
#
# Can this code reach published figures at all? The SRCNN paper enlarges five well-known photographs after training
# on 91 others. `make benchmark-set5` repeats that by the paper's protocol, with the same training loop.

# %%
set5 = records.read_table("set5/scores")
if set5 is None:
    shown, about = pd.DataFrame({"": ["not run yet: make benchmark-set5"]}), ""
else:
    shown, scored = set5, records.read("set5/scored")
    updates = {
        name: int(records.read_table(f"set5/{file}-x{set5['scale'].iloc[0]}")["steps"].sum())
        for name, file in (("SRCNN 9-1-5", "srcnn-9-1-5-y"), ("house", "house-y"))
    }
    budgets = "; ".join(
        f"{name}: {updates[name]:,} updates, {cost['parameters']:,} parameters, {cost['multiply-adds per pixel']:,} multiply-adds per pixel"
        for name, cost in scored["costs"].items()
    )
    about = (
        f" (scored on {scored['date']}, {scored['device']}). The gap is ours minus the published one. The house model, on brightness alone and "
        f"without its correction of light, saw the same 91 images, but with {updates['house'] / updates['SRCNN 9-1-5']:.0%} of the updates, "
        f"so that its column shows what so short a training gives, not what the network can do. {budgets}"
    )
figures.table(
    shown,
    caption=f"Mean Y-PSNR in dB on Set5, by scale: bicubic enlargement and SRCNN 9-1-5 trained on 91 images, ours and published{about}.",
    formats={name: "{:.2f}" for name in shown.columns if name not in ("", "scale")},
    key="set5",
)

# %% [markdown]
# ### At native resolution ◆
#
# Squashed to 256 pixels, small text is gone before any network sees it. So the networks that are meant to help
# reading train on crops of the images as they are. All get the same crops, updates and labels: the sharp files on
# disk, not denoised. Each crop has its colours in a random order, so that no design's own colours are learned. The
# house models first correct light and haze, which they judge by the darkest, brightest and mean colour of a wide
# window and by their spread; then a residual network on pixels gathered four by four works on the detail.

# %%
folder = run.data_folder
table = run.read_table("01_inspection/pairs.csv").merge(parts, on="name", validate="one_to_one")
smaller = table[["width", "height"]].min(axis=1)
crop = min(native_crop_size, int(smaller[table["part"] == "train"].median()))  # small images get small crops
chosen = {
    "train": table[(table["part"] == "train") & (smaller >= crop)],
    "validation": table[table["part"] == "validation"],
}
sides = {
    part: batches.Files(*([folder / file for file in rows[side]] for side in ("low", "high")))
    for part, rows in chosen.items()
}
centre = int(min(320, smaller[table["part"] == "validation"].min()))
native = batches.Packed(sides["train"], run.path("06_training/native").parent)
watched = batches.Packed(batches.Centres(sides["validation"], centre), run.path("06_training/native").parent)
native_untouched = metrics.error_of_doing_nothing(batches.stream(watched, batch_size=native_batch_size))

# %%
native_recipe = training.Recipe(
    epochs=native_epochs,
    learning_rate=native_learning_rate,
    schedule="cosine",
    clip_norm=0.1,
    keep="best",
    precision=precision,
)
starts = {name: {"start": "identity"} if name.startswith("srcnn") else {} for name in native_models}
run.write_json(
    "06_training/native_recipe.json",
    {
        "profile": run.inputs["profile"],
        "train_pairs": len(chosen["train"]),
        "validation_pairs": len(chosen["validation"]),
        "labels": "sharp files as they are",
        "crop_size": crop,
        "crops": "at random places, turned and mirrored at random",
        "swap_colours": True,
        "built_with": starts,
        **dataclasses.asdict(native_recipe),
        "computed_in": training.precision_here(precision),
    },
)
histories = {}
for name in native_models:
    with training.strategy(strategy).scope():
        keras.utils.set_random_seed(seed)
        candidate = models.build(name, **starts[name])
        histories[name] = training.fit(
            candidate,
            batches.Shuffled(native, native_batch_size, seed, crop, epoch_steps=native_epoch_steps, swap_colours=True),
            batches.stream(watched, batch_size=native_batch_size),
            native_recipe,
            folder=run.path(f"06_training/native/{name}"),
        )
    training.save(candidate, run.path(f"06_training/native/{name}.keras"))
run.write_table("06_training/native.csv", pd.concat(histories, names=["model"]).reset_index("model"))

# %%
figures.figure(
    figures.training_curves(histories, untouched=native_untouched),
    caption=f"Validation error at native resolution, on the middle {centre}×{centre} pixels of {len(watched)} cards.",
    alt="Curves of validation error over updates and over seconds, one for each network, and a line for doing nothing.",
)

# %%
comparison = pd.DataFrame(
    [
        {
            "network": name,
            **models.cost(models.build(name)),
            "PSNR": metrics.psnr_from_mse(history["val_mse"].min()),
            "gain": metrics.psnr_from_mse(history["val_mse"].min()) - metrics.psnr_from_mse(native_untouched),
            "seconds": history["seconds"].sum(),
        }
        for name, history in histories.items()
    ]
)
run.write_table("06_training/native_comparison.csv", comparison)
figures.table(
    comparison,
    caption=f"Validation PSNR at native resolution after {native_epochs * native_epoch_steps:,} updates of {native_batch_size} crops of "
    f"{crop}×{crop} pixels; the untouched input has {metrics.psnr_from_mse(native_untouched):.2f} dB.",
    formats={
        "parameters": "{:,}",
        "multiply-adds per pixel": "{:,}",
        "PSNR": "{:.2f} dB",
        "gain": "{:+.2f} dB",
        "seconds": "{:.0f}",
    },
    key="native-networks",
)

# %%
first, *others = comparison.sort_values("gain", ascending=False).itertuples()
Markdown(
    f"On these crops {first.network} ends at {first.gain:+.2f} dB against leaving them alone"
    + (f", {', '.join(f'{other.network} at {other.gain:+.2f} dB' for other in others)}" if others else "")
    + ". How whole test cards fare after them, and whether they can be read, is in [section 2.9](#native-scores)."
)

# %% [markdown]
# ### A reader for the perceptual measure ◆
#
# Section 2.8 wants a network that looks at an image as its purpose does. Here the purpose is reading, so a small network
# learns to name the character in the middle of 24×24 pixels, drawn in the typefaces of the training pool.

# %%
reader, reader_history = recogniser.train(seed, characters=reader_characters)
training.save(reader, run.path("06_training/recogniser.keras"))
run.write_table("06_training/recogniser.csv", reader_history)
figures.table(
    reader_history,
    caption=f"The recogniser's training: {reader.count_params():,} parameters, {len(recogniser.CLASSES)} classes, {reader_characters:,} "
    "characters an epoch; validated in typefaces of the validation pool.",
    formats={"loss": "{:.3f}", "accuracy": "{:.1%}", "val_loss": "{:.3f}", "val_accuracy": "{:.1%}"},
)

# %% [markdown]
# ### Does scaling to [0, 1] help?
#
# The original scales values to [0, 1] because training does better then. Here the same network, the same first
# weights, the same crops and the same step size meet each scale once.

# %%
sample = [np.stack(side) for side in zip(*(train[index] for index in range(min(4, len(train)))), strict=True)]
scales = experiments.scales(*sample, largest=(1.0, 255.0), updates=40, learning_rate=original.LEARNING_RATE, seed=seed)
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
