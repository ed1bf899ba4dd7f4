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
# ## 2.5 Model selection
#
# What can turn a spoilt image into a better one? The networks that the original names differ in how they spend their
# work:
#
# - *Plain convolutions*: SRCNN maps an image that has its final size already, ESPCN and FSRCNN work at the small size
#   and enlarge at the very end, which makes the same number of features four times as cheap or more.
# - *Residual networks*: VDSR learns only the difference from its input, DRRN uses one residual unit again and again,
#   SRResNet stacks residual blocks with batch normalisation, EDSR drops the normalisation and grows wider, and MDSR
#   shares one such body between several scales.
# - *Pyramids and wavelets*: LapSRN enlarges by steps of two and adds the detail of each step; WRAN predicts the bands of
#   a wavelet transform, whose inverse enlarges.
# - *Attention*: RCAN weighs channels by their means, SAN by how they vary together, WRAN places as well; SPAN does it
#   without parameters, for speed.
# - *Networks for restoration*: NAFNet is a U: it halves the size on its way down and doubles it on its way up, with
#   products instead of activation functions. Blur and noise are its task, not size.
# - *Adversarial networks*: in SRGAN a second network learns to tell results from true images, and the first to deceive
#   it. Results look crisp, whether or not the detail is real.
#
# The original wanted a working pipeline first and the best results second, tried EDSR without success, and chose SRCNN
# as the simplest. Here the goals are, in this order: text that OCR reads better than on the untouched card; nothing
# invented; a second or so for a card on an ordinary processor; weights of a megabyte or so; a training of minutes, from
# cards alone. Unlike in super-resolution, input and output have one size, and what spoils a card reaches from the single
# pixel (noise) to the whole of it (light), so a network should see far for little work.

# %% tags=["parameters"]
run_folder = "../reports/standard"
seed = 1
model = "srcnn-9-1-5"
batch_size = 10
experiment_updates = 400
experiment_seeds = 1
experiment_crop_size = 24
zoo_cards = 3

# %%
import gc
from functools import partial

import numpy as np
import pandas as pd
from IPython.display import Markdown

from srcnn_lib import (
    batches,
    evaluation,
    experiments,
    figures,
    metrics,
    models,
    original,
    superresolution,
    training,
    zoo,
)
from srcnn_lib.models import srcnn, srgan
from srcnn_lib.runs import Run

run = Run(run_folder)
parts = run.read_table("03_split/split.csv")
prepared = run.existing("04_preprocessing/prepared")
train, validation = (batches.Files(*batches.files(prepared, parts, part)) for part in ("train", "validation"))

# %%
costs = pd.DataFrame([{"network": name, **models.cost(models.build(name))} for name in models.NAMES])
run.write_table("05_model/costs.csv", costs)
figures.table(
    costs,
    caption="Cost of SRCNN's variants and of the house models, this project's own: residual networks on pixels gathered four by four.",
    formats={"parameters": "{:,}", "multiply-adds per pixel": "{:,}"},
    key="costs",
)

# %% [markdown]
# ### The networks of the literature
#
# The original names several networks and could build one. Built from their papers at their authors' size, they have
# as many parameters as published, give or take what is counted. What SRCNN's variants cost is in [the table](#costs).

# %%
rows = []
for name, published in models.PUBLISHED.items():
    network = models.build_published(name)
    rows.append(
        {
            "network": name,
            "parameters, published": published.parameters,
            **models.counts(network),
            "source of the figure": published.source,
        }
    )
    del network
    gc.collect()  # a network's layers hold one another, so that it would stay beside the next ones
