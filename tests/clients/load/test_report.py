"""Percentiles and the lines people read."""

import math

import pytest

from clients.load.closed_loop import Tally
from clients.load.measurement import measurement_of, percentile
from clients.load.open_loop import StepTally
from clients.load.report import comparison_lines, progress_line, report_lines
from tests.clients.load.steps import step

URL = "http://127.0.0.1:1"


def tally_of_a_hundred():
    """A hundred right answers of 1 to 100 ms in two seconds, five refusals, two errors."""
    tally = StepTally(elapsed_s=2.0, asked=110)
    tally.latencies_s.extend(i / 1000 for i in range(100, 0, -1))
    tally.statuses.update({200: 101, 429: 5})
    tally.refusals.update({"429 overloaded": 5})
    tally.errors.update({"wrong answer": 1, "no answer in time": 1})
    return tally


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.5, 50), (0.9, 90), (0.99, 99), (0.991, 100), (1.0, 100)]
)
def test_a_percentile_is_the_nearest_rank(share, value):
    assert percentile(range(1, 101), share) == value


def test_of_one_value_every_percentile_is_that_value():
    assert percentile([3.0], 0.01) == percentile([3.0], 0.99) == 3.0


def test_there_is_no_percentile_of_nothing():
    with pytest.raises(ValueError, match="at least one value"):
        percentile([], 0.5)


def test_the_report_is_a_table_of_steps_with_failures_by_kind_and_the_knee():
    steps = [
        step(10, batch_sizes={1: 5, 2: 5}, timings_ms={"infer": {"p50": 1.25}}),
        step(20, right_per_s=12, p50_ms=50, refusals={"429 overloaded": 7}, errors={"x": 1}),
    ]
    assert report_lines("digit", URL, steps) == [
        "digit at http://127.0.0.1:1",
        "  due/s  right/s  p50 ms  p90 ms  p99 ms  max ms  not right  batch  infer",
        "     10     10.0     2.0     2.0     6.0    18.0          0    1.5    1.2",
        "     20     12.0    50.0    50.0   150.0   450.0          8      -      -",
        "  not right at 20/s: 7 × 429 overloaded, 1 × x",
        "  knee at 10/s: p50 2.0 ms, p99 6.0 ms; most right answers/s: 12.0",
    ]


@pytest.mark.parametrize(
    ("hindered", "reason"),
    [
        ({"cpu_share": 0.95}, "it used 95% of a core"),
        ({"lag_ms": {"p50": 0.1, "p99": 40.0}}, "it sent 1 % of the requests 40 ms late or later"),
    ],
)
def test_a_generator_that_was_the_limit_says_so(hindered, reason):
    lines = report_lines("digit", URL, [step(10, **hindered)])
    said = f"  The load generator itself was a bottleneck at 10/s: at worst {reason}."
    assert said in lines


def test_a_little_lateness_beside_long_latencies_is_not_the_limit():
    assert not step(10, p50_ms=500, lag_ms={"p50": 0.1, "p99": 40.0}).own_limit


def test_waiting_for_a_connection_is_told():
    (line,) = [x for x in report_lines("digit", URL, [step(10, waited=4)]) if "waited" in x]
    assert "4 of 10 requests waited for a free connection" in line


def test_a_run_that_found_no_knee_or_kept_up_with_nothing_says_so():
    assert (
        "no knee up to the highest rate tried, 10/s" in report_lines("digit", URL, [step(10)])[-1]
    )
    failed = step(10, right_per_s=0, p50_ms=None)
    assert "no rate was kept up with" in report_lines("digit", URL, [failed])[-1]


def test_streams_tell_their_first_characters_and_mixes_each_part():
    stream = step(10, first_ms={"p50": 4.0, "p99": 9.0})
    assert "  first characters at 10/s: p50 4.0 ms, p99 9.0 ms" in report_lines(
        "stream", URL, [stream]
    )
    mix = step(10, by_scenario_ms={"ten": {"p50": 2, "p99": 3}, "digit": {"p50": 1, "p99": 2}})
    assert "  p50 / p99 ms at 10/s: digit 1.0 / 2.0, ten 2.0 / 3.0" in report_lines(
        "mix", URL, [mix]
    )


def test_targets_are_compared_at_the_rates_that_all_kept_up_with():
    first = [step(10, p50_ms=2), step(20, p50_ms=4), step(40, right_per_s=30)]
    other = [step(10, p50_ms=3), step(20, right_per_s=15, p50_ms=90)]
    lines = comparison_lines("digit", {"http://a": first, "http://b": other})
    assert lines == [
        "digit: http://b compared with http://a: median latency 1.50 × (over 1 rates), most right answers/s 0.50 × (15.0)"
    ]


def test_a_progress_line_tells_what_is_right_under_way_and_refused():
    line = progress_line("digit", 55, tally_of_a_hundred())
    assert line.split("  ") == [
        "digit: 55/s due",
        " 2.0 s",
        "100 right",
        "p50 50.0 ms",
        "3 under way",
        "5 refused",
        "2 errors",
    ]


def test_a_progress_line_is_ready_before_the_first_answer():
    assert "no right answer yet" in progress_line("digit", 1, StepTally())


def test_a_tally_in_the_terms_of_wrk_counts_wrong_answers_as_not_2xx():
    measured = measurement_of(tally_of_a_hundred())
    assert measured == (50.0, 50.0, 99.0, 6, 1)


def test_a_tally_without_right_answers_has_no_latency():
    measured = measurement_of(Tally(elapsed_s=1.0))
    assert measured.requests_per_s == 0
    assert math.isnan(measured.p50_ms)
