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
# adaptive histogram equalisation (CLAHE), and found that filtering the input made things worse. It judged by eye.
# Here each claim meets a measurement: what a technique does to the image, to reading, and to a network that is
# trained on it. A network is always scored against labels that nothing was done to, since scores against labels that
# were processed in different ways do not compare.

# %% tags=["parameters"]
run_folder = "../reports/standard"
seed = 1
image_size = 256
batch_size = 10
input_steps = []
label_steps = ["denoise"]
trial_pairs = 20
trial_updates = 40
trial_crop_size = 32
trial_seeds = 1
trial_reading_pairs = 2
trial_trainings = "all"

# %%
import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from srcnn_lib import evaluation, figures, frequency, metrics, original, preprocess, trials
from srcnn_lib.runs import Run

run = Run(run_folder)
table = run.read_table("01_inspection/pairs.csv").merge(
    run.read_table("03_split/split.csv"), on="name", validate="one_to_one"
)
train, validation = (table[table["part"] == part].head(trial_pairs) for part in ("train", "validation"))
train_cards, validation_cards = (trials.read_cards(run.data_folder, rows, image_size) for rows in (train, validation))
cache = run.path("04_preprocessing/cache/techniques")

# %% [markdown]
# ### Parameters, searched ◆
#
# Each technique has one parameter that matters most. It is tried on validation cards: on labels by the distance to the
# clean card, which drawn cards have; on inputs by the distance to the untouched label. The best value other than 0 is
# taken, since with 0 there would be nothing to try.

# %%
found = {side: trials.search(validation_cards, side, cache) for side in trials.SIDES}
parameters = {side: trials.chosen(result) for side, result in found.items()}
searched = pd.concat([result.assign(side=side) for side, result in found.items()])
run.write_table("04_preprocessing/search.csv", searched)
undone = {
    side: np.mean([metrics.psnr(card.reference(side), card.side(side), data_range=255) for card in validation_cards])
    for side, result in found.items()
    if len(result)
}
figures.figure(
    figures.parameter_search(searched, undone),
    caption=f"Change of PSNR by each technique, by its parameter, mean of {len(validation_cards)} validation cards: labels against the clean "
    "card, inputs against the label. Dashed: nothing done. Chosen: "
    + "; ".join(
        f"{side}, "
        + ", ".join(
            f"{name.replace('_', ' ')} {value:g}" for name in trials.GRIDS for value in parameters[side][name].values()
        )
        for side in undone
    )
    + ".",
    alt="A small panel for each technique with one curve a side over the values of its parameter.",
)

# %% [markdown]
# ### Before and after
#
# *Non-local means* replaces a pixel by a mean over others in its neighbourhood, each weighted by how alike the small patches around
# the two are: what belongs to one texture is smoothed together, and a stroke of a letter is averaged with strokes, not with the
# ground. *Bilateral filtering* weighs by distance and by the difference of the two pixels alone. *CLAHE* stretches the histogram of each
# tile of the image, up to a limit. The *weighted addition* mixes a sharpened copy with a denoised one.
#
# The same piece of one card, squashed as the network will see it, after each technique. The original shows
# number 5019; so do we where the data have it.

# %%
everything = table[table["part"] == "train"]
preferred = everything[everything["number"] == 5019]
example = trials.read_cards(run.data_folder, (preferred if len(preferred) else everything).head(1), image_size)[0]
middle = np.median(example.boxes[:, :2], axis=0) if len(example.boxes) else (image_size / 2, image_size / 2)
reach = image_size // 6
left, top = (int(np.clip(place, reach, image_size - reach)) - reach for place in middle)
window = (slice(top, top + 2 * reach), slice(left, left + 2 * reach))
for side in trials.SIDES:
    panels = [
        (name.replace("_", " "), step(example.side(side))[window])
        for name, step in trials.techniques(parameters[side]).items()
    ]
    display(
        figures.figure(
            figures.side_by_side(panels, columns=4),
            caption=f"Techniques on the {side} of {example.name}.",
            alt=f"One piece of the {side}, untouched and after each of the techniques.",
        )
    )

