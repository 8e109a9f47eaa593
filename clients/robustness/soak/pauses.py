"""Notices when this process stood still, stopped by a signal or with its machine.

A request that was lost over such a pause says nothing about the server, which mostly was stopped too.
"""

import asyncio
import threading
import time

TICK_SECONDS, PAUSE_SECONDS = 0.25, 5.0


class Pauses:
    """Watches the clock on a thread from the first question on."""

    def __init__(self, clock_tick: float = TICK_SECONDS, least: float = PAUSE_SECONDS) -> None:
        self._tick, self._least = clock_tick, least
        self._ended_at = float("-inf")
        self._thread: threading.Thread | None = None

    def watch(self) -> None:
        """Watch from now on, if it does not yet."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="pauses", daemon=True)
            self._thread.start()

    async def was_any_since(self, moment: float) -> bool:
        """Whether this process stood still after that monotonic second; takes two ticks."""
        await asyncio.sleep(2 * self._tick)
        return self._ended_at >= moment

    def _watch(self) -> None:
        last = time.monotonic()
        while True:
            time.sleep(self._tick)
            now = time.monotonic()
            if now - last >= self._least:
                self._ended_at = now
            last = now


PAUSES = Pauses()
