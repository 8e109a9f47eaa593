"""The scenario `class`: students who draw, take photos, explain, teach and project, each at their own pace.

Every student has one connection and sends requests at fixed intervals, whether or not the last answer was fast. A late
request waits for its turn on that connection, and the wait counts. A row is one activity of all students
at once. The last row is the project's goal: all draw and take photos, and four of them also project.
"""

import asyncio
import io
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from clients.load.closed_loop import error_kind
from clients.load.connection import Connection
from clients.load.measurement import percentile
from clients.load.scenario import Scenario, digit_png, photo_jpeg, request_bytes, scenarios
from clients.load.target import Target

STUDENTS = (30, 60, 120)
PROJECT_STEPS = 100
BESIDE = 4  # projections in addition to drawings and photos
SEED = 7


@dataclass
class Activity:
    """One thing a student does, and the seconds from one time to the next."""

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
        p95 = self.p95_s()
        failed = "".join(f", {count} {kind}" for kind, count in self.failed.items())
        total = len(self.latencies_s) + self.refused + sum(self.failed.values())
        first = "–" if p95 is None else f"{1000 * p95:,.0f} ms"
        return f"{first}, {self.refused} of {total} refused{failed}"

    def p95_s(self) -> float | None:
        """The 95th percentile of the right answers' latency, seconds; None without any."""
        return percentile(self.latencies_s, 0.95) if self.latencies_s else None

    def note(self) -> str:
        """The errors, shown at a bar of the chart; empty if there were none."""
        lost = self.refused + sum(self.failed.values())
        return f"{lost} not answered" if lost else ""


def activities() -> dict[str, Activity]:
    """By name; how often is what a student's hand does on the page."""
    every = scenarios()
    photo, digit = photo_jpeg(), digit_png()
    project = f"/v1/gan/project?steps={PROJECT_STEPS}"

    def scenario(name: str, path: str, body: bytes, mark: bytes) -> Scenario:
        return Scenario(name, "POST", path, body, "image/jpeg", lambda answer: mark in answer)

    return {
        "drawing": Activity(every["drawing"], 0.5),
        "photos": Activity(every["photo"], 5.0),
        "explaining": Activity(scenario("explain", "/v1/images/explain", photo, b"heatmap"), 10.0),
        "teaching": Activity(scenario("features", "/v1/images/features", photo, b"features"), 2.0),
        "projecting": Activity(scenario("project", project, digit, b"latents"), 30.0),
    }


@dataclass(frozen=True)
class Row:
    """One activity: its result for each number of students, in the order of STUDENTS."""

    name: str
    results: list[Result]


async def measure(target: Target, seconds: float) -> list[Row]:
    """Measure each activity by all students at once, then drawing, photos and projections together."""
    every = activities()
    rows = []
    for name, activity in every.items():
        alone = [(await _take_turns(target, [(activity, n)], seconds))[0] for n in STUDENTS]
        rows.append(Row(f"{name}, every {activity.every_seconds:g} s", alone))
    beside = [
        await _take_turns(
            target,
            [(every["drawing"], n), (every["photos"], n), (every["projecting"], BESIDE)],
            seconds,
        )
        for n in STUDENTS
    ]
    for index, name in enumerate(("drawing", "photos", f"{BESIDE} projecting")):
        rows.append(Row(f"all at once: {name}", [results[index] for results in beside]))
    return rows


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as lines of Markdown."""
    head = f"| activity, p95 and refused | {' | '.join(f'{n} students' for n in STUDENTS)} |"
    lines = [head, "|---" * (len(STUDENTS) + 1) + "|"]
    for row in rows:
        cells = " | ".join(result.cell() for result in row.results)
        lines.append(f"| {row.name} | {cells} |")
    return lines


def draw(rows: Sequence[Row]) -> bytes:
    """Draw the 95th percentiles as bars on a logarithmic scale, as a PNG, with refusals as labels."""
    from matplotlib.figure import Figure  # for this alone

    figure = Figure((7.0, 0.5 * len(rows) + 1), dpi=100, layout="constrained")
    panel = figure.subplots()
    height = 0.8 / len(STUDENTS)
    for number, students in enumerate(STUDENTS):
        results = [row.results[number] for row in rows]
        widths = [1000 * (result.p95_s() or 0) for result in results]
        places = [index + (number - 1) * height for index in range(len(rows))]
        bars = panel.barh(places, widths, height, label=f"{students} students")
        panel.bar_label(bars, [result.note() for result in results], fontsize="x-small", padding=2)
    panel.set_yticks(range(len(rows)), [row.name for row in rows], fontsize="small")
    panel.invert_yaxis()
    panel.set_xscale("log")
    panel.margins(x=0.15)
    panel.set_xlabel("95th percentile of the answer's latency, ms")
    panel.legend(fontsize="small")
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


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
        except OSError as error:
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
