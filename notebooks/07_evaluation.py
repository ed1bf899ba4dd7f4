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
# Less error means more decibel, so a network trained for low MSE is trained for high PSNR. *Structural similarity*
# (SSIM) compares mean, spread and covariance in small windows instead, *MS-SSIM* does so at five scales, and the
# *gradient magnitude similarity deviation* (GMSD) looks at edges alone. Each can be taken over RGB or over the
# brightness Y, with or without a border, and these choices move it by more than most methods do; here they are always
# named. None of them asks whether the text can be read.
#
# The *perceptual loss* means to come nearer to that: the mean squared difference between the features that a trained network finds
# in both images. The original names VGG19, trained on photographs, for it. Here it is the recogniser of section 2.7, which
# was trained to read, and VGG19 beside it where its weights are at hand.

# %% tags=["parameters"]
run_folder = "../reports/standard"
model = "srcnn-9-1-5"
native_models = ["srcnn-9-1-5", "house"]
vgg19_weights = None
seed = 1
image_size = 256
reading_pairs = 12
reading_tuning_pairs = 4
stress_cards = 2

# %%
from functools import partial
from textwrap import shorten

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from srcnn_lib import (
    ablation,
    blur,
    comparison,
    enhancer,
    evaluation,
    figures,
    images,
    legible,
    metrics,
    ocr,
    original,
    pairs,
    perceptual,
    recogniser,
    records,
    training,
)
from srcnn_lib.runs import Run

run = Run(run_folder)
parts = run.read_table("03_split/split.csv")
names = parts.loc[parts["part"] == "test", "name"].tolist()
prepared = run.existing("04_preprocessing/prepared")

# %% [markdown]
# ### The code
#
# The original dissects three functions: the loss `pixel_MSE`, a logarithm to base 10, and `PSNR`. Here they are as this
# run used them.

# %%
figures.listing(
    metrics.pixel_mse,
    metrics.log10,
    metrics.batch_psnr,
    metrics._difference,
    caption="The loss and the score, as they are computed in training.",
)

# %% [markdown]
# - `pixel_mse` subtracts one image from the other, squares, and takes the mean (`ops.mean`, which is TensorFlow's `reduce_mean`) over
#   height, width and colours: axes 1, 2 and 3. Axis 0 is the batch, so that each image has an error of its own.
# - `log10`: TensorFlow knows only the natural logarithm, and the original divides by that of 10: $\log_{10} x = \ln x / \ln 10$. Keras has the
#   function by now.
# - `batch_psnr` is the formula of the PSNR with $MAX = 1$, since values lie in [0, 1]: $20 \log_{10} (1 / \sqrt{MSE}) = -10 \log_{10} MSE$.
# - `_difference` brings both images to one precision first, which matters where a network computes in bfloat16.
#
# On one test pair, beside scikit-image and TensorFlow (which computes in float32):

# %%
low, high = (images.read(prepared / side / f"{names[0]}.png") for side in ("low", "high"))
as_tensors = [image[None].astype(np.float32) / 255 for image in (high, low)]
agreement = metrics.agreement(high, low)
agreement["ours, in training"] = [
    float(metrics.pixel_mse(*as_tensors)[0]),
    float(metrics.batch_psnr(*as_tensors)[0]),
    *[np.nan] * (len(agreement) - 2),
]
figures.table(
    agreement,
    caption="One untouched input against its label: the same measures four ways, over RGB (log10 is that of the MSE). The similarities of "
    "TensorFlow agree to four digits: its window is applied in 32 bits.",
    formats=dict.fromkeys(agreement.columns[1:], "{:.7f}"),
)

# %% [markdown]
# ## 2.9 Model evaluation
#
# The test pairs are scored now, for the first time. Beside the network stand two rows that the original
# lacks: the input left untouched, and one line of unsharp masking, whose width and amount were chosen on the validation
# pairs.

# %%
LABEL = "label"


def squashed(name):
    low, high = (images.read(prepared / side / f"{name}.png") for side in ("low", "high"))
    return low, {LABEL: high}


network = training.load(run.existing("06_training/model.keras"))
validation_names = parts.loc[parts["part"] == "validation", "name"].tolist()
best_unsharp = evaluation.best(validation_names, squashed, evaluation.SQUASHED_FILTERS)
scores = evaluation.score(
    names,
    squashed,
    evaluation.methods({model: network}, classical=evaluation.SQUASHED_FILTERS[best_unsharp]),
)
run.write_table("07_evaluation/scores.csv", scores)
scores["card"] = scores["name"].map(parts.set_index("name")["group"])  # images of one card are no independent samples
summary = evaluation.summary(scores)
run.write_table("07_evaluation/summary.csv", summary)
compared = comparison.against(scores, evaluation.UNTOUCHED, "psnr", group="card", seed=seed)
run.write_table("07_evaluation/compared.csv", compared)


# %%
def with_interval(row):
    """A figure and its 95 % interval, and how far it is from leaving the images alone, as they are shown."""
    return {
        "PSNR": f"{row.figure:.2f} ({row.low:.2f} to {row.high:.2f})",
        "gain": f"{row.difference:+.2f} ({row.difference_low:+.2f} to {row.difference_high:+.2f})",
        "p": comparison.shown_p(row.p),
    }


of_their_mse = metrics.psnr_from_mse(original.TEST_MSE)
beside = {
    "method": "SRCNN, the original's report (other images)",
    "mean MSE": original.TEST_MSE,
    "PSNR": f"{original.TEST_PSNR:.2f}",
    "PSNR of the mean MSE": of_their_mse,
}
shown = [
    {
        "method": row.method,
        "mean MSE": means.mse,
        **with_interval(row),
        "PSNR of the mean MSE": means.psnr_of_mean_mse,
    }
    for row, means in zip(compared.itertuples(), summary.itertuples(), strict=True)
]
figures.table(
    pd.DataFrame([*shown, beside]),
    caption=f"Scores on {len(names)} test pairs, {parts.loc[parts['part'] == 'test', 'group'].nunique()} cards, against the "
    "pre-processed labels: PSNR in dB over RGB, no border cut, mean over the pairs with its 95 % interval, and the gain over the "
    f"untouched input (Wilcoxon's p); intervals and p take all pairs of a card as one sample. Chosen on {len(validation_names)} validation pairs: {best_unsharp} (width in pixels, amount).",
    formats={"mean MSE": "{:.6f}", "PSNR of the mean MSE": "{:.2f}"},
    key="scores",
)

# %%
psnr = summary.set_index("method")["psnr_mean"]
of_network = compared.set_index("method").loc[model]
gain, ends = of_network["difference"], (of_network["difference_low"], of_network["difference_high"])
Markdown(
    f"The network reaches {psnr[model]:.2f} dB, and leaving the images alone {psnr[evaluation.UNTOUCHED]:.2f} dB: "
    f"the network **{'gains' if gain > 0 else 'loses'} {abs(gain):.2f} dB** (the 95 % interval of the gain goes from {ends[0]:+.2f} to "
    f"{ends[1]:+.2f} dB{', so that so few pairs leave open whether there is any' if ends[0] <= 0 <= ends[1] else ''}). The original quotes {original.TEST_PSNR:.2f} dB and "
    f"measures it against {original.PSNR_YARDSTICK:.0f} dB from the SRCNN paper. Neither is comparable: the paper enlarges clean "
    "photographs and scores brightness only ([the table](#set5) repeats that test), while the score of the original's untouched input was not reported. Its "
    f"mean MSE of {original.TEST_MSE:.5f} is {of_their_mse:.2f} dB, which is another average than the mean of single PSNRs"
    + (
        ". But that mean is never below it (Jensen's inequality, since the logarithm is concave), and the original's is: its two figures "
        "cannot both be plain means over the same images. How they were taken is not told."
        if of_their_mse > original.TEST_PSNR
        else "."
    )
)

