"""The report in a real browser (make test-browser): what it loads, how it moves, whether everyone can use it.

It looks at the report that SRCNN_REPORT names, and needs an installed Chromium or Chrome.
"""

import os
import shutil
from pathlib import Path

import pytest

from srcnn_lib.files import ROOT

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the development dependencies")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
pypdf = pytest.importorskip("pypdf", reason="needs pypdf, of the development dependencies")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
REPORT = Path(os.environ.get("SRCNN_REPORT", "none")).resolve()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed"),
    pytest.mark.skipif(not REPORT.is_file(), reason="SRCNN_REPORT names no report; make test-browser does"),
]
PHONE, LAPTOP, WIDE = ({"width": width, "height": height} for width, height in ((390, 844), (1280, 800), (1920, 1080)))
THEMES = ("light", "dark")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser):
    """A function that opens the report afresh; no page that it opened may have asked for anything or complained."""
    complaints, contexts = [], []

    def open_page(viewport=LAPTOP, theme="light"):
        contexts.append(browser.new_context(viewport=viewport, color_scheme=theme, reduced_motion="reduce"))
        page = contexts[-1].new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if leaves(asked.url) else None)
        page.goto(REPORT.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def leaves(url: str) -> bool:
    return not url.startswith("data:") and url.split("#")[0] != REPORT.as_uri()


def test_the_page_is_one_file_of_bearable_size():
    assert REPORT.stat().st_size < 15 * 2**20


def test_the_first_view_comes_within_a_second(visit):
    def first_paint():
        return visit().evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")

    assert min(first_paint() for _ in range(3)) < 1000, "milliseconds, the best of three: others may be at work"


@pytest.mark.parametrize("viewport", [PHONE, LAPTOP, WIDE], ids=["phone", "laptop", "wide"])
def test_the_page_never_scrolls_sideways(visit, viewport):
    page = visit(viewport)
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_wide_tables_fit_on_a_laptop_and_show_on_a_phone_that_they_go_on(visit):
    wider = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText.slice(0, 40))"
    assert visit().eval_on_selector_all(".scroll", wider) == []
    page = visit(PHONE)
    page.wait_for_selector(".scroll.more")
    box = page.locator(".scroll.more").first
    box.evaluate("box => { box.id = 'wide'; box.scrollLeft = box.scrollWidth; }")
    page.wait_for_selector("#wide:not(.more)")


def test_nothing_is_wider_than_a_printed_page(visit):
    page = visit({"width": 673, "height": 950})  # A4 without its margins: what is wider makes Chromium shrink all pages
    page.emulate_media(media="print")
    beyond = """all => all.filter(one => one.getBoundingClientRect().right > 673.5 && !one.matches(".skip"))
      .map(one => one.outerHTML.slice(0, 99))"""
    assert page.eval_on_selector_all("body *", beyond) == []


def test_charts_have_a_readable_size_on_a_phone_and_are_dark_in_the_dark(visit):
    page = visit(PHONE, "dark")
    charts, photographs = page.locator(".chart img"), page.locator("figure.compare img")
    filtered = "image => getComputedStyle(image).filter"
    assert charts.first.bounding_box()["width"] > PHONE["width"]
    assert charts.first.evaluate(filtered) != "none" and photographs.first.evaluate(filtered) == "none"
    page.locator("button.theme").click()
    assert charts.first.evaluate(filtered) == "none"