# %% [markdown]
# ### Measured ◆
#
# What the eye sees on one piece, in numbers over many: how much noise each technique leaves, what it does to contrast and to
# colours at the ends of their range, and how far it moves the image from its label and from the clean card.

# %%
effects = pd.concat(
    [trials.measure(validation_cards, side, parameters[side], cache).assign(side=side) for side in trials.SIDES],
    ignore_index=True,
)
run.write_table("04_preprocessing/effects.csv", effects)
figures.figure(
    figures.technique_effects(effects),
    caption=f"Noise, contrast and saturation after each technique, over {len(validation_cards)} validation pairs "
    "(bars: standard deviation).",
    alt="Three bar charts, one for each measure, with a bar for each technique and side.",
)

# %%
means = effects.groupby(["side", "technique"], sort=False).mean(numeric_only=True)
table_of_means = means.reset_index()
figures.table(
    table_of_means.assign(technique=table_of_means["technique"].str.replace("_", " "))
    .replace(np.inf, np.nan)
    .rename(columns={"text_contrast": "text contrast", "psnr": "PSNR, label", "psnr_clean": "PSNR, clean card"}),
    caption="Means: noise, contrast, brightness, contrast of text, and how far the histogram moved, in grey levels; share of values at 0 or "
    "255; PSNR in dB against the untouched label (empty where nothing changed it) and the clean card.",
    formats={
        "noise": "{:.2f}",
        "contrast": "{:.1f}",
        "brightness": "{:.1f}",
        "text contrast": "{:.1f}",
        "histogram": "{:.2f}",
        "saturated": "{:.2%}",
        "PSNR, label": "{:.2f}",
        "PSNR, clean card": "{:.2f}",
    },
)

# %% [markdown]
# ### Histograms ◆
#
# Techniques that only smooth leave the distribution of grey levels where it was; those that stretch contrast move it.

# %%
figures.figure(
    figures.histograms({name: step(example.high) for name, step in trials.techniques(parameters["label"]).items()}),
    caption=f"Histogram of the label of {example.name}, untouched (grey) and after each technique.",
    alt="A small panel for each technique with two histograms of grey levels.",
)

# %% [markdown]
# ### What a network learns from it ◆
#
# SRCNN is trained for a short while on what each technique makes of the same pairs, with the same crops. Its outputs are
# then held against untouched labels, and against the clean cards.

# %%
claimed = {f"{name} on the label" for name in ("denoise", "sharpen", "weighted_addition", "weighted_addition_guarded")}
claimed |= {"denoise on the input", "bilateral on the input"}
chains = {"nothing done": trials.Chain(*[trials.techniques({})[trials.NONE]] * 2)}
for side in trials.SIDES:
    available = trials.techniques(parameters[side])
    for name in preprocess.STEPS:
        own = available[name], available[trials.NONE]
        chain = f"{name} on the {side}"
        if trial_trainings == "all" or chain in claimed:
            chains[chain] = trials.Chain(*(own if side == "input" else own[::-1]))
trained = trials.train(
    chains,
    train_cards,
    validation_cards,
    updates=trial_updates,
    seeds=range(seed, seed + trial_seeds),
    batch_size=batch_size,
    crop_size=min(trial_crop_size, image_size),
    learning_rate=original.LEARNING_RATE,
    cache_folder=cache,
)
run.write_table("04_preprocessing/trained.csv", trained)
by_chain = trained.groupby("chain", sort=False)[["psnr", "psnr_clean", "brightness"]].agg(["mean", "min", "max"])
learned = by_chain.xs("mean", axis=1, level=1)
untouched = means.loc["input"].loc[trials.NONE]
shown = learned.reset_index().rename(
    columns={"chain": "trained on", "psnr": "PSNR, label", "psnr_clean": "PSNR, clean card"}
)
shown["trained on"] = shown["trained on"].str.replace("_", " ")
shown.insert(2, "against nothing done", (learned["psnr"] - learned.loc["nothing done", "psnr"]).to_numpy())
if trial_seeds > 1:
    shown["PSNR, range"] = [
        f"{low:.2f} to {high:.2f}" for low, high in by_chain["psnr"][["min", "max"]].itertuples(index=False)
    ]
