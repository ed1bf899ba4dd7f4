import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srcnn_lib import split
from srcnn_lib.errors import DataError

NONE = pd.DataFrame({"first": [], "second": []}, dtype="string")


def drawn(pairs, counts, seed):
    return split.draw(pairs, split.groups(pairs, NONE), counts, seed=seed)


def numbered(count: int) -> pd.DataFrame:
    """`count` numbers with an h and a v pair each."""
    rows = [(f"f.{variant}.fornt.{number}", number, f"{number:064d}") for variant in "hv" for number in range(count)]
    return pd.DataFrame(rows, columns=["name", "number", "high_sha256"]).astype({"number": "Int64"}).assign(pool=pd.NA)


def unnumbered(labels: list[int]) -> pd.DataFrame:
    rows = [(f"page{row}", None, f"{label:02d}" * 32) for row, label in enumerate(labels)]
    return pd.DataFrame(rows, columns=["name", "number", "high_sha256"]).astype({"number": "Int64"}).assign(pool=pd.NA)


def test_the_originals_counts_are_met_and_an_odd_one_leaves_a_twin_unused():
    table = drawn(numbered(430), (700, 130, 25), seed=1)
    assert table["part"].value_counts().to_dict() == {"train": 700, "validation": 130, "test": 25, "unused": 5}


@given(st.integers(3, 60), st.integers(0, 100), st.tuples(st.integers(1, 60), st.integers(1, 30), st.integers(1, 20)))
def test_no_card_is_in_two_parts_and_no_part_is_empty(count, seed, wanted):
    pairs = numbered(count)
    counts = split.counts_for(len(pairs), wanted)
    table = drawn(pairs, counts, seed=seed)
    used = table[table["part"] != split.UNUSED]
    assert (used.groupby("group")["part"].nunique() == 1).all()
    found = used["part"].value_counts()
    for part, count_wanted in zip(split.PARTS, counts, strict=True):
        assert 1 <= found[part] <= count_wanted
    assert table.equals(drawn(pairs, counts, seed=seed))


@given(st.lists(st.integers(0, 12), min_size=8, max_size=60).filter(lambda labels: len(set(labels)) >= 3))
def test_pages_with_one_label_image_stay_together(labels):
    pairs = unnumbered(labels)
    table = drawn(pairs, split.counts_for(len(pairs), (56, 12, 8)), seed=0)
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
    with pytest.raises(DataError, match=r"no card or page is left.*found 2"):
        drawn(unnumbered([1, 1, 2, 2]), (2, 1, 1), seed=0)


def test_near_duplicates_join_the_cards_they_resemble():
    couples = pd.DataFrame(
        {"first": ["f.h.fornt.1", "f.v.fornt.2", "gone"], "second": ["f.v.fornt.2", "f.h.fornt.7", "f.h.fornt.3"]}
    )
    group = split.groups(numbered(9), couples).groupby(numbered(9)["number"]).first()
    assert group[1] == group[2] == group[7]
    assert group.nunique() == 7


def test_each_part_draws_from_its_own_pool():
    pairs = numbered(40)
    pairs["pool"] = pairs["number"].map(lambda number: split.PARTS[number % 3] if number % 4 else split.PARTS[0])
    table = drawn(pairs, (20, 6, 5), seed=0)
    used = table["part"] != split.UNUSED
    assert (table.loc[used, "part"] == pairs.loc[used, "pool"]).all()
    assert table["part"].value_counts()[list(split.PARTS)].tolist() == [20, 6, 5]


def test_an_empty_pool_is_named():
    pairs = numbered(10).assign(pool="train")
    with pytest.raises(DataError, match="no card or page is left for test"):
        drawn(pairs, (10, 5, 2), seed=0)


def test_a_naive_split_leaks_and_ours_does_not():
    pairs = numbered(100)
    group = split.groups(pairs, NONE)
    naive = split.naive(pairs, group, (140, 30, 30), seed=0)
    assert naive["part"].value_counts()[list(split.PARTS)].tolist() == [140, 30, 30]
    assert 0.4 < split.leaked(naive) < 1
    assert split.leaked(split.draw(pairs, group, (140, 30, 30), seed=0)) == 0
