"""Specimen cards: a layout, a ground, an invented holder and their text, drawn without any degradation."""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from srcnn_lib.specimens import artwork, typefaces
from srcnn_lib.specimens.artwork import Colour, blend, colour
from srcnn_lib.specimens.holders import Holder, holder
from srcnn_lib.specimens.layouts import LAYOUTS, Box, Column, Layout
from srcnn_lib.specimens.typefaces import Style, Typeface, fold
from srcnn_lib.specimens.words import FIELDS, WORDS

LONG_SIDE = (520, 640, 1100)  # pixels: shortest, most frequent and longest
_NARROW = 0.3  # of the card's width; such a column takes the short fields first
_SHORT = ("birth_date", "sex", "number", "expires", "height", "issued", "eyes", "nationality")
_CAPITAL = 0.7  # height of a capital letter, as a share of the type size


@dataclass(frozen=True)
class Field:
    """A piece of text on a card.

    `kind` is "value" (what OCR is judged by), "label", "mrz", or "heading" (titles, the stamp and the
    number along the edge). The box is in pixels, right and bottom edges excluded.
    """

    kind: str
    name: str
    text: str
    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True)
class Card:
    """A clean rendering: uint8 RGB (H, W, 3), its text, and the design it was drawn from."""

    image: np.ndarray
    fields: tuple[Field, ...]
    layout: str
    typeface: str
    letter: float  # height in pixels of a capital of the smallest value


def draw_card(rng: np.random.Generator, pool: str, faces: tuple[Typeface, ...]) -> Card:
    """Draw one card with the words, layouts and grounds of `pool` and the typefaces `faces`.

    Raises KeyError for an unknown pool.
    """
    layout = LAYOUTS[pool][rng.integers(len(LAYOUTS[pool]))]
    width, height = _size(rng, layout.aspect)
    hue = rng.random()
    sheet = _Sheet(artwork.background(rng, width, height, hue, pool))
    design = _Design.sample(rng, faces, hue, width, height, layout)
    person = holder(rng, pool)
    _pictures(rng, sheet, layout, hue, design)
    _heading(rng, sheet, layout, pool, person, design)
    _columns(rng, sheet, layout, pool, person, design)
    if layout.signature:
        box = sheet.pixels(layout.signature)
        ink = colour(0.62, rng.uniform(0, 0.8), 0.25)
        blend(sheet.part(box), artwork.signature(rng, *_extent(box)), ink, 0.9)
    if layout.zone:
        _zone(sheet, person.zone(layout.zone), Style(faces[-1]))
    if rng.random() < 0.4:
        _round_corners(sheet.image, colour(0, 0, rng.choice((0.1, 0.45, 0.9, 1.0))))
    typeface, letter = design.value.typeface.name, sheet.smallest * _CAPITAL
    return Card(sheet.image, tuple(sheet.fields), layout.name, typeface, letter)


@dataclass(frozen=True)
class _Design:
    """The type and inks of one card."""

    heading: Style
    label: Style
    value: Style
    value_size: float  # pixels an em
    label_share: float  # label's size, as a share of the value's
    heading_ink: Colour
    label_ink: Colour
    value_ink: Colour
    band_ink: Colour

    @classmethod
    def sample(cls, rng, faces, hue, width, height, layout) -> "_Design":
        value, label, heading = (faces[place] for place in rng.integers(len(faces), size=3))
        squeeze, spacing = rng.uniform(0.86, 1.1), rng.uniform(0.02, 0.07) * (rng.random() < 0.3)
        dark_band = layout.band is not None and layout.band[:3] == (0, 0, 1) and rng.random() < 0.5
        return cls(
            heading=Style(heading, rng.uniform(0.9, 1.1), 0.0, rng.uniform(0, 0.02)),
            label=Style(label, rng.uniform(0.88, 1.05)),
            value=Style(value, squeeze, spacing, rng.uniform(0, 0.022) * (rng.random() < 0.5)),
            value_size=max(rng.uniform(0.025, 0.036) * max(width, 1.25 * height), 14.5),
            label_share=rng.uniform(0.58, 0.74),
            heading_ink=(250, 250, 250) if dark_band else colour(hue + rng.uniform(-0.3, 0.3), 0.8, 0.3),
            label_ink=colour(hue + rng.uniform(-0.2, 0.2), rng.uniform(0.4, 0.9), rng.uniform(0.2, 0.48)),
            value_ink=colour(rng.random(), rng.uniform(0, 0.7), rng.uniform(0.04, 0.26)),
            band_ink=colour(hue, rng.uniform(0.5, 0.9), 0.42)
            if dark_band
            else colour(hue + rng.uniform(-0.3, 0.3), rng.uniform(0.1, 0.35), rng.uniform(0.85, 1)),
        )


