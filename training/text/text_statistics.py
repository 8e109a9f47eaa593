"""Statistics of generated text compared with the training text: copied, spelt, repeated. Ids in, shares out."""

import re

import numpy as np

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no character is lost in a rolling sum


def longest_copies(samples: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Length, int [N], of the longest part of each sample (int32 [N, T]) that occurs in `train`.

    Compares 64-bit rolling sums instead of the parts themselves; two unequal ones share a sum about
    once in 10^19 comparisons.
    """
    longest = np.zeros(len(samples), int)
    mine, theirs = (np.zeros((*x.shape[:-1], x.shape[-1] + 1), np.uint64) for x in (samples, train))
    for length in range(1, min(samples.shape[1], len(train)) + 1):
        mine, theirs = _longer(mine, samples, length), _longer(theirs, train, length)
        found = np.isin(mine, theirs).any(axis=1)
        if not found.any():
            break
        longest[found] = length
    return longest


def _longer(sums: np.ndarray, ids: np.ndarray, length: int) -> np.ndarray:
    """Sums of all parts of `length`, from those of the parts one shorter."""
    return sums[..., :-1] * FACTOR + ids[..., length - 1 :].astype(np.uint64) + np.uint64(1)


def words(text: str) -> list[str]:
    """Words of a text in lower case."""
    return [word.lower() for word in WORD.findall(text)]


def known_words(samples: list[str], known: set[str]) -> tuple[int, int]:
    """The number of words of the samples in `known`, and the total; truncated words do not count."""
    written = [word for sample in samples for word in words(sample)[1:-1]]
    return sum(word in known for word in written), len(written)


def repetition(samples: np.ndarray, length: int = 20) -> float:
    """Share of the parts of `length` characters that occurred before in the same sample [N, T]."""
    parts = np.lib.stride_tricks.sliding_window_view(samples, length, axis=1)
    distinct = sum(len(np.unique(sample, axis=0)) for sample in parts)
    return 1 - distinct / (parts.shape[0] * parts.shape[1])
