"""Which long requests may join those that take turns already."""

import pytest

from service.errors import Overloaded
from service.scheduling.projection_queue import FORGET_SECONDS, Backlog, Job


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backlog(clock):
    """One of which is known: a step with one row takes 0.1 s."""
    backlog = Backlog(clock)
    done = Job(1, 10, deadline=100)
    backlog.join(done)
    backlog.note(done, 10, seconds=1.0)
    backlog.leave(done)
    return backlog


def test_as_long_as_nothing_is_known_everybody_joins(clock):
    backlog = Backlog(clock)
    for _ in range(5):
        backlog.join(Job(64, 1000, deadline=0.1))


def test_what_takes_longer_than_its_deadline_is_refused_with_a_way_out(backlog):
    with pytest.raises(
        Overloaded, match=r"21 steps of 1 take about 2\.1 s.*X-Timeout-Ms"
    ) as caught:
        backlog.join(Job(1, 21, deadline=2))
    assert caught.value.retry_after_seconds == 1

    backlog.join(Job(1, 19, deadline=2))


def test_rows_that_were_never_measured_are_estimated_from_others(backlog):
    with pytest.raises(Overloaded, match=r"10 steps of 4 take about 2\.4 s"):
        backlog.join(Job(4, 10, deadline=2.3))

    many = Job(4, 10, deadline=100)
    backlog.join(many)
    backlog.note(many, 5, seconds=1.0)  # 0.2 s a step: together they are cheaper
    backlog.leave(many)
    backlog.join(Job(4, 10, deadline=2.3))


def test_others_get_their_share(backlog):
    backlog.join(Job(1, 1000, deadline=1000))
    backlog.join(Job(1, 10, deadline=2.1))  # 1 s of its own, 1 s of the long one

    with pytest.raises(Overloaded, match=r"beside others of its kind this takes about 3\.0 s"):
        backlog.join(Job(1, 10, deadline=2.9))


def test_nobody_joins_who_would_make_an_accepted_one_late(backlog):
    first = Job(1, 20, deadline=3)
    backlog.join(first)

    with pytest.raises(Overloaded, match="would make an accepted request late"):
        backlog.join(Job(1, 20, deadline=100))
    backlog.join(Job(1, 9, deadline=100))

    backlog.leave(first)
    backlog.join(Job(1, 20, deadline=100))


def test_steps_that_were_made_no_longer_count(backlog):
    long = Job(1, 1000, deadline=1000)
    backlog.join(long)
    backlog.note(long, 995, seconds=99.5)

    backlog.join(Job(1, 10, deadline=1.6))


def test_a_look_without_steps_is_no_measurement(clock):
    backlog = Backlog(clock)
    job = Job(1, 10, deadline=100)
    backlog.join(job)
    backlog.note(job, 0, seconds=50)
    backlog.join(Job(1, 10, deadline=1))


def test_an_old_figure_is_forgotten_so_that_a_new_one_can_be_measured(backlog, clock):
    clock.now = FORGET_SECONDS + 1
    backlog.join(Job(1, 1000, deadline=clock.now + 1))