figures.table(
    shown,
    caption=f"SRCNN after {trial_updates} updates on {len(train_cards)} pairs (seeds: {trial_seeds}): mean PSNR of its outputs for "
    f"{len(validation_cards)} validation inputs in dB, and their mean brightness. The untouched inputs have {untouched['psnr']:.2f} dB.",
    formats={
        "PSNR, label": "{:.2f}",
        "against nothing done": "{:+.2f}",
        "PSNR, clean card": "{:.2f}",
        "brightness": "{:.1f}",
    },
)

# %%
below = int((learned["psnr"] < untouched["psnr"]).sum())
Markdown(
    f"{below} of these {len(learned)} networks stay below the untouched inputs: so few updates are enough to compare them with one another, not to "
    "enhance anything. The verdicts below rest on such trainings."
    if below
    else "All of these networks are above the untouched inputs."
)

# %% [markdown]
# ### What reading makes of it ◆
#
# Squashed, an OCR engine reads hardly anything, so here the techniques work on the images as they are, on either side, with the parameters
# that were chosen on squashed ones.

# %%
native = trials.read_cards(run.data_folder, validation.head(trial_reading_pairs))
by_name = {card.name: card for card in native}
known = evaluation.fields(run.data_folder, table, list(by_name))
kind = "page" if known is None else "value"
readings = {}
for side in trials.SIDES:
    # The sharp image comes first among the truths: without known texts, reading is compared with its reading.
    reading = evaluation.legibility(
        list(by_name),
        lambda name, side=side: (by_name[name].side(side), {"label": by_name[name].high}),
        trials.techniques(parameters[side]),
        known,
        engine="RapidOCR",
        cache_folder=run.path("04_preprocessing/cache/read"),
    )
    sums = evaluation.per_image(reading.scores, kind).groupby("method", sort=False)[["errors", "characters"]].sum()
    readings[side] = sums["errors"] / sums["characters"]
read = pd.DataFrame(readings).drop(index=evaluation.SHARP).rename_axis("technique").reset_index()
run.write_table("04_preprocessing/reading.csv", read)
figures.table(
    read.assign(technique=read["technique"].str.replace("_", " ")).rename(
        columns={"label": "on the label", "input": "on the input"}
    ),
    caption=f"Character error rate of RapidOCR on {len(native)} validation cards at native resolution"
    + (", values only" if known is not None else ", against the reading of the sharp image")
    + f". The parameters are those chosen at {image_size} pixels: widths in pixels mean less here, and other values could do better. So few "
    "cards show large effects only.",
    formats={"on the label": "{:.1%}", "on the input": "{:.1%}"},
)

# %% [markdown]
# ### Frequency domain
#
# Lines of a screen or a scanner are sine waves: sharp peaks in the spectrum, which a filter can find and cut out. Half of
# the test is that it leaves images without such lines alone.

# %%
done = evaluation.degradations(run.data_folder, train["name"])
with_lines = set() if done is None else set(done.loc[done["kind"] == "periodic", "name"])
whole = trials.read_cards(run.data_folder, train)
own = [len(frequency.peaks(card.low)) > 0 for card in whole if card.name in with_lines]
free = [card for card in whole if card.name not in with_lines]
patterns = trials.patterns(free, cache, seed=seed)
run.write_table("04_preprocessing/patterns.csv", patterns)
shown = int(patterns["before"].argmin())
low = trials.striped(free[shown].low, np.random.default_rng([seed, shown]))
waves = frequency.peaks(low)
figures.figure(
    figures.notching(low, frequency.notch(low, waves), frequency.spectrum(low), waves),
    caption=f"A pattern laid over {free[shown].name}, its spectrum with the peaks that were found, and what the filter leaves.",
    alt="Three panels: a card with fine stripes, its spectrum with circles on bright dots, and the card without stripes.",
)

