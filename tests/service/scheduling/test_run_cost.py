"""What is known of the cost of a run, and when it is forgotten."""

import pytest

from service.scheduling.run_cost import RELAXATION_SECONDS, RETRIED_AFTER, RunCost


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cost(clock):
    """One row takes 1 s a step, eight take 4.5 s."""
    cost = RunCost(clock)
    cost.learn(1, 10.0, steps=10)
    cost.learn(8, 4.5)
    return cost


def test_nothing_is_known_before_the_first_run(clock):
    assert RunCost(clock).seconds(3) == 0


def test_sizes_between_are_interpolated_and_larger_ones_pay_for_each_row(cost):
    assert [cost.seconds(rows) for rows in (1, 3, 8, 16)] == pytest.approx([1, 2, 4.5, 9])
    assert cost.seconds(3, steps=5) == pytest.approx(10)


def test_one_size_tells_something_about_the_others(clock):
    cost = RunCost(clock)
    cost.learn(4, 2.0)

    assert cost.seconds(1) == 2
    assert cost.seconds(8) == 4


def test_slow_runs_make_all_sizes_dearer_until_nobody_measures_it_any_more(cost, clock):
    for _ in range(50):
        cost.record(1, 3.0)
    assert cost.seconds(8) == pytest.approx(3 * 4.5, rel=0.01)

    clock.now = 10 * RELAXATION_SECONDS
    assert cost.seconds(8) == pytest.approx(4.5, rel=0.01)


def test_the_first_run_after_a_while_says_at_once_how_slow_it_is(cost, clock):
    cost.record(1, 5.0)
    assert cost.seconds(1) == pytest.approx(5)

    cost.record(1, 1.0)
    assert 3 < cost.seconds(1) < 5


def test_one_run_that_stood_still_does_not_make_a_cheap_model_look_busy_for_minutes(clock):
    cost = RunCost(clock)
    cost.learn(1, 0.00001)
    cost.record(1, 5.0)  # the process was stopped meanwhile

    assert cost.seconds(64) < 0.01

    for _ in range(60):
        cost.record(1, 5.0)  # it really is that slow
    assert cost.seconds(1) == pytest.approx(5, rel=0.01)


def test_a_faster_run_of_the_same_size_lowers_what_it_costs_for_good(cost, clock):
    cost.record(1, 0.5)
    clock.now = 10 * RELAXATION_SECONDS

    assert cost.seconds(1) == pytest.approx(0.5, rel=0.01)


def test_without_a_warm_up_the_first_run_is_the_measure(clock):
    cost = RunCost(clock)
    cost.record(2, 6.0, steps=3)

    assert cost.seconds(2) == 2


def test_a_run_that_is_padded_costs_what_the_size_costs_that_it_is_padded_to(clock):
    cost = RunCost(clock)
    cost.pad_to([2, 8])
    cost.learn(2, 1.0)
    cost.learn(8, 4.0)

    assert [cost.seconds(rows) for rows in (1, 2, 3, 8)] == [1, 1, 4, 4]
    cost.record(3, 3.0)  # faster than the warm-up
    clock.now = 10 * RELAXATION_SECONDS
    assert cost.seconds(8) == pytest.approx(3, rel=0.01)


def test_a_size_that_has_not_run_for_long_is_tried_again(clock):
    cost = RunCost(clock)
    cost.pad_to([1, 8, 32])
    for rows in (1, 8, 32):
        cost.learn(rows, 1.0)
    assert cost.size_to_retry(32) == 0  # all figures are new

    for _ in range(RETRIED_AFTER + 1):
        cost.record(8, 1.0)
    assert [cost.size_to_retry(most) for most in (40, 32, 31, 7)] == [32, 32, 0, 1]

    cost.record(32, 1.0)
    assert cost.size_to_retry(32) == 0


def test_a_run_too_short_to_be_measured_is_a_try_as_well(clock):
    cost = RunCost(clock)
    cost.pad_to([8, 32])
    cost.learn(32, 1.0)
    for _ in range(RETRIED_AFTER + 1):
        cost.count(8)
    assert cost.size_to_retry(32) == 32

    cost.count(32)
    assert cost.size_to_retry(32) == 0
    assert cost.seconds(32) == 1.0


def test_a_faster_run_corrects_its_own_size_alone(cost):
    cost.record(8, 2.25)

    assert [cost.seconds(rows) for rows in (1, 8)] == pytest.approx([1, 2.25])