# %%
figures.figure(
    figures.score_spread(scores),
    caption="PSNR of every test image over RGB, no border cut. Boxes span the middle half, the line is the median.",
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
    caption="Samples from the test set: input, output and label, with the PSNR of each against the label (over RGB, no border cut).",
    alt="Rows of three images: the blurred input, the network's output, and the sharp label.",
)

# %% [markdown]
# ### At native resolution ◆
#
# From here on whole, unsquashed test cards, against the sharp file as it lies on disk. Drawn cards have a second
# truth: the card before anything was done to it. Where a data set has pools, they are drawn from the whole test
# pool, which neither training nor validation has seen, not only from the few that the original's split leaves; how
# many take part is set in the profile.
#
# Classical filters are set on validation cards: unsharp masking in two ways, for the highest PSNR and for the fewest
# errors in reading, deconvolution (Wiener's or Richardson and Lucy's) for reading. “SRCNN, stretched back” is the network
# of section 2.7: it squashes the card, enhances it and stretches it back. So does “SRCNN as published”, trained once by the
# original's recipe to the letter ([the table](#published-run)).

# %%
folder = run.data_folder
index = run.read_table("01_inspection/pairs.csv").merge(parts, on="name", validate="one_to_one")
rng = np.random.default_rng(seed)
by_name = index.set_index("name")
unsquashed = evaluation.unsquashed(folder, index)
cards, tuning_cards = (
    sorted(rng.permutation(evaluation.pool(index, part))[:count])
    for part, count in (("test", reading_pairs), ("validation", reading_tuning_pairs))
)
of_cards = f"{len(cards)} images of {by_name.loc[cards, 'group'].nunique()} test cards"
engines = ocr.engines()
cache = run.path("07_evaluation/read")

# %%
grid = evaluation.FILTERS
everything_tuned = {evaluation.UNTOUCHED: lambda image: image} | grid
tuned = (
    evaluation.summary(evaluation.score(tuning_cards, unsquashed, everything_tuned))
    .query("truth == 'sharp file'")
    .set_index("method")
)
known = evaluation.fields(folder, index, tuning_cards)
read = evaluation.legibility(tuning_cards, unsquashed, everything_tuned, known, engine="RapidOCR", cache_folder=cache)
kind = "page" if known is None else "value"
tuned["errors"] = evaluation.per_image(read.scores, kind).groupby("method")["errors"].sum()
tuned["characters"] = evaluation.per_image(read.scores, kind).groupby("method")["characters"].sum()
tuned["character error rate"] = tuned["errors"] / tuned["characters"]
tuned_untouched, tuned = tuned.loc[[evaluation.UNTOUCHED]], tuned.drop(index=evaluation.UNTOUCHED)
unsharp = tuned[tuned.index.str.startswith("unsharp")]
for_psnr, for_reading = unsharp["psnr_mean"].idxmax(), unsharp["character error rate"].idxmin()
deconvolution = tuned.drop(index=unsharp.index)["character error rate"].idxmin()
run.write_table("07_evaluation/classical.csv", tuned.reset_index())
figures.table(
    pd.concat([tuned_untouched, tuned])
    .rename_axis("method")
    .reset_index()[["method", "psnr_mean", "character error rate"]]
    .rename(columns={"method": "filter: width in pixels, amount", "psnr_mean": "PSNR"}),
    caption=f"Classical filters on {len(tuning_cards)} validation images: mean PSNR in dB over RGB, no border cut, higher is better, and character error "
    f"rate of RapidOCR on {kind}s, lower is better. Chosen for PSNR: {for_psnr}; for reading, whatever engine reads: {for_reading}, and {deconvolution}.",
    formats={"PSNR": "{:.2f} dB", "character error rate": "{:.1%}"},
)

# %%
native = {name: training.load(run.existing(f"06_training/native/{name}.keras")) for name in native_models}


def stretched_back(network):
    """What a network of squashed images makes of a whole card."""
    return lambda image: pairs.unsquash(evaluation.predict(network, pairs.squash(image, image_size)), image.shape)


as_published = records.network("published")
enhancers = {
    evaluation.UNTOUCHED: lambda image: image,
    **(
        {"unsharp masking, for both": grid[for_psnr]}
        if for_psnr == for_reading
        else {"unsharp masking, for PSNR": grid[for_psnr], "unsharp masking, for reading": grid[for_reading]}
    ),
    "deconvolution, for reading": grid[deconvolution],
    **({"SRCNN as published, stretched back": stretched_back(as_published)} if as_published else {}),
    "SRCNN, stretched back": stretched_back(network),
    **{f"{name}, native": partial(evaluation.predict, each) for name, each in native.items()},
}
reader = training.load(run.existing("06_training/recogniser.keras"))
vgg19 = perceptual.vgg19(vgg19_weights)
features = {"perceptual, reader": perceptual.features(reader, recogniser.FEATURES)}
features |= {"perceptual, VGG19": vgg19} if vgg19 else {}
native_scores = evaluation.score(cards, unsquashed, enhancers, detailed=True, features=features)
native_scores["card"] = native_scores["name"].map(by_name["group"])
run.write_table("07_evaluation/native_scores.csv", native_scores)

# %%
by_truth = {
    truth: comparison.against(table, evaluation.UNTOUCHED, "psnr", group="card", seed=seed)
    for truth, table in native_scores.groupby("truth", sort=False)
}
sharp = by_truth["sharp file"].set_index("method")
means = native_scores[native_scores["truth"] == "sharp file"].groupby("method", sort=False).mean(numeric_only=True)
quality = pd.DataFrame(
    {
        "method": sharp.index,
        **pd.DataFrame(map(with_interval, sharp.itertuples())),
        "PSNR, clean truth": by_truth["clean truth"]["figure"].to_numpy() if "clean truth" in by_truth else np.nan,
        "PSNR, Y": means["psnr_y"].to_numpy(),
        "SSIM, Y": means["ssim"].to_numpy(),
        "MS-SSIM, Y": means["ms_ssim"].to_numpy(),
        "GMSD, Y": means["gmsd"].to_numpy(),
        **{name: means[name].to_numpy() for name in features},
    }
)
run.write_table("07_evaluation/native_summary.csv", sharp.reset_index())
figures.table(
    quality,
    caption=f"{of_cards} at native resolution, against the sharp file: mean PSNR in dB over RGB, no border cut, with its 95 % interval, the "
    "gain over the untouched image (Wilcoxon's p, both by card), and further measures, over brightness where a heading says Y; lower GMSD and "
    "perceptual loss are better, of the others higher. "
    "The interval is that of the mean, p that of the ranks of single cards, so one can be clear where the other is not."
    + ("" if vgg19 else " Perceptual loss of VGG19: not run, no weights."),
    formats={
        "PSNR, clean truth": "{:.2f}",
        "PSNR, Y": "{:.2f}",
        "SSIM, Y": "{:.3f}",
        "MS-SSIM, Y": "{:.3f}",
        "GMSD, Y": "{:.3f}",
        **dict.fromkeys(features, "{:.4f}"),
    },
    key="native-scores",
)

# %% [markdown]
# ### Can it be read? ◆
#
# The purpose of the whole exercise. An OCR engine reads every card after every method, and the sharp image itself, which
# is as good as it can get. A field counts as read where its text is found at its place. Values (names, numbers,
# dates) and labels are kept apart: labels repeat from card to card and could be learned by heart.
#
# The character error rate counts the edits from a field's text to the nearest stretch of what was read there, at most all its
# characters, over the characters of all fields; words missed is the share of words that are nowhere in what was read there.
# Intervals are those of drawing cards anew, all images of a card together.

