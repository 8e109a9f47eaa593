"""Who runs while there is not time enough for all."""

from dataclasses import dataclass

from service.scheduling.urgency import choose_rows, efficient_width


@dataclass
class Row:
    left: int
    deadline: float


def seconds(rows):
    """A step takes 0.1 s and 0.1 s more for each further row."""
    return 0.1 * rows


def test_all_run_in_turn_while_all_can_be_in_time():
    rows = [Row(10, 100.0), Row(10, 4.0), Row(10, 3.5)]

    assert choose_rows(rows, 2, seconds, now=0.0) == rows[:2]
    assert choose_rows(rows, 8, seconds, now=0.0) == rows


def test_a_row_that_is_nearly_done_is_in_time_while_long_ones_take_turns_with_it():
    rows = [Row(10, 2.3), Row(10, 3.0), Row(2, 1.0)]  # done after 2.2, 2.2 and 0.6 s

    assert choose_rows(rows, 2, seconds, now=0.0) == rows[:2]
    assert choose_rows([*rows, Row(3, 9.0)], 2, seconds, now=0.0) == [rows[2], rows[0]]


def test_the_first_deadlines_go_first_when_not_all_can_be_in_time():
    rows = [Row(10, 5.0), Row(10, 2.0), Row(10, 4.0)]  # 10 steps of three rows take 3 s

    assert choose_rows(rows, 8, seconds, now=0.0) == [rows[1], rows[2]]
    assert choose_rows(rows, 1, seconds, now=0.0) == [rows[1]]


def test_a_row_that_is_too_late_holds_nobody_back():
    rows = [Row(10, 0.5), Row(10, 2.0), Row(10, 2.5)]

    assert choose_rows(rows, 8, seconds, now=0.0) == rows[1:]
    assert choose_rows(rows[:1], 8, seconds, now=0.0) == rows[:1]  # but runs where nobody else does


def test_as_long_as_no_cost_is_known_nobody_is_urgent():
    rows = [Row(10, 1.0), Row(10, 2.0)]

    assert choose_rows(rows, 8, lambda _: 0.0, now=0.0) == rows


def padded(rows):
    """A step of a run that is padded to 2, 8 or 16 rows."""
    return {2: 0.3, 8: 0.8, 16: 1.5}[next(size for size in (2, 8, 16) if size >= rows)]


def test_no_more_rows_run_together_than_are_worth_their_padding():
    assert [efficient_width(most, padded) for most in (1, 2, 7, 8, 9, 13, 16)] == [
        1,
        2,
        7,
        8,
        8,
        13,
        16,
    ]
    assert efficient_width(5, lambda _: 0.0) == 5

    rows = [Row(10, 100.0) for _ in range(9)]
    assert choose_rows(rows, 16, padded, now=0.0) == rows[:8]
