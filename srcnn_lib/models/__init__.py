"""The networks: one file an architecture, one registry.

`NAMES` lists what `build` knows. An architecture's file is imported when it is built, so that
listing the names costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import keras

# name -> (module, arguments of its `build`)
_REGISTRY = {
    "srcnn-9-1-5": ("srcnn", {"kernels": (9, 1, 5)}),
    "srcnn-9-3-5": ("srcnn", {"kernels": (9, 3, 5)}),
    "srcnn-9-5-5": ("srcnn", {"kernels": (9, 5, 5)}),
}

NAMES = tuple(_REGISTRY)


def build(name: str, **changes) -> "keras.Model":
    """Build an untrained network by its registered name; `changes` override its arguments.

    Raises ValueError, listing the known names, for an unknown one.
    """
    if name not in _REGISTRY:
        raise ValueError(f"unknown model {name!r}; the known ones are {', '.join(NAMES)}")
    module, arguments = _REGISTRY[name]
    return import_module(f"{__name__}.{module}").build(name=name, **(arguments | changes))


def cost(network: "keras.Model") -> dict[str, int]:
    """Parameters, multiply-adds per output pixel, and receptive field in pixels of a chain of convolutions."""
    convolutions = network.layers[1:]
    return {
        "parameters": network.count_params(),
        "multiply-adds per pixel": sum(layer.kernel.shape.num_elements() for layer in convolutions),
        "receptive field": 1 + sum(layer.kernel_size[0] - 1 for layer in convolutions),
    }


def layers(network: "keras.Model") -> pd.DataFrame:
    """One row a layer of a chain of layers: layer, output channels, kernel, activation, parameters."""
    rows = []
    for layer in network.layers[1:]:
        rows.append(
            {
                "layer": layer.name,
                "type": type(layer).__name__,
                "output channels": layer.output.shape[-1],
                "kernel": "×".join(map(str, layer.kernel_size)),
                "activation": layer.activation.__name__,
                "parameters": layer.count_params(),
            }
        )
    return pd.DataFrame(rows)