# %%
known = evaluation.fields(folder, index, cards)
readings = {
    engine: evaluation.legibility(cards, unsquashed, enhancers, known, engine=engine, cache_folder=cache)
    for engine in engines
}
everything = pd.concat({engine: reading.scores for engine, reading in readings.items()}, names=["engine"]).reset_index(
    "engine"
)
run.write_table("07_evaluation/reading.csv", everything)


# %%
def displayed(table):
    """A reading summary as it is shown: differences in percentage points."""
    return pd.DataFrame(
        {
            **{name: table[name] for name in ("test", "engine", "method") if name in table},
            "character errors": [
                f"{row.error_rate:.1%} ({100 * row.low:.1f} to {100 * row.high:.1f})" for row in table.itertuples()
            ],
            "against untouched": list(map(in_points, table.itertuples())),
            "p": table["p"].map(comparison.shown_p),
            "exact": with_ends(table, "exact", "{:.1%}"),
            "words missed": table["word_errors"],
            "recovered share": with_ends(table, "recovered", "{:.0%}"),
        }
    )


def in_points(row):
    """A difference of shares with its interval, as it is shown."""
    return f"{100 * row.difference:+.1f} ({100 * row.difference_low:+.1f} to {100 * row.difference_high:+.1f})"


def with_ends(table, column, form):
    """Shares as they are shown, with their interval where there is one: older scorings were kept without."""
    ends = [table.get(f"{column}_{end}", pd.Series(np.nan, table.index)) for end in ("low", "high")]
    return [
        "–"
        if np.isnan(figure)
        else form.format(figure)
        + ("" if np.isnan(low) else " ({} to {})".format(*(form.format(end).rstrip("%") for end in (low, high))))
        for figure, low, high in zip(table[column], *ends, strict=True)
    ]


reading_formats = {"words missed": "{:.1%}"}
read_well = {
    engine: evaluation.per_image(reading.scores, kind).assign(card=lambda table: table["name"].map(by_name["group"]))
    for engine, reading in readings.items()
}
summary_of_reading = pd.concat(
    {
        engine: comparison.of_reading(
            table, before=evaluation.UNTOUCHED, best=evaluation.SHARP, group="card", seed=seed
        )
        for engine, table in read_well.items()
    },
    names=["engine"],
).reset_index("engine")
run.write_table("07_evaluation/reading_summary.csv", summary_of_reading)
what = "values" if known is not None else "whole pages, against the reading of the sharp image"
figures.table(
    displayed(summary_of_reading),
    caption=f"Reading {what} of {of_cards}"
    + ("" if len(cards) >= 200 else " (a sample: claims need 200 images, which the full profile has)")
    + ": character error rate (lower is better) with its 95 % interval, its difference in percentage points with Wilcoxon's p over cards (which looks at "
    "how many cards changed, so that it may disagree with the interval of the rate), share of fields read exactly, words missed, and how much of the "
    "way from the untouched to the sharp image was made.",
    formats=reading_formats,
    key="reading",
)

# %%
classical = "unsharp masking, for both" if for_psnr == for_reading else "unsharp masking, for reading"
beside_classical = {
    engine: comparison.against(table, classical, "errors", "characters", group="card", seed=seed).set_index("method")
    for engine, table in read_well.items()
}
Markdown(
    f"Against {classical}, which costs one line, in percentage points of character errors: "
    + "; ".join(
        f"{engine}, "
        + ", ".join(
            f"{name} {100 * row['difference']:+.1f} ({100 * row['difference_low']:+.1f} to {100 * row['difference_high']:+.1f}, p "
            f"{comparison.shown_p(row['p'])})"
            for name, row in table.loc[[f"{name}, native" for name in native]].iterrows()
        )
        for engine, table in beside_classical.items()
    )
    + "."
)

# %%
if known is not None:
    of_kind = everything.assign(fields=1).groupby(["engine", "method", "kind"], sort=False)
    of_kind = of_kind[["errors", "characters", "exact", "fields"]].sum()
    kinds = pd.concat(
        [
            (of_kind["errors"] / of_kind["characters"]).unstack("kind").add_suffix(", errors"),
            (of_kind["exact"] / of_kind["fields"]).unstack("kind").add_suffix(", exact"),
        ],
        axis=1,
    )
    zones = {
        (engine, method): np.mean(
            [
                bool(valid)
                for name in cards
                if (valid := ocr.zone_holds(reading.lines[name, method], known[name])) is not None
            ]
        )
        for engine, reading in readings.items()
        for method in (*enhancers, evaluation.SHARP)
        if any(len(table[table["kind"] == "mrz"]) for table in known.values())
    }
    with_zone = sum(any(known[name]["kind"] == "mrz") for name in cards)
    kinds["zones with right check digits"] = pd.Series(zones, dtype=float)
    shown = kinds.rename_axis(columns=None).reset_index()
else:
    shown = pd.DataFrame({"": ["not known for these images: they come without their text"]})
figures.table(
    shown,
    caption="Character error rate and share of fields read exactly, by kind of field"
    + (
        f", and the share of the {with_zone} machine-readable zones in which all check digits hold."
        if known is not None
        else "."
    ),
    formats={name: "{:.1%}" for name in shown.columns if name not in ("", "engine", "method")},
)

# %% [markdown]
# Labels are the smallest print on a card, and the first to go. A zone holds only if its two or three lines of 30 to 44 characters are all read without a fault, so that it can fail on a sharp
# card, too.

# %%
broken = []
for engine, reading in readings.items() if known is not None else ():
    for name in cards:
        if ocr.zone_holds(reading.lines[name, evaluation.SHARP], known[name]) is not False:
            continue
        zone = reading.scores.query("name == @name and method == @evaluation.SHARP and kind == 'mrz'")
        lost = (zone["errors"] > zone["characters"] / 2).any()
        broken.append(
            {"engine": engine, "a line lost or read upside down": lost, "single characters mistaken": not lost}
        )
Markdown(
    "\n".join(
        f"- {engine}, zones of sharp cards that do not hold: "
        + ", ".join(f"{int(count)} × {what}" for what, count in group.drop(columns="engine").sum().items() if count)
        + "."
        for engine, group in pd.DataFrame(broken).groupby("engine", sort=False)
    )
    if broken
    else ""
)

# %%
engine = next(iter(engines))
points = (
    read_well[engine]
    .assign(error=lambda table: table["errors"] / table["characters"])
    .merge(native_scores.query("truth == 'sharp file'")[["name", "method", "psnr"]], on=["name", "method"])
)
moved = comparison.gains(points, before=evaluation.UNTOUCHED)
figures.figure(
    figures.quality_against_reading(points, moved),
    caption=f"PSNR (over RGB, no border cut) against the character error rate of {engine}: the means of the methods, every card, and what each "
    "method changes on each card, which leaves out how hard the card is.",
    alt="Three scatter plots: a dot for each method with its name; a dot for each card and method; the same as differences to the untouched card.",
    key="quality-against-reading",
)

