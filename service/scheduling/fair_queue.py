"""A queue that is fair between clients: start-time fair queuing, with a bound on overtaking.

Each client's items have tags that increase by their cost; the smallest tag leaves first. Clients
with one item at a time are served in order of arrival; items of other clients are served between many
items of one client. After its `hurry_at` an item is no longer overtaken.
"""

import heapq
from collections import deque
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

_FEW_CLIENTS = 64  # the number of tags kept of clients that no longer wait


class Item(Protocol):
    """The properties of an item that the queue needs."""

    client: Hashable
    cost: float  # seconds
    hurry_at: float  # seconds of the clock that `peek` and `pop` are called with
    is_taken: bool  # False at first; the queue sets it


T = TypeVar("T", bound=Item)


class FairQueue(Generic[T]):
    """Items leave in the order of their start tags (Goyal, Vin and Cheng, Start-time Fair Queueing, 1996)."""

    def __init__(self) -> None:
        self._by_tag: list[tuple[float, int, T]] = []  # a heap
        self._by_arrival: deque[T] = deque()
        self._waiting = 0
        self._arrived = 0
        self._virtual_time = 0.0
        self._finish_tags: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return self._waiting

    def push(self, item: T) -> None:
        """Add an item behind its client's queued items."""
        start = max(self._virtual_time, self._finish_tags.get(item.client, 0.0))
        self._finish_tags[item.client] = start + item.cost
        self._arrived += 1
        self._waiting += 1
        heapq.heappush(self._by_tag, (start, self._arrived, item))
        self._by_arrival.append(item)

    def peek(self, now: float) -> T:
        """The next item; IndexError if the queue is empty."""
        while self._by_arrival[0].is_taken:
            self._by_arrival.popleft()
        while self._by_tag[0][2].is_taken:
            heapq.heappop(self._by_tag)
        oldest = self._by_arrival[0]
        return oldest if oldest.hurry_at <= now else self._by_tag[0][2]

    def pop(self, now: float) -> T:
        """Remove and return the next item."""
        item = self.peek(now)
        self.take(item)
        return item

    def take(self, item: T) -> None:
        """Remove the item that `peek` has just returned."""
        item.is_taken = True
        if item is self._by_tag[0][2]:
            self._virtual_time = heapq.heappop(self._by_tag)[0]
        if item is self._by_arrival[0]:
            self._by_arrival.popleft()
        self._waiting -= 1
        self._forget_clients()

    def _forget_clients(self) -> None:
        """Keep the tags of clients with queued items, and of a few others."""
        if not self._waiting:
            self._by_tag.clear()
            self._by_arrival.clear()
            self._finish_tags.clear()
            self._virtual_time = 0.0
        elif len(self._finish_tags) > _FEW_CLIENTS + 2 * self._waiting:
            waiting = {item.client for _, _, item in self._by_tag if not item.is_taken}
            self._finish_tags = {client: self._finish_tags[client] for client in waiting}