discriminator = srgan.discriminator()
rows.append(
    {
        "network": "SRGAN, discriminator",
        "parameters, published": "23.56 M",
        **models.counts(discriminator),
        "source of the figure": "public versions",
    }
)
sizes_published = pd.DataFrame(rows)
run.write_table("05_model/published.csv", sizes_published)
figures.table(
    sizes_published,
    caption="Networks at their authors' size. “Weights alone” are those of the filters, without biases: so SRCNN's and FSRCNN's papers count. What "
    "normalisations keep is not trained, and public figures leave it out. The discriminator judges SRResNet's images of "
    f"{discriminator.input_shape[1]}×{discriminator.input_shape[2]} pixels. How LapSRN's authors count is not known.",
    formats=dict.fromkeys(("parameters, built", "weights alone", "not trained"), "{:,}"),
    key="full-size",
)

# %% [markdown]
# Their quality as published: the mean over the five images of Set5, enlarged by 2, 3 and 4. Training data differ from
# row to row, from 91 images to several thousand, and account for part of the differences.

# %%
survey = superresolution.survey()
figures.table(
    survey,
    caption="Published Y-PSNR in dB on Set5, parameters as built here (of IMDN and SwinIR, which are not built, as published), and multiply-adds "
    "per pixel of the image enlarged by 2.",
    formats={
        "parameters": "{:,}",
        "multiply-adds per pixel": "{:,.0f}",
        "×2": "{:.2f}",
        "×3": "{:.2f}",
        "×4": "{:.2f}",
    },
    key="survey",
)

# %% [markdown]
# ### A light version of each, trained alike ◆
#
# A comparison of published figures is one of budgets as much as of ideas. So every family gets a light version here, of
# the cost of SRCNN (see the column of multiply-adds), which enhances without enlarging: those that only enlarge gather
# the pixels two by two first. All saw the same crops of the native training cards in the same order, for the same
# number of updates with the same recipe (`make zoo`; the recipe was not tuned to any of them). SRCNN and the house model
# begin by giving back their input, as in section 2.7, the others with random weights. The figures are those of the kept
# run, on whole validation cards; what the networks came to on crops, which all trainings watched, stands beside.

# %%
trained = zoo.table()
missing = [name for name in (evaluation.UNTOUCHED, *zoo.NAMES) if name not in set(trained["network"])]
modules = {name: module for name, (module, _) in models.LIGHT.items()} | {
    zoo.GAN: "srresnet",
    experiments.BASE: "srcnn",
}
full_size = sizes_published.iloc[: len(models.PUBLISHED)].assign(
    module=[published.module for published in models.PUBLISHED.values()],
    built=[f"{count:,}" for count in sizes_published["parameters, built"][: len(models.PUBLISHED)]],
)
full_size = full_size.groupby("module")[["parameters, published", "built"]].agg(" and ".join)
families = full_size.reindex(trained["network"].map(modules))
trained.insert(1, "published size", families["parameters, published"].fillna("").to_numpy())
trained.insert(2, "built", families["built"].fillna("").to_numpy())
set5 = superresolution.reached()
trained["Set5 ×2 / ×3 / ×4"] = [set5.get(name, "") for name in trained["network"]]
run.write_table("05_model/zoo.csv", trained)
how = next((record for record in zoo.kept().values() if "recipe" in record), None)
scored, read, updates = 0, 0, 0
if how is not None:
    scored, read = (int(pd.DataFrame(how["scores"])[column].notna().sum()) for column in ("psnr", "errors"))
    updates = how["recipe"]["epochs"] * how["recipe"]["epoch_steps"]
