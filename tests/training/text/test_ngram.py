"""The n-gram, beside the same formula written out character by character."""

import math
import random
from collections import Counter

import numpy as np
import pytest

from training.text import ngram


def count(train, order):
    """Occurrences of the longest n-grams; of shorter ones, how many different characters precede them."""
    counts = [Counter() for _ in range(order + 1)]
    for end in range(order, len(train) + 1):
        counts[order][tuple(train[end - order : end])] += 1
    for length in range(order - 1, 0, -1):
        for gram in counts[length + 1]:
            counts[length][gram[1:]] += 1
    return counts


def probability(counts, context, symbol, symbols):
    """The recursion as the literature writes it, from the shortest context to the longest."""
    estimate = 1 / symbols
    for length in range(len(counts) - 1):
        before = tuple(context[len(context) - length :])
        known = [n for gram, n in counts[length + 1].items() if gram[:-1] == before]
        if not known:
            break
        seen = counts[length + 1][(*before, symbol)]
        share = ngram.DISCOUNT * len(known) / sum(known)
        estimate = max(seen - ngram.DISCOUNT, 0) / sum(known) + share * estimate
    return estimate


def slow_nats(train, validation, symbols, order):
    counts, text = count(train, order), [*train, *validation]
    losses = [
        -math.log(probability(counts, text[:place], text[place], symbols))
        for place in range(len(train), len(text))
    ]
    return sum(losses) / len(losses)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_it_is_the_formula(order):
    rng = random.Random(3)
    text = [
        rng.choice([0, 0, 0, 1, 2]) if rng.random() < 0.7 else rng.randrange(6) for _ in range(400)
    ]
    train, validation = np.array(text[:300], np.int32), np.array(text[300:], np.int32)

    fast = ngram.nats_per_character(train, validation, 6, order)

    assert fast == pytest.approx(slow_nats(text[:300], text[300:], 6, order), abs=1e-12)


def test_a_character_never_seen_still_has_a_probability():
    train, validation = np.zeros(50, np.int32), np.array([1, 1], np.int32)

    assert math.isfinite(ngram.nats_per_character(train, validation, 2, 3))


def test_too_many_symbols_for_the_order_are_refused():
    with pytest.raises(ValueError, match="64 bits"):
        ngram.nats_per_character(np.zeros(9, np.int32), np.zeros(9, np.int32), 5000, 7)
