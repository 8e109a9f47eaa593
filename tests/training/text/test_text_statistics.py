"""Copies, words and repetitions of texts that are short enough to count by hand."""

import numpy as np

from training.text import text_statistics


def ids(text):
    return np.array([ord(character) for character in text], np.int32)


def test_the_longest_copy_of_each_sample():
    train = ids("the quick brown fox jumps over the lazy dog")
    samples = np.stack([ids("zzquick brzz"), ids("ZZZZZZZZZZZZ"), ids("brown fox ju")])

    assert text_statistics.longest_copies(samples, train).tolist() == [8, 0, 12]


def test_a_sample_longer_than_the_text_is_no_error():
    assert text_statistics.longest_copies(ids("abcabc")[None], ids("abc")).tolist() == [3]


def test_words_that_a_sample_cuts_at_its_ends_do_not_count():
    known = {"good", "o'er"}

    assert text_statistics.known_words(["ld Good o'er xyzzy wor"], known) == (2, 3)


def test_repetition_counts_parts_that_came_before():
    assert text_statistics.repetition(ids("abababab")[None], length=2) == 1 - 2 / 7
    assert text_statistics.repetition(ids("abcdefgh")[None], length=2) == 0