# %%
rates = summary_of_reading[summary_of_reading["engine"] == engine].set_index("method")["error_rate"]
psnrs = sharp["figure"]
of_methods = rates[psnrs.index]
best_psnr, best_reading = psnrs.idxmax(), of_methods.idxmin()
correlation = points["psnr"].corr(points["error"], method="spearman")
of_changes = moved["gain"].corr(moved["change"], method="spearman")
worse = comparison.at_odds(
    by_truth["sharp file"], summary_of_reading[summary_of_reading["engine"] == engine].drop(columns=["low", "high"])
)
sure = [f"“{method}”" for method, beyond_chance in worse.items() if beyond_chance]
unsure = [f"“{method}”" for method, beyond_chance in worse.items() if not beyond_chance]
best_change = summary_of_reading[summary_of_reading["engine"] == engine].set_index("method").loc[best_reading]
Markdown(
    f"Highest PSNR: {best_psnr} ({psnrs[best_psnr]:.2f} dB), read with {rates[best_psnr]:.1%} character errors. Read best: {best_reading} "
    f"({rates[best_reading]:.1%}; untouched {rates[evaluation.UNTOUCHED]:.1%}, sharp {rates[evaluation.SHARP]:.1%}"
    + (
        ", a difference that chance may have made"
        if best_reading != evaluation.UNTOUCHED
        and comparison.by_chance(best_change["difference_low"], best_change["difference_high"])
        else ""
    )
    + f"). Over single cards PSNR and errors have a rank correlation of {correlation:.2f}, but a hard card has both a low PSNR and many errors; "
    f"between what a method changes in the one and in the other on a card it is {of_changes:.2f} ([the figure](#quality-against-reading)). "
    + (f"**Better in PSNR and yet read worse than untouched: {', '.join(sure)}.** " if sure else "")
    + (
        f"Better in PSNR and read worse in the mean, though by no more than chance may do to one or both: {', '.join(unsure)}."
        if unsure
        else ""
    )
    + ("" if worse else "No method that gains PSNR is read worse than untouched here.")
    + f" By the features of the recogniser (the perceptual loss) “{means['perceptual, reader'].idxmin()}” comes nearest to the sharp images."
)

# %% [markdown]
# ### Scanned pages ◆
#
# Printed pages with the noise of a real office laid over them, folds, stains and footprints: those pages of NoisyOffice that have a clean side.
# `make benchmark-noisy-office` trains the house model
# four times, each time without a quarter of the pages, and scores it on those.

# %%
AIM = 0.018
scans = records.read_table("noisy_office/scores")
if scans is None:
    shown = pd.DataFrame({"": ["not run yet: make benchmark-noisy-office"]})
else:
    by_page = scans.groupby("page")[["untouched", "house"]].mean()
    shown = pd.DataFrame(
        {
            "": ["mean", "standard deviation", "best page", "worst page"],
            **{
                name: [by_page[name].mean(), by_page[name].std(), by_page[name].min(), by_page[name].max()]
                for name in by_page
            },
        }
    )
figures.table(
    shown,
    caption="RMSE of values in [0, 1] on pages that the network has not seen, over the pages"
    + (
        "."
        if scans is None
        else f": {len(by_page)} pages, {len(scans)} scans, after {records.read('noisy_office/scored')['updates']:,} updates. What was aimed at is {AIM:g}: "
        + ("reached." if by_page["house"].mean() <= AIM else f"missed, by {by_page['house'].mean() - AIM:.4f}.")
    ),
    formats={} if scans is None else {"untouched": "{:.4f}", "house": "{:.4f}"},
)

# %% [markdown]
# ### Trained to be read ◆
#
# The networks above learn from photographs and their sharp files, on the words and typefaces of the training cards. Those
# that the enhancer comes with learn from drawn scenes as well (`scenes`): text made by chance, letter by letter, in many
# typefaces and sizes, spoilt anew each time, with the clean drawing as the label. Some are taught by a reader, too: what
# RapidOCR's own recogniser sees in the enhanced line should be what it sees in the clean one, or the letters that it takes
# it for should be the same, and its detector should find text where it finds it in the clean image (`reading`). Of what a network
# changes, only a part may be taken, so that the reader still sees what was there, and only what it changes in brightness. Validation
# cards decide, by what is read on them; the last ones were judged once more on more cards, the first ones among them. `make legible` repeats the
# recipes, with TensorFlow throughout.

# %%
trials = legible.kept()
if trials.empty:
    shown, about = pd.DataFrame({"": ["not run yet: make legible"]}), ""
else:
    shown = trials.drop(columns=["device", "remark", "multiply-adds per pixel"])
    about = f": what was tried, in this order ({', '.join(trials['device'].dropna().unique())})"
figures.table(
    shown,
    caption=f"Training for reading{about}. Character error rates and shares of fields read exactly by RapidOCR, on the values of "
    f"{legible.READ_CARDS} validation cards, and on every line of {legible.READ_SCENES} scenes in typefaces that were not learned from; "
    "PSNR in dB, no border cut, of cards against the sharp file and of scenes against the clean drawing.",
    formats={}
    if trials.empty
    else {
        "updates": "{:,.0f}",
        "seconds": "{:,.0f}",
        **{name: "{:.1%}" for name in shown.columns if "error" in name or "exact" in name},
        **{name: "{:.2f}" for name in shown.columns if "PSNR" in name},
    },
)

# %%
remarks = (
    {}
    if trials.empty
    else trials[trials["remark"].fillna("") != ""].groupby("remark", sort=False)["experiment"].agg(", ".join)
)
Markdown("\n".join(f"- *{experiments}*: {remark}." for remark, experiments in remarks.items()))

# %%
finalists = legible.finalists()
figures.table(
    pd.DataFrame({"": ["not run yet: make legible"]}) if finalists.empty else finalists,
    caption=f"The last ones, read by RapidOCR on {legible.READ_LAST} validation images and on the same scenes, without intervals; the networks alone, without "
    "what the enhancer does before them. A percentage says how much of what a network changes is done, of brightness and of colour. The enhancer comes with "
    + " and ".join(f"“{chosen}” (as {name})" for name, chosen in legible.SHIPPED.items())
    + "; where others are within chance of them on cards, the scenes and the cost decided.",
    formats={name: "{:.2f}" if "PSNR" in name else "{:.1%}" for name in finalists.columns[1:]},
    key="finalists",
)

# %%
tried = ablation.kept()
if not tried.empty:
    display(
        Markdown(
            "What each part of such a recipe is worth, `make ablation` asks of the small network, one change at a time: short trainings on as "
            "many pixels each, judged by reading, and by how sure RapidOCR's own networks are, on crops that were not learned from, of the "
            "letters that they see in the clean crop. Two further seeds of the unchanged recipe show what chance alone does. After so few "
            "updates nothing is said about what pays late."
        )
    )
    recipe = ablation.EXPERIMENTS[ablation.name_of(ablation.BASE)]
    measures = {
        "letters": ("letters:\ncross entropy (nats)\nlower is better", 1.0, "letters, {:+.3f} nats"),
        "cards: error": (
            "cards: character\nerrors (points)\nlower is better",
            100.0,
            "errors on cards, {:+.1f} points",
        ),
        "scenes: error": (
            "scenes: character\nerrors (points)\nlower is better",
            100.0,
            "errors on scenes, {:+.1f} points",
        ),
        "PSNR": ("cards and scenes:\nPSNR (dB)\nhigher is better", 1.0, "PSNR, {:+.2f} dB"),
    }
    unchanged = tried.groupby("measure")["unchanged"].first()
    display(
        figures.figure(
            figures.changes(
                tried,
                {measure: label for measure, (label, *_) in measures.items()},
                {measure: factor for measure, (_, factor, _) in measures.items()},
            ),
            caption=f"One change at a time, against the unchanged short recipe ({legible.EPOCH_STEPS * recipe.epochs} updates of "
            f"{recipe.batch_size} crops of {recipe.crop_size}²), with 95 % intervals over crops, cards and scenes. The band is what another seed changes; "
            f"in blue what lies beyond it, with an interval that does not hold 0. Unchanged, {legible.READ_LAST} validation images have {unchanged['cards: error']:.1%} "
            f"and {legible.READ_SCENES} scenes {unchanged['scenes: error']:.1%} of errors after it, read by RapidOCR.",
            alt="Dots with intervals, a row for each change of the recipe, in four panels: letters, errors on cards, errors on scenes, PSNR.",
            key="ablation",
        )
    )
    decided = tried[tried["decided"] & tried["measure"].isin(measures)]
    compared = len(measures) * (tried["method"].nunique() - len(ablation.SEEDS))
    display(
        Markdown(
            "Beyond what another seed changes: "
            + "; ".join(
                f"{change}: "
                + ", ".join(
                    measures[row.measure][2].format(measures[row.measure][1] * row.difference)
                    for row in rows.itertuples()
                )
                for change, rows in decided.groupby("method", sort=False)
            )
            + f". That is {len(decided)} of {compared} comparisons, of which up to {0.05 * compared:.0f} would be so by chance alone."
            if len(decided)
            else "Nothing here is beyond what another seed changes."
        )
    )

