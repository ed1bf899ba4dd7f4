"""The default data set: drawn, fictitious identity cards, degraded as photographs are, with their truth.

`draw` writes a data set, `check` compares one with its manifest, `pool_of` tells the pool of an identity
number. `degradations.KINDS` lists what can spoil an image, `faults.EXPLANATIONS` what is planted.
`dataset` describes the files.
"""

from srcnn_lib.specimens.dataset import (
    POOLS,
    STRENGTH,
    TABLES,
    VERSION,
    check,
    draw,
    file_name,
    pool_of,
    provide,
)

__all__ = ["POOLS", "STRENGTH", "TABLES", "VERSION", "check", "draw", "file_name", "pool_of", "provide"]