# %%
touched = patterns[patterns["false"] > 0]
Markdown(
    f"A pattern was planted on {len(patterns)} inputs. Waves were found on {(patterns['found'] > 0).mean():.0%} of them; PSNR against the same "
    f"input without pattern rises from {patterns['before'].mean():.1f} to {patterns['after'].mean():.1f} dB. On the same inputs without the "
    f"pattern, waves were found on {len(touched)}"
    + (
        f"; the one that this changed most keeps {touched['unharmed'].min():.1f} dB PSNR. "
        if len(touched)
        else ": they stay as they are. "
    )
    + (f"Of {len(own)} inputs that were drawn with such lines, {np.mean(own):.0%} were recognised." if own else "")
)

# %% [markdown]
# ### Cleaning
#
# The rules of section 2.1 find pairs that are too bad, too good, or no pairs at all. How much do such pairs matter to a
# network? It is trained on the same clean pairs, alone and together with every flagged pair of the data set, so that
# their share is far larger than it would ever be.

# %%
flags = run.read_table("01_inspection/flags.csv")
faulty = trials.flagged_cards(run.data_folder, table, flags, run.read_table("01_inspection/set_aside.csv"), image_size)
sound = [card for card in train_cards if card.name not in set(flags["name"])]
nothing = {"nothing done": chains["nothing done"]}
cleaned = pd.concat(
    [
        trials.train(
            nothing,
            cards,
            validation_cards,
            updates=trial_updates,
            seeds=range(seed, seed + max(2, trial_seeds)),
            batch_size=batch_size,
            crop_size=min(trial_crop_size, image_size),
            learning_rate=original.LEARNING_RATE,
            cache_folder=cache,
        ).assign(trained_on=what, pairs=len(cards))
        for what, cards in (("clean pairs", sound), ("clean and flagged pairs", [*sound, *faulty]))
    ]
)
run.write_table("04_preprocessing/cleaning.csv", cleaned)
figures.table(
    cleaned[["trained_on", "pairs", "seed", "psnr", "psnr_clean"]].rename(
        columns={"trained_on": "trained on", "psnr": "PSNR, label", "psnr_clean": "PSNR, clean card"}
    ),
    caption=f"SRCNN after {trial_updates} updates with and without {len(faulty)} flagged pairs.",
    formats={"PSNR, label": "{:.2f}", "PSNR, clean card": "{:.2f}"},
)

# %%
by_training = cleaned.groupby("trained_on", sort=False)[["psnr", "brightness"]]
psnr = by_training.mean()["psnr"]
gain = psnr["clean pairs"] - psnr["clean and flagged pairs"]
spreads = (by_training.max() - by_training.min()).max()
spread = spreads["psnr"]
Markdown(
    f"Leaving {len(faulty)} flagged pairs out changes the network by {gain:+.2f} dB; over the seeds it varies by {spread:.2f} dB. "
    + (
        "**Cleaning helps.**"
        if gain > spread
        else "Cleaning does harm here."
        if gain < -spread
        else "That is no difference, even with far more faulty pairs than the data set has."
    )
)

# %% [markdown]
# ### The verdicts
#
# A network is called better, worse or brighter only where it differs by more than the same training does with another
# seed, which was measured just now.

