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
# # 1 Introduction
#
# ## 1.1 Abstract
#
# A photographed identity card is often blurred, noisy or hazy, and software that reads text from images
# (OCR) then fails on it. A published study, *Image Enhancement Using Deep Learning* by Bassil Usama
# El-Oraby, trained a small convolutional network, SRCNN, to turn such images back into sharp ones. We call
# it *the original*. This report is that study as a program: it goes through the same stages in the same
# order, on data that anyone can have, and sets the original's figures beside its own. It also asks what
# the original left open, and first of all whether the network beats leaving the images as they are. And it
# comes with an enhancer for anyone's cards, which is measured by what OCR reads after it, and by what it makes up ([section 2.9](#shipped-reading)).
#
# Sections are numbered and named as in the original. Within them, a heading that ends in ◆ has no counterpart there. At the
# end, [the map](#map) takes the original claim by claim and says whether this run agrees. All numbers in the text come from the
# results of this run, or from runs that took longer and were kept, which are then named with their date, and as earlier ones where the enhancer has changed since; code is folded away under “Code”.

# %% tags=["parameters"]
run_folder = "../reports/standard"
model = "srcnn-9-1-5"

# %%
import pandas as pd

from srcnn_lib import figures, models, original
from srcnn_lib.runs import Run

run = Run(run_folder)

# %% [markdown]
# The original's images are private. Unless a reader supplies images, the project draws fictitious cards and
# degrades a copy of each. This is what the present run works on.

# %%
data = run.inputs["data"]
figures.beside_original(
    [
        (
            "images",
            "drawn specimen cards" if data["drawn"] else "a reader's own folder",
            "private photographs of identity cards",
        ),
        ("files", f"{data['files']:,}", f"{2 * original.PAIRS:,}"),
        ("network", model, "SRCNN 9-1-5"),
        ("profile", run.inputs["profile"], "closest to the profile “published”"),
    ],
    caption="What this run works on, beside the original.",
)

# %% [markdown]
# ## 1.2 Related work
#
# Networks for *single-image super-resolution* take one image of low quality and estimate a better one, with
# nothing else to go by. Most lean on residual learning, skip connections and dense connections, which keep deep networks trainable.
# The original names these:
#
# - [SRCNN](https://arxiv.org/abs/1501.00092) (2014) maps low to high with three convolutions, learned
#   end to end. It is the one that the original builds.
# - [ESPCN](https://arxiv.org/abs/1609.05158) (2016) computes at low resolution and rearranges channels
#   into pixels at the very end, which saves most of the work.
# - [VDSR](https://arxiv.org/abs/1511.04587) (2016) stacks twenty layers and learns only the difference
#   between input and output.
# - [DRRN](https://doi.org/10.1109/CVPR.2017.298) (2017) applies the same residual block again and again,
#   so that depth costs no parameters.
# - [LapSRN](https://arxiv.org/abs/1704.03915) (2017) doubles the size step by step and predicts the missing
#   detail of each step.
# - [SRResNet](https://arxiv.org/abs/1609.04802) (2017) is a deep residual network; with an adversary and a
#   loss on the features of another network (VGG) it becomes SRGAN.
# - [EDSR and MDSR](https://arxiv.org/abs/1707.02921) (2017) drop batch normalisation and grow wider; MDSR
#   serves several scales with one network.
#
# Of networks with attention, its section 2.5 names RCAN, SAN and WRAN. This project adds FSRCNN, which is small, and NAFNet and SPAN, which are
# recent. All are built here from their papers, at their authors' size ([the table](#full-size) counts them) and light, at the cost of
# the original's SRCNN ([the table](#zoo) compares them).

# %%
light = {module: name for name, (module, _) in models.LIGHT.items()} | {"srcnn": "srcnn-9-1-5"}
figures.table(
    pd.DataFrame(
        [
            {
                "network": name,
                "parameters, published": published.parameters,
                "source of the figure": published.source,
                "light version": light[published.module],
            }
            for name, published in models.PUBLISHED.items()
        ]
    ),
    caption="The networks of the literature at their authors' size, as published, and the light version that this project trains. SRResNet is SRGAN's "
    "generator.",
    key="networks",
)

# %% [markdown]
# To the original's SRCNN are added the variants of the graphs that it quotes, and the house models, this project's own.

# %%
networks = {name: models.build(name) for name in models.NAMES}
figures.table(
    pd.DataFrame(
        [
            {"network": name, "layers": len(network.layers) - 1, "parameters": network.count_params()}
            for name, network in networks.items()
        ]
    ),
    caption="SRCNN's variants and the house models, counted as they are built.",
    formats={"parameters": "{:,}"},
)
