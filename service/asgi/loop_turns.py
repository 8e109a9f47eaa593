"""Spreads work of one kind over turns of the event loop, in order.

A burst that is worked off in one turn delays everybody by its sum. Used on the event loop only.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class LoopTurns:
    """Work of which each turn of the event loop does a limited amount; `seconds` long at most, or one piece.

    rest: after a turn with so much of it, number of turns with none, so that what takes several
    turns in a row, as a digit does from its bytes to its answer, waits for such work only once.
    Turns that take long end the rest: once they took `rest` times as long as the work.
    """

    def __init__(self, seconds: float, rest: int = 0) -> None:
        self.seconds = seconds
        self._rest = rest
        self._resting = 0  # turns that are left
        self._rest_ends = 0.0  # monotonic seconds
        self._spent = 0.0  # seconds in this turn
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_scheduled = False

    @property
    def is_over(self) -> bool:
        """Whether the next piece has to wait for a later turn."""
        return self._spent >= self.seconds or bool(self._waiting)

    def spend(self, seconds: float) -> None:
        """Count what was done in this turn."""
        self._spent += seconds
        if self._rest and self._spent >= self.seconds:
            self._resting = self._rest
            self._rest_ends = time.monotonic() + self._rest * self._spent
        self._schedule()

    async def run(self, function: Callable[[], T]) -> T:
        """Run `function` in a turn in which there is time."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def run() -> None:
            if future.done():
                return  # its client left
            try:
                future.set_result(function())
            except Exception as error:  # noqa: BLE001 - the caller's
                future.set_exception(error)

        self.call_later(run)
        return await future

    def call_later(self, function: Callable[[], None]) -> None:
        """The same for a function that raises nothing."""
        self._waiting.append(function)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        """Begin a turn with those that wait, or let one pass."""
        self._is_scheduled = False
        if self._resting and time.monotonic() < self._rest_ends:
            self._resting -= 1
            self._schedule()
            return
        self._spent, self._resting = 0.0, 0
        while self._waiting and self._spent < self.seconds:
            started = time.monotonic()
            self._waiting.popleft()()
            self.spend(time.monotonic() - started)
