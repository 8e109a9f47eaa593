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
    admission.enter(deadline=10, ahead=0, own=0)
    admission.enter(deadline=10, ahead=0, own=0)

    with pytest.raises(Overloaded, match="the queue is full with 2 requests"):
        admission.enter(deadline=10, ahead=0, own=0)

    admission.leave()
    admission.enter(deadline=10, ahead=0, own=0)
    assert admission.waiting == 2


def test_a_look_takes_no_place():
    admission = Admission(1, Clock())
    for _ in range(5):
        admission.check(deadline=10, ahead=0)
    admission.enter(deadline=10, ahead=0, own=0)

    with pytest.raises(Overloaded):
        admission.check(deadline=10, ahead=0)


def test_what_every_request_waits_for_refuses_one_before_it_is_read():
    admission = Admission(100, Clock())
    admission.check(deadline=1, ahead=3, least=0.7)

    with pytest.raises(Overloaded, match=r"1125 ms, the deadline allows 1000 ms; try again in 3 s"):
        admission.check(deadline=1, ahead=3, least=0.9)


@pytest.mark.parametrize(("ahead", "own"), [(1.5, 0.0), (0.0, 1.5), (0.8, 0.7)])
def test_a_deadline_that_cannot_be_met_is_refused_at_once(ahead, own):
    admission = Admission(100, Clock())
    admission.enter(deadline=1, ahead=0.5, own=0.3)

    with pytest.raises(Overloaded, match="1875 ms, the deadline allows 1000 ms"):
        admission.enter(deadline=1, ahead=ahead, own=own)
    assert admission.waiting == 1


def test_a_deadline_that_is_over_is_no_overload():
    clock = Clock()
    clock.now = 2.0

    with pytest.raises(DeadlineExceeded):
        Admission(2, clock).enter(deadline=1, ahead=0, own=0)


def test_retry_after_is_the_time_that_what_is_ahead_takes():
    admission = Admission(1, Clock())
    admission.enter(deadline=100, ahead=0, own=0)

    for ahead, seconds in ((7.5, 8), (0.01, 1)):
        with pytest.raises(Overloaded, match=f"try again in {seconds} s") as refusal:
            admission.enter(deadline=100, ahead=ahead, own=0)
        assert refusal.value.retry_after_seconds == seconds


def test_a_request_that_is_to_be_decoded_has_a_place_already():
    admission = Admission(2, Clock())
    admission.enter(deadline=10, ahead=0, own=0)

    with (
        admission.preparing(),
        pytest.raises(Overloaded, match="the queue is full with 2 requests"),
    ):
        admission.check(deadline=10, ahead=0)
    admission.enter(deadline=10, ahead=0, own=0)
    assert admission.waiting == 2