class _Sheet:
    """The card being drawn, with the text written so far."""

    def __init__(self, image: np.ndarray):
        self.image = image
        self.height, self.width = image.shape[:2]
        self.fields: list[Field] = []
        self.smallest = float("inf")  # type size of the smallest value so far

    def pixels(self, box: Box) -> tuple[int, int, int, int]:
        sides = (self.width, self.height) * 2
        return tuple(round(share * side) for share, side in zip(box, sides, strict=True))

    def part(self, box: tuple[int, int, int, int]) -> np.ndarray:
        x0, y0, x1, y1 = box
        return self.image[y0:y1, x0:x1]

    def write(self, kind, name, text, style, size, ink, left, baseline, room, align="left") -> int:
        """Write `text`, smaller where it would be wider than `room` pixels; return its right edge."""
        text = text if style.typeface.accents else fold(text)
        cover, right_of, below = typefaces.mask(text, style, size)
        while cover.shape[1] > room:
            ratio = room / cover.shape[1]
            style = replace(style, squeeze=style.squeeze * max(ratio, 0.85))
            size *= min(ratio / 0.85, 1) * 0.99
            cover, right_of, below = typefaces.mask(text, style, size)
        if kind == "value":
            self.smallest = min(self.smallest, size)
        spare = {
            "left": min(right_of, room - cover.shape[1]),
            "centre": (room - cover.shape[1]) // 2,
            "right": room - cover.shape[1],
        }[align]
        return self.paste(kind, name, text, cover, ink, left + spare, baseline + below)

    def paste(self, kind, name, text, cover, ink, x, y, opacity=1.0) -> int:
        """Lay a mask of text on the card, moved inside where it would stick out, and note its box."""
        height, width = cover.shape
        x = round(np.clip(x, 0, self.width - width))
        y = round(np.clip(y, 0, self.height - height))
        blend(self.part((x, y, x + width, y + height)), cover, ink, opacity)
        self.fields.append(Field(kind, name, text, x, y, x + width, y + height))
        return x + width


def _size(rng: np.random.Generator, aspect: float) -> tuple[int, int]:
    long, aspect = rng.triangular(*LONG_SIDE), aspect * rng.uniform(0.97, 1.03)
    return (round(long), round(long / aspect)) if aspect > 1 else (round(long * aspect), round(long))


def _extent(box: tuple[int, int, int, int]) -> tuple[int, int]:
    return box[2] - box[0], box[3] - box[1]


