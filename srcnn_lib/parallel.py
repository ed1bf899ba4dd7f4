"""The same work on many images, on every core, with a progress bar."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")


def over(items: Iterable[Item], function: Callable[[Item], Result], description: str) -> Iterator[Result]:
    """Yield `function(item)` for each item, in the order of the items.

    Threads suffice, because decoding and OpenCV's filters release the interpreter's lock. The bar
    shows rate and time left on standard error. An exception in `function` is raised here.
    """
    items = list(items)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from tqdm(
            pool.map(function, items), total=len(items), desc=description, mininterval=1, dynamic_ncols=True
        )
