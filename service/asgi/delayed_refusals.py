"""Sends refusals together after a short delay: backpressure on clients that ignore Retry-After.

Reading a request, refusing it and writing the answer take the event loop about 20 µs. A thousand clients that
send the next request at once would take all of its time; with the delay each is refused about 50 times a second.
Used on the event loop only.
"""

import asyncio
import time
from collections import Counter
from typing import Protocol

from service.asgi.refusal import Refusal

DELAY_SECONDS = 0.02  # at most; refusals shall arrive within 50 ms also while turns are long
GROUP_SECONDS = 0.005  # refusals that are so close together are sent together
MAX_IN_A_TURN = 128  # each takes about 10 µs; then others get their turn


class Connection(Protocol):
    """A connection that was refused a request."""

    def send_refusal(self) -> Refusal | None:
        """Send the pending refusal, if any, and return it; afterwards there is none."""


class DelayedRefusals:
    """Groups of connections with a pending refusal."""

    def __init__(self) -> None:
        self._group: list[Connection] = []
        self._group_began = -GROUP_SECONDS  # monotonic

    def add(self, connection: Connection) -> None:
        """Let the connection send its refusal after the delay."""
        now = time.monotonic()
        if now > self._group_began + GROUP_SECONDS:
            self._group, self._group_began = [], now
            asyncio.get_running_loop().call_later(DELAY_SECONDS, self._send, self._group, now)
        self._group.append(connection)

    def _send(self, group: list[Connection], began: float, start: int = 0) -> None:
        """Send a part of a group's refusals, the others in the next turns; count them together."""
        end = start + MAX_IN_A_TURN
        answers = [connection.send_refusal() for connection in group[start:end]]
        sent = Counter(refusal for refusal in answers if refusal)
        for refusal, number in sent.items():
            refusal.count(number, time.monotonic() - began)
        if end < len(group):
            asyncio.get_running_loop().call_soon(self._send, group, began, end)
        else:
            group.clear()  # the last group would keep lost connections in memory