# %% [markdown]
# ### The networks that come with the enhancer ◆
#
# `python -m srcnn_lib enhance` uses networks that were trained for longer than a report can wait. They were scored when
# they were made, once, on all test cards. Several trainings share the architecture `house` ([its cost](#costs)), hence its name, among them the
# enhancer's, shown here; this run's own, in [section 2.7](#native-networks) and in the tables above as “house, native”; and the one
# among [the light networks](#zoo).

# %%
shipped = pd.DataFrame(
    [
        {
            "network": name,
            "made": network["date"],
            "updates": network["updates"],
            "test images": network["test"]["images"],
            "untouched": network["test"]["untouched"],
            "PSNR": network["test"]["figure"],
            "gain": f"{network['test']['difference']:+.2f} ({network['test']['difference_low']:+.2f} to {network['test']['difference_high']:+.2f})",
        }
        for name, network in enhancer.models().items()
    ]
)
figures.table(
    shipped,
    caption="Mean PSNR in dB over RGB, no border cut, against the sharp file, and the gain over the untouched image with its 95 % interval: "
    "of the networks alone, without what the enhancer does before them.",
    formats={"updates": "{:,}", "untouched": "{:.2f}", "PSNR": "{:.2f}"},
)

# %% [markdown]
# The house models were taught by where an OCR engine finds text and by what it sees there, and it shows: on edges that are not
# text, such as those of portraits, they draw strokes that are not there. What they changed in colour did harm to looks, and to what RapidOCR reads on
# validation cards, though not on scenes ([the table](#finalists)), so that they change brightness alone; colours stay as they were photographed.
# Their images are for OCR, not for keeping.

# %% [markdown]
# ### Before the network: waves and blur ◆
#
# Three kinds of degradation these networks hardly learned to undo, since every direction and every width asks for a filter of its own:
# waves that a screen or a scanner lays over a card, a hand that moved, and a lens out of focus. The enhancer takes them away before its network
# sees the card. Waves go by the notch filter of section 2.4. Movement and lack of focus leave their marks in the spectrum: along a movement, those frequencies
# go out that fit into its length, and a lens out of focus puts out rings of them. A small network reads length, direction and radius from the mean spectrum of
# many small windows; it learned from drawn scenes and training cards, of which it is known how they were spoilt (`make blur`). A Wiener filter then
# undoes the blur (`blur.undo`). Whether there is one at all, the network has to be sure of; what it is not sure of is left to the network that comes after it.

# %%
Markdown(
    f"So are movements that look shorter than {blur.SHORTEST:g} or longer than {blur.LONGEST:g} pixels, and radii that look smaller than {blur.LEAST:g} or larger "
    f"than {blur.MOST:g}: small ones spoil hardly a letter, and to a network that has only seen documents, photographs without text look like long "
    "movements. The few larger blurs in [the table](#blurs) that are taken back were taken for smaller ones."
)

# %%
FEWEST = 10  # what is taken back, for a median to be shown
seen = records.read("blur")
figures.table(
    pd.DataFrame({"": ["not run yet: make blur"]})
    if seen is None
    else pd.DataFrame(
        [
            {
                "blur": "movement" if row["blur"] == "movement" else "out of focus",
                "length, radius": "none"
                if row["longest"] == 0
                else f"above {row['shortest']:g}, to {row['longest']:g}",
                "crops": row["samples"],
                "taken back": row["taken back"],
                **{
                    shown_as: row[name] if row["samples"] * row["taken back"] >= FEWEST else np.nan
                    for name, shown_as in (("apart, median", "off by, median"), ("apart, 90 %", "off by, 90 % within"))
                },
            }
            for row in seen["watched"]
        ]
    ),
    caption="How well the network sees blurs, on crops of scenes and cards that it did not learn from, spoilt by what spoils cards, with blurs more often and larger"
    + (
        f" ({seen['measured']}): share that would be taken back (better low for none, high for the others), and how far from the truth what is taken "
        f"back lies, the ends of a movement, or the radius; not told where that is fewer than {FEWEST} crops. All in pixels."
        if seen
        else "."
    ),
    formats={}
    if seen is None
    else {"taken back": "{:.1%}", "off by, median": "{:.2f}", "off by, 90 % within": "{:.2f}"},
    key="blurs",
)

# %%
blurred = {name: blur.find(enhancer.prepare(unsquashed(name)[0], blur=False)) for name in cards}
for which, kind, done in ((0, "movement", "movement taken back"), (1, "lack of focus", "focus brought back")):
    found = {name: seen_there[which] for name, seen_there in blurred.items() if seen_there[which].certain}
    alone = {name: one for name, one in found.items() if len(blurred[name].certain) == 1} or found
    if alone:
        name, one = next(iter(alone.items()))
        low, truths = unsquashed(name)
        views = [
            ("untouched", low),
            (done, enhancer.prepare(low)),
            ("house-large after it", enhancer.enhance(low, model="house-large")),
            ("sharp", next(iter(truths.values()))),
        ]
        size = (
            f"{one.length:.1f} pixels along {one.angle:.0f}°, clockwise from the right"
            if which == 0
            else f"a radius of {one.radius:.1f} pixels"
        )
        display(
            figures.figure(
                figures.side_by_side(views, columns=2, width=10),
                caption=f"One of {len(found)} of {len(cards)} images of test cards in which a {kind} is seen: {size}.",
                alt=f"A card four times: blurred, with the {done}, enhanced after that, and sharp.",
            )
        )

# %%
BEFORE = "waves and blur taken away"


def spelled_out(method):
    """A method as it is shown: what the records call after both is after waves and blur are taken away."""
    if method in enhancer.models():
        return f"enhancer, {method}"
    return method.replace(", after both", f", {BEFORE} before")


def beside(table, name, names, against):
    """What `legible.compared` gives, as it is shown: `names` in a column `name`, differences in one `against`."""
    return pd.DataFrame(
        {
            "test": table["test"],
            name: names,
            "character errors": [
                f"{row.figure:.1%} ({100 * row.low:.1f} to {100 * row.high:.1f})" for row in table.itertuples()
            ],
            f"against {against}": list(map(in_points, table.itertuples())),
            "p": table["p"].map(comparison.shown_p),
            "exact": with_ends(table, "exact", "{:.1%}"),
        }
    )


steps = records.read_table("blur")
figures.table(
    pd.DataFrame({"": ["not run yet: make blur"]})
    if steps is None
    else beside(
        steps,
        "method",
        [f"{method} alone" if method in enhancer.models() else spelled_out(method) for method in steps["method"]],
        evaluation.UNTOUCHED,
    ),
    caption=f"What each step is worth: RapidOCR on the values of {legible.READ_LAST} images of validation cards and on the lines of {legible.READ_SCENES} scenes. Character errors, "
    "lower is better, and their difference in percentage points, with 95 % intervals and Wilcoxon's p over cards and scenes. Noise for all: the filter that takes blur back "
    "with one strength instead of that suited to the image; eight ways: the mean over what becomes of an image's four turns and their mirror images, which takes eight times "
    "as long and is here as an upper mark. Bounds of the steps and strength of the filter were chosen here, so that these are no independent figures; those of "
    "the kept readings below are.",
    key="steps",
)

