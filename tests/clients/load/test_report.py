"""Percentiles and the lines people read."""

import math

import pytest

from clients.load.closed_loop import Tally
from clients.load.measurement import measurement_of, percentile
from clients.load.report import progress_line, report_lines


def tally_of_a_hundred(cpu_s=0.1):
    """A hundred right answers of 1 to 100 ms in two seconds, five refusals, two errors."""
    tally = Tally(elapsed_s=2.0, cpu_s=cpu_s)
    tally.latencies_s.extend(i / 1000 for i in range(100, 0, -1))
    tally.statuses.update({200: 101, 429: 5})
    tally.errors.update({"wrong answer": 1, "no answer in time": 1})
    tally.batch_sizes.update({1: 50, 2: 50})
    return tally


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.5, 50), (0.9, 90), (0.99, 99), (0.991, 100), (1.0, 100)]
)
def test_a_percentile_is_the_nearest_rank(share, value):
    assert percentile(range(1, 101), share) == value


def test_of_one_value_every_percentile_is_that_value():
    assert percentile([3.0], 0.01) == percentile([3.0], 0.99) == 3.0


def test_there_is_no_percentile_of_nothing():
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_the_report_tells_rate_percentiles_statuses_errors_and_batch_size():
    assert report_lines("digit", 32, tally_of_a_hundred()) == [
        "digit, 32 connections, 2.0 s",
        "  right answers/s  50",
        "  latency          p50 50.00 ms  p90 90.00 ms  p99 99.00 ms  max 100.00 ms",
        "  answers          200: 101, 429: 5",
        "  errors           no answer in time: 1, wrong answer: 1",
        "  mean batch size  1.5",
    ]


def test_a_driver_that_was_the_limit_says_so():
    lines = report_lines("digit", 32, tally_of_a_hundred(cpu_s=1.9))
    assert "The driver itself used 95% of a core" in lines[-1]


def test_a_report_without_any_right_answer_says_so():
    lines = "\n".join(report_lines("digit", 1, Tally(elapsed_s=1.0)))
    assert "no right answer" in lines
    assert "answers          none" in lines
    assert "unknown (no X-Batch-Size)" in lines


def test_a_progress_line_tells_time_rate_median_refusals_and_errors():
    line = progress_line("digit", tally_of_a_hundred())
    assert line.split() == ("digit: 2 s 50 right answers/s p50 50.00 ms 5 refused 2 errors".split())


def test_a_progress_line_is_ready_before_the_first_answer():
    assert "no right answer yet" in progress_line("digit", Tally())


def test_a_tally_in_the_terms_of_wrk_counts_wrong_answers_as_not_2xx():
    measured = measurement_of(tally_of_a_hundred())
    assert measured == (50.0, 50.0, 99.0, 6, 1)


def test_a_tally_without_right_answers_has_no_latency():
    measured = measurement_of(Tally(elapsed_s=1.0))
    assert measured.requests_per_s == 0
    assert math.isnan(measured.p50_ms)
