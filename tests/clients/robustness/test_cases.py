"""What is measured, as data."""

import numpy as np
import pytest

from clients.robustness import out_of_distribution
from clients.robustness.cases import Case, all_cases
from clients.robustness.datasets import Digits, uci_digits
from clients.robustness.photographs import SCENES


@pytest.fixture
def cases(digits):
    mnist = Digits(digits, np.arange(12) % 2)
    return all_cases(mnist, uci_digits().first(12), digits)


def test_every_row_has_a_name_of_its_own_and_a_label_an_image(cases):
    assert len({(case.group, case.name, case.normalize) for case in cases}) == len(cases)
    for case in cases:
        if case.group == "outliers":
            assert case.labels is None
        else:
            assert len(case.labels) == len(case.source)
            assert case.group == "photographs" or len(case.source) == 12


def test_both_ways_to_normalize_are_asked_about_the_same_images(cases):
    noisy = [case.images(0, 5) for case in cases if case.name == "impulse_noise"]
    assert len(noisy) == 2
    assert np.array_equal(*noisy)


def test_the_scenes_take_turns_with_the_digits(cases):
    scenes = [case for case in cases if case.group == "photographs"]

    assert [case.name for case in scenes] == list(SCENES)
    assert sorted(digit.tobytes() for case in scenes for digit in case.source) == sorted(
        digit.tobytes() for digit in cases[0].source
    )


def test_without_fashion_mnist_its_rows_are_left_out(digits, cases):
    without = all_cases(Digits(digits, np.arange(12) % 2), uci_digits().first(12), None)
    assert len(cases) - len(without) == 2


def test_every_row_draws_its_images_again_and_again(cases, monkeypatch):
    monkeypatch.setattr(out_of_distribution, "LETTERS", "AB")
    distinct = {
        (case.group, case.name): case for case in cases
    }  # both ways to normalize draw alike
    for case in distinct.values():
        start = 0 if case.group == "photographs" else 2
        once, again = case.images(start, start + 2), case.images(start, start + 2)
        assert len(once) == min(2, len(case.source))
        assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))


def test_another_part_of_a_row_has_other_random_numbers():
    case = Case("group", "name", "off", range(100), lambda some, rng: rng.random(len(some)))
    assert case.images(0, 50) != case.images(50, 100)


def test_uci_digits_have_black_around_them():
    digits = uci_digits()
    assert digits.images.shape == (1797, 12, 12)
    assert digits.images.max() == 255
    assert not digits.images[:, [0, 1, -2, -1]].any()
    assert set(digits.labels.tolist()) == set(range(10))
