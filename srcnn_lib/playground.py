"""Section 2.10: trying degradations and models on one card by hand, in JupyterLab."""

import io
from collections.abc import Callable
from functools import partial

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from srcnn_lib import enhancer, evaluation, figures, metrics, preprocess
from srcnn_lib.specimens import degradations
from srcnn_lib.specimens.degradations import Step

MIXTURE = "a mixture, as the cards are drawn"
DEGRADATIONS: dict[str, Callable[[float], dict]] = {
    "gaussian": lambda strength: {"sigma": 3 * strength},
    "disc": lambda strength: {"radius": 5 * strength},
    "motion": lambda strength: {"length": 12 * strength, "angle": 20.0},
    "downup": lambda strength: {"factor": 1 + 3 * strength},
    "haze": lambda strength: {"veil": min(0.5 * strength, 0.9), "level": 210.0},
    "contrast": lambda strength: {"gain": max(1 - 0.45 * strength, 0.1), "offset": 20.0},
    "uneven_light": lambda strength: {"drop": min(0.4 * strength, 0.9), "angle": 30.0},
    "periodic": lambda strength: {"amplitude": 15 * strength, "period": 6.0, "angle": 30.0, "phase": 0.0},
    "noise": lambda strength: {"read": 10 * strength, "shot": 0.4 * strength, "seed": 1},
    "jpeg": lambda strength: {"quality": max(5, round(60 - 25 * strength))},
}
"""Parameters of some of `degradations.KINDS` at a strength: 0 hardly shows, at 1 small text is hard to read."""
STRONGEST = 2.0


def methods() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """What can be tried against it: unsharp masking, and the networks that come with the enhancer."""
    networks = {name: partial(enhancer.enhance, model=name) for name in enhancer.models()}
    return {**networks, evaluation.CLASSICAL: preprocess.sharpen}


def spoil(card: np.ndarray, kind: str, strength: float, seed: int) -> np.ndarray:
    """Degrade a card (uint8 RGB, (H, W, 3)) by `MIXTURE`, of which `seed` chooses one, or by one of `DEGRADATIONS`."""
    if kind == MIXTURE:
        return degradations.apply(card, degradations.recipe(np.random.default_rng(seed), strength))
    return degradations.apply(card, [Step(kind, DEGRADATIONS[kind](strength))])


def panels(card: np.ndarray, kind: str, strength: float, method: str, *, seed: int) -> list[tuple[str, np.ndarray]]:
    """The card, the card spoilt, and what a method makes of that, with titles that hold their PSNR."""
    low = spoil(card, kind, strength, seed)
    enhanced = methods()[method](low)
    scores = (metrics.psnr_from_mse(metrics.mse(card, image, data_range=255)) for image in (low, enhanced))
    return [("the card", card)] + [
        (f"{name}, {score:.2f} dB", image)
        for name, score, image in zip((f"{kind}, {strength:g}", method), scores, (low, enhanced), strict=True)
    ]


def play(card: np.ndarray, *, seed: int) -> ipywidgets.Widget:
    """Controls for degradation, strength and method above the pictures, for JupyterLab."""
    kind = ipywidgets.Dropdown(options=[MIXTURE, *DEGRADATIONS], description="degradation")
    strength = ipywidgets.FloatSlider(0.7, min=0, max=STRONGEST, step=0.1, description="strength")
    method = ipywidgets.Dropdown(options=list(methods()), description="method")
    number = ipywidgets.BoundedIntText(seed, min=0, max=10**6, description="mixture")
    picture = ipywidgets.Image(format="png")
    controls = (kind, strength, method, number)
    for control in controls:
        control.continuous_update = False  # a network needs a moment

    def draw(_=None) -> None:
        shown = panels(card, kind.value, strength.value, method.value, seed=number.value)
        picture.value = _png(figures.side_by_side(shown, columns=3, width=14))

    for control in controls:
        control.observe(draw, "value")
    draw()
    return ipywidgets.VBox([ipywidgets.HBox(controls), picture])


def _png(drawing: Figure) -> bytes:
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()
