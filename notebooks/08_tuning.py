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
# ## 2.10 Model and hyperparameters tuning
#
# The original closes with four wishes: use the whole data set, pre-process more, choose a better model, tune
# the hyperparameters. The first is a matter of streaming the data, which section 2.3 does. Here is a
# first look at the last: the learning rate, the one knob that decides whether anything is learned at all.

# %% tags=["parameters"]
run_folder = "../reports/standard"
seed = 1
model = "srcnn-9-1-5"
batch_size = 10
tuning_learning_rates = [0.0002, 0.0008, 0.002, 0.005]
tuning_epochs = 2
tuning_crop_size = 40

# %%
from IPython.display import Markdown

from srcnn_lib import batches, evaluation, figures, models, original, tuning
from srcnn_lib.runs import Run

run = Run(run_folder)
parts = run.read_table("03_split/split.csv")
prepared = run.existing("04_preprocessing/prepared")
train, validation = (
    batches.Packed(batches.Files(*batches.files(prepared, parts, part))) for part in ("train", "validation")
)

# %%
psnr = run.read_table("07_evaluation/summary.csv").set_index("method")["psnr_mean"]
gain = psnr[model] - psnr[evaluation.UNTOUCHED]
Markdown(f"This is what there is to improve on: section 2.9 found {gain:+.2f} dB against leaving the images alone.")

# %% [markdown]
# Each rate gets the same first weights, the same crops and the same few epochs. The validation pairs judge;
# the test pairs have no say in it.

# %%
trials = tuning.learning_rates(
    lambda: models.build(model),
    batches.Shuffled(train, batch_size, seed, tuning_crop_size),
    batches.stream(validation, batch_size=batch_size),
    rates=tuning_learning_rates,
    epochs=tuning_epochs,
    seed=seed,
)
run.write_table("08_tuning/learning_rates.csv", trials)
figures.table(
    trials.rename(columns={"learning_rate": "learning rate", "val_loss": "validation error (MSE)"}),
    caption=f"Validation error after {tuning_epochs} epochs at each learning rate.",
    formats={"learning rate": "{:g}", "validation error (MSE)": "{:.5f}", "seconds": "{:.1f}"},
)

# %%
figures.figure(
    figures.tuning_curve(trials, original.LEARNING_RATE),
    caption="Validation error after a short training, against the learning rate.",
    alt="Validation error against learning rate; "
    + ", ".join(f"{row.learning_rate:g}: {row.val_loss:.4f}" for row in trials.itertuples())
    + ".",
)

# %%
best = trials.loc[trials["val_loss"].idxmin()]
trained = run.read_json("06_training/summary.json")
run.write_json(
    "08_tuning/summary.json",
    {"best_learning_rate": float(best["learning_rate"]), "best_val_loss": float(best["val_loss"])},
)
Markdown(
    f"Of these, {best['learning_rate']:g} is best after {tuning_epochs} epochs ({best['val_loss']:.5f}). The original used "
    f"{original.LEARNING_RATE:g}. For scale: the whole training of section 2.7 ended at "
    f"{trained['final_val_loss']:.5f} on the same pairs, after {trained['epochs']} epochs."
)