@pytest.mark.parametrize("viewport", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_every_entry_of_the_contents_leads_to_its_heading(visit, viewport):
    page = visit(viewport)
    for link in page.locator("nav.contents a").all():
        link.click()
        heading = page.locator(f"[id='{link.get_attribute('href')[1:]}']")
        assert heading.inner_text() == link.inner_text()
        assert 0 <= heading.bounding_box()["y"] < viewport["height"] / 2 or at_the_end(page)
        page.wait_for_function("link => link.hasAttribute('aria-current')", arg=link.element_handle())


def at_the_end(page) -> bool:
    return page.evaluate("Math.abs(scrollY + innerHeight - document.documentElement.scrollHeight) < 2")


def test_no_link_within_the_page_leads_nowhere(visit):
    targets = visit().eval_on_selector_all("a[href^='#']", "all => all.map(one => one.getAttribute('href').slice(1))")
    page = visit()
    assert [target for target in targets if page.locator(f"[id='{target}']").count() != 1] == []


def test_the_contents_follow_the_scroll(visit):
    page = visit()
    for number in ("2.4", "2.9"):
        heading = page.locator("main h2").filter(has_text=f"{number} ")
        heading.evaluate("heading => heading.scrollIntoView()")
        page.wait_for_function(
            "number => document.querySelector('[aria-current]')?.text.startsWith(number)", arg=number
        )
    assert page.locator("[aria-current]").count() == 1


@pytest.mark.parametrize("theme", THEMES)
def test_the_theme_follows_the_system_until_the_switch_is_used(visit, theme):
    page = visit(theme=theme)
    brightness = "parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    assert (page.evaluate(brightness) > 127) == (theme == "light")
    page.locator("button.theme").click()
    assert (page.evaluate(brightness) > 127) == (theme == "dark")
    page.reload()
    assert (page.evaluate(brightness) > 127) == (theme == "dark"), "the choice is kept"


def test_the_slider_moves_the_border_with_the_keyboard(visit):
    page = visit()
    figure = page.locator("figure.compare").first
    slider = figure.locator("input[type=range]")
    clip = "figure => getComputedStyle(figure.querySelector('[data-title=after]')).clipPath"
    before = figure.evaluate(clip)
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.input_value() == "51" and figure.evaluate(clip) != before
    figure.locator(".views").click(position={"x": 5, "y": 50})
    assert int(slider.input_value()) < 10, "a pointer on the images moves it too"
    figure.locator("select").first.select_option("sharp")
    assert figure.locator(".view.behind").get_attribute("data-title") == "sharp"


def test_the_lens_shows_single_pixels_under_pointer_and_keys(visit):
    page = visit()
    figure = page.locator("figure.compare").first
    pixels = "pane => pane.toDataURL()"
    assert figure.locator(".glass").is_hidden()
    figure.locator("select").nth(1).select_option("1")
    pane, stage = figure.locator("canvas").first, figure.locator(".views")
    at_first = pane.evaluate(pixels)
    stage.hover(position={"x": 60, "y": 60})
    pointed = pane.evaluate(pixels)
    stage.focus()
    page.keyboard.press("ArrowDown")
    assert len({at_first, pointed, pane.evaluate(pixels)}) == 3
    same = """figure => {
      const image = figure.querySelector("img"), pane = figure.querySelector("canvas");
      const whole = document.createElement("canvas");
      [whole.width, whole.height] = [image.naturalWidth, image.naturalHeight];
      whole.getContext("2d").drawImage(image, 0, 0);
      const stage = figure.querySelector(".views").style;
      const middle = (name, size) => parseFloat(stage.getPropertyValue(name)) / 100 * size;
      const corner = (name, size, shown) => Math.round(middle(name, size) - shown / 2);
      const x = corner("--x", image.naturalWidth, pane.width), y = corner("--y", image.naturalHeight, pane.height);
      const at = (canvas, dx, dy) => [...canvas.getContext("2d").getImageData(dx, dy, 1, 1).data].join();
      const [px, py] = [Math.max(5, 5 - x), Math.max(5, 5 - y)];
      return at(pane, px, py) === at(whole, x + px, y + py);
    }"""
    assert figure.evaluate(same), "one pixel of the image is one pixel of the lens"


def test_tables_sort_by_keyboard_and_say_so(visit):
    page = visit()
    table = page.locator("table.sortable").filter(has_text="errors before").first
    heading = table.locator("thead th").nth(1)
    for expected, reverse in (("ascending", False), ("descending", True)):
        heading.locator("button").press("Enter")
        assert heading.get_attribute("aria-sort") == expected
        values = [float(cell) for cell in table.locator("tbody td:nth-child(2)").all_inner_texts()]
        assert values == sorted(values, reverse=reverse)


@pytest.mark.parametrize(
    ("column", "cells", "expected"),
    [
        ("size", ["0.15 M", "", "21 k", "8,032 weights", "–", "none"], ["8,032 weights", "21 k", "0.15 M", "none"]),
        ("gain", ["+0.10", "−0.20", "-0.30", ""], ["-0.30", "−0.20", "+0.10"]),
        ("where", ["2.10", "2.9", "", "2.1", "3"], ["2.1", "2.9", "2.10", "3"]),
    ],
    ids=["units", "signs", "sections"],
)
def test_sorting_knows_units_and_sections_and_leaves_the_empty_last(browser, column, cells, expected):
    """A small page with the script of the report."""
    rows = "".join(f"<tr><td>{cell}</td></tr>" for cell in cells)
    page = browser.new_page()
    page.set_content(
        "<button class='theme'></button><nav class='contents'></nav>"
        f"<table class='sortable'><thead><tr><th>{column}</th></tr></thead><tbody>{rows}</tbody></table>"
        f"<script>{(ROOT / 'reports/template/script.js').read_text(encoding='utf-8')}</script>"
    )
    for wanted in (expected, expected[::-1]):
        page.locator("th button").click()
        assert page.locator("td").all_inner_texts()[: len(wanted)] == wanted
    page.close()


def test_the_first_tab_stop_skips_to_the_content(visit):
    page = visit()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("viewport", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_axe_finds_nothing_serious(visit, viewport, theme):
    page = visit(viewport, theme)
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
    page.locator("figure.compare select").nth(1).select_option("1")
    found = axe.Axe().run(page).response["violations"]
    serious = [
        (one["id"], [node["html"][:200] for node in one["nodes"][:5]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_everything_is_there_without_a_script(browser):
    context = browser.new_context(java_script_enabled=False, viewport=LAPTOP)
    page = context.new_page()
    page.goto(REPORT.as_uri())
    views = page.locator("figure.compare").first.locator("img")
    assert views.count() == 3 and all(view.is_visible() for view in views.all())
    assert not page.locator("button.theme").is_visible()
    context.close()


def test_the_pdf_has_page_numbers_links_and_bookmarks():
    printed = pypdf.PdfReader(REPORT.with_name("report.pdf"))
    pages = len(printed.pages)
    assert pages > 10
    assert f"3 / {pages}" in printed.pages[2].extract_text()
    links = [note.get_object() for page in printed.pages for note in page.get("/Annots", [])]
    named = set(printed.named_destinations)
    inside = [link for link in links if "/Dest" in link]
    assert len(inside) > 15 and all(str(link["/Dest"]) in named for link in inside if isinstance(link["/Dest"], str))
    assert len(printed.outline) > 0


def test_the_pdf_is_not_much_larger_than_the_page():
    assert REPORT.with_name("report.pdf").stat().st_size < 2 * REPORT.stat().st_size
