"""Runs a function over arrays of any length, a number of rows at a time."""

import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

REPORTED = 25  # batches between two lines of progress


def in_batches(
    function: Callable[..., Any], *arrays: np.ndarray, rows: int, progress: str = ""
) -> Any:
    """The outputs of `function` for arrays [B, …], concatenated: an array, or a tuple or dictionary of arrays.

    progress: the name of a long run, whose progress goes to stderr.
    """
    count, runs = len(arrays[0]), []
    for start in range(0, count, rows):
        runs.append(function(*(array[start : start + rows] for array in arrays)))
        if progress and len(runs) % REPORTED == 0:
            print(
                f"{progress}: {min(start + rows, count):,} of {count:,}",
                file=sys.stderr,
                flush=True,
            )
    return keras.tree.map_structure(
        lambda *parts: np.concatenate([np.asarray(part) for part in parts]), *runs
    )
