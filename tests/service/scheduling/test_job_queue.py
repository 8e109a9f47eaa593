"""Which long requests may join those that take turns already."""

import asyncio
import random

import pytest

from service.errors import Overloaded
from service.scheduling.job_queue import MARGIN, Job, JobQueue


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Steps:
    def __init__(self, left):
        self.left = left

    def __call__(self):
        return self.left


def leave_steps(queue, job, left):
    """As after a run of the job."""
    job.steps_left.left = left
    queue.advanced()


def one_step(rows):
    """A step of one row takes 0.1 s, each further row adds 0.05 s."""
    return 0.05 + 0.05 * rows


def slower(factor):
    return lambda rows: factor[0] * one_step(rows)


def job(rows, steps, estimated, cost=one_step):
    """A job whose deadline allows exactly so many estimated seconds."""
    return Job(rows, Steps(steps), estimated * MARGIN, cost)


@pytest.fixture
def queue():
    return JobQueue(clock=Clock())


def test_as_long_as_nothing_is_known_everybody_joins(queue):
    admitted = [job(64, 1000, 0.1, cost=lambda rows: 0.0) for _ in range(5)]
    for one in admitted:
        queue.join(one)

    for one in admitted:
        queue.leave(one)  # a job that was not admitted would be a ValueError
    with pytest.raises(ValueError, match="not in list"):
        queue.leave(admitted[0])


def test_what_takes_longer_than_its_deadline_is_refused_with_a_way_out(queue):
    with pytest.raises(
        Overloaded, match=r"21 steps of 1 take about 2\.1 s.*X-Timeout-Ms"
    ) as caught:
        queue.join(job(1, 21, 2))
    assert caught.value.retry_after_seconds == 1

    queue.join(job(1, 19, 2))


def test_others_get_their_share(queue):
    queue.join(job(1, 1000, 1000))
    queue.join(job(1, 10, 2.1))  # 1 s of its own, 1 s of the long one

    with pytest.raises(Overloaded, match=r"with the running ones this takes about 3\.0 s"):
        queue.join(job(1, 10, 2.9))


def test_a_look_leaves_nothing_behind(queue):
    for _ in range(3):
        queue.check(job(1, 10, 1.1))
    queue.join(job(1, 10, 1.1))

    with pytest.raises(Overloaded):
        queue.check(job(1, 10, 1.1))


def test_nobody_joins_who_would_make_an_accepted_one_late(queue):
    first = job(1, 20, 3)
    queue.join(first)

    with pytest.raises(Overloaded, match="would make an accepted request late"):
        queue.join(job(1, 20, 100))
    queue.join(job(1, 9, 100))

    queue.leave(first)
    queue.join(job(1, 20, 100))


def test_steps_are_counted_once_until_a_job_advances():
    queue, first, second = JobQueue(clock=Clock()), job(1, 20, 100), job(1, 10, 100)
    queue.join(first)
    assert queue.seconds_ahead() == pytest.approx(2.0)

    first.steps_left.left = 10**6  # not looked at: hundreds of refusals a second would look at all
    assert queue.seconds_ahead() == pytest.approx(2.0)
    queue.check(job(1, 10, 2.1))
    queue.join(second)
    assert queue.seconds_ahead() == pytest.approx(3.0)

    leave_steps(queue, first, 15)
    assert queue.seconds_ahead() == pytest.approx(2.5)
    queue.leave(first)
    assert queue.seconds_ahead() == pytest.approx(1.0)
    queue.leave(second)
    assert queue.seconds_ahead() == 0.0


def test_a_cost_that_fades_is_noticed_though_nobody_is_admitted():
    clock, factor = Clock(), [3.0]
    queue, cost = JobQueue(clock=clock), slower(factor)
    with pytest.raises(Overloaded):
        queue.check(job(1, 10, 2, cost))

    factor[0] = 1.0
    clock.now += 0.1
    queue.check(job(1, 10, 2, cost))


@pytest.mark.parametrize("width", [1, 4])
def test_who_joins_and_leaves_changes_an_estimate_as_if_it_were_made_anew(width):
    kept, anew = JobQueue(width, Clock()), JobQueue(width, Clock())
    numbers = random.Random(width)
    jobs = []
    for _ in range(60):
        if jobs and numbers.random() < 0.4:
            gone = jobs.pop(numbers.randrange(len(jobs)))
            kept.leave(gone)
            anew.leave(gone)
        else:
            jobs.append(job(numbers.randint(1, 3), numbers.randint(1, 40), 10**6))
            kept.join(jobs[-1])
            anew.join(jobs[-1])
        anew.advanced()
        assert kept.seconds_ahead() == pytest.approx(anew.seconds_ahead())