shown = trained.drop(columns=["gain_low", "gain_high"])
shown.insert(
    list(shown).index("gain") + 1,
    "95 % interval",
    [
        f"{low:+.2f} to {high:+.2f}" if pd.notna(low) else ""
        for low, high in trained[["gain_low", "gain_high"]].to_numpy()
    ],
)
figures.table(
    shown,
    caption="Parameters at full size, published and built, then the light networks"
    + (
        f" after {updates} updates of {how['recipe']['batch']} crops of {how['recipe']['crop']}×{how['recipe']['crop']} pixels (kept run of "
        f"{how['date']} on {how['device']}): PSNR in dB over RGB, its gain over the untouched cards and SSIM over Y on {scored} validation cards, mean "
        f"squared error of the middles of {zoo.WATCHED} validation cards, character errors of RapidOCR in the values of {read} of the scored ones, time "
        "for one card and for the training (beside other work: only their order of magnitude says something). On Set5: Y-PSNR in dB of the network on brightness alone, trained "
        "on 91 images, where that was done."
        if how is not None
        else "."
    )
    + (f" Not there yet: {', '.join(missing)}; `make zoo` trains and scores them." if missing else ""),
    formats={
        "parameters": "{:,}",
        "multiply-adds per pixel": "{:,}",
        "PSNR": "{:.2f}",
        "gain": "{:+.2f}",
        "SSIM": "{:.3f}",
        "MSE of crops": "{:.4f}",
        "character errors": "{:.1%}",
        "ms per card": "{:.0f}",
        "training seconds": "{:.0f}",
    },
    sortable=True,
    key="zoo",
)

# %%
by_name = trained.set_index("network")
candidates = by_name.drop(evaluation.UNTOUCHED, errors="ignore")
not_yet = Markdown(f"That waits for `make zoo`, since these are missing: {', '.join(missing)}.")
if missing:
    said = not_yet
else:
    best, best_crops = candidates["PSNR"].idxmax(), candidates["MSE of crops"].idxmin()
    logs = {name: pd.DataFrame(record["history"]) for name, record in zoo.kept().items() if "history" in record}
    early = [name for name, log in logs.items() if training.reading(log)["best_epoch"] <= len(log) / 4]
    as_good = (candidates.drop(best)["gain_high"] > candidates["gain"][best]).sum()
    said = Markdown(
        f"How certain is that order? The gain of {best}, {candidates['gain'][best]:+.2f} dB, has an interval from {candidates['gain_low'][best]:+.2f} to "
        f"{candidates['gain_high'][best]:+.2f} dB over so few cards, and those of {as_good} of the other {len(candidates) - 1} networks reach as high. "
        f"On the watched crops {best_crops} comes first"
        + (
            ", too"
            if best == best_crops
            else f", with an error of {candidates['MSE of crops'][best_crops]:.4f} against {candidates['MSE of crops'][best]:.4f}"
        )
        + f"; the two orders go together with a rank correlation of "
        f"{candidates['PSNR'].corr(-candidates['MSE of crops'], method='spearman'):.2f}. So [the table](#zoo) tells networks apart that fail from those that "
        "do not, and hardly more."
        + (
            f" The lowest error on crops of {', '.join(early)} came in the first quarter of the training, and they lost afterwards what they had learned: "
            "they fail at this step size, which does not say that they would at another."
            if early
            else ""
        )
    )
said

# %%
at_2 = survey.rename(columns={"×2": "PSNR"}).dropna(subset="PSNR")
figures.figure(
    figures.quality_against_cost(candidates.dropna(subset="gain").reset_index(), at_2),
    caption="Quality against cost. Above: the light networks, all of about the same multiply-adds, with the 95 % intervals of their gains. Below: full "
    "size, as published; multiply-adds are those per pixel of the image enlarged by 2.",
    alt="Five scatter plots. Above, a mark for each network, named in a legend: gain against parameters, multiply-adds and milliseconds per card. Below, "
    "a named dot for each, published "
    f"PSNR against parameters and multiply-adds: from {at_2['parameters'].min():,} to {at_2['parameters'].max():,} parameters it rises by "
    f"{np.ptp(at_2['PSNR']):.1f} dB.",
    key="quality-against-cost",
)

# %% [markdown]
# The weights are kept with the project and checked by SHA-256. Here they are applied anew, to a few validation cards of
# this run, which OCR then reads.

