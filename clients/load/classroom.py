"""The scenario `class`: students who draw, take photos, explain, teach and project, each at their own pace.

Every student has a connection and asks every so often, whether or not the last answer was quick; what
is late waits for its turn on that connection, and the wait counts. A row is one activity of all students
at once; the last one is the class of the project's goal: all draw and take photos, four project beside.
"""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from clients.load.closed_loop import error_kind
from clients.load.connection import Connection, Disconnected
from clients.load.scenario import Scenario, digit_png, photo_jpeg, request_bytes, scenarios
from clients.load.target import Target

STUDENTS = (30, 60, 120)
PROJECT_STEPS = 100
BESIDE = 4  # projections beside drawings and photos
SEED = 7


@dataclass
class Activity:
    """One thing a student does, every so many seconds."""

    scenario: Scenario
    every_seconds: float


@dataclass
class Result:
    """What all students got: latencies of right answers, and the others by kind."""

    latencies_s: list[float] = field(default_factory=list)
    refused: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    def cell(self) -> str:
        """A cell of the table."""
        ordered = sorted(self.latencies_s)
        p95 = f"{1000 * ordered[int(0.95 * len(ordered))]:,.0f} ms" if ordered else "–"
        failed = "".join(f", {count} {kind}" for kind, count in self.failed.items())
        total = len(ordered) + self.refused + sum(self.failed.values())
        return f"{p95}, {self.refused} of {total} refused{failed}"


def activities() -> dict[str, Activity]:
    """By name; how often is what a student's hand does on the page."""
    every = scenarios()
    photo, digit = photo_jpeg(), digit_png()
    project = f"/v1/gan/project?steps={PROJECT_STEPS}"

    def asks(name: str, path: str, body: bytes, mark: bytes) -> Scenario:
        return Scenario(name, "POST", path, body, "image/jpeg", lambda answer: mark in answer)

    return {
        "drawing": Activity(every["drawing"], 0.5),
        "photos": Activity(every["photo"], 5.0),
        "explaining": Activity(asks("explain", "/v1/images/explain", photo, b"heatmap"), 10.0),
        "teaching": Activity(asks("features", "/v1/images/features", photo, b"features"), 2.0),
        "projecting": Activity(asks("project", project, digit, b"latents"), 30.0),
    }


async def measure(target: Target, seconds: float) -> list[str]:
    """The table's lines."""
    every = activities()
    lines = [f"| {'activity, p95 and refused'} | {' | '.join(f'{n} students' for n in STUDENTS)} |"]
    lines.append("|---" * (len(STUDENTS) + 1) + "|")
    for name, activity in every.items():
        cells = [(await _take_turns(target, [(activity, n)], seconds))[0].cell() for n in STUDENTS]
        lines.append(f"| {name}, every {activity.every_seconds:g} s | {' | '.join(cells)} |")
    beside = [
        await _take_turns(
            target,
            [(every["drawing"], n), (every["photos"], n), (every["projecting"], BESIDE)],
            seconds,
        )
        for n in STUDENTS
    ]
    for index, name in enumerate(("drawing", "photos", f"{BESIDE} projecting")):
        row = " | ".join(results[index].cell() for results in beside)
        lines.append(f"| all at once: {name} | {row} |")
    return lines


async def _take_turns(
    target: Target, groups: list[tuple[Activity, int]], seconds: float
) -> list[Result]:
    """Let every group of students do its activity at the same time."""
    results = [Result() for _ in groups]
    draw, end = random.Random(SEED), time.perf_counter() + seconds
    async with asyncio.TaskGroup() as students:
        for (activity, number), result in zip(groups, results, strict=True):
            for _ in range(number):
                first = draw.random() * min(activity.every_seconds, seconds / 2)
                students.create_task(_student(target, activity, first, end, result))
    return results


async def _student(
    target: Target, activity: Activity, first: float, end: float, result: Result
) -> None:
    connection = Connection(target.host, target.port)
    request = request_bytes(activity.scenario, target)
    due = time.perf_counter() + first
    while due < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        try:
            answer = await connection.ask(request, 60.0)
        except (OSError, Disconnected) as error:
            result.failed[error_kind(error)] += 1
        else:
            _count(result, activity, answer.status, answer.body, time.perf_counter() - due)
        due += activity.every_seconds
    connection.close()


def _count(result: Result, activity: Activity, status: int, body: bytes, latency: float) -> None:
    if status == 429:
        result.refused += 1
    elif status == 200 and activity.scenario.is_right(body):
        result.latencies_s.append(latency)
    else:
        result.failed[f"answered {status}" if status != 200 else "wrong answer"] += 1