def _pictures(rng, sheet: _Sheet, layout: Layout, hue: float, design: _Design) -> None:
    if layout.band:
        part = sheet.part(sheet.pixels(layout.band))
        blend(part, np.full(part.shape[:2], 255, np.uint8), design.band_ink, rng.uniform(0.65, 0.95))
    box = sheet.pixels(layout.portrait)
    face = artwork.portrait(rng, *_extent(box))
    sheet.part(box)[:] = face
    if layout.ghost:
        box = sheet.pixels(layout.ghost)
        small = cv2.resize(face, _extent(box), interpolation=cv2.INTER_AREA).mean(axis=2, keepdims=True)
        sheet.part(box)[:] = np.rint(sheet.part(box) * 0.8 + 0.2 * small)
    if layout.emblem:
        box = sheet.pixels(layout.emblem)
        sheet.part(box)[:] = artwork.emblem(rng, *_extent(box), hue)
    if rng.random() < 0.6:  # a seal over the portrait's corner
        x0, _, x1, y1 = sheet.pixels(layout.portrait)
        size = round((x1 - x0) * rng.uniform(0.4, 0.7))
        x, y = min(x1 - size // 2, sheet.width - size), min(y1 - round(0.7 * size), sheet.height - size)
        blend(sheet.part((x, y, x + size, y + size)), artwork.seal(rng, size), colour(0.14, 0.3, 0.75), 0.5)


def _heading(rng, sheet: _Sheet, layout: Layout, pool: str, person: Holder, design: _Design) -> None:
    words = WORDS[pool]
    x0, y0, x1, y1 = sheet.pixels(layout.heading)
    tall, style, ink = y1 - y0, design.heading, design.heading_ink
    realm = words.realms[rng.integers(len(words.realms))].format(person.state[0])
    title = words.documents[rng.integers(len(words.documents))]
    upper, lower = (realm.upper(), title) if rng.random() < 0.6 else (title, realm)
    for name, text, size, baseline in (("title", upper, 0.46, 0.46), ("subtitle", lower, 0.3, 0.92)):
        sheet.write("heading", name, text, style, size * tall, ink, x0, y0 + baseline * tall, x1 - x0, layout.align)
    if layout.stamp:
        box = sheet.pixels(layout.stamp)
        text = words.stamp if design.label.typeface.accents else fold(words.stamp)
        cover = _turned(_fitted(text, design.label, box), rng.uniform(-9, 9))
        sheet.paste("heading", "stamp", text, cover, ink, box[0], box[1], 0.7)
    if layout.edge:
        box = sheet.pixels(layout.edge)
        text = person.values["number"]
        cover = np.rot90(_fitted(text, design.value, (box[1], box[0], box[3], box[2])))
        sheet.paste("heading", "edge", text, cover, design.value_ink, box[0], box[1], 0.8)


def _fitted(text: str, style: Style, box: tuple[int, int, int, int]) -> np.ndarray:
    """Draw text as large as the box allows."""
    width, height = _extent(box)
    trial = typefaces.mask(text, style, 20)[0]
    larger = min(0.85 * width / trial.shape[1], 0.7 * height / trial.shape[0])
    return typefaces.mask(text, style, 20 * larger)[0]


def _turned(cover: np.ndarray, angle: float) -> np.ndarray:
    """Turn a mask by a few degrees, on a ground large enough for it."""
    rise = int(np.ceil(abs(np.sin(np.deg2rad(angle))) * cover.shape[1] / 2)) + 1
    page = cv2.copyMakeBorder(cover, rise, rise, 2, 2, cv2.BORDER_CONSTANT)
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), angle, 1)
    return cv2.warpAffine(page, turn, page.shape[::-1])


def _columns(rng, sheet: _Sheet, layout: Layout, pool: str, person: Holder, design: _Design) -> None:
    languages = [
        dict(zip(FIELDS, WORDS[pool].labels[place], strict=True))
        for place in rng.permutation(len(WORDS[pool].labels))[: rng.integers(1, 3)]
    ]
    left_over = ["surname", "given", *rng.permutation(FIELDS[2:]).tolist()]
    for column in layout.columns:
        names = _chosen(column, left_over)
        left_over = [name for name in left_over if name not in names]
        for row, name in enumerate(names):
            labels = [language[name] for language in languages]
            _LABELLED[layout.labels](
                sheet, sheet.pixels(column.box), column.rows, row, name, labels, person.values[name], design
            )


def _chosen(column: Column, names: list[str]) -> list[str]:
    if column.box[2] - column.box[0] < _NARROW and "surname" not in names:
        names = sorted(names, key=lambda name: name not in _SHORT)
    return names[: column.rows]


def _labelled_above(sheet, box, rows, row, name, labels, value, design) -> None:
    x0, top, room, tall = box[0], *_row(box, rows, row)
    size = min(design.value_size, 0.52 * tall)
    small = max(size * design.label_share, 9.5)
    _label(sheet, name, labels, small, x0, top + small, room, design)
    baseline = top + 1.2 * small + size
    sheet.write("value", name, value, design.value, size, design.value_ink, x0, baseline, room)


