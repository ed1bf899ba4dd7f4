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
from functools import partial

import numpy as np
import pandas as pd
from IPython.display import Markdown

from srcnn_lib import batches, evaluation, experiments, figures, metrics, models, original, superresolution, zoo
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
)

# %% [markdown]
# ### The networks of the literature
#
# The original names several networks and could build one. Built from their papers at their authors' size, they have
# as many parameters as published, give or take what is counted.

# %%
sizes_published = pd.DataFrame(
    [
        {
            "network": name,
            "parameters, published": published.parameters,
            "parameters, built": models.build_published(name).count_params(),
            "source of the figure": published.source,
        }
        for name, published in models.PUBLISHED.items()
    ]
)
sizes_published.loc[len(sizes_published)] = {
    "network": "SRGAN, discriminator",
    "parameters, published": "23.56 M",
    "parameters, built": srgan.discriminator().count_params(),
    "source of the figure": "public versions",
}
run.write_table("05_model/published.csv", sizes_published)
figures.table(
    sizes_published,
    caption="Networks at their authors' size. FSRCNN's paper counts weights alone; SRResNet's normalisation has 4,224 further values that are "
    "not trained, that of SRGAN's discriminator, which judges SRResNet's images of 96×96 pixels, 3,712; how LapSRN's authors count is not known.",
    formats={"parameters, built": "{:,}"},
)

# %% [markdown]
# Their quality as published: the mean over the five images of Set5, enlarged by 2, 3 and 4. Training data differ from
# row to row, from 91 images to several thousand, and account for part of the differences.

# %%
survey = superresolution.survey()
figures.table(
    survey,
    caption="Published Y-PSNR in dB on Set5 and parameters as built here (of IMDN and SwinIR, which are not built, as published).",
    formats={"parameters": "{:,}", "×2": "{:.2f}", "×3": "{:.2f}", "×4": "{:.2f}"},
)

# %% [markdown]
# ### A light version of each, trained alike ◆
#
# A comparison of published figures is one of budgets as much as of ideas. So every family gets a light version here, of
# the cost of SRCNN (18,000 to 20,000 multiply-adds per pixel), which enhances without enlarging: those that only enlarge gather
# the pixels two by two first. All saw the same crops of the native training cards in the same order, for the same
# number of updates with the same recipe (`make zoo`; the recipe was not tuned to any of them). SRCNN and the house model
# begin by giving back their input, as in section 2.7, the others with random weights. The figures are those of the kept
# run, on whole validation cards.

# %%
trained = zoo.table()
missing = [name for name in zoo.NAMES if name not in set(trained["network"])]
how = zoo.kept()[zoo.GENERATOR]
built = dict(
    zip((published.module for published in models.PUBLISHED.values()), sizes_published.to_dict("records"), strict=False)
)
families = trained["network"].replace(zoo.GAN, zoo.GENERATOR).map(lambda name: models.LIGHT.get(name, ("",))[0])
full_size = [built.get(family, {}) for family in families]
trained.insert(1, "published size", [row.get("parameters, published", "") for row in full_size])
trained.insert(2, "built", [row.get("parameters, built", np.nan) for row in full_size])
run.write_table("05_model/zoo.csv", trained)
scored, read = (pd.DataFrame(how["scores"])[column].notna().sum() for column in ("psnr", "errors"))
updates, recipe = how["recipe"]["epochs"] * how["recipe"]["epoch_steps"], how["recipe"]
figures.table(
    trained,
    caption=f"Parameters at full size, published and built, then the light networks after {updates} updates of {recipe['batch']} crops of "
    f"{recipe['crop']}×{recipe['crop']} pixels (kept run of {how['date']} on {how['device']}): PSNR in dB over RGB and SSIM "
    f"over Y on {scored} validation cards, character errors of RapidOCR in the values of {read} of them, time for one card (beside other work: only its order of magnitude says something). "
    + (f"Not trained yet: {', '.join(missing)}." if missing else ""),
    formats={
        "built": "{:,.0f}",
        "parameters": "{:,}",
        "multiply-adds per pixel": "{:,}",
        "PSNR": "{:.2f}",
        "gain": "{:+.2f}",
        "SSIM": "{:.3f}",
        "character errors": "{:.1%}",
        "ms per card": "{:.0f}",
        "training seconds": "{:.0f}",
    },
    sortable=True,
)

# %%
networks_only = trained[trained["network"] != evaluation.UNTOUCHED]
figures.figure(
    figures.quality_against_cost(networks_only, survey.rename(columns={"×2": "PSNR"}).dropna(subset="PSNR")),
    caption="Quality against cost. Left and middle: the light networks, all of about the same multiply-adds. Right: full size, as published.",
    alt="Three scatter plots with a named dot for each network: gain against parameters, gain against milliseconds per card, and published PSNR "
    "against parameters, which rises by about two decibels over four orders of magnitude.",
)

# %% [markdown]
# The weights are kept with the project and checked by SHA-256. Here they are applied anew, to a few validation cards of
# this run.

