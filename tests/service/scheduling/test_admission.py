"""Who may wait, and what the refused are told."""

import pytest

from service.errors import DeadlineExceeded, Overloaded
from service.scheduling.admission import Admission


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_full_queue_refuses_exactly_the_excess():
    admission = Admission(2, Clock())
    admission.enter(deadline=10)
    admission.enter(deadline=10)

    with pytest.raises(Overloaded, match="2 requests wait already"):
        admission.enter(deadline=10)

    admission.leave()
    admission.enter(deadline=10)
    assert admission.waiting == 2


def test_a_deadline_that_cannot_be_met_is_refused_at_once():
    admission = Admission(100, Clock())
    admission.drained(requests=1, seconds=2.0)
    admission.enter(deadline=1)

    with pytest.raises(Overloaded, match="2000 ms, longer than the deadline"):
        admission.enter(deadline=1)


def test_a_deadline_that_is_over_is_no_overload():
    clock = Clock()
    clock.now = 2.0

    with pytest.raises(DeadlineExceeded):
        Admission(2, clock).enter(deadline=1)


def test_retry_after_is_computed_from_queue_length_and_drain_rate():
    admission = Admission(3, Clock())
    admission.drained(requests=2, seconds=5.0)
    for _ in range(3):
        admission.enter(deadline=100)

    with pytest.raises(Overloaded) as refusal:
        admission.enter(deadline=100)

    assert refusal.value.retry_after_seconds == 8  # 3 waiting, 2.5 s each


def test_the_drain_rate_follows_what_was_seen():
    admission = Admission(10, Clock())
    for _ in range(50):
        admission.drained(requests=10, seconds=1.0)
    for _ in range(5):
        admission.enter(deadline=0.5)

    with pytest.raises(Overloaded):
        admission.enter(deadline=0.4)


def test_what_is_known_of_the_queue_counts_instead_of_its_length():
    admission = Admission(2, Clock())
    admission.drained(requests=1, seconds=100.0)
    admission.enter(deadline=1, expected=0.5)

    with pytest.raises(Overloaded, match="3000 ms") as caught:
        admission.enter(deadline=1, expected=3.0)
    assert caught.value.retry_after_seconds == 3
