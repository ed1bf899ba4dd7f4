import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from srcnn_lib import figures, metrics


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


def test_a_listing_is_the_source_without_its_docstring():
    code = parsed(figures.listing(metrics.psnr_from_mse, metrics.log10, caption="c")).pre.text
    assert "def psnr_from_mse" in code and "return ops.log10(x)" in code and "infinity for 0" not in code


@pytest.mark.parametrize(
    ("place", "expected"),
    [(("2.1 Data, and importing",), "2-1-data-and-importing"), (("3 End", "What [0, 1] is?"), "3-end-what-0-1-is")],
)
def test_anchors_are_words_joined_by_dashes(place, expected):
    assert figures.anchor(*place) == expected