# %%
if steps is None:
    words = ""
else:
    on_cards = steps[steps["test"] == "cards"].set_index("method")["figure"]
    unsharp = next(name for name in on_cards.index if name.startswith("unsharp"))
    words = (
        f"On these cards, both steps alone bring errors from {on_cards[evaluation.UNTOUCHED]:.1%} to {on_cards[BEFORE]:.1%}, and house-large alone to "
        f"{on_cards['house-large']:.1%}. Together they bring them to {on_cards['house-large, after both']:.1%}; with house {on_cards['house, after both']:.1%}, and with "
        f"{unsharp} in place of a network {on_cards[f'{unsharp}, after both']:.1%}."
    )
Markdown(words)

# %% [markdown]
# What those steps leave is not what the first networks learned from: where a blur was undone, there is more noise, and a trace of waves round edges. So
# the small one learned on from images that the steps had been taken with, and from what house-large makes of them. Behind the steps, on validation cards
# and all watched scenes:

# %%
after_steps = records.read_table("legible/after-steps")
figures.table(
    pd.DataFrame({"": ["not run yet: make legible"]})
    if after_steps is None
    else beside(after_steps, "network", after_steps["method"].replace(BEFORE, "none"), f"“{legible.BEFORE_STEPS[0]}”"),
    caption=f"Networks behind the steps of the enhancer, read by RapidOCR on the values of {legible.READ_LAST} images of validation cards and on the lines of "
    f"{legible.WATCHED} scenes: character errors, lower is better, and their difference in percentage points, with 95 % intervals and "
    "Wilcoxon's p over cards and scenes. Here it was chosen.",
    key="after-steps",
)

# %%
tried_after = (
    ()
    if after_steps is None
    else set(after_steps["method"]) & {name for name, how in legible.EXPERIMENTS.items() if how.prepared}
)
said = []
for method in sorted(tried_after):
    rows = after_steps[after_steps["method"] == method]
    better, worse = ((rows[end] * sign > 0).any() for end, sign in (("difference_high", -1), ("difference_low", 1)))
    said.append(
        f"“{method}”: "
        + " and ".join(f"{in_points(row)} points on {row.test}" for row in rows.itertuples())
        + (
            ", which is better"
            if better and not worse
            else ", which is worse"
            if worse and not better
            else ", which decides nothing"
        )
        + (
            "; the enhancer comes with it."
            if method in legible.SHIPPED.values()
            else "; the enhancer comes without it."
        )
    )
Markdown(f"Against “{legible.BEFORE_STEPS[0]}”, " + " ".join(said) if said else "")

# %% [markdown]
# `make benchmark-reading` lets OCR read every card of that test pool after each of them, and the cards of any folder whose
# text is known, by the measures of [the table of this run](#reading); where a folder does not tell where on a card a field is, it is looked for
# anywhere on it, which makes a single letter easy to find. It takes long, so that its results are kept; each scoring is logged with the hashes of the network's file and
# of the data. The first scoring of a network, with what is done before it, counts, and is shown, since whoever scores again and again may end up choosing. Sharp
# cards whose text nobody wrote down can be spoilt and read, too: then what RapidOCR reads on the sharp side counts as the text,
# so that it reads that without a fault by definition. Each such design is spoilt in ten strengths, and a few designs are few samples, however
# many images they make: intervals are those of drawing designs anew.
#
# *drawn* are this report's own test cards; *bench_cards* are drawn cards in typefaces and words that this project has nothing to do with;
# *docxpand* are four fictitious designs of the DocXPand project with placeholder text. None of them was ever trained on, or chosen by. But they were
# scored again whenever the enhancer had changed, by people who knew the earlier scores, all of which are listed here. And *drawn* and *docxpand* are spoilt
# by the functions that spoil what the networks learn from, with just those even, straight movements and discs that the enhancer takes back. On
# photographs, whose blur is none of these exactly, expect less.

# %%
log = records.read_table("reading/log")
values = None if log is None else log[log["kind"] == "value"]
first = None if log is None else comparison.first_scorings(values, enhancer.hashes())
if first is None or first.empty:
    shown, tests = pd.DataFrame({"": ["not run yet with these networks: make benchmark-reading"]}), ""
else:
    read_after = {
        (row.test, row.engine): records.read_table(f"reading/{row.test}-{row.data_sha256[:8]}-{row.engine}").query(
            "kind == 'value'"
        )
        for row in first.drop_duplicates(["test", "engine"]).itertuples()
    }
    of_tests = first.drop_duplicates("test")
    groups = {test: table["group"].nunique() for (test, _), table in read_after.items()}
    tests = "; ".join(
        f"{row.test}: {row.images} images of {groups[row.test]} {'designs' if row.test == 'docxpand' else 'cards'}, {row.when[:10]}"
        for row in of_tests.itertuples()
    ) + "".join(
        f". With {count} independent samples no p is below {2 / 2**count:.2g}, and intervals are narrower than they should be: {test}"
        for test, count in groups.items()
        if count < 6
    )
    first = first.assign(ceiling=first["method"] == evaluation.SHARP)
    first = first.sort_values(["test", "engine", "ceiling"], kind="stable").drop(columns="ceiling")
    shown = displayed(first.assign(method=first["method"].map(spelled_out)))
figures.table(
    shown,
    caption="Reading the values of cards that nothing was chosen by, by the same measures, beside the unsharp masking that was best for RapidOCR on validation "
    "cards when the last of these networks was read" + (f" ({tests})." if tests else "."),
    formats=reading_formats if tests else {},
    key="shipped-reading",
)

# %%
replaced = pd.DataFrame() if log is None else comparison.replaced_scorings(values, enhancer.hashes())
if len(replaced):
    earlier = displayed(replaced).assign(method=replaced["method"])
    earlier.insert(3, "scored", replaced["when"].str[:16].str.replace("T", " "))
    earlier.insert(4, "before it", replaced["weights"].str.partition(" after ")[2].replace("", "nothing"))
    display(
        figures.table(
            earlier,
            caption="First scorings of what the enhancer was before: of earlier networks, and of the same ones after other steps, named by what was taken away before "
            "them and the beginning of the hash of what that follows from. What came next was decided on validation cards, not here. On November 26 before 20:00 every image "
            "counted as a sample of its own, so that intervals and p of drawn and docxpand are too sure there.",
            formats=reading_formats,
        )
    )

# %% [markdown]
# Which of the two, if any? An honest rival is one line of unsharp masking *after* waves and blur were taken away, since it needs no network to read them.

# %%
PAIRS = [("house", "unsharp"), ("house-large", "unsharp"), ("house-large", "house")]
rows = []
for (test, engine_there), table in read_after.items() if tests else ():
    plain = next(method for method in table["method"].unique() if method.endswith(", after both"))
    for method, rival in PAIRS:
        rival = plain if rival == "unsharp" else rival
        both = table[table["method"].isin([method, rival])]
        errors = comparison.against(both, rival, "errors", "characters", group="group", seed=seed)
        exact = comparison.against(both, rival, "exact", "fields", group="group", seed=seed)
        of_errors, of_exact = (its.set_index("method").loc[method] for its in (errors, exact))
        rows.append(
            {"test": test, "engine": engine_there, "method": method, "against": rival}
            | {"errors": of_errors, "exact": of_exact, "tells": 2 / 2 ** groups[test] < 0.05}
        )