def test_the_reserve_of_an_accepted_job_stays_its_own():
    clock = Clock()
    queue, first = JobQueue(clock=clock), job(1, 20, 3)
    queue.join(first)

    clock.now = 1.5
    leave_steps(queue, first, 10)  # 1 s; it should be done in 1.5 s
    with pytest.raises(Overloaded, match="would make an accepted request late"):
        queue.check(job(1, 6, 100))
    queue.check(job(1, 4, 100))

    clock.now = 2.5  # it is late, but within its reserve
    with pytest.raises(Overloaded, match="would make an accepted request late"):
        queue.check(job(1, 1, 100))
    leave_steps(queue, first, 20)  # it misses its deadline with or without the new job
    queue.check(job(1, 1, 100))


def test_steps_that_were_made_no_longer_count(queue):
    long = job(1, 1000, 1000)
    queue.join(long)
    with pytest.raises(Overloaded, match="with the running ones"):
        queue.join(job(1, 10, 1.6))

    leave_steps(queue, long, 5)
    queue.join(job(1, 10, 1.6))

    with pytest.raises(Overloaded):  # it was admitted, and counts
        queue.join(job(1, 10, 1.6))


def test_a_burst_is_admitted_only_as_far_as_all_are_done_in_time(queue):
    refusals = []
    for _ in range(300):
        try:
            queue.join(job(1, 10, 30.01))
        except Overloaded as refusal:
            refusals.append(refusal.retry_after_seconds)

    assert len(refusals) == 270  # 1 s each
    assert all(15 <= seconds <= 60 for seconds in refusals)


def test_rows_that_share_a_run_cost_what_the_run_costs():
    queue = JobQueue(width=4, clock=Clock())
    for _ in range(4):
        queue.join(job(1, 10, 2.5))  # a step of four takes 0.25 s

    with pytest.raises(Overloaded):
        queue.join(job(1, 10, 2.5))


def test_parallel_runs_take_as_many_jobs_at_once():
    queue = JobQueue(clock=Clock(), parallel_runs=2)
    for _ in range(2):
        queue.join(job(1, 10, 1.4))  # each takes 1 s, beside the other

    with pytest.raises(Overloaded):
        queue.join(job(1, 10, 1.6))


def test_a_job_is_never_faster_than_alone():
    queue = JobQueue(width=4, clock=Clock())
    queue.join(job(1, 5, 100))

    with pytest.raises(Overloaded, match=r"take about 100\.0 s"):
        queue.join(job(1, 1000, 99.9))


async def until_it_waits(task):
    for _ in range(5):
        await asyncio.sleep(0)
    return not task.done()


def test_when_runs_turn_out_slower_the_first_deadlines_go_first():
    async def run():
        clock, factor = Clock(), [1.0]
        queue = JobQueue(clock=clock)
        first, second, third = (
            Job(1, Steps(10), deadline, slower(factor)) for deadline in (4.0, 4.1, 4.2)
        )
        for one in (first, second, third):
            queue.join(one)
            await queue.turn(one)  # there is time for all

        factor[0] = 1.8  # 1.8 s each: the first two can be in time, not the third
        queue.advanced()
        await queue.turn(first)
        await queue.turn(second)
        waiting = asyncio.create_task(queue.turn(third))
        assert await until_it_waits(waiting)

        queue.leave(first)
        await waiting
        queue.leave(second)
        queue.leave(third)

    asyncio.run(run())


def test_a_job_that_is_given_up_while_it_waits_holds_nobody_up():
    async def run():
        factor = [1.0]
        queue = JobQueue(clock=Clock())
        first, second = (Job(1, Steps(10), d, slower(factor)) for d in (2.6, 2.7))
        queue.join(first)
        queue.join(second)
        factor[0] = 2.0
        queue.advanced()
        waiting = asyncio.create_task(queue.turn(second))
        assert await until_it_waits(waiting)
        waiting.cancel()
        queue.leave(second)
        await queue.turn(first)
        queue.leave(first)

    asyncio.run(run())


def test_jobs_that_do_not_fill_a_padded_run_share_a_smaller_one():
    def padded(rows):
        return 1.0 if rows <= 8 else 3.0

    queue = JobQueue(width=16, clock=Clock())
    for _ in range(8):
        queue.join(job(1, 10, 12, padded))

    queue.join(job(1, 10, 12, padded))  # runs of 8 of 9 rows: 11.25 s; all nine together took 30 s
    with pytest.raises(Overloaded):
        queue.join(job(1, 10, 12, padded))
