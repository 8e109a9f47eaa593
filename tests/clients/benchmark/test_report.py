"""What the rounds say together."""

import json
import math

import pytest

from clients.benchmark.report import Column, at_least, at_most, cells, record, spread, table
from clients.benchmark.rounds import Row
from clients.load.measurement import Measurement


def row(number, rate, server="vitrine"):
    return Row(
        number, server, False, "28×28", 1, Measurement(rate, 1.0, 2.0, 3, 4), 1.5, 300.0, 0.4
    )


def test_a_spread_is_the_median_and_the_range():
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00-3.00)"
    assert spread([]) == "–"


@pytest.mark.parametrize(("value", "is_met"), [(65, True), (64, False)])
def test_a_goal_is_met_from_its_limit_on(value, is_met):
    goal = at_least("ratio", [value / 100] * 3, 0.65)

    assert goal == (f"ratio 0.{value} (0.{value}-0.{value}), goal ≥ 0.65", is_met)


def test_a_goal_is_about_the_median():
    assert at_most("waits", [1.0, 9.0, 2.0], 2.0, " ms") == (
        "waits 2.00 (1.00-9.00) ms, goal ≤ 2 ms",
        True,
    )
    assert not at_most("waits", [3.0, 9.0, 2.0], 2.0).is_met


def test_a_table_has_a_line_for_each_cell_with_its_numbers_over_the_rounds():
    rows = [row(0, 100.0), row(0, 7.0, "other"), row(1, 200.0)]
    columns = [
        Column("server", lambda cell: cell[0].server),
        Column("req/s", lambda cell: [one.measured.requests_per_s for one in cell], 0),
    ]

    assert table(cells(rows, "server"), columns) == [
        "| server | req/s |",
        "|---|---|",
        "| vitrine | 150 (100-200) |",
        "| other | 7 (7-7) |",
    ]


def test_the_record_is_strict_json_with_every_measurement():
    found = record([row(0, math.nan)], [at_most("waits", [1.0], 2.0)])
    found = json.loads(json.dumps(found, allow_nan=False))

    assert found["measurements"][0]["measured"] == {
        "requests_per_s": None,
        "p50_ms": 1.0,
        "p99_ms": 2.0,
        "not_2xx": 3,
        "socket_errors": 4,
    }
    assert found["goals"] == [{"text": "waits 1.00 (1.00-1.00), goal ≤ 2", "is_met": True}]
