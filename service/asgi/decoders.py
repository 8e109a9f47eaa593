"""Decoding and encoding images without blocking the event loop: on threads, or a few small ones in each of its turns.

Pillow and zlib let other threads run while they work.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from service.asgi.bytes_in_flight import Held
from service.errors import DeadlineExceeded

T = TypeVar("T")
THREADS = 2  # more would only take turns
TURN_SECONDS = 0.002  # of small images that are decoded in one turn of the event loop


class Decoders:
    """A limited number of decoding threads, and the requests that wait for one, in order.

    Made on the event loop that it is used on; `turns` are for small images, which need no thread.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, "decoder")
        self._free = asyncio.Semaphore(THREADS)
        self.turns = DecodingTurns()

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


class DecodingTurns:
    """Spreads the decoding of small images over turns of the event loop, in order.

    A burst of photos that is decoded in one turn delays everybody by their sum.
    """

    def __init__(self) -> None:
        self._spent = 0.0  # seconds in this turn
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_scheduled = False

    @property
    def is_over(self) -> bool:
        """Whether the next image has to be decoded in a later turn."""
        return self._spent >= TURN_SECONDS or bool(self._waiting)

    def spend(self, seconds: float) -> None:
        """Count what was decoded in this turn."""
        self._spent += seconds
        self._schedule()

    async def run(self, function: Callable[[], T]) -> T:
        """Run `function` in a turn in which there is time."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def decode() -> None:
            if future.done():
                return  # its client left
            try:
                future.set_result(function())
            except Exception as error:  # noqa: BLE001 - the caller's
                future.set_exception(error)

        self.call_later(decode)
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
        """Begin a turn with those that wait."""
        self._is_scheduled, self._spent = False, 0.0
        while self._waiting and self._spent < TURN_SECONDS:
            started = time.monotonic()
            self._waiting.popleft()()
            self.spend(time.monotonic() - started)
