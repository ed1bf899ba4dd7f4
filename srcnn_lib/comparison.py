"""Section 2.9: how sure a figure is, and whether one method is better than another on the same images."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats


def interval(
    table: pd.DataFrame, top: str, bottom: str | None = None, *, group: str = "name", seed: int, draws: int = 2000
) -> tuple[float, float, float]:
    """A mean over images, or a ratio of sums over images, with its 95 % bootstrap interval.

    Parameters
    ----------
    table
        One row an image.
    top, bottom
        Columns: the figure is sum(top) / sum(bottom), or the mean of top where `bottom` is None.
    group
        Column of what is drawn as one, such as the card, of which there may be several images: images of one card are
        no independent samples. A column that is not there means every row by itself.
    draws
        Samples of the groups, drawn with replacement (B. Efron, Annals of Statistics 7(1), 1979,
        doi:10.1214/aos/1176344552; percentile interval).

    Returns
    -------
    The figure and the ends of its interval, NaN for an empty table.
    """
    if table.empty:
        return (float("nan"),) * 3
    sums = _sums(table, top, bottom, group)
    low, high = np.quantile(_drawn(sums, seed, draws), (0.025, 0.975))
    return _ratio(sums), float(low), float(high)


def _sums(table: pd.DataFrame, top: str, bottom: str | None, group: str) -> np.ndarray:
    """Sums of top and bottom, one row a group in order: (groups, 2)."""
    parts = {"top": table[top].astype(float), "bottom": 1.0 if bottom is None else table[bottom].astype(float)}
    key = table[group].to_numpy() if group in table else np.arange(len(table))
    return pd.DataFrame(parts).groupby(key, sort=True).sum().to_numpy()


def _ratio(sums: np.ndarray) -> float:
    top, bottom = sums.sum(axis=0)
    return float(top / bottom)


def _drawn(sums: np.ndarray, seed: int, draws: int) -> np.ndarray:
    """The ratio of sums over groups drawn with replacement, the same ones for the same seed and number: (draws,)."""
    chosen = np.random.default_rng(seed).integers(0, len(sums), (draws, len(sums)))
    top, bottom = sums[chosen].sum(axis=1).T
    return top / bottom


def against(
    table: pd.DataFrame,
    reference: str,
    top: str,
    bottom: str | None = None,
    *,
    group: str = "name",
    seed: int,
    draws: int = 2000,
) -> pd.DataFrame:
    """Every method with its interval, and how far it is from a reference method on the same images.

    Parameters
    ----------
    table
        One row an image and method: name, method, and the columns `top` and `bottom` as for `interval`. Images for
        which a method's `top` is not finite (the PSNR of two equal images) are left out.
    reference
        The method to compare with.
    group
        Column of what is drawn as one and tested as one, see `interval`.

    Returns
    -------
    One row a method: method, images, figure, low, high; difference, difference_low, difference_high (figure minus
    that of the reference, the groups drawn in pairs) and p (Wilcoxon's signed-rank test over groups, two-sided;
    1 where none differs).
    """
    endless = table.loc[~np.isfinite(table[top].astype(float)), "name"]
    table = table[~table["name"].isin(endless)]
    rows = []
    base = table[table["method"] == reference].set_index("name", drop=False)
    base_sums = _sums(base, top, bottom, group)
    base_drawn = _drawn(base_sums, seed, draws)
    for method, scores in table.groupby("method", sort=False):
        sums = _sums(scores.set_index("name", drop=False).loc[base.index], top, bottom, group)
        drawn = _drawn(sums, seed, draws)
        low, high = np.quantile(drawn, (0.025, 0.975))
        ends = np.quantile(drawn - base_drawn, (0.025, 0.975))
        moved = np.round(sums[:, 0] / sums[:, 1] - base_sums[:, 0] / base_sums[:, 1], 12)  # equal differences must tie
        rows.append(
            {
                "method": method,
                "images": len(base),
                "figure": _ratio(sums),
                "low": float(low),
                "high": float(high),
                "difference": _ratio(sums) - _ratio(base_sums),
                "difference_low": float(ends[0]),
                "difference_high": float(ends[1]),
                "p": float(stats.wilcoxon(moved).pvalue) if moved.any() else 1.0,
            }
        )
    return pd.DataFrame(rows)


def by_chance(low: float, high: float) -> bool:
    """Whether the 95 % interval of a difference contains 0 (or is not known), so that chance may have made it."""
    return not (low > 0 or high < 0)


def shown_p(p: float) -> str:
    """A p value as it is shown: one digit, and never as 0; a dash where there is none."""
    return "–" if np.isnan(p) else "<\u00a00.001" if p < 0.001 else f"{p:.1g}"


_BECAME = ["gained", "lost", "sure_and_wrong", "invented", "spoilt"]  # columns of `changes`


def first_scorings(log: pd.DataFrame, hashes: Mapping[str, str]) -> pd.DataFrame:
    """Of a log of scorings those that count: the first of each network as it is now, on each test.

    Parameters
    ----------
    log
        One row a scoring: test, data_sha256, engine, kind, method, when (ISO 8601) and weights (the SHA-256 of a
        network's file; empty or missing for what is no network), as `benchmarks/reading.py` writes it.
    hashes
        The SHA-256 of each network as it is now.

    Returns
    -------
    The rows of these networks, and of the methods beside them those of the latest of these scorings, test by test: what
    classical filter is best may have been chosen anew since the first. What became of each value (see `changes`) is
    that of the latest scoring of the same, since how it is counted has changed; missing where nobody counted so.
    """
    where = ["test", "data_sha256", "engine", "kind"]
    log = log.sort_values("when", kind="stable").assign(place=range(len(log)))
    current = [hashes.get(method) == weights for method, weights in zip(log["method"], log["weights"], strict=True)]
    networks = log[current].drop_duplicates([*where, "method"])
    latest = networks.drop_duplicates(where, keep="last")[[*where, "when"]]
    beside = log[log["weights"].fillna("") == ""].merge(latest, on=[*where, "when"])
    found = pd.concat([beside.drop_duplicates([*where, "method"]), networks]).sort_values([*where, "place"])
    same = [*where, "method", "weights"]
    counted = log.reindex(columns=[*same, *_BECAME]).dropna(subset=_BECAME).drop_duplicates(same, keep="last")
    found = found.drop(columns=[*_BECAME, "place"], errors="ignore").merge(counted, on=same, how="left")
    return found.reset_index(drop=True)


def replaced_scorings(log: pd.DataFrame, hashes: Mapping[str, str]) -> pd.DataFrame:
    """Of such a log, the first scoring on each test of each network that another one has taken the place of since."""
    others = log[log["weights"].fillna("").ne("") & ~log["weights"].isin(hashes.values())].sort_values("when")
    return others.drop_duplicates(["test", "data_sha256", "engine", "kind", "weights"]).reset_index(drop=True)


def recovered(before: float, after: float, best: float) -> float:
    """The recovered share: how much of the error that the sharp image would spare was spared.

    1 is as good as the sharp image, 0 as bad as the untouched input, negative worse than that. NaN where the
    sharp image is no better than the untouched one.
    """
    return (before - after) / (before - best) if before > best else float("nan")


def of_reading(table: pd.DataFrame, *, before: str, best: str, group: str = "name", seed: int) -> pd.DataFrame:
    """How well cards are read after each method, with intervals, and beside leaving them as they were.

    Parameters
    ----------
    table
        One row an image and method, as `evaluation.per_image` gives them.
    before, best
        The methods to compare with: doing nothing, and reading the sharp image.
    group, seed
        As for `against`.

    Returns
    -------
    One row a method: method, images, error_rate (of characters, with low and high), difference (with difference_low and
    difference_high; shares, negative is better), p, exact (share of fields, with exact_low and exact_high), word_errors
    (share of words that were missed; these NaN where the text of the cards is not known) and recovered (see
    `recovered`, with recovered_low and recovered_high: samples in which the sharp image is no better do not count).
    """
    errors = against(table, before, "errors", "characters", group=group, seed=seed)
    errors = errors.rename(columns={"figure": "error_rate"})
    by_method = dict(iter(table.groupby("method", sort=False)))
    known = "words" in table
    unknown = (float("nan"),) * 3
    sums = {method: _sums(rows, "errors", "characters", group) for method, rows in by_method.items()}
    samples = {method: _drawn(own, seed, draws=2000) for method, own in sums.items()}
    way = samples[before] - samples[best]
    rates = errors.set_index("method")["error_rate"]
    rows = []
    for method in errors["method"]:
        own = by_method[method]
        exact = interval(own, "exact", "fields", group=group, seed=seed) if known else unknown
        made = (samples[before] - samples[method])[way > 0] / way[way > 0]
        ends = np.quantile(made, (0.025, 0.975)) if len(made) else unknown[:2]
        rows.append(
            {
                "exact": exact[0],
                "exact_low": exact[1],
                "exact_high": exact[2],
                "word_errors": own["words_missed"].sum() / own["words"].sum() if known else np.nan,
                "recovered": recovered(rates[before], rates[method], rates[best]),
                "recovered_low": float(ends[0]),
                "recovered_high": float(ends[1]),
            }
        )
    return pd.concat([errors, pd.DataFrame(rows)], axis=1)


HARDNESS = {"without a fault": 0.0, "up to 5 %": 0.05, "5 to 30 %": 0.3, "30 to 70 %": 0.7, "above 70 %": np.inf}
"""Classes of images by the character error rate they are read with untouched: the highest of each."""


def by_hardness(table: pd.DataFrame, *, before: str) -> pd.DataFrame:
    """How each method does on images that were easy to read as they were, and on those that were hard.

    `table` has one row an image and method: name, method, errors and characters; `before` is doing nothing. Returns one
    row a class of `HARDNESS` and method: untouched (the class), images, method, error_rate (character errors over the
    characters of the class) and worse (share of its images with more errors than before).
    """
    table = table[["name", "method", "errors", "characters"]]
    base = table[table["method"] == before].set_index("name")
    rates = base["errors"] / base["characters"]
    classes = pd.cut(rates, [-np.inf, *HARDNESS.values()], labels=list(HARDNESS))
    table = table.assign(untouched=table["name"].map(classes), more=table["errors"] > table["name"].map(base["errors"]))
    groups = table.groupby(["untouched", "method"], sort=False, observed=True)
    sums = groups[["errors", "characters"]].sum()
    found = pd.DataFrame(
        {"images": groups.size(), "error_rate": sums["errors"] / sums["characters"], "worse": groups["more"].mean()}
    ).reset_index()
    found["untouched"] = pd.Categorical(found["untouched"], list(HARDNESS), ordered=True)
    return found.sort_values("untouched", kind="stable").reset_index(drop=True)


def gains(points: pd.DataFrame, *, before: str) -> pd.DataFrame:
    """How far each method moved each image from where it was, in PSNR and in reading.

    How hard the images are is left out of it that way: a blurred card has both a low PSNR and many errors.

    `points` has one row an image and method: name, method, psnr (dB) and error (a share). Returns the same rows without
    those of `before`, with the further columns gain (dB) and change (of the share of errors, negative is better).
    """
    base = points[points["method"] == before].set_index("name")
    others = points[points["method"] != before]
    gain = others["psnr"].to_numpy() - others["name"].map(base["psnr"]).to_numpy()
    change = others["error"].to_numpy() - others["name"].map(base["error"]).to_numpy()
    return others.assign(gain=gain, change=change).reset_index(drop=True)


def at_odds(quality: pd.DataFrame, reading: pd.DataFrame) -> dict[str, bool]:
    """Methods with a higher PSNR than the reference that are read worse than it: whether both are beyond chance.

    So they are if neither interval holds 0 and both p are below 0.05, since two or three images bound an interval but
    prove nothing. `quality` and `reading` are tables of `against`, of PSNR and of character errors.
    """
    both = quality.merge(reading, on="method", suffixes=("", "_read"))
    both = both[(both["difference"] > 0) & (both["difference_read"] > 0)]
    return {
        row.method: min(row.difference_low, row.difference_low_read) > 0 and max(row.p, row.p_read) < 0.05
        for row in both.itertuples()
    }


def changes(fields: pd.DataFrame, *, before: str, confident: float = 0.9) -> pd.DataFrame:
    """What became of each field that was read: the danger beside the gain.

    A network that makes letters up is dangerous on an identity card, the more so if the reading looks sure.

    Parameters
    ----------
    fields
        One row a field, image and method, as `evaluation.legibility` gives them for known text: name, method, kind,
        field, exact and confidence (0 to 1).
    before
        The method to compare with: doing nothing.
    confident
        From which confidence on a reading looks sure.

    Returns
    -------
    One row a method, shares of all fields: method, fields, gained (read exactly, and not before), lost (read exactly
    before, and no longer), sure_and_wrong (read wrongly by a sure reader), and of those invented (no sure reader had
    read them before) and spoilt (a sure reader had read them exactly).
    """
    keys = ["name", "kind", "field"]
    numbered = fields.assign(place=fields.groupby([*keys, "method"]).cumcount())
    keys = [*keys, "place"]
    old = numbered[numbered["method"] == before].set_index(keys)[["exact", "confidence"]]
    rows = []
    for method, found in numbered.groupby("method", sort=False):
        both = found.set_index(keys)[["exact", "confidence"]].join(old.add_suffix("_before"))
        exact, exact_before = both["exact"].astype(bool), both["exact_before"].astype(bool)
        wrong, sure_before = ~exact & (both["confidence"] >= confident), both["confidence_before"] >= confident
        rows.append(
            {
                "method": method,
                "fields": len(both),
                "gained": float((exact & ~exact_before).mean()),
                "lost": float((exact_before & ~exact).mean()),
                "sure_and_wrong": float(wrong.mean()),
                "invented": float((wrong & ~sure_before).mean()),
                "spoilt": float((wrong & sure_before & exact_before).mean()),
            }
        )
    return pd.DataFrame(rows)
