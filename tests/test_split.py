import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srcnn_lib import split
from srcnn_lib.errors import DataError


def numbered(count: int) -> pd.DataFrame:
    """`count` numbers with an h and a v pair each."""
    rows = [(f"f.{variant}.fornt.{number}", number, f"{number:064d}") for variant in "hv" for number in range(count)]
    return pd.DataFrame(rows, columns=["name", "number", "high_sha256"]).astype({"number": "Int64"})


def unnumbered(labels: list[int]) -> pd.DataFrame:
    rows = [(f"page{row}", None, f"{label:02d}" * 32) for row, label in enumerate(labels)]
    return pd.DataFrame(rows, columns=["name", "number", "high_sha256"]).astype({"number": "Int64"})


def test_the_originals_counts_are_met_and_an_odd_one_leaves_a_twin_unused():
    table = split.draw(numbered(430), (700, 130, 25), seed=1)
    assert table["part"].value_counts().to_dict() == {"train": 700, "validation": 130, "test": 25, "unused": 5}


@given(st.integers(3, 60), st.integers(0, 100), st.tuples(st.integers(1, 60), st.integers(1, 30), st.integers(1, 20)))
def test_no_card_is_in_two_parts_and_no_part_is_empty(count, seed, wanted):
    pairs = numbered(count)
    counts = split.counts_for(len(pairs), wanted)
    table = split.draw(pairs, counts, seed=seed)
    used = table[table["part"] != split.UNUSED]
    assert (used.groupby("group")["part"].nunique() == 1).all()
    found = used["part"].value_counts()
    for part, count_wanted in zip(split.PARTS, counts, strict=True):
        assert 1 <= found[part] <= count_wanted
    assert table.equals(split.draw(pairs, counts, seed=seed))


@given(st.lists(st.integers(0, 12), min_size=8, max_size=60).filter(lambda labels: len(set(labels)) >= 3))
def test_pages_with_one_label_image_stay_together(labels):
    pairs = unnumbered(labels)
    table = split.draw(pairs, split.counts_for(len(pairs), (56, 12, 8)), seed=0)
    used = table[table["part"] != split.UNUSED]
    assert (used.groupby("group")["part"].nunique() == 1).all()
    assert set(used["part"]) == set(split.PARTS)


def test_too_few_pairs_become_proportions():
    assert split.counts_for(855, (700, 130, 25)) == (700, 130, 25)
    assert split.counts_for(52, (700, 130, 25)) == (42, 8, 2)
    assert sum(split.counts_for(3, (700, 130, 25))) == 3
    with pytest.raises(DataError, match="found 2"):
        split.counts_for(2, (700, 130, 25))


def test_fewer_than_three_cards_are_refused():
    with pytest.raises(DataError, match="found 2"):
        split.draw(unnumbered([1, 1, 2, 2]), (2, 1, 1), seed=0)
