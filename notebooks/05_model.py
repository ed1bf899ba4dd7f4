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
# authors compare filter sizes for the middle step, and this is what they cost.

# %% tags=["parameters"]
run_folder = "../reports/standard"
model = "srcnn-9-1-5"

# %%
import pandas as pd
from IPython.display import Markdown

from srcnn_lib import figures, models, original
from srcnn_lib.runs import Run

run = Run(run_folder)

# %%
costs = pd.DataFrame([{"network": name, **models.cost(models.build(name))} for name in models.NAMES])
run.write_table("05_model/costs.csv", costs)
figures.table(
    costs,
    caption="Cost of the candidates, counted on the networks themselves.",
    formats={"parameters": "{:,}", "multiply-adds per pixel": "{:,}"},
)

# %% [markdown]
# The training minimises the mean squared error between the network's output $F(Y_i; \Theta)$ for the low
# image $Y_i$ and the high image $X_i$, over its weights $\Theta$ and all $n$ pairs:
#
# $$L(\Theta) = \frac{1}{n} \sum_{i=1}^{n} \lVert F(Y_i; \Theta) - X_i \rVert^2$$
#
# ## 2.6 Model construction
#
# The network is written in Keras on TensorFlow, which the original chose as common in industry and familiar.
# The first layer looks at a small window of pixels and gives many features, the second combines the features
# into fewer, the third builds three colours from a window of those. Padding keeps the size, and each layer ends
# in a ReLU, which cuts off negative values.

# %%
network = models.build(model)
layers = models.layers(network)
figures.table(layers, caption="Layers of the network.", formats={"parameters": "{:,}"})

# %%
figures.figure(
    figures.architecture(network),
    caption=f"The network {model}: blocks are images with so many channels, arrows are layers.",
    alt=f"A chain of {len(network.layers)} blocks joined by {len(network.layers) - 1} convolutions.",
)

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
