"""Section 2.9: how sure a figure is, and whether one method is better than another on the same images."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats


def interval(
    table: pd.DataFrame, top: str, bottom: str | None = None, *, seed: int, draws: int = 2000
) -> tuple[float, float, float]:
    """A mean over images, or a ratio of sums over images, with its 95 % bootstrap interval.

    Parameters
    ----------
    table
        One row an image.
    top, bottom
        Columns: the figure is sum(top) / sum(bottom), or the mean of top where `bottom` is None.
    draws
        Samples of the images, drawn with replacement (B. Efron, Annals of Statistics 7(1), 1979,
        doi:10.1214/aos/1176344552; percentile interval).

    Returns
    -------
    The figure and the ends of its interval, NaN for an empty table.
    """
    if table.empty:
        return (float("nan"),) * 3
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(table), (draws, len(table)))
    tops = table[top].to_numpy(float)
    bottoms = np.ones(len(table)) if bottom is None else table[bottom].to_numpy(float)
    samples = tops[chosen].sum(axis=1) / bottoms[chosen].sum(axis=1)
    low, high = np.quantile(samples, (0.025, 0.975))
    return float(tops.sum() / bottoms.sum()), float(low), float(high)


def against(
    table: pd.DataFrame, reference: str, top: str, bottom: str | None = None, *, seed: int, draws: int = 2000
) -> pd.DataFrame:
    """Every method with its interval, and how far it is from a reference method on the same images.

    Parameters
    ----------
    table
        One row an image and method: name, method, and the columns `top` and `bottom` as for `interval`.
    reference
        The method to compare with.

    Returns
    -------
    One row a method: method, images, figure, low, high; difference, difference_low, difference_high (figure minus
    that of the reference, the images drawn in pairs) and p (Wilcoxon's signed-rank test over images, two-sided;
    1 where no image differs).
    """
    rows = []
    base = table[table["method"] == reference].set_index("name")
    for method, scores in table.groupby("method", sort=False):
        scores = scores.set_index("name").loc[base.index]
        figure = interval(scores, top, bottom, seed=seed, draws=draws)
        chosen = np.random.default_rng(seed).integers(0, len(base), (draws, len(base)))

        def ratio(values: pd.DataFrame, chosen=chosen) -> np.ndarray:
            tops = values[top].to_numpy(float)[chosen].sum(axis=1)
            return tops / (chosen.shape[1] if bottom is None else values[bottom].to_numpy(float)[chosen].sum(axis=1))

        low, high = np.quantile(ratio(scores) - ratio(base), (0.025, 0.975))
        per_image = [values[top] if bottom is None else values[top] / values[bottom] for values in (scores, base)]
        moved = np.round((per_image[0] - per_image[1]).to_numpy(float), 12)  # equal differences must tie
        rows.append(
            {
                "method": method,
                "images": len(base),
                "figure": figure[0],
                "low": figure[1],
                "high": figure[2],
                "difference": figure[0] - interval(base, top, bottom, seed=seed, draws=1)[0],
                "difference_low": float(low),
                "difference_high": float(high),
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
    The rows of these networks, and of the methods beside them those of the earliest of these scorings, test by test.
    """
    where = ["test", "data_sha256", "engine", "kind"]
    log = log.sort_values("when", kind="stable").assign(place=range(len(log)))
    current = [hashes.get(method) == weights for method, weights in zip(log["method"], log["weights"], strict=True)]
    networks = log[current].drop_duplicates([*where, "method"])
    earliest = networks.drop_duplicates(where)[[*where, "when"]]
    beside = log[log["weights"].fillna("") == ""].merge(earliest, on=[*where, "when"])
    found = pd.concat([beside.drop_duplicates([*where, "method"]), networks]).sort_values([*where, "place"])
    return found.drop(columns="place").reset_index(drop=True)


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


def of_reading(table: pd.DataFrame, *, before: str, best: str, seed: int) -> pd.DataFrame:
    """How well cards are read after each method, with intervals, and beside leaving them as they were.

    Parameters
    ----------
    table
        One row an image and method, as `evaluation.per_image` gives them.
    before, best
        The methods to compare with: doing nothing, and reading the sharp image.
    seed
        Of the bootstrap, see `against`.

    Returns
    -------
    One row a method: method, images, error_rate (of characters, with low and high), difference (with difference_low and
    difference_high; shares, negative is better), p, exact (share of fields), word_errors (share of words; both NaN
    where the text of the cards is not known) and recovered (see `recovered`).
    """
    errors = against(table, before, "errors", "characters", seed=seed).rename(columns={"figure": "error_rate"})
    sums = table.groupby("method").sum(numeric_only=True).loc[errors["method"]].reset_index()
    known = "words" in sums
    errors["exact"] = sums["exact"] / sums["fields"] if known else np.nan
    errors["word_errors"] = sums["words_missed"] / sums["words"] if known else np.nan
    rates = errors.set_index("method")["error_rate"]
    errors["recovered"] = [recovered(rates[before], rate, rates[best]) for rate in rates]
    return errors


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
    before, and no longer), sure_and_wrong (read wrongly by a sure reader) and invented (those of them that no sure
    reader had read before).
    """
    keys = ["name", "kind", "field"]
    numbered = fields.assign(place=fields.groupby([*keys, "method"]).cumcount())
    keys = [*keys, "place"]
    old = numbered[numbered["method"] == before].set_index(keys)[["exact", "confidence"]]
    rows = []
    for method, found in numbered.groupby("method", sort=False):
        both = found.set_index(keys)[["exact", "confidence"]].join(old.add_suffix("_before"))
        wrong = ~both["exact"].astype(bool) & (both["confidence"] >= confident)
        exact, exact_before = both["exact"].astype(bool), both["exact_before"].astype(bool)
        rows.append(
            {
                "method": method,
                "fields": len(both),
                "gained": float((exact & ~exact_before).mean()),
                "lost": float((exact_before & ~exact).mean()),
                "sure_and_wrong": float(wrong.mean()),
                "invented": float((wrong & (both["confidence_before"] < confident)).mean()),
            }
        )
    return pd.DataFrame(rows)
