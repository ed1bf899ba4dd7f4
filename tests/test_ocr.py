import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srcnn_lib import ocr
from srcnn_lib.errors import ForeseenError
from srcnn_lib.ocr import Line
from srcnn_lib.specimens import typefaces

JUDGE = Path(__file__).resolve().parent.parent.parent / "shared" / "tools" / "score_cards.py"
TEXT = st.text("ab1 ", max_size=8)


def fields(*rows):
    return pd.DataFrame(rows, columns=["kind", "name", "text", "x0", "y0", "x1", "y1"])


@pytest.fixture(scope="module")
def card():
    """A white image with two drawn words, and where they are."""
    image = np.full((120, 360, 3), 255, np.uint8)
    style = typefaces.Style(typefaces.typefaces()["test"][0])
    places = {}
    for word, (x, y) in {"MARGOT": (20, 50), "58213": (220, 100)}.items():
        ink, left, top = typefaces.mask(word, style, 30)
        rows, columns = slice(y + top, y + top + ink.shape[0]), slice(x + left, x + left + ink.shape[1])
        image[rows, columns] = 255 - ink[..., None]
        places[word] = (columns.start, rows.start, columns.stop, rows.stop)
    return image, places


@pytest.mark.parametrize("engine", ["RapidOCR", "Tesseract"])
def test_engines_read_words_where_they_are(card, engine, tmp_path):
    if engine == "Tesseract" and not shutil.which("tesseract"):
        pytest.skip("Tesseract is not installed")
    image, places = card
    lines = ocr.read({"card": lambda: image}, engine, tmp_path)["card"]
    for word, box in places.items():
        assert word in ocr.text_at(lines, box)
    assert all(0 <= line.confidence <= 1 for line in lines)
    before = list(tmp_path.iterdir())
    again = ocr.read({"same": lambda: image.copy()}, engine, tmp_path)["same"]
    assert again == lines and list(tmp_path.iterdir()) == before
    blank = ocr.read({"blank": lambda: np.full_like(image, 255)}, engine, tmp_path)["blank"]
    assert ocr.whole_text(blank) == ""


def test_unknown_engines_list_those_at_hand(tmp_path):
    with pytest.raises(ForeseenError, match=r"'abacus'.*RapidOCR"):
        ocr.read({}, "abacus", tmp_path)


def test_text_is_found_at_its_place_from_left_to_right():
    lines = [
        Line("LAST", (60, 10, 90, 20), 0.9),
        Line("FIRST ", (5, 11, 50, 21), 0.8),
        Line("BELOW", (5, 30, 50, 40), 0.7),
        Line("NEXT", (200, 10, 240, 20), 0.6),
    ]
    assert ocr.text_at(lines, (0, 10, 100, 20)) == "FIRSTLAST"
    assert ocr.text_at(lines, (0, 28, 100, 42)) == "BELOW"
    assert ocr.text_at(lines, (100, 10, 190, 20)) == ""


@pytest.mark.parametrize(
    ("field", "found", "errors"),
    [("ABC", "xxABCxx", 0), ("ABC", "xxAXCxx", 1), ("ABC", "", 3), ("ABC", "xyz", 3), ("AB", "A", 1), ("A", "BCD", 1)],
)
def test_character_errors_of_the_nearest_stretch(field, found, errors):
    assert ocr.character_errors(field, found) == errors


@given(TEXT, TEXT)
def test_character_errors_are_within_bounds_and_zero_for_what_is_there(field, found):
    field, found = ocr.squeeze(field), ocr.squeeze(found)
    assert 0 <= ocr.character_errors(field, found) <= len(field)
    assert ocr.character_errors(field, found + field) == 0


@pytest.mark.skipif(not JUDGE.exists(), reason="the judge is not beside the project")
@given(TEXT.filter(lambda text: text.strip()), TEXT)
def test_character_errors_are_those_of_the_judge(field, found):
    sys.path.insert(0, str(JUDGE.parent))
    try:
        import score_cards
    finally:
        sys.path.pop(0)
    field, found = ocr.squeeze(field), ocr.squeeze(found)
    assert ocr.character_errors(field, found) == score_cards.field_errors(field, found)


def test_a_reading_is_as_sure_as_its_least_sure_word():
    words = [
        Line("ANNA", (10, 10, 50, 20), 0.97),
        Line("MARlA", (55, 10, 90, 20), 0.4),
        Line("1970", (0, 40, 9, 50), 0.1),
    ]
    (scores,) = ocr.score(words, fields(("value", "given", "ANNA MARIA", 10, 10, 90, 20))).to_dict("records")
    assert scores["confidence"] == 0.4 and scores["errors"] == 1


def test_scores_of_a_card():
    lines = [Line("ANNA MARlA", (10, 10, 90, 20), 0.9), Line("1970", (10, 40, 50, 50), 0.5)]
    known = fields(
        ("value", "given", "ANNA MARIA", 10, 10, 90, 20),
        ("value", "birth", "1970", 10, 40, 50, 50),
        ("label", "sex", "Sex", 10, 70, 50, 80),
        ("label", "empty", " ", 10, 70, 50, 80),
    )
    scores = ocr.score(lines, known).set_index("field")
    assert list(scores.index) == ["given", "birth", "sex"]
    assert scores["errors"].tolist() == [1, 0, 3] and scores["characters"].tolist() == [9, 4, 3]
    assert scores["words_missed"].tolist() == [1, 0, 1] and scores["words"].tolist() == [2, 1, 1]
    assert scores["exact"].tolist() == [False, True, False] and scores["confidence"].tolist() == [0.9, 0.5, 0.0]
    # without places, all that was read is searched
    assert ocr.score(lines, known[["kind", "name", "text"]])["errors"].tolist() == [1, 0, 3]
    assert ocr.score([], known)["errors"].tolist() == [9, 4, 3]


def test_zones_hold_only_with_right_check_digits():
    zone = ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"]
    known = fields(*(("mrz", f"line {n + 1}", text, 0, 20 * n, 300, 20 * n + 15) for n, text in enumerate(zone)))
    lines = [Line(text, (0, 20 * n, 300, 20 * n + 15), 1.0) for n, text in enumerate(zone)]
    assert ocr.zone_holds(lines, known) is True
    wrong = [lines[0], Line(zone[1].replace("740812", "740813"), lines[1].box, 1.0), lines[2]]
    assert ocr.zone_holds(wrong, known) is False and ocr.zone_holds([], known) is False
    assert ocr.zone_holds(lines, known.assign(kind="value")) is None


def test_readings_agree_or_differ():
    one, other = [Line("abc d", (0, 0, 1, 1), 1.0)], [Line("abxd", (0, 0, 1, 1), 1.0)]
    assert ocr.agreement(one, one) == ocr.agreement([], []) == 0
    assert ocr.agreement(one, other) == 0.25 and ocr.agreement([], one) == 1
