"""What the text part of the benchmark says about its rows; nothing is started."""

from clients.benchmark import text
from clients.benchmark.text import TextRow


def row(number, **changes):
    measured = {
        "whole_s": 0.1,
        "first_ms": 10.0,
        "one_stream": 10_000.0,
        "all_streams": 40_000.0,
        "two_workers": 76_000.0,
        "errors": 0,
    }
    return TextRow(number, "text-course", **(measured | changes))


def test_each_ratio_is_taken_within_one_round():
    rows = [row(0), row(1, one_stream=5_000.0, all_streams=20_000.0), row(2)]

    assert (
        "| 4.00 (4.00-4.00) | 1.90 (1.90-3.80) |" in text.table(rows)[-1]
    )  # the noise of a round cancels


def test_goals_are_met_or_missed_by_their_medians():
    met = [goal.is_met for goal in text.goals([row(0), row(1, first_ms=99.0), row(2)])]
    missed = text.goals(
        [row(0, whole_s=0.3, first_ms=16.0, all_streams=29_000.0, two_workers=50_000.0)]
    )

    assert met == [True] * 4
    assert [goal.is_met for goal in missed] == [False] * 4
    assert "goal ≤ 0.1 s" in missed[0].text
