"""Planted faults, so that cleaning can be scored: which number has which, and how it is made."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from srcnn_lib.specimens import degradations
from srcnn_lib.specimens.cards import Card, Field
from srcnn_lib.specimens.degradations import Step

EXPLANATIONS = {
    "too_bad": "the blurred side is hazed and blurred past reading",
    "too_good": "the blurred side is as sharp as its label",
    "near_duplicate": "nearly the same pair as that of number {other}, trimmed and in another light",
    "swapped_partner": "the sharpened side shows the card of number {other}, and the other way round",
    "missing_blurred": "the blurred side is missing",
    "missing_sharpened": "the sharpened side is missing",
    "truncated": "the file ends early",
    "empty": "the file has no bytes",
    "text": "the file is text with the name of an image",
}
BROKEN = ("truncated", "empty", "text")
_TURNS = (
    "too_bad",
    "too_good",
    "near_duplicate",
    "swapped_partner",
    "swapped_partner",
    "missing_blurred",
    "missing_sharpened",
    "truncated",
    "empty",
    "text",
    "too_bad",
    "too_good",
)


@dataclass(frozen=True)
class Fault:
    """One fault; `other` is the number of the other card that it involves, if it does."""

    kind: str
    other: int | None = None

    @property
    def explanation(self) -> str:
        return EXPLANATIONS[self.kind].format(other=self.other)


def plan(first: int, identities: int, count: int, seed: int, pool_of: Callable[[int], str]) -> dict[int, Fault]:
    """Deal faults out to the `count` numbers after the sound ones, the kinds taking turns.

    A near-duplicate copies a number of its own pool. Where there is none, or no second number to swap
    with, the pair is "too_bad" instead.
    """
    start, rng = first + identities, np.random.default_rng(np.random.SeedSequence([seed, first, identities]))
    dealt = {}
    for place in range(count):
        number, kind, other = start + place, _TURNS[place % len(_TURNS)], None
        if kind == "near_duplicate":
            like = [sound for sound in range(first, start) if pool_of(sound) == pool_of(number)]
            other = int(rng.choice(like)) if like else None
        elif kind == "swapped_partner":
            other = number + 1 if _TURNS[place % len(_TURNS) - 1] != kind else number - 1
            other = other if other < start + count else None
        lonely = kind in ("near_duplicate", "swapped_partner") and other is None
        dealt[number] = Fault("too_bad") if lonely else Fault(kind, other)
    return dealt


def unreadable(rng: np.random.Generator, letter: float) -> list[Step]:
    """Sample a recipe that leaves nothing to read of text with capitals of `letter` pixels."""
    sigma, veil, level = (
        round(rng.uniform(*limits), 4) for limits in ((0.6 * letter, 1.1 * letter), (0.75, 0.92), (190, 235))
    )
    return [Step("gaussian", {"sigma": sigma}), Step("haze", {"veil": veil, "level": level}), *degradations.light(rng)]


def trimmed(card: Card, rng: np.random.Generator) -> Card:
    """Cut one to three pixels from each side of a card and change its light by a few per cent."""
    cut = int(rng.integers(1, 4))
    height, width = card.image.shape[:2]
    dimmer = rng.uniform(0.95, 0.99)
    light = degradations.tint(card.image, red=dimmer, green=dimmer, blue=dimmer)
    return replace(
        card,
        image=light[cut : height - cut, cut : width - cut].copy(),
        fields=tuple(_moved(field, cut, width - 2 * cut, height - 2 * cut) for field in card.fields),
    )


def partner(card: Card, other: Card, rng: np.random.Generator) -> np.ndarray:
    """Return the image of `other`, half the time in the size of `card`, so that sizes do not betray it."""
    if rng.random() < 0.5:
        return other.image
    return cv2.resize(other.image, card.image.shape[1::-1], interpolation=cv2.INTER_AREA)


def spoil(path: Path, kind: str, rng: np.random.Generator) -> None:
    """Break an image file in one of the ways of `BROKEN`."""
    whole = path.read_bytes()
    path.write_bytes(
        {
            "truncated": whole[: int(len(whole) * rng.uniform(0.1, 0.7))],
            "empty": b"",
            "text": b"This is not a photograph.\n",
        }[kind]
    )


def _moved(field: Field, cut: int, width: int, height: int) -> Field:
    x0, x1 = (int(np.clip(x - cut, 0, width)) for x in (field.x0, field.x1))
    y0, y1 = (int(np.clip(y - cut, 0, height)) for y in (field.y0, field.y1))
    return replace(field, x0=x0, y0=y0, x1=x1, y1=y1)