figures.table(
    pd.DataFrame(
        [
            {
                **{name: row[name] for name in ("test", "engine")},
                "method": row["method"],
                "against": row["against"].partition(":")[0],
                "character errors": in_points(row["errors"]),
                "p": comparison.shown_p(row["errors"]["p"]) if row["tells"] else "–",
                "exact": in_points(row["exact"]),
            }
            for row in rows
        ]
        or [{"": "not run yet with these networks: make benchmark-reading"}]
    ),
    caption="The enhancer's networks against each other, and against unsharp masking, all after waves and blur were taken away, on the values of the same cards: differences of character errors "
    "(negative is better) and of values read exactly (positive is better) in percentage points, with 95 % intervals; Wilcoxon's p of the errors, where there are samples enough for one.",
    key="shipped-beside",
)


# %%
def listed(names):
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def verdict(errors):
    """What the interval of a difference of errors says."""
    if comparison.by_chance(errors["difference_low"], errors["difference_high"]):
        return "no difference beyond chance"
    return "fewer errors" if errors["difference"] < 0 else "more errors"


lines = []
for engine_there in dict.fromkeys(row["engine"] for row in rows):
    for method, rival in PAIRS:
        said = {}
        for row in rows:
            if (row["engine"], row["method"]) == (engine_there, method) and row["against"].startswith(rival):
                said.setdefault(verdict(row["errors"]), []).append(row["test"])
        against = "unsharp masking" if rival == "unsharp" else rival
        lines.append(
            f"- {engine_there}, {method} against {against}: "
            + ", ".join(f"{what} on {listed(where)}" for what, where in said.items())
            + "."
        )
Markdown("By these intervals:\n\n" + "\n".join(lines) if lines else "")

# %% [markdown]
# And when not? Not where a card can be read as it is: there is nothing to gain there, and something to lose.

# %%
by_hardness = []
for (test, engine_there), table in read_after.items() if tests else ():
    if test == "drawn":
        found = comparison.by_hardness(table, before=evaluation.UNTOUCHED)
        for untouched, part in found.groupby("untouched", observed=True):
            of_method = part.set_index("method")
            by_hardness.append(
                {"engine": engine_there, "read untouched": untouched, "images": of_method["images"].iloc[0]}
                | {
                    f"{spelled_out(method)}: errors": of_method.loc[method, "error_rate"]
                    for method in (evaluation.UNTOUCHED, BEFORE, *legible.SHIPPED)
                }
                | {
                    f"{spelled_out(method)}: made worse": of_method.loc[method, "worse"]
                    for method in (BEFORE, *legible.SHIPPED)
                }
            )
figures.table(
    pd.DataFrame(by_hardness or [{"": "not run yet with these networks: make benchmark-reading"}]),
    caption="The drawn test cards by how they are read untouched (character errors of an image's values): errors of all images of a class, and the share of its images that have more "
    "errors than before. An image that is read without a fault by chance can only lose, and one that is hardly read can only gain.",
    formats={name: "{:.1%}" for row in by_hardness for name in row if name.endswith(("errors", "made worse"))},
    key="hardness",
)

# %% [markdown]
# So read the untouched image first, and where its check digits hold, leave it; how well that rule does was not tested.
#
# A network that makes letters up is dangerous on an identity card, the more so where the reader then looks sure. So this
# is what became of each value: read exactly only now, or no longer; and wrong although the reader was sure of it, among
# them values that no sure reader had read before (invented), and those that a sure reader had read exactly (spoilt).

# %%
columns = ["gained", "lost", "sure_and_wrong", "invented", "spoilt"]
known_places = first.dropna(subset=columns) if tests else pd.DataFrame()
figures.table(
    pd.DataFrame({"": ["not run yet with these networks: make benchmark-reading"]})
    if known_places.empty
    else known_places[["test", "engine", "method", "fields", *columns]]
    .assign(method=known_places["method"].map(spelled_out))
    .rename(columns={"fields": "values", "sure_and_wrong": "sure and wrong"})
    .reset_index(drop=True),
    caption="What became of the values of cards, as shares of all of them, without intervals; but for gained, lower is better. An engine is called sure where all "
    "lines (RapidOCR) or words (Tesseract) at the value's place have a confidence of 0.9 or more, so that the two do not compare. Counted at the latest reading of the same networks. Only tests that tell where on a card a value is.",
    formats={}
    if known_places.empty
    else {"values": "{:.0f}", **dict.fromkeys((column.replace("_", " ") for column in columns), "{:.1%}")},
    key="invented",
)

# %%
if known_places.empty:
    words = ""
else:
    networks = known_places[known_places["weights"].fillna("") != ""]
    alone = known_places[known_places["method"] == evaluation.UNTOUCHED].set_index(["test", "engine"])["sure_and_wrong"]
    words = "\n".join(
        f"- {row.test}, {row.engine}, {row.method}: {row.invented / row.gained:.0%} as many values are invented as gained; "
        f"{row.sure_and_wrong:.1%} of all are sure and wrong, {alone[row.test, row.engine]:.1%} untouched; {row.spoilt:.1%} are spoilt."
        for row in networks[networks["method"].isin(legible.SHIPPED)].itertuples()
        if row.gained
    )
Markdown(words)

# %% [markdown]
# *Invented* is what an untouched card does not do to itself, and any enhancement does: unsharp masking as well as a network. So a value that was read with
# confidence after enhancement has to be checked, by a check digit or by a person.
# Where RapidOCR's reading of the sharp side counts as the text, Tesseract is held against RapidOCR, and even the sharp image is “wrong” where they differ.

# %% [markdown]
# How fast they are, and what they take, `make bench-enhance` measures on one image, beside other ways to run the same
# file and beside classical methods.

# %%
bench = records.read("enhancer")
if bench is None:
    shown, about = pd.DataFrame({"": ["not run yet: make bench-enhance"]}), ""
else:
    shown = pd.DataFrame(bench["speed"])
    about = (
        f" of {bench['side_pixels']}×{bench['side_pixels']} pixels made by chance, so that there is nothing to take away before the network, medians, and how many times as fast as the first row ({enhancer.origin(bench)}). From the command to the "
        f"first result it takes {bench['start_seconds'][0]:.2f} to {bench['start_seconds'][-1]:.2f} s"
    )
figures.table(
    shown,
    caption=f"Speed on one image{about}.",
    formats={name: "{:.3f}" if "seconds" in name else "{:.2f}" for name in shown.columns if name not in ("", "method")},
)

# %%
figures.table(
    shown if bench is None else pd.DataFrame(bench["memory"]),
    caption="Peak memory of the command by the size of the image" + (f" ({enhancer.origin(bench)})." if bench else "."),
    formats={} if bench is None else {"megapixels": "{:g}", "peak, MiB": "{:,.0f}", "seconds": "{:.1f}"},
)

# %% [markdown]
# An image that is sharp already should come out as it was. `make bench-sharp` lets OCR read the sharp sides of validation cards
# before and after each network, at full strength and at half.

# %%
left_alone = records.read("sharp")
if left_alone is None:
    shown, about = pd.DataFrame({"": ["not run yet: make bench-sharp"]}), ""
else:
    shown = pd.DataFrame(left_alone["methods"]).drop(columns=["errors", "characters", "exact", "values"])
    shown = shown.rename(
        columns={"dB from the sharp image": "PSNR against the sharp image"}
        | {f"points worse: {name}, %": f"{name}, points worse" for name in ("character error", "exact")}
    )
    kept_to = [
        row["method"]
        for row in left_alone["methods"][1:]
        if row["points worse: character error, %"] <= left_alone["allowed_points"]
    ]
    about = (
        f": {left_alone['cards']} cards, {left_alone['values']} values, {left_alone['engine']} ({enhancer.origin(left_alone)}). At most "
        f"{left_alone['allowed_points']:g} points more errors are what was aimed at, and reached by {len(kept_to)} of {len(left_alone['methods']) - 1}"
    )
