"""From answers to figures, to the card and to lines."""

import json

import numpy as np
import pytest

from clients.robustness.cases import Case
from clients.robustness.predict import Answers
from clients.robustness.report import (
    Measured,
    calibration,
    corruption_accuracies,
    merge_into_card,
    outlier_scores,
    photograph_accuracies,
)

LABELS = np.arange(100) % 10


@pytest.fixture
def measured(prediction):
    """A function: labels (None for outliers), digits answered (None refused), score → measured."""

    def make(labels, digits, score=0.1, name="case"):
        case = Case("group", name, "auto", range(len(digits)), lambda some, rng: [], labels)
        predictions = [None if d is None else prediction(d, score) for d in digits]
        return Measured(case, Answers.gathered(predictions))

    return make


def test_refusals_of_a_corruption_are_wrong_and_counted(measured):
    right = measured(LABELS, list(LABELS), name="fog")
    half = measured(LABELS, [None] * 50 + list(LABELS[50:]), name="stripe")
    figures = corruption_accuracies([right, half])
    assert list(figures) == ["mean", "fog", "stripe"]
    assert figures["mean"]["value"] == 0.75
    assert figures["mean"]["refused"] == 50
    assert figures["stripe"]["value"] == 0.5
    assert figures["stripe"]["refused"] == 50
    assert figures["fog"]["refused"] == 0


def test_calibration_is_of_what_was_answered(measured):
    figures = calibration(measured(LABELS, [None, *LABELS[1:]]))
    assert figures["count"] == 99
    assert figures["expected_calibration_error"] == pytest.approx(0.09)
    assert figures["coverage_at_0.9995"]["value"] == 1


def test_of_photographs_what_is_wrong_and_sure_is_counted_and_whether_it_was_flagged(measured):
    right = measured(LABELS, list(LABELS), name="shadow")
    wrong = measured(LABELS, [None] * 10 + list((LABELS[10:20] + 1) % 10) + list(LABELS[20:]))
    figures = photograph_accuracies([right, wrong])

    assert list(figures) == ["all", "shadow", "case"]
    assert figures["all"]["value"] == 0.9
    assert figures["shadow"]["misleading"]["value"] == 0
    assert figures["case"]["refused"] == 10
    assert figures["case"]["misleading"]["value"] == 0.1
    assert figures["case"]["misleading_and_no_outlier"] == 10


def test_an_outlier_scores_higher_and_refusals_are_apart(measured):
    clean = measured(LABELS, list(LABELS))
    figures = outlier_scores(measured(None, [3] * 6 + [None] * 4, score=1.5), clean)
    assert figures["auroc"] == 1
    assert figures["accepted_at_95"]["value"] == 0
    assert figures["called_outlier"]["value"] == 1
    assert figures["called_outlier"]["count"] == 6
    assert figures["refused"]["value"] == 0.4


def test_where_all_is_refused_there_is_no_score(measured):
    clean = measured(LABELS, list(LABELS))
    figures = outlier_scores(measured(None, [None] * 4), clean)
    assert list(figures) == ["refused"]
    assert figures["refused"]["value"] == 1


def test_a_card_keeps_its_form(tmp_path):
    card = tmp_path / "card.json"
    content = {"job": "digits", "formula": "5·5", "robustness": {"old": 1}, "layers": [1, 2]}
    card.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    merge_into_card({"value": 1}, card)
    merged = content | {"robustness": {"value": 1}}
    expected = json.dumps(merged, indent=1, ensure_ascii=False) + "\n"
    assert card.read_bytes() == expected.encode()