# %%
index = run.read_table("01_inspection/pairs.csv").merge(parts, on="name", validate="one_to_one")
cards = zoo.validation_cards(index, zoo_cards)
known = evaluation.fields(run.data_folder, index, cards)
unsquashed = evaluation.unsquashed(run.data_folder, index)
enhancers = evaluation.methods({name: zoo.load(name) for name in candidates.index})
live = zoo.judge(cards, unsquashed, enhancers, known, cache_folder=run.path("05_model/read"))
run.write_table("05_model/zoo_live.csv", live)
by_method = live.groupby("method", sort=False)
means = by_method[["psnr", "ssim", "seconds"]].mean()
means.insert(1, "gain", means["psnr"] - means["psnr"][evaluation.UNTOUCHED])
means["character errors"] = by_method["errors"].sum() / by_method["characters"].sum()
same_data = how is not None and how["data_sha256"] == run.read_json("01_inspection/summary.json")["data_sha256"]
figures.table(
    means.assign(seconds=1000 * means["seconds"])
    .rename(columns={"psnr": "PSNR", "ssim": "SSIM", "seconds": "ms per card"})
    .reset_index(),
    caption=f"The kept weights on {len(cards)} validation card{'s' if len(cards) > 1 else ''} of this run, computed now: PSNR and its gain in dB, SSIM, time "
    "(with what a first call costs), character errors of RapidOCR"
    + (" in the values" if known is not None else ", against the reading of the sharp image")
    + ". So few cards show that the weights work, not which are better."
    + ("" if same_data else " They were trained on another data set."),
    formats={
        "PSNR": "{:.2f}",
        "SSIM": "{:.3f}",
        "gain": "{:+.2f}",
        "ms per card": "{:.0f}",
        "character errors": "{:.1%}",
    },
    key="zoo-live",
)

# %% [markdown]
# ### What an adversary does ◆
#
# SRGAN's generator is the light SRResNet, trained further to please two others: the reader of section 2.7, whose features of
# the result should be those of the sharp card, and a discriminator, which learns to tell the two apart.