def _labelled_below(sheet, box, rows, row, name, labels, value, design) -> None:
    x0, top, room, tall = box[0], *_row(box, rows, row)
    size = min(design.value_size, 0.52 * tall)
    small = max(size * design.label_share, 9.5)
    rule = round(top + 1.3 * size)
    sheet.write("value", name, value, design.value, size, design.value_ink, x0, top + size, room)
    sheet.image[rule, x0 : x0 + room] = np.uint8(design.label_ink)
    _label(sheet, name, labels, small, x0, rule + 1.1 * small, room, design)


def _labelled_left(sheet, box, rows, row, name, labels, value, design) -> None:
    x0, top, room, tall = box[0], *_row(box, rows, row)
    size = min(design.value_size, 0.66 * tall)
    split = round(0.42 * room)
    _label(sheet, name, labels[:1], max(size * design.label_share, 9.5), x0, top + size, split - 4, design)
    sheet.write("value", name, value, design.value, size, design.value_ink, x0 + split, top + size, room - split)


_LABELLED = {"above": _labelled_above, "below": _labelled_below, "left": _labelled_left}


def _row(box, rows, row) -> tuple[float, int, float]:
    """Top of a row, width and height of the rows of a column, in pixels."""
    tall = (box[3] - box[1]) / rows
    return box[1] + row * tall, box[2] - box[0], tall


def _label(sheet, name, labels, size, left, baseline, room, design) -> None:
    """Write a label, and its translation where there is room for that."""
    end = sheet.write("label", name, labels[0], design.label, size, design.label_ink, left, baseline, room)
    if len(labels) > 1:
        second, rest = "/ " + labels[1], left + room - end - round(0.4 * size)
        if rest > 0.42 * size * len(second):
            pale = tuple(0.7 * part + 45 for part in design.label_ink)
            left += room - rest
            sheet.write("label", name, second, design.label, 0.92 * size, pale, left, baseline, rest)


def _zone(sheet: _Sheet, lines: list[str], style: Style) -> None:
    """Write the machine-readable zone along the bottom, each letter in the middle of its cell."""
    cell = 0.94 * sheet.width / len(lines[0])
    size = round(min(1.55 * cell, 0.07 * sheet.height) * 2) / 2
    step = min(1.55 * size, 0.26 * sheet.height / len(lines))
    for number, line in enumerate(lines):
        baseline = round(0.965 * sheet.height - (len(lines) - 1 - number) * step)
        cover = np.zeros((round(1.3 * size), sheet.width), np.uint8)
        base = round(size)
        for place, letter in enumerate(line):
            glyph, _, rise = _glyph(letter, style, size)
            x = round(0.03 * sheet.width + (place + 0.5) * cell - glyph.shape[1] / 2)
            y = base + rise
            cover[y : y + glyph.shape[0], x : x + glyph.shape[1]] |= glyph
        x, y, width, height = cv2.boundingRect(cover)
        sheet.paste(
            "mrz",
            f"line {number + 1}",
            line,
            cover[y : y + height, x : x + width],
            (25, 25, 28),
            x,
            baseline - base + y,
        )


_glyph = lru_cache(maxsize=512)(typefaces.mask)


def _round_corners(image: np.ndarray, ground: Colour) -> None:
    """Paint the corners outside a rounded card."""
    height, width = image.shape[:2]
    radius = round(0.045 * max(width, height))
    outside = np.full((height, width), 255, np.uint8)
    cv2.rectangle(outside, (radius, 0), (width - 1 - radius, height - 1), 0, -1)
    cv2.rectangle(outside, (0, radius), (width - 1, height - 1 - radius), 0, -1)
    for x in (radius, width - 1 - radius):
        for y in (radius, height - 1 - radius):
            cv2.circle(outside, (x, y), radius, 0, -1, cv2.LINE_AA)
    blend(image, outside, ground)
