"""`python -m clients.benchmark.client_overhead`: the client's overhead over raw httpx, for one small image.

Raw calls and the client's calls alternate over keep-alive connections, so that noise of the machine affects
both. A round's ratio is that of its medians; both parse the answer's JSON.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from vitrine_client._transport.sync_async import run
from vitrine_client.client import AsyncVitrine, Vitrine
from vitrine_client.errors import VitrineError

IMAGE = Path("docs/seven.png")
PATH = "v1/digits/classify"
HEADERS = {"Content-Type": "application/octet-stream"}


class Overhead(NamedTuple):
    """Milliseconds of a call, the median of each round's medians, and the ratios of the rounds."""

    face: str
    raw_ms: float
    client_ms: float
    ratios: list[float]

    def __str__(self) -> str:
        low, middle, high = min(self.ratios), statistics.median(self.ratios), max(self.ratios)
        return (
            f"{self.face:<13} raw httpx {self.raw_ms:.3f} ms, client {self.client_ms:.3f} ms, "
            f"ratio {middle:.3f} ({low:.3f} to {high:.3f} over {len(self.ratios)} rounds)"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command-line arguments → one line for each face and an exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m clients.benchmark.client_overhead",
        description="Measure what the client adds.",
    )
    parser.add_argument("--url", help="the service's address (default: VITRINE_URL)")
    parser.add_argument("--rounds", type=int, default=9, help="default 9")
    parser.add_argument("--calls", type=int, default=200, help="of each kind a round (200)")
    parser.add_argument("--image", type=Path, default=IMAGE, help="a PNG (docs/seven.png)")
    options = parser.parse_args(arguments)
    try:
        image = options.image.read_bytes()
        found = [
            measure_plain(options.url, image, options.rounds, options.calls),
            asyncio.run(measure_asynchronous(options.url, image, options.rounds, options.calls)),
        ]
    except (VitrineError, httpx.HTTPError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(map(str, found)))
    return 0


def measure_plain(url: str | None, image: bytes, rounds: int, calls: int) -> Overhead:
    """Compare `Vitrine` with `httpx.Client`."""
    with Vitrine(url) as vitrine, httpx.Client(trust_env=False) as http:
        address = f"{vitrine.url.rstrip('/')}/{PATH}"

        def raw() -> Any:
            return http.post(address, content=image, headers=HEADERS).raise_for_status().json()

        raw_call = partial(_at_once, raw)
        client_call = partial(_at_once, partial(vitrine.digits.classify, image))
        return run(_measured("plain", raw_call, client_call, rounds, calls))


async def measure_asynchronous(url: str | None, image: bytes, rounds: int, calls: int) -> Overhead:
    """Compare `AsyncVitrine` with `httpx.AsyncClient`."""
    async with AsyncVitrine(url) as vitrine, httpx.AsyncClient(trust_env=False) as http:
        address = f"{vitrine.url.rstrip('/')}/{PATH}"

        async def raw() -> Any:
            answer = await http.post(address, content=image, headers=HEADERS)
            return answer.raise_for_status().json()

        client = partial(vitrine.digits.classify, image)
        return await _measured("asynchronous", raw, client, rounds, calls)


async def _at_once(function: Callable[[], Any]) -> Any:
    return function()


async def _measured(
    face: str,
    raw: Callable[[], Awaitable[Any]],
    client: Callable[[], Awaitable[Any]],
    rounds: int,
    calls: int,
) -> Overhead:
    kinds = (raw, client)
    for kind in (client, raw) * 20:  # connections and caches
        await kind()
    medians = []
    for _ in range(rounds):
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(calls):
            for kind, taken in zip(kinds, times, strict=True):
                begun = time.perf_counter()
                await kind()
                taken.append(1000 * (time.perf_counter() - begun))
        medians.append([statistics.median(taken) for taken in times])
    raw_ms, client_ms = (statistics.median(column) for column in zip(*medians, strict=True))
    return Overhead(face, raw_ms, client_ms, [ours / theirs for theirs, ours in medians])


if __name__ == "__main__":
    sys.exit(main())
