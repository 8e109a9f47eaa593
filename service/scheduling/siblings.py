"""Runs the parts of one request concurrently; after a failure the others are cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def gather_or_cancel(*parts: Coroutine[Any, Any, T]) -> list[T]:
    """The results in order; if one fails, or the caller is cancelled, the others are cancelled."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
