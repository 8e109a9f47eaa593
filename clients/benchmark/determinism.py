"""`python -m clients.benchmark.determinism`: is a text the same under load as alone, to the last bit?

Asks some different requests alone, one after the other, and keeps their texts and continuation tokens,
which hold the model's state as it is. Then asks them again and again on many connections, streamed
and whole, among scores, odd lengths and streams that are cut, and compares. `--answers FILE` keeps
what came alone; with a FILE that is there already, the answers are also compared with those of
before, so that a second run after a restart of the service says whether anything changed.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from clients.load.__main__ import DEFAULT_URL
from clients.load.connection import Answer, Connection, Disconnected
from clients.load.event_loop import run_async
from clients.load.target import Target, parse_target
from clients.load.text_requests import (
    GENERATE,
    SCORE,
    TIMEOUT_S,
    Body,
    Texts,
    make_company,
    make_request,
    request_bytes,
    texts_of,
)

NOISE_SHARE = 0.25  # of requests that are there only to be company
BUSY_PAUSE_S = 0.2
CUT_AFTER_S = 0.05

Show = Callable[["Comparison"], None]


class Plan(NamedTuple):
    """How much of what is asked."""

    generations: int
    length: int
    connections: int
    distinct: int
    random_seed: int
    query: str = ""  # "?model=…"


@dataclass
class Comparison:
    """What was compared by now."""

    expected: dict[int, Texts] = field(default_factory=dict)
    compared: int = 0
    different: list[Body] = field(default_factory=list)
    company: int = 0  # answers that only kept the service busy
    elapsed_s: float = 0.0


def make_requests(plan: Plan) -> list[Body]:
    """Different requests, the same each time: seeds, diversities, numbers and restrictions of all kinds."""
    rng = random.Random(plan.random_seed)
    return [make_request(rng, plan.length) for _ in range(plan.distinct)]


async def compare(
    target: Target, plan: Plan, before: dict[int, Texts], show: Show = lambda _: None
) -> Comparison:
    """Ask alone, then under load.

    before: what an earlier run got alone, by the request's number; differences from it count too.
    """
    requests, done, path = make_requests(plan), Comparison(), GENERATE + plan.query
    started = time.perf_counter()
    connection = Connection(target.host, target.port)
    for number, body in enumerate(requests):
        done.expected[number] = texts_of(await _ask(connection, target, path, body))
        _count(done, body, done.expected[number], before.get(number))
    connection.close()

    async def keep_asking(worker: int) -> None:
        rng = random.Random(plan.random_seed * 1000 + worker)
        connection = Connection(target.host, target.port)
        while done.compared < plan.generations:
            if rng.random() < NOISE_SHARE:
                await _keep_busy(connection, target, plan.query, rng)
                done.company += 1
            else:
                number = rng.randrange(len(requests))
                body = {**requests[number], "stream": rng.random() < 0.5}
                found = texts_of(await _ask(connection, target, path, body))
                _count(done, body, found, done.expected[number])
            done.elapsed_s = time.perf_counter() - started
            show(done)
        connection.close()

    async with asyncio.TaskGroup() as group:
        for worker in range(plan.connections):
            group.create_task(keep_asking(worker))
    return done


def _count(done: Comparison, body: Body, found: Texts, expected: Texts | None) -> None:
    if expected is None:
        return
    done.compared += len(expected)
    same = sum(a == b for a, b in zip(found, expected, strict=False))
    if same < len(expected) or len(found) != len(expected):
        done.different.append(body)


async def _keep_busy(
    connection: Connection, target: Target, query: str, rng: random.Random
) -> None:
    """A score, a text of any length, or a stream that is left before its end."""
    path, body = make_company(rng)
    if path == SCORE or rng.random() < 0.5:
        await _ask(connection, target, path + query, body)
        return
    long = {**body, "length": 2000, "stream": True}
    try:
        await connection.ask(request_bytes(target, path + query, long), CUT_AFTER_S)
    except TimeoutError:
        return


async def _ask(connection: Connection, target: Target, path: str, body: Body) -> Answer:
    """One right answer; a service that is too busy is asked again."""
    while True:
        answer = await connection.ask(request_bytes(target, path, body), TIMEOUT_S)
        if answer.status == 200:
            return answer
        if answer.status != 429:
            raise Disconnected(f"status {answer.status}: {answer.body[:300]!r}")
        await asyncio.sleep(BUSY_PAUSE_S)


def main(arguments: list[str]) -> int:
    """Compare and say what differs; status 1 if anything does, or if the service fails."""
    options = _parser().parse_args(arguments)
    plan = Plan(
        options.generations,
        options.length,
        options.connections,
        options.distinct,
        options.random_seed,
        f"?model={options.model}" if options.model else "",
    )
    path: Path | None = options.answers
    try:
        target = parse_target(options.url, options.allow_remote)
        before = _read(path, plan) if path and path.exists() else {}
        done = run_async(compare(target, plan, before, _progress(plan)))
    except (ValueError, OSError, Disconnected, ExceptionGroup) as error:
        print(f"error: {_innermost(error)}", file=sys.stderr)
        return 1
    if path and not path.exists():
        path.write_text(json.dumps({"plan": plan[1:2] + plan[3:], "answers": done.expected}))
    print("\n".join(_report(plan, done, compared_with_before=bool(before))))
    return 1 if done.different else 0


def _read(path: Path, plan: Plan) -> dict[int, Texts]:
    kept = json.loads(path.read_text())
    if kept["plan"] != [*plan[1:2], *plan[3:]]:
        raise ValueError(
            f"{path} was made with other numbers: give another file or the same options"
        )
    return {int(k): [(text, token) for text, token in v] for k, v in kept["answers"].items()}


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _progress(plan: Plan) -> Show:
    """A line at most every second."""
    last = time.perf_counter()

    def show(done: Comparison) -> None:
        nonlocal last
        if time.perf_counter() - last < 1:
            return
        last = time.perf_counter()
        end = "\r" if sys.stderr.isatty() else "\n"
        rate = done.compared * plan.length / done.elapsed_s
        line = (
            f"{done.compared:,} of {plan.generations:,} generations, {len(done.different)} differ"
        )
        print(f"{line}, {rate:,.0f} characters/s", end=end, file=sys.stderr, flush=True)

    return show


def _report(plan: Plan, done: Comparison, *, compared_with_before: bool) -> list[str]:
    alone = sum(map(len, done.expected.values()))
    with_before = ", and with those of an earlier run," if compared_with_before else ""
    return [
        f"{done.compared:,} generations of {plan.length} characters on {plan.connections} connections, "
        f"beside {done.company:,} other requests, in {done.elapsed_s:.0f} s:",
        f"compared with {alone} generations that were asked for alone{with_before} "
        f"{len(done.different)} requests differ",
        *(f"  {json.dumps(body)}" for body in done.different[:5]),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m clients.benchmark.determinism", description=__doc__
    )
    url = os.environ.get("VITRINE_URL", DEFAULT_URL)
    parser.add_argument("--url", default=url, help=f"base URL (VITRINE_URL, else {DEFAULT_URL})")
    parser.add_argument("--model", default="", help="another text model than the route's own")
    parser.add_argument("--generations", type=int, default=10_000, help="to compare (10000)")
    parser.add_argument("--length", type=int, default=400, help="characters of each (400)")
    parser.add_argument("--connections", type=int, default=32, help="at a time (32)")
    parser.add_argument("--distinct", type=int, default=100, help="different requests (100)")
    parser.add_argument("--random-seed", type=int, default=1, help="of the requests (1)")
    parser.add_argument("--answers", type=Path, help="file that keeps what came alone")
    parser.add_argument("--allow-remote", action="store_true", help="load another machine; yours")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
