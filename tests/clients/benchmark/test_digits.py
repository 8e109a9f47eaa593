"""What the digits' part of the benchmark makes of its rows; nothing is started."""

import pytest

from clients.benchmark import digits
from clients.benchmark.rounds import Row
from clients.load.measurement import Measurement


def rows(ours, others, p50_ms=1.0, raw_ms=(), job="28×28"):
    """Rows at 1 and 32 connections; requests/s of each server, one per round."""
    calls = dict(enumerate(raw_ms))
    return [
        Row(
            number,
            server,
            False,
            job,
            connections,
            Measurement(rate, p50_ms, 9.0, 1, 2),
            1.5,
            300.0,
            0.4,
            {"batches": {"1": {"median_ms": calls.get(number, 9.0), "p99_ms": 18.0}}},
        )
        for connections in (1, 32)
        for server, rates in (("vitrine", ours), ("decode-only", others))
        for number, rate in enumerate(rates)
    ]


def test_ratios_are_taken_within_a_round():
    found = rows([50, 400], [100, 400])
    ours = [row for row in found if (row.server, row.connections) == ("vitrine", 32)]

    assert digits.ratios(found, ours) == [0.5, 1.0]


@pytest.mark.parametrize(("p50_ms", "is_met"), [(2.0, True), (2.1, False)])
def test_the_latency_goal_is_one_and_a_half_raw_calls_and_half_a_millisecond(p50_ms, is_met):
    goal, _ = digits.goals(rows([1] * 3, [1] * 3, p50_ms, [1.0] * 3))

    assert goal.is_met is is_met
    assert "raw call of 1.00 (1.00-1.00) ms" in goal.text
    assert "= 2.00 (2.00-2.00) ms" in goal.text


def test_the_latency_goal_is_paired_by_round_too():
    assert digits.goals(rows([1] * 3, [1] * 3, 2.0, [0.1, 1.0, 1.0]))[0].is_met


def test_every_image_has_its_own_verdict():
    found = rows([1], [1]) + rows([1], [4], job="280×280")

    assert [goal.is_met for goal in digits.goals(found)] == [True, True, True, False]


def test_the_table_sums_errors_and_puts_the_ratio_beside_the_service():
    lines = digits.table(rows([1500, 1500], [2000, 2000], 2.0, [1.0, 3.0]))

    assert lines[4:6] == [
        "| 28×28 | 32 | vitrine | 1,500 (1,500-1,500) | 2.00 (2.00-2.00) | 9.0 (9.0-9.0)"
        " | 2 / 4 | 0.75 (0.75-0.75) |",
        "| 28×28 | 32 | decode-only | 2,000 (2,000-2,000) | 2.00 (2.00-2.00) | 9.0 (9.0-9.0)"
        " | 2 / 4 | 1 |",
    ]
    assert lines[-1] == (
        "raw call, batch  1: median 2.00 (1.00-3.00) ms, p99 18.00 (18.00-18.00) ms"
    )
