"""Shares the processors between models by their weights, if more models have queued work than there are processors."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def at_once() -> AsyncIterator[Callable[[], bool]]:
    """No scheduling: every run starts at once."""
    yield lambda: True


class Turns:
    """Start-time fair queuing of runs. Used on one event loop.

    places: maximum concurrent runs of all models together.
    weight_of: a model's weight; twice the weight gives twice the time while both have queued work.
    """

    def __init__(
        self,
        places: int,
        weight_of: Callable[[str], float] = lambda _: 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = clock
        self._free = places
        self._weight_of = weight_of
        self._served: dict[str, float] = {}  # seconds that a model ran for, over its weight
        self._clock = 0.0  # of the last turn's model: who was away has no credit from before
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, model: str) -> AsyncIterator[Callable[[], bool]]:
        """Occupy a place during the block; yields a function that tells whether to run once more."""
        self._served[model] = max(self._served.get(model, 0.0), self._clock)
        await self._take(model)
        self._clock = max(self._clock, self._served[model])
        since = self._now()

        def count() -> None:
            nonlocal since
            now = self._now()
            self._served[model] += (now - since) / self._weight_of(model)
            since = now

        def is_still_first() -> bool:
            count()
            own = self._served[model]
            if any(self._served[other] < own for other, _ in self._waiting):
                return False
            self._clock = max(self._clock, own)
            return True

        try:
            yield is_still_first
        finally:
            count()
            self._pass_on()

    async def _take(self, model: str) -> None:
        if self._free:
            self._free -= 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((model, future))
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():  # the place had just been given to it
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give a place to the model with the least service."""
        self._waiting = [one for one in self._waiting if not one[1].done()]
        if not self._waiting:
            self._free += 1
            return
        chosen = min(self._waiting, key=lambda one: self._served[one[0]])
        self._waiting.remove(chosen)
        chosen[1].set_result(None)