# %%
index = run.read_table("01_inspection/pairs.csv").merge(parts, on="name", validate="one_to_one")
cards = zoo.validation_cards(index, zoo_cards)
enhancers = evaluation.methods({name: zoo.load(name) for name in networks_only["network"]})
live = zoo.quality(cards, evaluation.unsquashed(run.data_folder, index), enhancers)
run.write_table("05_model/zoo_live.csv", live)
means = live.groupby("method", sort=False)[["psnr", "ssim", "seconds"]].mean().reset_index()
means["gain"] = means["psnr"] - means.set_index("method")["psnr"][evaluation.UNTOUCHED]
same_data = how["data_sha256"] == run.read_json("01_inspection/summary.json")["data_sha256"]
figures.table(
    means.assign(seconds=1000 * means["seconds"]).rename(
        columns={"psnr": "PSNR", "ssim": "SSIM", "seconds": "ms per card"}
    ),
    caption=f"The kept weights on {len(cards)} validation card{'s' if len(cards) > 1 else ''} of this run, computed now; times include what a first call costs."
    + (
        ""
        if same_data
        else " They were trained on another data set, so this shows that they work, not how good they are."
    ),
    formats={"PSNR": "{:.2f}", "SSIM": "{:.3f}", "gain": "{:+.2f}", "ms per card": "{:.0f}"},
)

# %% [markdown]
# ### What an adversary does ◆
#
# SRGAN's generator is the light SRResNet, trained further to please two others: the reader of section 2.7, whose features of
# the result should be those of the sharp card, and a discriminator, which learns to tell the two apart.

# %%
name = cards[0]
low, truths = evaluation.unsquashed(run.data_folder, index)(name)
window = tuple(slice(max(0, side // 2 - 80), side // 2 + 80) for side in low.shape[:2])
looks = {"low": low, **{key: enhancers[key](low) for key in (zoo.GENERATOR, zoo.GAN)}, "sharp": truths["sharp file"]}
figures.figure(
    figures.side_by_side([(title, image[window]) for title, image in looks.items()], columns=4, width=10),
    caption=f"The middle 160×160 pixels of {name}: as it came, after the light SRResNet, after the same with an adversary, and the sharp file.",
    alt="Four small pictures of the same piece of a card.",
)

# %%
by_name = trained.set_index("network")
plain, gan, untouched_row = by_name.loc[zoo.GENERATOR], by_name.loc[zoo.GAN], by_name.loc[evaluation.UNTOUCHED]
Markdown(
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

# %% [markdown]
# ### The choice

# %%
candidates = by_name.drop(evaluation.UNTOUCHED)
best, best_read = candidates["PSNR"].idxmax(), candidates["character errors"].idxmin()
house, base = by_name.loc["house"], by_name.loc["srcnn-9-1-5"]
Markdown(
    f"At equal cost and after equal, short training, {best} has the highest PSNR ({candidates['gain'][best]:+.2f} dB against the untouched cards), "
    f"and {best_read} is read best ({candidates['character errors'][best_read]:.1%} character errors; untouched "
    f"{untouched_row['character errors']:.1%}). The house model is number {int((candidates['PSNR'] > house['PSNR']).sum()) + 1} of {len(candidates)} by PSNR "
    f"({house['gain']:+.2f} dB) and number {int((candidates['character errors'] < house['character errors']).sum()) + 1} by reading, SRCNN gains "
    f"{base['gain']:+.2f} dB. "
    + (
        f"**{updates} updates are too few to choose between families**: none gains more than {candidates['gain'].max():.2f} dB, and with {read} cards "
        "read, the differences in reading are chance as well. So nothing here speaks for a larger or more intricate network. "
        if candidates["gain"].max() < 0.5
        else ""
    )
    + "For the squashed track the choice is SRCNN, as in the original, whose report this repeats. At native resolution section 2.7 trains SRCNN and the "
    "house model for longer, and section 2.9 scores both."
)

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
)

# %%
final = curves[curves["updates"] == curves["updates"].max()].groupby("model")["psnr"].agg(["mean", "min", "max"])
run.write_json("05_model/experiments.json", {"untouched": untouched, **final["mean"].to_dict()})
deeper = {tuple(group): final["mean"][group[1]] - final["mean"][group[0]] for group in groups}
Markdown(
    f"After {curves['updates'].max()} updates: "
    + "; ".join(f"{second} {gain:+.2f} dB against {first}" for (first, second), gain in deeper.items())
    + f". The untouched images have {untouched:.2f} dB. "
    + (
        "With one seed a difference of a tenth of a decibel says nothing. "
        if experiment_seeds == 1
        else f"Over {experiment_seeds} seeds, a network's results span up to {(final['max'] - final['min']).max():.2f} dB. "
    )
    + "The paper found that wider filters in the middle help and another layer does not, after many more updates."
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
# kernel but the last, with as many filters as `filters` says; `padding` decides what happens at the border, as explained below. The
# last `Conv2D` has one filter for each colour. `Model` ties input and output together; only then does Keras know all weights. With
# `start="identity"`, which the original does not have, the first weights pass the image through, so that training starts at leaving it alone.
#
# The original names one disadvantage of TensorFlow, that it trains more slowly than PyTorch. That is not tested here: a fair
# comparison would need the whole project twice. What can be said is that training is limited by the multiply-adds of the
# convolutions, which both hand to the same kind of library, and that less work (crops instead of whole images, section 2.7)
# is worth more than any framework.

# %%
network = models.build(model)
layers = models.layers(network)
figures.table(layers, caption="Layers of the network.", formats={"parameters": "{:,}"})

# %%
figures.figure(
    figures.architecture(layers, network.input_shape[-1]),
    caption=f"The network {model}: blocks are images with so many channels, arrows are layers.",
    alt=f"A chain of {len(layers) + 1} blocks joined by {len(layers)} convolutions.",
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
# while training, a pixel that has gone below zero has no gradient to bring it back. The fourth panel above shows what it
# is worth in practice.

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
    + f"Each output pixel depends on {summary['receptive field']} pixels of the input in each direction: "
    "blur that spreads wider than that cannot be undone by this network."
)
