"""Workers know how many connections the others have, as long as these live."""

import multiprocessing
import os
import sys

import pytest

from service.processes.connection_counts import ConnectionCounts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks")


def sibling(counts, connections, may_end):
    """Another worker, with so many connections."""
    counts.join()
    counts.add(connections)
    may_end.wait(120)
    os._exit(0)


def test_alone_nobody_has_fewer():
    counts = ConnectionCounts(1)
    counts.join()
    counts.add(5)
    assert not counts.is_above_another(1)


def test_a_sibling_counts_until_it_is_over():
    counts, context = ConnectionCounts(2), multiprocessing.get_context("fork")
    may_end = context.Event()
    counts.join()
    process = context.Process(target=sibling, args=(counts, 2, may_end))
    process.start()
    counts.add(4)
    try:
        while not counts.is_above_another(
            1
        ):  # it has joined, and may not have noted its connections
            assert process.is_alive()
        while counts.is_above_another(2):
            assert process.is_alive()
        assert counts.is_above_another(1)
        assert not counts.is_above_another(2)  # the other may take both
        counts.add(-1)
        assert not counts.is_above_another(1)
        counts.add(1)
    finally:
        may_end.set()
        process.join()
    assert not counts.is_above_another(1)


def test_who_has_left_is_not_compared_with():
    counts, context = ConnectionCounts(1), multiprocessing.get_context("fork")
    counts.join()

    def leave():
        counts.join()
        counts.leave()
        os._exit(0)

    process = context.Process(target=leave)
    process.start()
    process.join()
    counts.add(9)
    assert not counts.is_above_another(1)


def test_more_workers_than_places_share_nothing():
    counts = ConnectionCounts(1)
    for _ in range(3):
        counts.join()
    counts.add(9)
    assert not counts.is_above_another(1)