# %%
label, low_side = means.loc["label"], means.loc["input"]
against = learned["psnr"] - learned.loc["nothing done", "psnr"]
brighter = learned["brightness"] - learned.loc["nothing done", "brightness"]
nlm, clahe, added, bilateral = (
    label.loc[name] - label.loc[trials.NONE] for name in ("denoise", "clahe", "weighted_addition", "bilateral")
)
text_known = np.isfinite(clahe["text_contrast"])
to_clean = f"{nlm['psnr_clean']:+.2f} dB" if np.isfinite(nlm["psnr_clean"]) else "not known"
verdicts = pd.DataFrame(
    [
        (
            "Non-local means takes the noise off the labels and is worth keeping",
            f"noise {nlm['noise']:+.2f} grey levels; PSNR against the clean card {to_clean}; the network {against['denoise on the label']:+.2f} dB",
            "differs"
            if nlm["noise"] >= 0
            else "partly: less noise, no better network"
            if against["denoise on the label"] <= spread
            else "partly: less noise, a better network, and labels further from the clean card"
            if nlm["psnr_clean"] < 0
            else "agrees",
        ),
        (
            "Sharpened labels look better, and the network's scores hardly differ",
            f"the network {against['sharpen on the label']:+.2f} dB",
            "agrees" if abs(against["sharpen on the label"]) <= spread else "differs",
        ),
        (
            "The weighted addition drives grounds to white, and with them the network's outputs",
            f"values at 0 or 255 {100 * added['saturated']:+.1f} percentage points; outputs {brighter['weighted_addition on the label']:+.1f} grey levels brighter, "
            f"{brighter['weighted_addition_guarded on the label']:+.1f} with the guard",
            "differs"
            if added["saturated"] <= 0
            else "agrees"
            if brighter["weighted_addition on the label"] > spreads["brightness"]
            else "partly: more values at the ends, outputs within what another seed changes",
        ),
        (
            "CLAHE dims labels and lowers the contrast of text",
            f"brightness {clahe['brightness']:+.1f}; contrast of text "
            + (f"{clahe['text_contrast']:+.1f} grey levels" if text_known else "not known"),
            "not known"
            if not text_known
            else "agrees"
            if max(clahe["brightness"], clahe["text_contrast"]) < 0
            else "differs"
            if min(clahe["brightness"], clahe["text_contrast"]) > 0
            else "partly",
        ),
        (
            "Non-local means on inputs does harm",
            f"inputs {low_side.loc['denoise', 'psnr'] - untouched['psnr']:+.2f} dB; the network {against['denoise on the input']:+.2f} dB",
            "undecided"
            if abs(against["denoise on the input"]) <= spread
            else "agrees"
            if against["denoise on the input"] < 0
            else "differs",
        ),
        (
            "Bilateral filtering of inputs changes little; the noise stays",
            f"noise {untouched['noise']:.2f} to {low_side.loc['bilateral', 'noise']:.2f} grey levels; the network {against['bilateral on the input']:+.2f} dB",
            "differs"
            if abs(against["bilateral on the input"]) > spread
            else "agrees"
            if low_side.loc["bilateral", "noise"] > 0.9 * untouched["noise"]
            else "partly",
        ),
    ],
    columns=["the original's claim", "measured", "verdict"],
)
run.write_table("04_preprocessing/verdicts.csv", verdicts)
figures.table(
    verdicts,
    caption="What the original saw, and what was measured here. With the seed, the network's PSNR varies by "
    f"{spread:.2f} dB and its brightness by {spreads['brightness']:.1f} grey levels.",
)

# %% [markdown]
# ### The chosen steps
#
# The profile names the steps. From here on, every network of the squashed track sees the images written now. They are
# the original's, so that its training can be compared; the track at native resolution leaves its labels as they are.

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
    "label_noise": {"before": label.loc[trials.NONE, "noise"], "denoised": label.loc["denoise", "noise"]},
}
run.write_json("04_preprocessing/summary.json", summary)
Markdown(
    f"Input steps: {', '.join(input_steps) or 'none'}. Label steps: {', '.join(label_steps) or 'none'}. "
    f"{len(used):,} pairs were written at {image_size}×{image_size} pixels."
)
