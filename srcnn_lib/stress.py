"""Section 2.9: images beyond what the networks were trained on, made from clean cards.

Each case turns a clean card into a pair (low, sharp) that differs from the drawn data set, or from another case, in one
named way.
"""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np

from srcnn_lib.specimens import cards, degradations, typefaces, words

Case = Callable[[np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""Takes a clean uint8 RGB image (H, W, 3) and a generator; gives the low and the sharp image, of one shape."""

STRENGTH, LETTER = 0.7, 14.0  # between those of the `h` and the `v` pairs; the height of a small capital in pixels


def _mixed(strength: float = STRENGTH, extra: Callable = lambda image: image, scale: float = 1.0) -> Case:
    def case(clean: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        if scale != 1:
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            clean = cv2.resize(clean, None, fx=scale, fy=scale, interpolation=how)
        low = degradations.apply(extra(clean), degradations.recipe(rng, strength, letter=LETTER * scale))
        return low, degradations.apply(clean, degradations.light(rng))

    return case


def pixelated(image: np.ndarray, factor: int = 3) -> np.ndarray:
    """Show squares of `factor` pixels in one colour each, as a screenshot of a small picture does."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (-(-width // factor), -(-height // factor)), interpolation=cv2.INTER_AREA)
    return np.repeat(np.repeat(small, factor, axis=0), factor, axis=1)[:height, :width]


def posterised(image: np.ndarray, levels: int = 6) -> np.ndarray:
    """Round every channel to `levels` values, as a poor palette does."""
    step = 255 / (levels - 1)
    return (np.round(image / step) * step).round().astype(np.uint8)


def page(rng: np.random.Generator, *, width: int = 700, height: int = 500) -> np.ndarray:
    """Draw a page of running text in a test typeface, black on nearly white: uint8 RGB (height, width, 3)."""
    faces = _faces("test")
    style = typefaces.Style(faces[int(rng.integers(len(faces)))])
    vocabulary = sorted(words.WORDS["test"].vocabulary())
    sheet = np.full((height, width, 3), 248, np.uint8)
    size, baseline, margin = 20.0, 40, 24
    while baseline < height - margin:
        line = list(rng.choice(vocabulary, 12))
        ink, left, top = typefaces.mask(" ".join(line), style, size)
        while ink.shape[1] + left > width - 2 * margin:
            line.pop()
            ink, left, top = typefaces.mask(" ".join(line), style, size)
        rows = slice(baseline + top, baseline + top + ink.shape[0])
        columns = slice(margin + left, margin + left + ink.shape[1])
        cover = (ink / 255)[..., None]
        sheet[rows, columns] = (sheet[rows, columns] * (1 - cover) + 25 * cover).round()
        baseline += 30
    return sheet


@cache
def _faces(pool: str) -> tuple[typefaces.Typeface, ...]:
    """The bundled typefaces of a pool, as many of each pool, so that chance picks from them alike."""
    bundled = typefaces.typefaces()
    return bundled[pool][-min(map(len, bundled.values())) :]


def _page_case(clean: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return _mixed()(page(rng), rng)


def _set_in(pool: str) -> Case:
    """A card of its own, with layout and words of the test pool in the typefaces of `pool`, degraded as drawn."""

    def case(clean: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        of_card, of_damage = rng.spawn(2)
        return _mixed()(cards.draw_card(of_card, "test", _faces(pool)).image, of_damage)

    return case


CASES: dict[str, Case] = {
    "as drawn": _mixed(),
    "half as strong": _mixed(STRENGTH / 2),
    "twice as strong": _mixed(2 * STRENGTH),
    "half as strong, and pixelated (never seen)": _mixed(STRENGTH / 2, pixelated),
    "as drawn, and posterised (never seen)": _mixed(extra=posterised),
    "half the size": _mixed(scale=0.5),
    "twice the size": _mixed(scale=2.0),
    "another card, in typefaces of training": _set_in("train"),
    "the same card, in typefaces held out": _set_in("test"),
    "a page of text": _page_case,
}
"""The cases by name. All use test cards, whose words, layouts and typefaces no network was trained on, but for the one
that is set in typefaces of training: it and the next one differ in nothing else (but accents that typefaces lack)."""
