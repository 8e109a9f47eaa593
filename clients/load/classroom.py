"""The scenario `class`: students who draw, take photos, explain, teach and project, each at their own pace.

Every student has one connection and sends requests at fixed intervals, whether or not the last answer was fast. A late
request waits for its turn on that connection, and the wait counts. A row is one activity of all students
at once. The last row is the project's goal: all draw and take photos, and four of them also project.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from clients.load import markdown
from clients.load.closed_loop import Tally, error_kind
from clients.load.connection import Connection
from clients.load.images import digit_png, photo_jpeg
from clients.load.measurement import percentile
from clients.load.scenario import Scenario, request_bytes, scenarios
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


class Result(Tally):
    """What all students got."""

    def cell(self) -> str:
        """A cell of the table."""
        failed = "".join(f", {count} {kind}" for kind, count in self._failed().items())
        first = f"{1000 * self.p95_s():,.0f} ms" if self.latencies_s else "–"
        total = len(self.latencies_s) + self._lost()
        return f"{first}, {self.statuses[429]} of {total} refused{failed}"

    def p95_s(self) -> float:
        """The 95th percentile of the right answers' latency, seconds; 0 without any."""
        return percentile(self.latencies_s, 0.95) if self.latencies_s else 0.0

    def note(self) -> str:
        """The errors, shown at a bar of the chart; empty if there were none."""
        return f"{self._lost()} not answered" if self._lost() else ""

    def _failed(self) -> dict[str, int]:
        others = self.statuses.items()
        answered = {f"answered {status}": n for status, n in others if status not in (200, 429)}
        return answered | self.errors

    def _lost(self) -> int:
        return self.statuses[429] + sum(self._failed().values())


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
    head = ["activity, p95 and refused", *(f"{n} students" for n in STUDENTS)]
    return markdown.table(head, [[row.name, *(one.cell() for one in row.results)] for row in rows])


def draw(rows: Sequence[Row]) -> bytes:
    """Draw the 95th percentiles as bars on a logarithmic scale, as a PNG, with refusals as labels."""
    from clients.load import chart  # Matplotlib, for this alone

    figure = chart.new_figure(7.0, 0.5 * len(rows) + 1)
    panel = figure.subplots()
    height = 0.8 / len(STUDENTS)
    for number, students in enumerate(STUDENTS):
        results = [row.results[number] for row in rows]
        widths = [1000 * result.p95_s() for result in results]
        places = [index + (number - 1) * height for index in range(len(rows))]
        bars = panel.barh(places, widths, height, label=f"{students} students")
        panel.bar_label(bars, [result.note() for result in results], fontsize="x-small", padding=2)
    panel.set_yticks(range(len(rows)), [row.name for row in rows], fontsize="small")
    panel.invert_yaxis()
    panel.set_xscale("log")
    panel.margins(x=0.15)
    panel.set_xlabel("95th percentile of the answer's latency, ms")
    panel.legend(fontsize="small")
    return chart.as_png(figure)


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
            result.errors[error_kind(error)] += 1
        else:
            result.count(answer, due, activity.scenario)
        due += activity.every_seconds
    connection.close()
