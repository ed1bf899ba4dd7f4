"""Section 2.3: training, validation and test pairs, such that no card is on two sides."""

import numpy as np
import pandas as pd

from srcnn_lib.errors import DataError

PARTS = ("train", "validation", "test")
UNUSED = "unused"


def groups(pairs: pd.DataFrame) -> pd.Series:
    """A name for what must stay together: the identity number, or else the content of the sharp file.

    The h and v variants of one number show the same card. Files without a number that have the same
    label image (the same page under several kinds of noise) share their content.
    """
    by_number = "number " + pairs["number"].astype("string")
    return by_number.fillna("label " + pairs["high_sha256"].str[:12]).rename("group")


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


def draw(pairs: pd.DataFrame, counts: tuple[int, int, int], *, seed: int) -> pd.DataFrame:
    """Assign every pair to train, validation, test or unused.

    Whole groups are drawn in a random order; the smallest parts are filled first. Where a group is
    larger than what a part still needs, the rest of that group stays unused, so that no group is in
    two parts. With few, large groups a part can therefore end up smaller than wanted.

    Parameters
    ----------
    pairs
        The pair index of `srcnn_lib.pairs.index`.
    counts
        Wanted numbers of training, validation and test pairs.

    Returns
    -------
    The columns name, group and part, in the order of `pairs`.

    Raises
    ------
    DataError
        If there are fewer than three groups, so that a part would be empty.
    """
    table = pd.DataFrame({"name": pairs["name"], "group": groups(pairs), "part": UNUSED})
    shuffled = table["group"].drop_duplicates().to_numpy(dtype=object)
    np.random.default_rng(seed).shuffle(shuffled)
    if len(shuffled) < len(PARTS):
        raise DataError(f"expected at least {len(PARTS)} different cards or pages, found {len(shuffled)}")
    members = table.groupby("group").indices
    waiting = list(shuffled)
    by_size = sorted(zip(counts, PARTS, strict=True))
    for position, (count, part) in enumerate(by_size):
        to_follow = len(by_size) - position - 1
        while count > 0 and len(waiting) > to_follow:
            chosen = members[waiting.pop(0)][:count]
            table.loc[chosen, "part"] = part
            count -= len(chosen)
    return table
