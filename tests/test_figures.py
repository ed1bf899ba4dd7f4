import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from srcnn_lib import figures, graph, metrics


def parsed(shown: figures.Shown) -> BeautifulSoup:
    return BeautifulSoup(shown.html, "html.parser")


def test_text_in_tables_is_shown_as_it_is_and_links_are_links():
    frame = pd.DataFrame({"a<b": ["<script>", figures.link("2.1 & more", "there")], "n": [0.5, None]})
    table = parsed(figures.table(frame, caption="x < y", formats={"n": "{:.2f}"}, sortable=True, key="mine"))
    assert not table.script and table.caption.text == "x < y" and table.th.text == "a<b"
    assert table.table["id"] == "mine" and "sortable" in table.table["class"]
    assert table.a["href"] == "#there" and table.a.text == "2.1 & more"
    assert [cell.text for cell in table.find_all("td")] == ["<script>", "0.50", "2.1 & more", ""]


def test_images_to_compare_keep_their_pixels_and_large_ones_show_the_middle(rng):
    views = {name: rng.integers(0, 256, (40, 1500, 3), dtype=np.uint8) for name in ("before", "after")}
    shown = parsed(figures.before_after(views, caption="c", alt="A card,"))
    assert [image["alt"] for image in shown.find_all("img")] == ["A card, before", "A card, after"]
    assert [(image["width"], image["height"]) for image in shown.find_all("img")] == [("1200", "40")] * 2


def test_drawings_scroll_and_charts_alone_are_marked(rng):
    image = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    chart = parsed(figures.figure(figures.histograms({"one": image, "two": image}), caption="c", alt="a"))
    photograph = parsed(figures.figure(figures.side_by_side([("one", image)]), caption="c", alt="a"))
    assert chart.select_one(".chart > .scroll > img")["src"].startswith("data:image/webp")
    assert "--inches: 8" in chart.div["style"]
    assert photograph.select_one("figure:not(.chart) > .scroll > img")["src"].startswith("data:image/jpeg")


def test_a_contour_has_few_ticks_however_narrow_its_range():
    trials = pd.DataFrame({"rate": [2e-4, 3e-4, 4e-4], "size": [4, 8, 16], "psnr": [20.0, 21, 22], "pruned": False})
    drawing = figures.contour(trials, "rate", "size")
    drawing.draw_without_rendering()
    axis = drawing.axes[0]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["0.0002", "0.00025", "0.00032", "0.0004"]
    assert len(axis.get_xticklabels(minor=True)) == 0


def test_effects_have_their_legend_above_and_no_whisker_below_nothing():
    names = ["none", "clahe"] * 4
    trials = pd.DataFrame({"technique": names, "side": ["input", "label"] * 4, "noise": range(8), "contrast": range(8)})
    drawing = figures.technique_effects(trials.assign(saturated=[0, 0, 0, 0, 0, 0, 0, 1]))
    assert len(drawing.legends) == 1 and all(axis.get_legend() is None for axis in drawing.axes)
    assert all(axis.get_xlim()[0] == 0 for axis in drawing.axes)


def test_a_summary_has_numbers_with_links_and_several_pictures(rng):
    chart = figures.figure(figures.importance(pd.Series({"width": 1.0})), caption="<c>", alt="A bar.")
    remark = "more < less: " + figures.link("there", "ladder")
    shown = parsed(figures.summary([("what", "1 dB", remark)], chart, chart))
    assert shown.dd.a["href"] == "#ladder" and "more < less" in shown.dd.text
    assert [caption.text for caption in shown.find_all("figcaption")] == ["<c>", "<c>"]


def test_quality_against_cost_may_be_shared_and_names_every_network():
    row = {"network": "one", "parameters": 5e4, "multiply-adds per pixel": 19_000, "ms per card": 9}
    table = pd.DataFrame([row | {"gain": 0.5, "gain_low": 0.1, "gain_high": 0.9}])
    published = pd.DataFrame(
        [row | {"PSNR": 37.0}, row | {"network": "two", "multiply-adds per pixel": None, "PSNR": 38.0}]
    )
    drawing = figures.quality_against_cost(table, published)
    named = [[text.get_text() for text in axis.texts] for axis in drawing.axes]
    assert drawing.get_gid() == "shared" and named[3:5] == [["one", "two"], ["one"]]
    assert [text.get_text() for text in drawing.axes[5].get_legend().get_texts()] == ["one"]


@pytest.mark.parametrize(
    ("value", "pattern", "shown"),
    [
        *[(-0.004, "{:+.2f}", "0.00"), (0.0, "{:+.1%}", "0.0%"), (-0.2, "{:.0f}", "0"), (-0.006, "{:+.2f}", "-0.01")],
        *[(np.nan, "{:.2f}", ""), (0.0, "{:.0f} dB", "0 dB"), (-0.01, "{:.1f} dB", "0.0 dB")],
    ],
)
def test_what_is_rounded_to_nothing_has_no_sign(value, pattern, shown):
    assert parsed(figures.table(pd.DataFrame({"x": [value]}), caption="c", formats={"x": pattern})).td.text == shown


def test_a_listing_is_the_source_without_its_docstring():
    listing = parsed(figures.listing(metrics.psnr_from_mse, metrics.log10, caption="c", key="mine"))
    code = listing.pre.text
    assert listing.figure["id"] == "mine"
    assert "def psnr_from_mse" in code and "return ops.log10(x)" in code and "infinity for 0" not in code


@pytest.mark.parametrize(
    ("place", "expected"),
    [(("2.1 Data, and importing",), "2-1-data-and-importing"), (("3 End", "What [0, 1] is?"), "3-end-what-0-1-is")],
)
def test_anchors_are_words_joined_by_dashes(place, expected):
    assert figures.anchor(*place) == expected


def test_references_in_notebooks_lead_to_keys_which_are_unique():
    sources = "\n".join(source.read_text(encoding="utf-8") for source in graph.notebooks())
    keys = re.findall(r'\bkey="([\w-]+)"', sources)
    named = {*re.findall(r"\]\(#([\w-]+)\)", sources), *re.findall(r'figures\.link\("[^"]+", "([\w-]+)"\)', sources)}
    assert len(keys) == len(set(keys)) and named <= set(keys) and len(named) > 15
