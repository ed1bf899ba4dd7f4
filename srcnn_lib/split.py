"""Section 2.3: training, validation and test pairs, such that no card is on two sides."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from srcnn_lib.errors import DataError

PARTS = ("train", "validation", "test")
UNUSED = "unused"


def groups(pairs: pd.DataFrame, near_duplicates: pd.DataFrame) -> pd.Series:
    """A name for what must stay together, for each row of the pair index.

    The h and v variants of one number show the same card. Files without a number that have the same
    label image (a page under several kinds of noise) show the same page. Near-duplicates join what
    they resemble, and so on from one to the next.

    Parameters
    ----------
    pairs
        The pair index of `srcnn_lib.pairs.index`.
    near_duplicates
        Couples of pairs: the columns first and second hold names; see `srcnn_lib.quality.near_duplicates`.
    """
    by_number = "number " + pairs["number"].astype("string")
    own = by_number.fillna("label " + pairs["high_sha256"].str[:12])
    labels, codes = own.factorize()[1], pd.Series(own.factorize()[0], index=pairs["name"])
    couples = near_duplicates[near_duplicates[["first", "second"]].isin(codes.index).all(axis=1)]
    links = (codes[couples["first"]].to_numpy(), codes[couples["second"]].to_numpy())
    graph = coo_array((np.ones(len(couples)), links), shape=(len(labels), len(labels)))
    joined = connected_components(graph, directed=False)[1]
    first_of = pd.Series(labels).groupby(joined).first()
    return pd.Series(first_of[joined[codes.to_numpy()]].to_numpy(), index=pairs.index, name="group").astype("string")


def counts_for(available: int, wanted: tuple[int, int, int]) -> tuple[int, int, int]:
    """The wanted counts where there are enough pairs, else the same proportions of what there is.

    Every part gets at least one pair. Raises DataError with fewer than three pairs.
    """
    if available < len(PARTS):
        raise DataError(f"expected at least {len(PARTS)} pairs to split into {', '.join(PARTS)}, found {available}")
    if available >= sum(wanted):
        return wanted
    # One pair each to begin with, so that no part is empty; the rest by proportion, remainders to training.
    spare = available - len(PARTS)
    validation, test = (1 + spare * count // sum(wanted) for count in wanted[1:])
    return available - validation - test, validation, test


def draw(pairs: pd.DataFrame, group: pd.Series, counts: tuple[int, int, int], *, seed: int) -> pd.DataFrame:
    """Assign every pair to train, validation, test or unused.

    Whole groups are drawn in a random order; the smallest parts are filled first. Where a group is
    larger than what a part still needs, the rest of that group stays unused, so that no group is in
    two parts. With few, large groups a part can therefore end up smaller than wanted. Where the data
    set was drawn with pools, each part draws from its own.

    Parameters
    ----------
    pairs
        The pair index of `srcnn_lib.pairs.index`.
    group
        What must stay together, for each row of `pairs`; see `groups`.
    counts
        Wanted numbers of training, validation and test pairs.

    Returns
    -------
    The columns name, group and part, in the order of `pairs`.

    Raises
    ------
    DataError
        If there are too few groups, so that a part would be empty.
    """
    table = pd.DataFrame({"name": pairs["name"], "group": group, "part": UNUSED})
    shuffled = table["group"].drop_duplicates().to_numpy(dtype=object)
    np.random.default_rng(seed).shuffle(shuffled)
    members = table.groupby("group").indices
    pool_of = pairs["pool"].groupby(group).first().to_dict()
    waiting = list(shuffled)
    by_size = sorted(zip(counts, PARTS, strict=True))
    for position, (count, part) in enumerate(by_size):
        parts_to_follow = [name for _, name in by_size[position + 1 :]]
        for name in [name for name in waiting if pool_of[name] == part or pd.isna(pool_of[name])]:
            free = sum(pd.isna(pool_of[other]) for other in waiting)
            if count <= 0 or (pd.isna(pool_of[name]) and free <= len(parts_to_follow)):
                break
            chosen = members[name][:count]
            table.loc[chosen, "part"] = part
            count -= len(chosen)
            waiting.remove(name)
        if not (table["part"] == part).any():
            raise DataError(
                f"no card or page is left for {part}: expected at least one for each of {', '.join(PARTS)}, "
                f"found {len(shuffled)} in all"
            )
    return table


def naive(pairs: pd.DataFrame, group: pd.Series, counts: tuple[int, int, int], *, seed: int) -> pd.DataFrame:
    """The split that ignores who belongs together: single pairs in random order. For comparison only.

    Arguments and result as for `draw`.
    """
    order = np.random.default_rng(seed).permutation(len(pairs))
    parts = np.repeat([*PARTS, UNUSED], [*counts, len(pairs) - sum(counts)])
    table = pd.DataFrame({"name": pairs["name"], "group": group, "part": UNUSED})
    table.loc[order, "part"] = parts
    return table


def leaked(table: pd.DataFrame, part: str = "test") -> float:
    """Share of the pairs of `part` whose card or page is also among the training pairs, 0 to 1."""
    known = set(table.loc[table["part"] == "train", "group"])
    return float(table.loc[table["part"] == part, "group"].isin(known).mean())
