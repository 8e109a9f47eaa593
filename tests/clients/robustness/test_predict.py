"""Rows are asked in requests of fifty; refusals are found by halving."""

import asyncio

import numpy as np

from clients.robustness.cases import Case
from clients.robustness.predict import BATCH, ask


def asked(vitrine, count, labels=None, model=None, normalize="off"):
    """Ask for a case whose images are the numbers from 0 on; gives answers and progress."""
    case = Case("group", "name", normalize, range(count), lambda some, rng: list(some), labels)
    shown = []
    return asyncio.run(ask(vitrine, case, model, shown.append)), shown


def test_answers_are_in_the_order_of_the_images(fake_vitrine, prediction):
    vitrine = fake_vitrine(lambda image: prediction(image % 10, score=image))
    answers, shown = asked(vitrine, 2 * BATCH + 7, model="mine")

    assert answers.scores.tolist() == list(range(2 * BATCH + 7))
    assert answers.probabilities.argmax(axis=1).tolist() == [n % 10 for n in range(2 * BATCH + 7)]
    assert not answers.is_refused.any()
    assert sorted(shown) == [7, BATCH, BATCH]
    assert sorted(vitrine.calls) == [(7, "mine", "off"), *[(BATCH, "mine", "off")] * 2]


def test_a_refused_image_is_wrong_and_spoils_no_other(fake_vitrine, prediction):
    vitrine = fake_vitrine(lambda image: None if image in (3, 70) else prediction(0, score=2))
    answers, _ = asked(vitrine, 80)

    assert np.flatnonzero(answers.is_refused).tolist() == [3, 70]
    assert np.isnan(answers.scores[[3, 70]]).all()
    assert answers.is_outlier.sum() == 78
    assert answers.is_right(np.zeros(80, int)).sum() == 78


def test_all_may_be_refused(fake_vitrine):
    answers, _ = asked(fake_vitrine(lambda image: None), 5)
    assert answers.is_refused.all()
    assert answers.probabilities.shape == (5, 10)
    assert not answers.is_right(np.zeros(5, int)).any()
