"""Waiting for something to become true, as long as a busy machine needs."""

import asyncio
import inspect

LIMIT_SECONDS = 120


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


async def waiting(client, model="digits"):
    """How many requests of a model wait or run, as the service counts them."""
    lines = (await client.get("/metrics")).text.splitlines()
    name = f'vitrine_waiting_requests{{model="{model}"}} '
    return int(sum(float(line.removeprefix(name)) for line in lines if line.startswith(name)))


async def until_waiting(client, count, model="digits"):
    """Wait until so many requests of a model wait or run."""

    async def is_reached():
        return await waiting(client, model) == count

    await until(is_reached)
