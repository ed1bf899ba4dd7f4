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
# the hyperparameters. Each gets a number here, from short trainings in this run. All choices are made and scores taken
# on validation cards; only what more pairs bring is looked at on test cards as well, once, when nothing is left to choose.

# %% tags=["parameters"]
run_folder = "../reports/standard"
seed = 1
image_size = 256
learning_rate = 0.002
crop_size = 40
native_batch_size = 4
native_crop_size = 128
native_learning_rate = 0.002
tuning_learning_rates = [0.0008, 0.002, 0.005]
tuning_batch_sizes = [10, 20]
tuning_trials = 12
tuning_epochs = 4
tuning_epoch_steps = 40
tuning_crop_size = 24
tuning_storage = None
tuning_seeds = 1
tuning_pairs = [25, 75, 200, 400, 700]
tuning_pairs_updates = 150
tuning_ladder_megapixels = 2.6
tuning_cards = 6
tuning_reading_cards = 4

# %%
import os
from functools import partial

import numpy as np
import pandas as pd
from IPython.display import Markdown

from srcnn_lib import (
    batches,
    enhancer,
    evaluation,
    experiments,
    figures,
    images,
    ladder,
    metrics,
    models,
    original,
    pairs,
    perceptual,
    playground,
    recogniser,
    records,
    scaling,
    training,
    tuning,
)
from srcnn_lib.runs import EXECUTING, Run

run = Run(run_folder)
database = tuning.Database.at(tuning_storage, run.path("08_tuning/trials.db"))
parts = run.read_table("03_split/split.csv")
prepared = run.existing("04_preprocessing/prepared")
train, validation = (
    batches.Packed(batches.Files(*batches.files(prepared, parts, part))) for part in ("train", "validation")
)
shuffled = np.random.default_rng(seed).permutation(len(train))
train = [train[number] for number in shuffled]  # views into the packed file
seeds = range(seed, seed + tuning_seeds)

# %% [markdown]
# ### Hyperparameters
#
# A grid search, as the original suggests, tries every combination of a few values. Beside it stands a search that learns
# while it goes (TPE): it proposes what resembles the better trials so far, and gives up trials that lag behind. Every
# trial starts from the same weights and ends with a falling step size; half of the validation cards judge.

