"""Waiting for something to become true, as long as a busy machine needs."""

import asyncio
import inspect

LIMIT_SECONDS = 30


async def until(condition):
    """Wait until `condition()`, which may be a coroutine, is true; TimeoutError if it never is."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.005)


async def until_still(runs):
    """Wait until the list `runs` has not grown for a quarter of a second."""
    async with asyncio.timeout(LIMIT_SECONDS):
        before = -1
        while len(runs) != before:
            before = len(runs)
            await asyncio.sleep(0.25)
