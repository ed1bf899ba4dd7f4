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
# Three families can enhance images. *Convolutional networks* learn filters that turn one image into
# another. *Residual networks* add their layers' output to their input, which lets them grow deep and learn
# only what is missing. *Generative adversarial networks* train a second network to tell results from true
# images, which makes results look crisp, whether or not the detail is real.
#
# The original wanted a working pipeline first and the best results second, tried EDSR without success, and
# chose SRCNN as the simplest. SRCNN has three steps: extract features, map them, reconstruct the image. Its
# authors compare filter sizes for the middle step, with and without one more layer there. The last rows are this
# project's own: residual networks on pixels gathered four by four, made for the cards at their native resolution.

# %% tags=["parameters"]
run_folder = "../reports/standard"
seed = 1
model = "srcnn-9-1-5"
batch_size = 10
experiment_updates = 400
experiment_seeds = 1
experiment_crop_size = 24

# %%
from functools import partial

import pandas as pd
from IPython.display import Markdown

from srcnn_lib import batches, experiments, figures, metrics, models, original
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
    caption="Cost of the candidates, counted on the networks themselves.",
    formats={"parameters": "{:,}", "multiply-adds per pixel": "{:,}"},
)

# %% [markdown]
# ### The networks of the literature
#
# The original names several networks and could build one. Built from their papers at their authors' size, they have
# as many parameters as published, give or take what is counted. None of them is trained here yet.

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
run.write_table("05_model/published.csv", sizes_published)
figures.table(
    sizes_published,
    caption="Networks at their authors' size. FSRCNN's paper counts weights alone; SRResNet's normalisation has 4,224 further values that are "
    "not trained; how LapSRN's authors count is not known.",
    formats={"parameters, built": "{:,}"},
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
