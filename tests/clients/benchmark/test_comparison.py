"""What the rounds say together."""

import pytest

from clients.benchmark.comparison import (
    RawCall,
    Row,
    goals,
    ratios,
    raw_lines,
    spread,
    summary,
    table,
)
from clients.load.measurement import Measurement


def rounds(service, baseline, p50_ms=1.0, image="28×28"):
    """Rows at 1 and 32 connections; requests/s of each server, one per round."""
    return [
        Row(number, server, image, connections, Measurement(rate, p50_ms, 9.0, 0, 0))
        for connections in (1, 32)
        for server, rates in (("service", service), ("baseline", baseline))
        for number, rate in enumerate(rates)
    ]


def raw_calls(*medians_ms):
    return [
        RawCall(number, 1, {"1": {"median_ms": ms, "p99_ms": 2 * ms}})
        for number, ms in enumerate(medians_ms)
    ]


def test_ratios_are_taken_within_a_round():
    rows = rounds(service=[50, 400], baseline=[100, 400])
    assert ratios(rows, "28×28", 32) == [0.5, 1.0]


@pytest.mark.parametrize(("rate", "is_met"), [(65, True), (64, False)])
def test_the_throughput_goal_is_met_from_its_limit_on(rate, is_met):
    (goal,) = goals(rounds(service=[rate] * 3, baseline=[100] * 3), raw=[])
    assert goal.is_met is is_met
    assert goal.text == (
        f"28×28: ratio at 32 connections 0.{rate} (0.{rate}-0.{rate}), goal ≥ 0.65"
    )


@pytest.mark.parametrize(("p50_ms", "is_met"), [(2.0, True), (2.1, False)])
def test_the_latency_goal_is_one_and_a_half_raw_calls_and_half_a_millisecond(p50_ms, is_met):
    rows = rounds(service=[1] * 3, baseline=[1] * 3, p50_ms=p50_ms)
    _, goal = goals(rows, raw_calls(1.0, 1.0, 1.0))
    assert goal.is_met is is_met
    assert "raw call of 1.00 (1.00-1.00) ms" in goal.text
    assert "= 2.00 (2.00-2.00) ms" in goal.text


def test_the_latency_goal_is_paired_by_round_too():
    rows = rounds(service=[1] * 3, baseline=[1] * 3, p50_ms=2.0)
    _, goal = goals(rows, raw_calls(0.1, 1.0, 1.0))
    assert goal.is_met


def test_every_image_has_its_own_verdict():
    rows = rounds([1], [1]) + rounds([1], [4], image="280×280")
    assert [goal.is_met for goal in goals(rows, raw=[])] == [True, False]


def test_the_table_sums_errors_and_puts_the_ratio_beside_the_service():
    rows = [
        Row(number, server, "28×28", 32, Measurement(rate, 2.0, 30.0, 1, 2))
        for number in range(2)
        for server, rate in (("service", 1500), ("baseline", 2000))
    ]
    assert table(rows)[2:] == [
        "| 28×28 | 32 | service | 1,500 (1,500-1,500) | 2.00 (2.00-2.00) | 30.0 (30.0-30.0)"
        " | 2 / 4 | 0.75 (0.75-0.75) |",
        "| 28×28 | 32 | baseline | 2,000 (2,000-2,000) | 2.00 (2.00-2.00) | 30.0 (30.0-30.0)"
        " | 2 / 4 | 1 |",
    ]


def test_the_raw_model_has_a_line_per_batch_size():
    assert raw_lines(raw_calls(1.0, 3.0, 2.0)) == [
        "raw call, batch  1: median 2.00 (1.00-3.00) ms, p99 4.00 (2.00-6.00) ms"
    ]
    assert raw_lines([]) == []


def test_the_summary_tells_machines_the_same():
    record = summary(rounds([50, 80], [100, 100]), raw=[])
    assert record["ratios"][1] == {
        "image": "28×28",
        "connections": 32,
        "by_round": [0.5, 0.8],
        "median": 0.65,
        "min": 0.5,
        "max": 0.8,
    }
    assert [goal["is_met"] for goal in record["goals"]] == [True]


def test_a_spread_is_the_median_and_the_range():
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00-3.00)"
