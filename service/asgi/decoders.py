"""Decoding and encoding images without blocking the event loop: on threads, or a few small ones in each of its turns.

Pillow and zlib let other threads run while they work.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from service.asgi.bytes_in_flight import Held
from service.asgi.loop_turns import LoopTurns
from service.errors import DeadlineExceeded

T = TypeVar("T")
THREADS = 2  # more would only take turns
TURN_SECONDS = 0.002  # of small images that are decoded in one turn of the event loop
HEAVY_TURN_SECONDS = 0.0005  # of those for networks that take long: one photo
HEAVY_REST = 3  # turns in which no photo is decoded: a digit needs four


class Decoders:
    """A limited number of decoding threads, and the requests that wait for one, in order.

    Made on the event loop that it is used on. `turns` are for small images, which need no thread,
    `heavy_turns` for those of networks that take long: their requests can wait for others'.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, "decoder")
        self._free = asyncio.Semaphore(THREADS)
        self.turns = LoopTurns(TURN_SECONDS)
        self.heavy_turns = LoopTurns(HEAVY_TURN_SECONDS, HEAVY_REST)

    async def run(
        self,
        function: Callable[[], T],
        held: Held,
        *,
        needs: int = 0,
        deadline: float | None = None,
    ) -> T:
        """Run `function` on a thread; `needs` bytes of memory count as in flight once it starts.

        deadline: monotonic seconds; later the function is not started.
        """
        loop = asyncio.get_running_loop()
        await self._free.acquire()
        try:
            if deadline and time.monotonic() > deadline:
                raise DeadlineExceeded(
                    "the deadline passed before the images were decoded: X-Timeout-Ms allows more"
                )
            held.take(needs)
            future = self._pool.submit(function)
        except BaseException:
            self._free.release()
            raise

        def free(_: Future[T]) -> None:
            """Release the place, also after a cancelled caller, whose work runs to its end."""
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._free.release)

        future.add_done_callback(free)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Start no more functions."""
        self._pool.shutdown(wait=False, cancel_futures=True)
