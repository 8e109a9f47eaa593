"""An interpolated Kneser-Ney n-gram of characters, as a baseline for the networks.

Method: Kneser and Ney (1995) as Chen and Goodman (1999) interpolate it, with one fixed discount. The
highest order counts occurrences, every lower one the number of different contexts an n-gram continues.
"""

from typing import Any

import numpy as np

DISCOUNT = 0.9


def nats_per_character(
    train: np.ndarray, validation: np.ndarray, symbols: int, order: int
) -> float:
    """Mean -ln p of each id of `validation`, which follows `train` (int32 [N]), each given the `order` − 1 before it.

    A context that never occurred adds nothing to the next shorter one's estimate; the shortest rests
    on the uniform distribution. The vocabulary may have as many symbols as `order` digits of 64 bits allow.
    """
    if symbols**order >= 2**64:
        raise ValueError(f"{order} characters of {symbols} kinds do not fit into 64 bits")
    text = np.concatenate([train, validation]).astype(np.uint64)
    estimate = np.full(len(validation), 1 / symbols)
    grams = _counted(text, len(train), symbols, order)
    for length, (keys, counts) in enumerate(grams, start=1):
        asked = _keys(text, symbols, length)[-len(validation) :]
        estimate = _refine(estimate, asked, keys, counts, np.uint64(symbols))
    return float(-np.log(estimate).mean())


def _keys(text: np.ndarray, symbols: int, length: int) -> np.ndarray:
    """Each n-gram of the text as one number, its last character the last digit."""
    keys = np.zeros(len(text) - length + 1, np.uint64)
    for place in range(length):
        keys = keys * np.uint64(symbols) + text[place : len(text) - length + 1 + place]
    return keys


def _counted(
    text: np.ndarray, train: int, symbols: int, order: int
) -> list[tuple[np.ndarray, Any]]:
    """Sorted keys and counts of the orders 1 to `order`."""
    keys, counts = np.unique(_keys(text[:train], symbols, order), return_counts=True)
    grams = [(keys, counts)]
    for length in range(order - 1, 0, -1):
        keys, counts = np.unique(keys % np.uint64(symbols**length), return_counts=True)
        grams.append((keys, counts))
    return grams[::-1]


def _refine(
    shorter: np.ndarray, asked: np.ndarray, keys: np.ndarray, counts: np.ndarray, symbols: np.uint64
) -> np.ndarray:
    """One order's estimate [M] of the n-grams `asked` [M], given that of the next shorter one."""
    contexts, first = np.unique(keys // symbols, return_index=True)
    totals = np.add.reduceat(counts, first)
    kinds = np.diff(first, append=len(keys))
    known, where = _find(contexts, asked // symbols)
    seen, place = _find(keys, asked)
    count = np.where(seen, counts[place], 0)
    own = np.maximum(count - DISCOUNT, 0) / totals[where]
    rest = DISCOUNT * kinds[where] / totals[where]
    return np.where(known, own + rest * shorter, shorter)


def _find(keys: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether, and where, each of `asked` is among the sorted `keys`."""
    places = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return keys[places] == asked, places