# %%
features = perceptual.features(training.load(run.existing("06_training/recogniser.keras")), recogniser.FEATURES)
middles = batches.Packed(batches.Centres(validation, experiments.WATCHED_SIZE // 2))
of_validation = parts.loc[parts["part"] == "validation", "group"]  # both images of a card are in one half
judging, unseen = (
    [middles[place] for place in half[: experiments.WATCHED_PAIRS]] for half in tuning.halves(of_validation)
)
task = tuning.Task(
    train,
    judging,
    features,
    epochs=tuning_epochs,
    epoch_steps=tuning_epoch_steps,
    crop_size=tuning_crop_size,
    seed=seed,
)
choices = {
    "learning_rate": tuning_learning_rates,
    "batch_size": tuning_batch_sizes,
    "epochs": sorted({max(1, tuning_epochs // 2), tuning_epochs}),
}
Markdown(
    f"There are {len(task.original)} hyperparameters: {', '.join(task.original).replace('_', ' ')}. With two values each a grid would have "
    f"{2 ** len(task.original):,} trainings, so this one is over {', '.join(choices).replace('_', ' ')} alone."
)

# %%
studies = {
    "grid search": tuning.grid(task, choices, database),
    "TPE with pruning": tuning.tpe(task, tuning_trials, database),
}
searches = {name: tuning.table(study) for name, study in studies.items()}
trials = pd.concat(searches, names=["search"]).reset_index("search")
run.write_table("08_tuning/trials.csv", trials)
untouched = metrics.psnr_from_mse(metrics.error_of_doing_nothing(task.watched))
best = {name: table.loc[table["psnr"].idxmax()] for name, table in searches.items()}

# %%
figures.figure(
    figures.search_progress(searches, untouched),
    caption=f"The best validation PSNR so far, over the time of the search. Dots: trials; crosses: given up early "
    f"({trials['pruned'].sum()} of {len(trials)}).",
    alt="Two step curves, one for each search, with a dot for each trial and a dashed line for the untouched images.",
)

# %%
figures.table(
    pd.DataFrame(best)
    .T.rename_axis("search")
    .reset_index()
    .drop(columns=["trial", "pruned"])
    .assign(gain=[row["psnr"] - untouched for row in best.values()])
    .rename(columns=lambda name: {"psnr": "PSNR"}.get(name, name.replace("_", " "))),
    caption=f"The best trial of each search: PSNR in dB on {len(judging)} validation images, and its gain over the untouched ones.",
    formats={"PSNR": "{:.2f}", "gain": "{:+.2f}", "seconds": "{:.1f}", "learning rate": "{:.2g}"},
)

# %% [markdown]
# ### Which of them matter ◆
#
# Importance asks in which hyperparameters the best trials stand apart from the rest. From so few trials this is a
# hint, no measurement.

# %%
shares = tuning.importance(studies["TPE with pruning"])
run.write_json("08_tuning/importance.json", shares.to_dict())
figures.figure(
    figures.importance(shares),
    caption=f"Importance of the hyperparameters over {searches['TPE with pruning']['psnr'].notna().sum()} finished trials of TPE (PED-ANOVA).",
    alt="Horizontal bars, one for each hyperparameter; the longest is "
    + f"{shares.index[0]} with {shares.iloc[0]:.0%}.",
)

# %%
parameters = list(task.original)
figures.figure(
    figures.parallel_coordinates(trials.reset_index(drop=True), parameters),
    caption="All trials of both searches: each line is one trial, its colour the PSNR. Thick: the best; grey: given up early.",
    alt=f"Lines from left to right through {len(parameters)} axes, one for each hyperparameter, coloured by PSNR; the best is thick.",
)

# %%
figures.figure(
    figures.contour(trials.reset_index(drop=True), "learning_rate", "batch_size"),
    caption="Validation PSNR over learning rate and batch size, whatever the other hyperparameters were: at each place the best trial there, crosses "
    "where all were given up early; the bands in between are interpolated.",
    alt="A map with coloured bands over learning rate (logarithmic) and batch size, with dots where trials were made.",
)

# %% [markdown]
# ### Is the best really better? ◆
#
# The best of many trials is partly the luckiest. So the winners are trained again with other seeds, and judged by the
# other half of the validation cards. The original's choice runs along, also with weight decay, since the original says that
# it does without regularisation: so strong that by itself it would shrink all weights by a tenth, and by three tenths, in this training. How much chance alone moves such a training is known from section 2.4, which trains with
# several seeds: what is smaller than that is no difference.

# %%
winners = {name: {key: row[key] for key in parameters} for name, row in best.items()}
candidates = {
    "the original's": task.original,
    **{
        f"the original's, with weight decay that shrinks by {share:.0%}": task.original
        | {"weight_decay": task.decay(share)}
        for share in tuning.SHRUNK[1:]
    },
    **{f"best of {name}": values for name, values in winners.items()},
}
again = tuning.confirm(task, candidates, unseen, [number + 100 for number in seeds])
run.write_table("08_tuning/confirmed.csv", again)
confirmed = again.groupby("candidate", sort=False).mean(numeric_only=True).drop(columns="seed")
unseen_untouched = metrics.psnr_from_mse(metrics.error_of_doing_nothing(batches.stream(unseen, batch_size=10)))
confirmed.insert(1, "gain", confirmed["psnr"] - unseen_untouched)
cleaned = run.read_table("04_preprocessing/cleaning.csv").groupby("trained_on")["psnr"]
between_seeds = float(max(again.groupby("candidate")["psnr"].agg(np.ptp).max(), cleaned.agg(np.ptp).max()))
figures.table(
    confirmed.reset_index().rename(columns={"psnr": "PSNR", "training_psnr": "PSNR of training"}),
    caption=f"Trained again with {tuning_seeds} other seed{'s' if tuning_seeds > 1 else ''} and scored on {len(unseen)} validation images that no "
    f"search has seen: mean PSNR and gain in dB (untouched {unseen_untouched:.2f} dB), PSNR of the last training batches where the "
    f"loss was MSE, seconds. Another seed alone changes such trainings by up to {between_seeds:.2f} dB.",
    formats={"PSNR": "{:.2f}", "gain": "{:+.2f}", "PSNR of training": "{:.2f}", "seconds": "{:.1f}"},
    key="confirmed",
)

# %%
against_original = confirmed["psnr"] - confirmed.loc["the original's", "psnr"]
decay = against_original[against_original.index.str.contains("weight decay")]
ONE_SEED = " (one training each: a hint, no more)" if tuning_seeds < 2 else ""
of_search = against_original[[f"best of {name}" for name in winners]]
Markdown(
    f"On unseen images, against the original's choice (another seed alone changes up to {between_seeds:.2f} dB){ONE_SEED}: "
    + ", ".join(
        f"{name} {value:+.2f} dB, "
        + (
            "better"
            if value > between_seeds
            else "worse"
            if value < -between_seeds
            else "which shows neither better nor worse"
        )
        for name, value in of_search.items()
    )
    + f". Weight decay changes the original's choice by {' and '.join(f'{change:+.2f}' for change in decay)} dB"
    + (
        ": regularisation of some strength helps, against what the original says."
        if decay.max() > between_seeds
        else ": regularisation does harm, and is not needed, as the original says."
        if decay.max() < -between_seeds
        else ", at best within what another seed changes. So nothing here speaks for regularisation, which the original does without; that it never helps is "
        "not shown either."
    )
)

# %% [markdown]
# ### 40 epochs or 30?
#
# The original remarks that 40 epochs are hardly better than 30. Its own log can be asked ([the table](#log)), the kept run of its
# recipe ([the table](#published-run)), and the training of section 2.7.


# %%
def looks(epochs):
    """At which epochs there was a validation, in words."""
    return "every epoch" if len(epochs) == epochs.max() else ", ".join(f"{epoch:.0f}" for epoch in epochs)


published = records.read("published")
histories = {
    "the original's log": pd.DataFrame(
        {"epoch": range(1, len(original.LOSS) + 1), "loss": original.LOSS, "val_loss": original.VAL_LOSS}
    )
}
if published:
    histories[f"its recipe on drawn cards, kept from {published['date']}"] = pd.DataFrame(published["history"])
histories["this run, section 2.7"] = run.read_table("06_training/history.csv")
epochs = pd.DataFrame(
    [
        {
            "training": name,
            "epochs": int(history["epoch"].max()),
            "looks": looks(history.dropna(subset="val_loss")["epoch"]),
            **training.reading(history),
        }
        for name, history in histories.items()
    ]
)
run.write_table("08_tuning/epochs.csv", epochs)
figures.table(
    epochs[["training", "epochs", "looks", "still_falling", "best_epoch", "enough_epoch"]].rename(
        columns={
            "still_falling": "the lowest validation loss so far falls over the last quarter by",
            "looks": "validated at",
            "best_epoch": "best epoch",
            "enough_epoch": "within 1 % of the best from epoch",
        }
    ),
    caption="What the last quarter of the epochs brought, by the epochs that were validated. In this run the step size falls to 0, which makes a curve "
    "settle at its end.",
    formats={"the lowest validation loss so far falls over the last quarter by": "{:.1%}"},
    key="epochs",
)

# %%
falling = epochs["still_falling"]
Markdown(
    f"From epoch 30 to 40 the lowest validation loss so far fell by {falling.iloc[0]:.1%} in the original"
    + (f" and by {falling.iloc[1]:.1%} in the kept run of its recipe" if published else "")
    + f". A loss of {falling.iloc[0]:.1%} less is {-10 * np.log10(1 - falling.iloc[0]):.2f} dB: "
    + ("the remark holds." if falling.iloc[0] < 0.05 else "more than hardly.")
)

# %% [markdown]
# ### The whole data set
#
# Does it help to train on more pairs? Two networks, the original's on squashed images and the house model at native resolution,
# are trained on nested parts of the training pairs, with the same number of updates each time. The networks of the largest part
# are scored on test cards besides, once.

# %%
folder = run.data_folder
index = run.read_table("01_inspection/pairs.csv").merge(parts, on="name", validate="one_to_one")
smaller = index[["width", "height"]].min(axis=1)
native_crop = min(native_crop_size, int(smaller[index["part"] == "train"].median()))
rows = index[(index["part"] == "train") & (smaller >= native_crop)].sample(frac=1, random_state=seed)
watched_rows = index[index["part"] == "validation"].sample(frac=1, random_state=seed)
centre = int(min(experiments.WATCHED_SIZE, smaller[index["part"] == "validation"].min()))
native_train, native_watched = (
    batches.Files(*([folder / file for file in chosen[side]] for side in ("low", "high")))
    for chosen in (rows, watched_rows)
)
native_train = batches.Packed(native_train, run.path("08_tuning/trials.db").parent)
native_watched = batches.Packed(batches.Centres(native_watched, centre))[: experiments.WATCHED_PAIRS]
squashed_watched = batches.Packed(batches.Centres(validation, experiments.WATCHED_SIZE))[: experiments.WATCHED_PAIRS]
test_rows = index[index["part"] == "test"].sample(frac=1, random_state=seed).head(tuning_cards)
squashed_test, native_test = (
    batches.Files(*files)
    for files in (
        [[prepared / side / f"{name}.png" for name in test_rows["name"]] for side in ("low", "high")],
        [[folder / file for file in test_rows[side]] for side in ("low", "high")],
    )
)

# %%
subjects = {
    "SRCNN, squashed": scaling.Subject(
        partial(models.build, "srcnn-9-1-5", start="identity"),
        train,
        squashed_watched,
        original.BATCH_SIZE,
        tuning_crop_size,
        learning_rate,
        squashed_test,
    ),
    "house, native": scaling.Subject(
        partial(models.build, "house"),
        native_train,
        native_watched,
        native_batch_size,
        native_crop // 2,
        native_learning_rate,
        native_test,
    ),
}
available = min(len(train), len(native_train))
counts = sorted({min(count, available) for count in tuning_pairs})
counts = counts if len(counts) > 1 else [-(-available // 2), available]
points = scaling.measure(subjects, counts, seeds, updates=tuning_pairs_updates, database=database)
run.write_table("08_tuning/pairs.csv", points)
target = sorted(
    {*np.geomspace(counts[0], max(original.PAIRS, counts[-1]), 25).round().astype(int), counts[-1], original.PAIRS}
)
laws = {name: scaling.predict(points[points["network"] == name], target, seed=seed) for name in subjects}
doing_nothing = {
    name: metrics.psnr_from_mse(metrics.error_of_doing_nothing(batches.stream(subject.validation, batch_size=10)))
    for name, subject in subjects.items()
}
figures.figure(
    figures.more_pairs(points, {name: law.curve for name, law in laws.items() if law.falls}, doing_nothing),
    caption=f"Gain on validation images against the number of training pairs, {tuning_pairs_updates} updates each, and a power law with its 90 % "
    "band of the curve, on to the original's whole data set, where the errors keep falling with more pairs. The grey line is the most that was tried.",
    alt="Two panels, one for each network: dots over the number of pairs on a logarithmic axis, a dashed curve and a band around it.",
    key="pairs",
)

# %%
ends = {name: law.curve.set_index("pairs").loc[original.PAIRS] for name, law in laws.items()}
trained = {name: law.curve.set_index("pairs").loc[counts[-1]] for name, law in laws.items()}
most = points[points["pairs"] == counts[-1]].groupby("network")["psnr"].mean()
fewest = points[points["pairs"] == counts[0]].groupby("network")["psnr"].mean()
tested = points.groupby("network")["test_gain"].mean()
chance = scaling.chance(points, between_seeds)
Markdown(
    "\n".join(
        f"- {name}: measured, {most[name] - fewest[name]:+.2f} dB from {counts[0]} to {counts[-1]} pairs; another seed alone changes "
        + (
            f"up to {chance[name]:.2f} dB. "
            if np.isfinite(chance[name])
            else "an amount that was not measured for this network. "
        )
        + (
            f"Its errors do not keep falling with more pairs, so that no power law fits them, and nothing is predicted for {original.PAIRS:,}."
            if not laws[name].falls
            else f"From there to {original.PAIRS:,} pairs the law adds {end['psnr'] - trained[name]['psnr']:+.2f} dB"
            + (
                f"; the curve there, {end['psnr']:.2f} dB, lies between {end['low']:.2f} and {end['high']:.2f}."
                if end["high"] >= end["low"]
                else ", without an interval: it takes four numbers of pairs for one."
            )
        )
        + f" On {len(test_rows)} test card{'s' if len(test_rows) > 1 else ''} the network of {counts[-1]} pairs makes {tested[name]:+.2f} dB in mean "
        "error, against leaving them alone."
        for name, end in ends.items()
    )
    + "\n\nThe number of updates is the same throughout: what is compared is the variety of pairs, not more training."
)

# %% [markdown]
# ### More pre-processing
#
# Section 2.4 trained the same network with and without each technique; its results are read here, not repeated.

# %%
trained = run.read_table("04_preprocessing/trained.csv").pivot(index="chain", columns="seed", values="psnr")
cleaning = run.read_table("04_preprocessing/cleaning.csv").pivot(index="trained_on", columns="seed", values="psnr")
left_out = cleaning.loc["clean pairs"] - cleaning.loc["clean and flagged pairs"]
waves = run.read_table("04_preprocessing/patterns.csv")
by_seed = trained.drop("nothing done") - trained.loc["nothing done"]
gains = by_seed.mean(axis=1)
wishes = [
    (
        "flagged pairs left out",
        left_out.mean(),
        "a network trained without them",
    ),
    (
        "periodic patterns cut out of the spectrum",
        (waves["after"] - waves["before"]).mean(),
        "the image itself, a pattern planted",
    ),
    *(
        (
            chain.replace("_", " "),
            gains.get(chain, np.nan),
            "a network trained so" if chain in gains else "not trained in this profile",
        )
        for chain in (
            "denoise on the label",
            "denoise on the input",
            "notch on the input",
            "wiener on the input",
            "wiener on the label",
        )
    ),
]
preprocessing = pd.DataFrame(wishes, columns=["pre-processing", "gain", "what is scored"])
chains = preprocessing["pre-processing"].map({chain.replace("_", " "): chain for chain in by_seed.index})
preprocessing["seeds"] = chains.map(by_seed.count(axis=1))
preprocessing["least"] = chains.map(by_seed.min(axis=1))
preprocessing.loc[0, ["seeds", "least"]] = left_out.count(), left_out.min()
run.write_table("08_tuning/preprocessing.csv", preprocessing)
figures.table(
    preprocessing[["pre-processing", "gain", "what is scored"]],
    caption="Cleaning, denoising and the frequency domain: PSNR with it minus PSNR without, in dB, on section 2.4's images.",
    formats={"gain": "{:+.2f}"},
)

# %%
helpful = gains[gains > between_seeds].index.str.replace("_", " ")
Markdown(
    f"Of {len(gains)} techniques with which a network was trained, {len(helpful)} gained more than another seed changes ({between_seeds:.2f} dB)"
    + (f": {', '.join(helpful)}" if len(helpful) else "")
    + f"; the best is {gains.idxmax().replace('_', ' ')} with {gains.max():+.2f} dB. The best of {len(gains)} is also the luckiest of them"
    + (", and with one seed each it is not known how much of it is luck." if by_seed.shape[1] < 2 else ".")
)

# %% [markdown]
# ### Another model

# %%
networks = run.read_table("06_training/native_comparison.csv").set_index("network")
reached = run.read_table("07_evaluation/native_summary.csv").set_index("method")["difference"]
better = networks["gain"].idxmax()
light = run.read_table("05_model/zoo.csv").set_index("network").drop(evaluation.UNTOUCHED, errors="ignore")
Markdown(
    f"**{better}** is the best of the networks that section 2.7 trained at native resolution ([the table](#native-networks)): {networks.loc[better, 'gain']:+.2f} dB in the mean error of crops of validation cards"
    + (
        f" and {reached[f'{better}, native']:+.2f} dB in the mean PSNR of whole test cards"
        if f"{better}, native" in reached
        else ""
    )
    + f", with {networks.loc[better, 'parameters']:,} parameters and {networks.loc[better, 'multiply-adds per pixel']:,} multiply-adds a pixel."
    + (
        f" Of the {len(light)} light networks in [the table](#zoo) of section 2.5, trained alike, {light['gain'].idxmax()} gains most on "
        f"whole cards ({light['gain'].max():+.2f} dB, 95 % interval {light.loc[light['gain'].idxmax(), 'gain_low']:+.2f} to "
        f"{light.loc[light['gain'].idxmax(), 'gain_high']:+.2f}), and {light['MSE of crops'].idxmin()} has the least error on crops."
        if light["gain"].notna().any()
        else ""
    )
)

# %% [markdown]
# ### What each change is worth ◆
#
# From the published recipe to the house model, step by step. Some steps change several things at once, since one of them alone
# would make no sense; then the rung's name lists them, and its gain is that of all together. Every rung is shown the same number
# of pixels, hence costs about the same; only the last, which comes with the project, is trained for longer and in another way, and takes
# waves and blur away before its network sees a card (section 2.9 says how), so that what it gains is not due to one change. All are scored on
# whole validation cards at native resolution. Networks of the squashed track squash the card, enhance it and stretch it
# back, as the original would have had to.

# %%
names = sorted(watched_rows["name"].head(tuning_cards))
rungs = ladder.rungs(
    crop_size=min(crop_size or tuning_crop_size, image_size),
    native_batch_size=native_batch_size,
    native_crop_size=native_crop // 2,
    learning_rate=native_learning_rate,
)
climbed = ladder.climb(
    rungs,
    {ladder.SQUASHED: train, ladder.NATIVE: native_train},
    {ladder.SQUASHED: squashed_watched[:16], ladder.NATIVE: native_watched[:16]},
    megapixels=tuning_ladder_megapixels,
    image_size=image_size,
    seed=seed,
    folder=run.path("08_tuning/ladder/networks").parent,
)
kept = enhancer.models()[enhancer.DEFAULT]
LONGER = "the enhancer: no waves, no blur, another training"
enhance = {
    evaluation.UNTOUCHED: lambda image: image,
    **{name: rung.enhance for name, rung in climbed.items()},
    LONGER: enhancer.enhance,
}

# %%
known = evaluation.fields(folder, index, names[:tuning_reading_cards])
judged = ladder.judge(
    enhance,
    names,
    evaluation.unsquashed(folder, index),
    known,
    reading=tuning_reading_cards,
    seed=seed,
    cache_folder=run.path("08_tuning/read"),
)
errors = judged["error"]
climb = pd.DataFrame(
    [
        {"name": name, "updates": rung.updates, "seconds": rung.seconds, "own track": rung.own_gain}
        for name, rung in climbed.items()
    ]
    + [{"name": LONGER, "updates": kept["updates"]}]
).join(judged, on="name")
climb["step"] = climb["gain"].diff()
run.write_table("08_tuning/ladder.csv", climb)
run.write_table("08_tuning/judged.csv", judged.reset_index())
figures.figure(
    figures.ladder(climb, errors[evaluation.UNTOUCHED], errors[evaluation.SHARP]),
    caption=f"From the published recipe (at the foot) to the house model, step by step, {tuning_ladder_megapixels:g} megapixels each; what a name lists "
    "was changed at once. Left: mean "
    f"gain on {len(names)} validation cards, with its 95 % interval. Middle: character errors on {len(names[:tuning_reading_cards])} of them"
    + (", values only" if known is not None else ", against the reading of the sharp image")
    + ". Right: seconds of training; the network of the last was trained elsewhere.",
    alt="Rows of bars from the bottom up: "
    + "; ".join(
        f"{row.name_}: {row.gain:+.2f} dB, {row.error:.0%} errors"
        for row in climb.rename(columns={"name": "name_"}).itertuples()
    )
    + ".",
    key="ladder",
)

# %%
figures.table(
    climb[["name", "updates", "seconds", "own track", "gain", "step", "error"]].rename(columns={"name": "rung"}),
    caption="The ladder in numbers: gain in dB on small validation images of its own track, squashed or native; gain over the untouched card and "
    "over the rung below; character error rate "
    f"(untouched {errors[evaluation.UNTOUCHED]:.1%}, the sharp image itself {errors[evaluation.SHARP]:.1%}).",
    formats={
        "updates": "{:,}",
        "seconds": "{:.0f}",
        "own track": "{:+.2f}",
        "gain": "{:+.2f}",
        "step": "{:+.2f}",
        "error": "{:.1%}",
    },
)

# %%
largest = climb.loc[climb["step"].idxmax()]
best_read = climb[np.isclose(climb["error"], climb["error"].min())]
scored = {row["method"]: row for row in published["test"]} if published else {}
alone, full = scored.get(evaluation.UNTOUCHED), scored.get(published["model"] if published else "")
Markdown(
    f"The largest step is “{largest['name']}” with {largest['step']:+.2f} dB. Read best {'is' if len(best_read) == 1 else 'are, with as many errors,'} "
    f"{' and '.join(f'“{name}”' for name in best_read['name'])} ({climb['error'].min():.1%} errors, untouched {errors[evaluation.UNTOUCHED]:.1%}); "
    f"so few cards as {len(names[:tuning_reading_cards])} tell only large differences. "
    + (
        f"In so little time the published recipe makes {climb['updates'].iloc[0]} updates; run in full it took {published['seconds']:,.0f} s and gained "
        f"{metrics.psnr_from_mse(published['final_val_loss']) - metrics.psnr_from_mse(published['untouched_val_mse']):+.2f} dB in mean error on squashed "
        f"validation images, {full['psnr_of_mean_mse'] - alone['psnr_of_mean_mse']:+.2f} dB on its test images, and {full['psnr_mean'] - alone['psnr_mean']:+.2f} dB in the mean of their PSNRs."
        if published
        else ""
    )
    + (
        f"\n\nThe rung on top is no step up: the enhancer gains {-step:.2f} dB less than the rung below it and is read with "
        f"{climb['error'].iloc[-1]:.1%} errors instead of {climb['error'].iloc[-2]:.1%}. A likely reason, not tested: its network learned from "
        "drawings of many kinds, the rung below from photographs made as these were."
        if (step := climb["step"].iloc[-1]) < 0
        else ""
    )
)

# %% [markdown]
# ### To try by hand ◆
#
# In JupyterLab this cell has controls for the degradation, its strength and the method; in the report it is a picture.

# %%
with_clean = [pairs.clean_file(folder, row) or folder / row.high for row in watched_rows.itertuples()]
card = images.read(with_clean[0])
shown = playground.panels(card, playground.MIXTURE, 0.7, enhancer.DEFAULT, seed=seed)
figures.figure(
    figures.side_by_side(shown, width=10),
    caption="A validation card, spoilt by a mixture of degradations, and what the enhancer makes of it, for better or worse.",
    alt="Three pictures: a clean card, the same card blurred or faded, and the card after the network.",
) if EXECUTING in os.environ else playground.play(card, seed=seed)

# %%
top = max(best.values(), key=lambda row: row["psnr"])
run.write_json(
    "08_tuning/summary.json",
    {
        "best_learning_rate": float(top["learning_rate"]),
        "best_val_psnr": float(top["psnr"]),
        "untouched_val_psnr": untouched,
        "tuned_against_original": {name: float(value) for name, value in of_search.items()},
        "weight_decay": float(decay.max()),
        "between_seeds": between_seeds,
        "house_gain": float(climb["gain"].iloc[-2]),
        "published_gain": float(climb["gain"].iloc[0]),
    },
)
Markdown(
    f"In sum: the tuned hyperparameters are worth {of_search.max():+.2f} dB at best on unseen images ([the table](#confirmed)), more pairs "
    f"{' and '.join(f'{most[name] - fewest[name]:+.2f} dB ({name})' for name in laws)} ([the figure](#pairs)), either to be held against what "
    f"another seed changes (up to {between_seeds:.2f} dB where it was measured); the changes from the published recipe to the "
    f"house model are worth {climb['gain'].iloc[-2] - climb['gain'].iloc[0]:+.2f} dB for the same number of pixels ([the figure](#ladder)), with "
    f"which the published recipe makes no more than {climb['updates'].iloc[0]:,} updates."
)
