"""In which order items of several clients leave."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.scheduling.fair_queue import FairQueue


def item(client, cost=1.0, hurry_at=1e9):
    return SimpleNamespace(client=client, cost=cost, hurry_at=hurry_at, is_taken=False)


def clients(queue, count, now=0.0):
    return "".join(queue.pop(now).client for _ in range(count))


def test_clients_that_wait_for_one_item_leave_in_the_order_they_came():
    queue = FairQueue()
    for client in "cabd":
        queue.push(item(client))

    assert clients(queue, 4) == "cabd"


def test_many_items_of_one_client_let_others_pass():
    queue = FairQueue()
    for _ in range(4):
        queue.push(item("a"))
    assert clients(queue, 1) == "a"
    for client in "bc":
        queue.push(item(client))

    assert clients(queue, 5) == "bcaaa"


def test_two_clients_with_many_items_get_equal_time_not_equal_turns():
    queue = FairQueue()
    for _ in range(8):
        queue.push(item("a", cost=1.0))
    for _ in range(8):
        queue.push(item("b", cost=3.0))

    assert clients(queue, 8).count("a") == 6


def test_an_item_is_not_overtaken_for_ever():
    queue = FairQueue()
    queue.push(item("a"))
    queue.push(item("a", hurry_at=5.0))
    assert clients(queue, 1) == "a"
    for client in "bcd":
        queue.push(item(client))

    assert clients(queue, 1, now=4.0) == "b"
    assert clients(queue, 3, now=5.0) == "acd"


def test_an_empty_queue_has_no_next():
    queue = FairQueue()
    queue.push(item("a"))
    queue.pop(0.0)

    assert not queue
    with pytest.raises(IndexError):
        queue.peek(0.0)


def test_clients_that_are_gone_are_forgotten():
    queue = FairQueue()
    queue.push(item("first"))
    for number in range(1000):
        queue.push(item(number))
        queue.pop(0.0)

    assert len(queue) == 1
    assert len(queue._finish_tags) < 100


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from("abc"), st.floats(0, 5), st.floats(0, 100)),
        max_size=60,
    )
)
def test_every_item_leaves_exactly_once(moves):
    queue, waiting, left = FairQueue(), [], []
    for now, (is_push, client, cost, hurry_at) in enumerate(moves):
        if is_push or not queue:
            waiting.append(item(client, cost, hurry_at))
            queue.push(waiting[-1])
        else:
            left.append(queue.pop(float(now)))
    left += [queue.pop(1000.0) for _ in range(len(queue))]

    assert sorted(map(id, left)) == sorted(map(id, waiting))
