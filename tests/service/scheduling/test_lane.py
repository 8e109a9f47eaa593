"""The threads that runs happen on."""

import os
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from service.scheduling import lane as lane_module
from service.scheduling.lane import LOW_PRIORITY, Lane, thread_lane


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no niceness of their own")
def test_a_heavy_thread_gives_way_and_no_other_does():
    ours = niceness()
    light, heavy = thread_lane("light", is_heavy=False), thread_lane("heavy", is_heavy=True)
    with light.executor, heavy.executor:
        assert light.executor.submit(niceness).result() == ours
        assert heavy.executor.submit(niceness).result() == min(19, ours + LOW_PRIORITY)
    assert niceness() == ours


def test_what_waits_and_what_runs_is_ahead():
    lane = Lane()
    assert lane.seconds_ahead() == 0

    lane.queued_seconds = 2.0
    lane.expected_ends = [time.monotonic() + 10_000]
    assert 9_000 < lane.seconds_ahead() <= 10_002
    lane.expected_ends = [time.monotonic() - 100]
    assert lane.seconds_ahead() == 2


def test_parallel_runs_share_what_is_ahead():
    lane = Lane(parallel_runs=4)
    lane.queued_seconds = 2.0

    assert lane.seconds_ahead() == 0.5


def test_what_happens_between_two_runs_makes_the_queue_longer(monkeypatch):
    clock = SimpleNamespace(now=10.0)
    monkeypatch.setattr(lane_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    lane = Lane()
    lane.queued_seconds = 2.0
    lane.note_run(9.0, 1.0)
    assert lane.seconds_ahead() == pytest.approx(2, abs=0.1)

    clock.now = 14.0
    lane.note_run(13.0, 1.0)  # 4 s after the one before, of which it took 1 s
    longer = lane.seconds_ahead()
    assert 2.5 < longer < 8

    lane.queued_seconds = 0.0
    lane.note_run(13.0, 1.0)
    lane.queued_seconds = 2.0
    before = lane.seconds_ahead()
    clock.now = 100.0
    lane.note_run(99.0, 1.0)  # nobody waited before it
    assert lane.seconds_ahead() < before
