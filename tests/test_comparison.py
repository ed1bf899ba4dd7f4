import numpy as np
import pandas as pd
import pytest
from scipy import stats

from srcnn_lib import comparison


@pytest.fixture
def table(rng):
    names = [f"card {n}" for n in range(60)]
    base = rng.integers(0, 30, 60)
    rows = [
        {"name": name, "method": method, "errors": errors, "characters": 50}
        for method, counts in {"before": base, "better": np.maximum(base - 3, 0), "same": base}.items()
        for name, errors in zip(names, counts, strict=True)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


def test_the_first_scoring_of_a_network_as_it_is_now_counts():
    rows = [
        ("old", "untouched", "", 0.50),
        ("old", "house", "hash of before", 0.20),
        ("second", "untouched", "", 0.51),
        ("second", "house", "hash of house", 0.30),
        ("third", "untouched", None, 0.52),
        ("third", "house", "hash of house", 0.25),
        ("third", "srcnn", "hash of srcnn", 0.40),
        ("second", "unsharp masking: 1", "", 0.45),
        ("third", "unsharp masking: 3", "", 0.41),
    ]
    days = {"old": "2026-01-01T09:00:00", "second": "2026-01-02T09:00:00", "third": "2026-01-03T09:00:00"}
    log = pd.DataFrame(rows, columns=["when", "method", "weights", "error_rate"]).replace({"when": days})
    log = log.assign(test="drawn", data_sha256="a", engine="RapidOCR", kind="value")
    other = log[log["when"] == days["third"]].assign(data_sha256="b")
    log = pd.concat([log, other], ignore_index=True).sample(frac=1, random_state=0)
    log = log.sort_values(["when", "method"], ascending=[True, False], ignore_index=True)
    hashes = {"house": "hash of house", "srcnn": "hash of srcnn"}
    first = comparison.first_scorings(log, hashes)
    mine = first[first["data_sha256"] == "a"].set_index("method")["error_rate"]
    assert mine.to_dict() == {"untouched": 0.52, "house": 0.30, "srcnn": 0.40, "unsharp masking: 3": 0.41}
    assert (first["data_sha256"] == "b").sum() == 4 and "place" not in first
    assert comparison.first_scorings(log, {"house": "of a new one"}).empty
    new = comparison.replaced_scorings(log, {"house": "of a new one"})
    assert not new.duplicated(["test", "data_sha256", "engine", "kind", "weights"]).any()
    assert set(new["weights"]) == set(log["weights"].dropna()) - {""}
    assert comparison.replaced_scorings(
        log, dict(zip(new["method"] + new["weights"], new["weights"], strict=True))
    ).empty


def test_what_became_of_values_is_counted_as_it_was_last():
    one = {"test": "t", "data_sha256": "a", "engine": "E", "kind": "value", "method": "house", "weights": "hash"}
    log = pd.DataFrame([one | {"when": f"2026-01-0{day}", "error_rate": 0.1 * day, "gained": 0.2} for day in (1, 2, 3)])
    assert comparison.first_scorings(log, {"house": "hash"})["gained"].isna().all(), "what is spoilt was never counted"
    log = log.assign(lost=0.0, sure_and_wrong=0.1, invented=0.1, spoilt=[np.nan, 0.3, 0.4])
    (first,) = comparison.first_scorings(log, {"house": "hash"}).to_dict("records")
    assert (first["error_rate"], first["spoilt"]) == (0.1, 0.4)


def test_intervals_agree_with_scipy(rng):
    table = pd.DataFrame({"psnr": rng.normal(25, 3, 80)})
    mean, low, high = comparison.interval(table, "psnr", seed=0, draws=5000)
    theirs = stats.bootstrap((table["psnr"],), np.mean, n_resamples=5000, method="percentile", rng=1)
    assert mean == pytest.approx(table["psnr"].mean())
    assert (low, high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.05)


def test_ratios_are_those_of_sums():
    table = pd.DataFrame({"errors": [1, 0, 5], "characters": [10, 30, 10]})
    rate, low, high = comparison.interval(table, "errors", "characters", seed=0)
    assert rate == pytest.approx(6 / 50) and low <= rate <= high
    assert np.isnan(comparison.interval(table.head(0), "errors", seed=0)).all()


def test_differences_are_paired(table):
    result = comparison.against(table, "before", "errors", "characters", seed=0).set_index("method")
    before, better, same = (result.loc[name] for name in ("before", "better", "same"))
    assert (result["images"] == 60).all()
    assert same["difference"] == same["difference_low"] == same["difference_high"] == 0 and same["p"] == 1
    assert better["difference"] == pytest.approx(better["figure"] - before["figure"])
    assert better["difference_low"] <= better["difference"] <= better["difference_high"] < 0
    # drawn in pairs, a small difference is sure although the intervals of the figures overlap
    assert better["high"] > before["low"]
    counts = {name: rows.set_index("name")["errors"].sort_index() for name, rows in table.groupby("method")}
    assert better["p"] == pytest.approx(stats.wilcoxon(counts["better"] - counts["before"]).pvalue)


def test_images_of_one_card_are_drawn_and_tested_as_one(rng):
    twice = pd.DataFrame({"name": [f"{side}{n}" for n in range(40) for side in "hv"], "card": np.repeat(range(40), 2)})
    twice = twice.assign(psnr=np.repeat(rng.normal(25, 3, 40), 2))
    mean, low, high = comparison.interval(twice, "psnr", group="card", seed=0)
    assert (mean, low, high) == pytest.approx(comparison.interval(twice[["psnr"]][::2], "psnr", seed=0))
    assert high - low > 1.2 * np.subtract(*comparison.interval(twice, "psnr", seed=0)[:0:-1])
    after = twice.assign(method="after", psnr=twice["psnr"] + rng.uniform(0.1, 1, 80))
    both = pd.concat([twice.assign(method="before"), after])
    p = comparison.against(both, "before", "psnr", group="card", seed=0).set_index("method")["p"]
    per_card = [rows.groupby("card")["psnr"].mean() for rows in (after, twice)]
    assert p["after"] == pytest.approx(stats.wilcoxon(per_card[0] - per_card[1]).pvalue) and p["before"] == 1


def test_pairs_of_equal_images_are_left_out():
    scores = pd.DataFrame({"name": ["a", "b", "c"] * 2, "method": ["before"] * 3 + ["after"] * 3})
    scores = scores.assign(psnr=[20.0, 22.0, np.inf, 21.0, 23.0, 40.0])
    result = comparison.against(scores, "before", "psnr", seed=0).set_index("method")
    assert result.loc["after", ["images", "figure", "difference"]].tolist() == [2, 22.0, 1.0]


def test_images_are_classed_by_how_they_were_read_untouched():
    table = pd.DataFrame(
        [
            (name, method, errors, 100)
            for method, counts in {"untouched": (0, 5, 6, 71, 0), "other": (1, 5, 3, 72, 0)}.items()
            for name, errors in zip("abcde", counts, strict=True)
        ],
        columns=["name", "method", "errors", "characters"],
    )
    found = comparison.by_hardness(table, before="untouched")
    assert list(found["untouched"].unique()) == ["without a fault", "up to 5 %", "5 to 30 %", "above 70 %"]
    other = found[found["method"] == "other"].set_index("untouched")
    assert list(other["images"]) == [2, 1, 1, 1]
    assert list(other["error_rate"]) == [0.005, 0.05, 0.03, 0.72]
    assert list(other["worse"]) == [0.5, 0, 0, 1]
    assert not found[found["method"] == "untouched"]["worse"].any()


def test_gains_leave_out_how_hard_images_are():
    points = pd.DataFrame({"name": ["easy", "hard"] * 2, "method": ["before"] * 2 + ["after"] * 2})
    points = points.assign(psnr=[30.0, 10.0, 31.0, 12.0], error=[0.1, 0.8, 0.2, 0.95])
    moved = comparison.gains(points, before="before")
    assert moved[["name", "method"]].to_numpy().tolist() == [["easy", "after"], ["hard", "after"]]
    assert moved["gain"].tolist() == [1.0, 2.0] and moved["change"].tolist() == pytest.approx([0.1, 0.15])


def test_methods_at_odds_are_beyond_chance_only_where_both_intervals_are():
    columns = ["method", "difference", "difference_low", "p"]
    gained = [("sure", 1.0, 0.5, 0.01), ("faint", 0.1, -0.2, 0.3), ("good", 1.0, 0.5, 0.01), ("of two", 1.0, 0.9, 0.5)]
    lost = [
        ("sure", 0.1, 0.02, 0.01),
        ("faint", 0.1, 0.02, 0.01),
        ("good", -0.1, -0.2, 0.01),
        ("of two", 0.1, 0.1, 0.5),
    ]
    quality, read = (pd.DataFrame(rows, columns=columns) for rows in (gained, lost))
    assert comparison.at_odds(quality, read) == {"sure": True, "faint": False, "of two": False}


def test_shares_recovered():
    assert comparison.recovered(0.4, 0.2, 0.0) == pytest.approx(0.5)
    assert comparison.recovered(0.4, 0.5, 0.0) == pytest.approx(-0.25)
    assert np.isnan(comparison.recovered(0.1, 0.1, 0.1))


def test_a_reading_summary_places_each_method_between_untouched_and_sharp(rng):
    characters = rng.integers(20, 60, 30)
    rates = {"before": 0.5, "helps": 0.3, "harms": 0.6, "best": 0.1}
    table = pd.concat(
        pd.DataFrame(
            {
                "name": [f"card {number}" for number in range(30)],
                "method": method,
                "errors": np.rint(rate * characters),
                "characters": characters,
                "exact": 1,
                "fields": 4,
                "words": 5,
                "words_missed": 2,
            }
        )
        for method, rate in rates.items()
    )
    summary = comparison.of_reading(table, before="before", best="best", seed=1).set_index("method")
    assert summary["error_rate"].to_dict() == pytest.approx(rates, abs=0.01)
    assert summary["recovered"].to_dict() == pytest.approx(
        {"before": 0, "helps": 0.5, "harms": -0.25, "best": 1}, abs=0.05
    )
    assert (summary["exact"] == 0.25).all() and (summary["exact_low"] == 0.25).all()
    assert (summary["recovered_low"] <= summary["recovered"]).all() and summary.loc["helps", "recovered_high"] < 0.6
    assert (summary["word_errors"] == 0.4).all()
    assert summary.loc["helps", "difference_high"] < 0 < summary.loc["harms", "difference_low"]
    unknown = comparison.of_reading(
        table.drop(columns=["words", "words_missed", "exact", "fields"]), before="before", best="best", seed=1
    )
    assert unknown["exact"].isna().all() and unknown["error_rate"].tolist() == summary["error_rate"].tolist()


def test_what_became_of_each_field():
    rows = [
        ("untouched", "a", False, 0.3), ("untouched", "b", True, 0.95), ("untouched", "c", False, 0.95),
        ("untouched", "d", True, 0.95), ("untouched", "e", True, 0.8),
        ("made", "a", False, 0.97), ("made", "b", False, 0.2), ("made", "c", True, 0.99),
        ("made", "d", False, 0.9), ("made", "e", True, 0.95),
    ]  # fmt: skip
    fields = pd.DataFrame(rows, columns=["method", "field", "exact", "confidence"]).assign(name="card", kind="value")
    untouched, made = comparison.changes(fields, before="untouched").to_dict("records")
    once, twice = pytest.approx(1 / 5), pytest.approx(2 / 5)
    assert made == {
        "method": "made", "fields": 5, "gained": once, "lost": twice, "sure_and_wrong": twice, "invented": once,
        "spoilt": once,
    }  # fmt: skip
    assert (untouched["gained"], untouched["lost"], untouched["invented"]) == (0, 0, 0)
    assert untouched["sure_and_wrong"] == once


@pytest.mark.parametrize(
    "p, shown", [(0.0, "<\u00a00.001"), (0.0004, "<\u00a00.001"), (0.04, "0.04"), (1.0, "1"), (np.nan, "–")]
)
def test_p_is_never_shown_as_nothing(p, shown):
    assert comparison.shown_p(p) == shown
