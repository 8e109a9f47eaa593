"""What is measured, as data."""

import numpy as np
import pytest

from clients.robustness import out_of_distribution
from clients.robustness.cases import Row, all_rows
from clients.robustness.datasets import Digits, uci_digits


@pytest.fixture
def rows(digits):
    mnist = Digits(digits, np.arange(12) % 2)
    return all_rows(mnist, uci_digits().first(12), digits)


def test_every_row_has_a_name_of_its_own_and_a_label_a_picture(rows):
    assert len({(row.group, row.name, row.normalize) for row in rows}) == len(rows)
    for row in rows:
        if row.group == "outliers":
            assert row.labels is None
        else:
            assert len(row.labels) == len(row.source) == 12


def test_both_ways_to_normalize_are_asked_about_the_same_pictures(rows):
    noisy = [row.pictures(0, 5) for row in rows if row.name == "impulse_noise"]
    assert len(noisy) == 2
    assert np.array_equal(*noisy)


def test_without_fashion_mnist_its_rows_are_left_out(digits, rows):
    without = all_rows(Digits(digits, np.arange(12) % 2), uci_digits().first(12), None)
    assert len(rows) - len(without) == 2


def test_every_row_draws_its_pictures_again_and_again(rows, monkeypatch):
    monkeypatch.setattr(out_of_distribution, "LETTERS", "AB")
    for row in rows:
        once, again = row.pictures(2, 4), row.pictures(2, 4)
        assert len(once) == 2
        assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))


def test_another_part_of_a_row_has_other_random_numbers():
    row = Row("group", "name", "off", range(100), lambda some, rng: rng.random(len(some)))
    assert row.pictures(0, 50) != row.pictures(50, 100)


def test_uci_digits_have_black_around_them():
    digits = uci_digits()
    assert digits.images.shape == (1797, 12, 12)
    assert digits.images.max() == 255
    assert not digits.images[:, [0, 1, -2, -1]].any()
    assert set(digits.labels.tolist()) == set(range(10))