# %%
name = cards[0]
low, truths = unsquashed(name)
window = tuple(slice(max(0, side // 2 - 80), side // 2 + 80) for side in low.shape[:2])
pair = [key for key in (zoo.GENERATOR, zoo.GAN) if key in enhancers]
looks = {"low": low, **{key: enhancers[key](low) for key in pair}, "sharp": truths["sharp file"]}
figures.figure(
    figures.side_by_side([(title, image[window]) for title, image in looks.items()], columns=4, width=10),
    caption=f"The middle 160×160 pixels of {name}: as it came, after the light SRResNet, after the same with an adversary, and the sharp file.",
    alt="Four small pictures of the same piece of a card.",
)

# %%
if missing:
    said = not_yet
else:
    plain, gan, untouched_row = by_name.loc[zoo.GENERATOR], by_name.loc[zoo.GAN], by_name.loc[evaluation.UNTOUCHED]
    said = Markdown(
        f"On the kept run's cards the adversary changes PSNR from {plain['PSNR']:.2f} to {gan['PSNR']:.2f} dB and character errors from "
        f"{plain['character errors']:.1%} to {gan['character errors']:.1%} (untouched: {untouched_row['character errors']:.1%}). "
        + (
            "It costs PSNR, as in the literature"
            if gan["PSNR"] < plain["PSNR"]
            else "It does not cost PSNR here, unlike in the literature"
        )
        + (
            ", and reading is no better for it."
            if gan["character errors"] >= plain["character errors"]
            else ", and reading gains by it."
        )
    )
said

# %% [markdown]
# ### The choice

# %%
if missing:
    said = not_yet
else:
    best_read = candidates["character errors"].idxmin()
    house, base = by_name.loc["house"], by_name.loc[experiments.BASE]
    said = Markdown(
        f"At equal cost and after equal training, {best} has the highest PSNR ({candidates['gain'][best]:+.2f} dB against the untouched cards), "
        f"{best_crops} the least error on crops, and {best_read} is read best ({candidates['character errors'][best_read]:.1%} character errors; untouched "
        f"{untouched_row['character errors']:.1%}). The house model is number {int((candidates['PSNR'] > house['PSNR']).sum()) + 1} of {len(candidates)} by PSNR "
        f"({house['gain']:+.2f} dB), number {int((candidates['MSE of crops'] < house['MSE of crops']).sum()) + 1} on crops and number "
        f"{int((candidates['character errors'] < house['character errors']).sum()) + 1} by reading, SRCNN gains {base['gain']:+.2f} dB. "
        + (
            f"**{updates} updates are too few to choose between families**: none gains more than {candidates['gain'].max():.2f} dB, and with {read} cards "
            "read, the differences in reading are chance as well. So nothing here speaks for a larger or more intricate network. "
            if candidates["gain"].max() < 0.5
            else f"PSNR would choose {best}, reading {best_read}, and reading is what cards are for; but {read} cards read are few. "
            if best != best_read
            else ""
        )
        + "For the squashed track the choice is SRCNN, as in the original, whose report this repeats. At native resolution section 2.7 trains SRCNN and the "
        "house model on this run's cards, and section 2.9 scores both; a profile can name any of the light networks there, too."
    )
said

# %% [markdown]
# ### The loss
#
# The training minimises the mean squared error between the network's output $F(Y_i; \Theta)$ for the low
# image $Y_i$ and the high image $X_i$, over its weights $\Theta$ and all $n$ pairs. The paper writes it as a
# squared norm, which sums over the $m$ values of an image:
#
# $$L(\Theta) = \frac{1}{n} \sum_{i=1}^{n} \lVert F(Y_i; \Theta) - X_i \rVert^2$$
#
# The original's code takes the mean over pixels and colours instead, $\frac{1}{n m} \sum_i \lVert F(Y_i; \Theta) - X_i \rVert^2$.
# Both have their minimum at the same weights, since they differ by the constant $m$; but gradients shrink
# by it, so that the paper's step size of 0.0001 would be far too small here.
#
# $$PSNR = -10 \log_{10} MSE$$
#
# falls whenever the MSE of values in [0, 1] rises. So for one image, least error is highest PSNR. Over
# several images the mean of the PSNRs is another average, which weighs good images more than their MSE does.
#
# ### The paper's experiments, repeated
#
# The original quotes three graphs: 9-1-5, 9-3-5 and 9-5-5, each against the same network with one more
# layer of 16 filters of 1×1 pixel. Here they are trained on the same crops of the squashed images, with Adam at the
# original's learning rate and for the same number of updates each. A fourth pair asks about the end: the
# original's last layer cuts negative values off (ReLU), the paper's is linear.

# %%
linear = f"{experiments.BASE}, linear end"
groups = [
    ["srcnn-9-1-5", "srcnn-9-1-1-5"],
    ["srcnn-9-3-5", "srcnn-9-3-1-5"],
    ["srcnn-9-5-5", "srcnn-9-5-1-5"],
    ["srcnn-9-1-5", linear],
]
networks = {name: partial(models.build, name) for group in groups for name in group if name != linear}
networks[linear] = partial(models.build, experiments.BASE, last_activation=None)
watched = batches.Packed(batches.Centres(validation, experiments.WATCHED_SIZE))[: experiments.WATCHED_PAIRS]
curves = experiments.compare(
    networks,
    batches.Packed(train),
    watched,
    updates=experiment_updates,
    seeds=range(seed, seed + experiment_seeds),
    batch_size=batch_size,
    crop_size=experiment_crop_size,
    learning_rate=original.LEARNING_RATE,
)
run.write_table("05_model/experiments.csv", curves)
untouched = metrics.psnr_from_mse(metrics.error_of_doing_nothing(batches.stream(watched, batch_size=batch_size)))

# %%
figures.figure(
    figures.experiment_curves(curves, groups, untouched=untouched),
    caption=f"Validation PSNR during short trainings (middles of {len(watched)} validation images; bands: range over the seeds, where "
    "there are several).",
    alt="Four panels with two rising curves each: a network and its deeper, or linear, variant.",
    key="experiments",
)

# %%
late = curves[curves["updates"] > curves["updates"].max() / 2]
final = late.groupby(["model", "seed"])["psnr"].mean().groupby("model").agg(["mean", "min", "max"])
single = (late["psnr"] - late.groupby(["model", "seed"])["psnr"].transform("mean")).abs().max()
deeper = {tuple(group): final["mean"][group[1]] - final["mean"][group[0]] for group in groups}
Markdown(
    f"Mean of the second half of {curves['updates'].max()} updates: "
    + "; ".join(f"{second} {gain:+.2f} dB against {first}" for (first, second), gain in deeper.items())
    + f". The untouched images have {untouched:.2f} dB"
    + (", and no network has come to that yet. " if final["mean"].max() < untouched else ". ")
    + f"At this step size a single evaluation lies up to {single:.2f} dB from its network's mean. "
    + (
        "One seed of such short trainings shows how they go, not which network is better. "
        if experiment_seeds == 1
        else f"Over {experiment_seeds} seeds, a network's results span up to {(final['max'] - final['min']).max():.2f} dB. "
    )
    + "The paper found that wider filters in the middle help and another layer does not, after many more updates. What its own test comes to here is "
    "in [the table](#set5)."
)

# %% [markdown]
# ## 2.6 Model construction
#
# The network is written in Keras on TensorFlow, which the original chose as common in industry and familiar.
# The first layer looks at a small window of pixels and gives many features, the second combines the features
# into fewer, the third builds three colours from a window of those. Each output value is a weighted sum over the
# window and all channels, plus a constant, so a layer with $k \times k$ windows, $c$ channels in and $f$ filters has
# $(k^2 c + 1) f$ parameters.

# %%
figures.listing(srcnn.build, caption="SRCNN, as it is built here.")

# %% [markdown]
# Line by line: `Input` leaves height and width open, so that images of any size go through. The loop adds one `Conv2D` for each
# kernel but the last, with as many filters as `filters` says; being called with `x`, the output of the layer before, ties each to that. The
# last `Conv2D` has one filter for each colour. `Model` takes the two ends, input and output; all that lies between is the network, and only then
# does Keras know all weights. With `start="identity"`, which the original does not have, the first weights pass the image through, so that training
# starts at leaving it alone. What a `Conv2D` is given:

# %%
widths, kernels = ([str(layer[place]) for layer in original.LAYERS] for place in (0, 1))
figures.table(
    pd.DataFrame(
        [
            (
                "filters",
                "how many patterns are looked for, each over all channels of the input; as many channels come out",
                ", ".join(widths),
                "filters, and channels at the end",
            ),
            (
                "kernel_size",
                "side of the window in pixels, of which each output value is made; windows of layers add up to the view of the network",
                ", ".join(kernels),
                "kernels",
            ),
            (
                "padding",
                "what is done at the border: “same” sets zeros around the image, “valid” does not; see below",
                "same",
                "padding, same as a rule",
            ),
            (
                "strides",
                "pixels from one window to the next; more than one makes the output smaller",
                "not given: 1",
                "not given: 1",
            ),
            (
                "dilation_rate",
                "pixels from one value of a window to the next; more than one leaves gaps",
                "not given: 1",
                "not given: 1",
            ),
            (
                "activation",
                "what is done to each sum; without one, several convolutions in a row are no more than one",
                "relu, on every layer",
                "activation, and last_activation at the end",
            ),
            ("the call", "the layer as a function of the output of the one before", "the layer before", "x"),
        ],
        columns=["argument", "meaning", "the original", "here"],
    ),
    caption="What a layer Conv2D is given. Its filters begin at random unless told otherwise, and are learned.",
    key="conv2d",
)

# %% [markdown]
# The original's next line compiles: it tells the network how errors are counted and how weights follow from them. Here that is done by the
# training loop, once for each training, since recipes differ:

# %%
figures.listing(training._compile, training._optimizer, caption="How a network is compiled here.", key="compiling")

# %%
Markdown(
    f"- `compile` is given an optimiser, a loss and what else is to be measured: in the original Adam with a step size of {original.LEARNING_RATE:g} and the "
    "pixel MSE, here those of the recipe (section 2.7 says which, section 2.8 shows the loss).\n"
    "- *Adam* keeps two running means for each weight, of its gradient and of the gradient's square, and steps by the first over the root of the "
    "second. So each weight moves by about the step size, however large the loss is, which is why a loss that is a mean needs no other step size than "
    "one that is a sum. The original finds that it does well and would have tried others with more time; section 2.10 does.\n"
    "- `build` makes the optimiser's memory before the first step, so that a checkpoint can be read into it. A network that is compiled for the same "
    "recipe already is not compiled again: its optimiser only forgets.\n"
    "- `summary()`, the original's next line, lists the layers, the shapes of their outputs and their parameters: [here](#layers). `plot_model` draws "
    "them as a chain of boxes, with the help of Graphviz, a program outside Python; [the figure](#architecture) is drawn without it."
)

# %% [markdown]
# The original names one disadvantage of TensorFlow, that it trains more slowly than PyTorch. That is not tested here: a fair
# comparison would need the whole project twice. What can be said is that training is limited by the multiply-adds of the
# convolutions, which both hand to the same kind of library, and that less work (crops instead of whole images, section 2.7)
# is worth more than any framework.

# %%
network = models.build(model)
layers = models.layers(network)
figures.table(layers, caption="Layers of the network.", formats={"parameters": "{:,}"}, key="layers")

# %%
figures.figure(
    figures.architecture(layers, network.input_shape[-1]),
    caption=f"The network {model}: a block is an image with the number of channels under it, an arrow is a layer.",
    alt=f"A chain of {len(layers) + 1} blocks joined by {len(layers)} convolutions.",
    key="architecture",
)

# %% [markdown]
# A window must not hang over the border. Without padding ("valid") the output is therefore smaller; with zeros around the
# image ("same") it keeps its size. For input size $i$, padding $p$ on each side, dilation $d$, window $k$ and stride $s$ the
# output has
#
# $$o = \left\lfloor \frac{i + 2 p - d (k - 1) - 1}{s} \right\rfloor + 1$$
#
# pixels, and solved for the padding that keeps $o = i$ with $s = d = 1$: $p = (k - 1) / 2$.

# %%
sizes = models.sizes(experiments.BASE, original.IMAGE_SIZE)
assert (sizes["valid, formula"] == sizes["valid, Keras"]).all() and (sizes["same, Keras"] == original.IMAGE_SIZE).all()
figures.table(sizes, caption="Size after each layer, by the formula and as Keras builds SRCNN.")

# %% [markdown]
# Each layer, also the last, ends in a ReLU, which cuts off negative values. Between layers this is what
# makes the network more than one big linear filter. At the end the original gives the reason that negative
# values mean nothing in an image; true, but cutting them off when the image is written does the same, and
# while training, a pixel that has gone below zero has no gradient to bring it back. The fourth panel of
# [the figure of experiments](#experiments) shows what it is worth in practice.

# %%
parameters = network.count_params()
if model == "srcnn-9-1-5":
    assert parameters == original.PARAMETERS, f"expected the original's {original.PARAMETERS}, built {parameters}"
    assert tuple(layers["parameters"]) == tuple(count for _, _, count in original.LAYERS)
summary = {"model": model, **models.cost(network)}
run.write_json("05_model/summary.json", summary)
Markdown(
    f"**{parameters:,}** parameters in all; the original reports {original.PARAMETERS:,}"
    + (", layer by layer the same. " if parameters == original.PARAMETERS else ". ")
    + f"Each output pixel depends on {summary['receptive field']}×{summary['receptive field']} pixels of the input, itself in the middle: "
    "blur that spreads wider than that cannot be undone by this network."
)