figures.table(
    shown,
    caption=f"Sharp cards before and after the enhancer{about}.",
    formats={name: "{:.2f}" for name in shown.columns if name not in ("", "method")},
)

# %% [markdown]
# ### Which cards, and why ◆
#
# Every card: a click on a heading sorts the table. Then the ones where the profile's last network, which no test score chose,
# helped most, the middle one of those that were misread, and where it harmed most, with a slider and a lens to look closely.

# %%
chosen = f"{native_models[-1]}, native"
table = points.pivot(index="name", columns="method", values=["psnr", "error"])
cases = pd.DataFrame(
    {
        "PSNR": table["psnr"][evaluation.UNTOUCHED],
        "gain": table["psnr"][chosen] - table["psnr"][evaluation.UNTOUCHED],
        "errors before": table["error"][evaluation.UNTOUCHED],
        "errors after": table["error"][chosen],
    }
).sort_values("errors after")
cases["change"] = cases["errors after"] - cases["errors before"]
run.write_table("07_evaluation/cards.csv", cases.reset_index())
figures.table(
    cases.reset_index(),
    caption=f"Every image that was read ({of_cards}): PSNR in dB (over RGB, no border cut) and character error rate ({engine}) before and after {chosen}.",
    formats={
        "PSNR": "{:.2f}",
        "gain": "{:+.2f}",
        "errors before": "{:.1%}",
        "errors after": "{:.1%}",
        "change": "{:+.1%}",
    },
    sortable=True,
)

# %%
by_change = cases.sort_values("change").index
misread = [name for name in by_change if cases.loc[name, "errors before"] > 0] or list(by_change)
middle_card = misread[len(misread) // 2]
run.write_json("07_evaluation/middle_card.json", {"name": middle_card, "method": chosen, **cases.loc[middle_card]})
picked = {middle_card: "in the middle", by_change[0]: "helped most", by_change[-1]: "harmed most"}
maps, texts = [], []
for name, title in sorted(picked.items(), key=lambda item: by_change.get_loc(item[0])):
    low, truths = unsquashed(name)
    views = {"before": low, "after": enhancers[chosen](low), "sharp": truths["sharp file"]}
    if name == middle_card:
        for view, image in views.items():
            images.write(run.path(f"07_evaluation/middle_card/{view}.png"), image)
    display(
        figures.before_after(
            views,
            caption=f"{title.capitalize()}: {name}, {cases.loc[name, 'errors before']:.0%} character errors before and "
            f"{cases.loc[name, 'errors after']:.0%} after {chosen}. The slider moves the border, the lens shows single pixels.",
            alt=f"The card {name},",
        )
    )
    maps.append((title, figures.error_map(views["after"], views["sharp"])))
    scores_of = readings[engine].scores.query("name == @name")
    if known is not None:
        values = scores_of[scores_of["kind"] == "value"].pivot(index="field", columns="method", values="found")
        true = known[name].query("kind == 'value'").set_index("name")["text"]
        texts += [
            {
                "card": title,
                "field": field,
                "true": true[field],
                "read before": values.loc[field, evaluation.UNTOUCHED],
                "read after": values.loc[field, chosen],
            }
            for field in values.index
        ]
    else:
        lines = {
            "read before": evaluation.UNTOUCHED,
            "read after": chosen,
            "read on the sharp image": evaluation.SHARP,
        }
        whole = {
            column: " ".join(line.text for line in readings[engine].lines[name, method])
            for column, method in lines.items()
        }
        texts.append({"card": title} | {column: shorten(text, 400, placeholder=" …") for column, text in whole.items()})
figures.figure(
    figures.side_by_side(maps),
    caption=f"What is still wrong after {chosen}: the difference to the sharp card, four times as strong; white is none.",
    alt="Three maps of the error after the network, white with darker letters and edges.",
)

# %%
figures.table(
    pd.DataFrame(texts),
    caption=f"What {engine} reads in these cards' value fields."
    if known is not None
    else f"What {engine} reads on these images, from the start.",
)

# %% [markdown]
# ### By what spoilt the card ◆
#
# *disc* is the blur of a lens out of focus, *motion* that of a moving hand, *downup* a loss of resolution, *marks* are stains and scratches,
# *tint* is coloured light. Most cards carry several at once, so a row is not the work of its kind alone, and a row of few cards says little.

# %%
spoilt = evaluation.degradations(folder, cards)
if spoilt is not None:
    spoilt = spoilt.merge(cases.reset_index(), on="name")
    middle = spoilt.groupby("kind")["strength"].transform("median")
    spoilt["half"] = np.where(
        spoilt["strength"].isna(), "", np.where(spoilt["strength"] > middle, "stronger", "weaker")
    )
    by_kind = (
        spoilt.groupby(["kind", "half"])
        .agg(
            cards=("name", "nunique"),
            gain=("gain", "mean"),
            before=("errors before", "mean"),
            after=("errors after", "mean"),
        )
        .reset_index()
    )
    by_kind["kind"] = by_kind["kind"].str.replace("_", " ")
    run.write_table("07_evaluation/by_degradation.csv", by_kind)
else:
    by_kind = pd.DataFrame({"": ["not known for these images"]})
figures.table(
    by_kind.rename(columns={"gain": "PSNR gain", "before": "errors before", "after": "errors after"}),
    caption=f"Cards that carry each kind of degradation (most carry several), in a weaker and a stronger half where it has one strength: mean "
    f"gain in dB and mean character error rate, {chosen}.",
    formats={"PSNR gain": "{:+.2f}", "errors before": "{:.1%}", "errors after": "{:.1%}"} if spoilt is not None else {},
)

# %% [markdown]
# ### Beyond the training distribution ◆
#
# The same network on cards that differ in one named way from others it meets here. All test cards have typefaces,
# layouts and words that no training card has; two rows show one card twice, set in typefaces of the training pool and in
# those held out (which lack some accents), with the same damage. Two kinds of degradation here were never drawn for training: pixelated cards compare
# with those degraded half as strongly, posterised ones with those degraded as drawn. Reading is compared with the reading of
# the sharp image, page against page.

# %%
clean_cards = [name for name in cards if pairs.clean_file(folder, by_name.loc[name])][:stress_cards]
if clean_cards:
    stressed = evaluation.beyond(
        [images.read(pairs.clean_file(folder, by_name.loc[name])) for name in clean_cards],
        {key: enhancers[key] for key in (evaluation.UNTOUCHED, chosen)},
        seed=seed,
        engine=engine,
        cache_folder=cache,
    )
    run.write_table("07_evaluation/beyond.csv", stressed)
    wide = stressed.pivot(index="case", columns="method", values=["psnr", "error"]).loc[stressed["case"].unique()]
    breaking = pd.DataFrame(
        {
            "case": wide.index,
            "PSNR": wide["psnr"][evaluation.UNTOUCHED].to_numpy(),
            "gain": (wide["psnr"][chosen] - wide["psnr"][evaluation.UNTOUCHED]).to_numpy(),
            "reading differs, before": wide["error"][evaluation.UNTOUCHED].to_numpy(),
            "after": wide["error"][chosen].to_numpy(),
        }
    )
else:
    breaking = pd.DataFrame({"": ["needs drawn cards, whose clean truth is known"]})
figures.table(
    breaking,
    caption=f"A look at where it breaks: {chosen} on {len(clean_cards)} clean test cards degraded in other ways; PSNR in dB over RGB, no border cut."
    + ("" if len(clean_cards) >= 20 else " So few cards show large differences only."),
    formats={"PSNR": "{:.2f}", "gain": "{:+.2f}", "reading differs, before": "{:.1%}", "after": "{:.1%}"}
    if clean_cards
    else {},
)
