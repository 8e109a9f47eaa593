"""The printed report: a progress line, a table of steps, the knee, the comparison."""

import sys
from collections.abc import Mapping, Sequence

from clients.load.ladder import knee, max_goodput
from clients.load.measurement import percentile
from clients.load.open_loop import StepTally
from clients.load.step_summary import SHARES, Percentiles, Step

ERASE = "\r\x1b[K"  # the terminal's line
COLUMNS = ("due/s", "right/s", *(f"{name} ms" for name in SHARES), "not right", "batch")


class Printer:
    """Prints reports, and a progress line on terminals."""

    def step(self, name: str, rate: float, tally: StepTally) -> None:
        """A step is under way."""
        line = progress_line(name, rate, tally)
        if sys.stderr.isatty():
            print(f"{ERASE}{line}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def sentence(self, text: str) -> None:
        """Something to know, such as that a scenario is left out."""
        print(text, flush=True)

    def scenario(self, name: str, by_url: Mapping[str, Sequence[Step]]) -> None:
        """A scenario was measured at every target."""
        if sys.stderr.isatty():
            print(ERASE, end="", file=sys.stderr, flush=True)
        for url, steps in by_url.items():
            print("\n".join(report_lines(name, url, steps)), flush=True)
        if len(by_url) > 1:
            print("\n".join(comparison_lines(name, by_url)), flush=True)


def progress_line(name: str, rate: float, tally: StepTally) -> str:
    """One line about a step under way."""
    latencies = tally.latencies_s
    p50 = f"p50 {percentile(latencies, 0.5) * 1000:.1f} ms" if latencies else "no right answer yet"
    under_way = tally.asked - tally.statuses.total() - _without_answer(tally)
    return (
        f"{name}: {rate:,g}/s due  {tally.elapsed_s:4.1f} s  {len(latencies):,} right  {p50}"
        f"  {under_way:,} under way  {tally.refusals.total():,} refused"
        f"  {tally.errors.total():,} errors"
    )


def report_lines(scenario: str, url: str, steps: Sequence[Step]) -> list[str]:
    """The whole report of one scenario at one target."""
    stages = list(dict.fromkeys(name for step in steps for name in step.timings_ms))
    head = [*COLUMNS, *stages]
    rows = [head, *(_cells(step, stages) for step in steps)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    table = [
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return [
        f"{scenario} at {url}",
        *table,
        *_failures(steps),
        *_extra(scenario, steps),
        *_end(steps),
    ]


def comparison_lines(scenario: str, by_url: Mapping[str, Sequence[Step]]) -> list[str]:
    """Compare every target with the first, at rates that both sustained and at their maximum."""
    (first, reference), *others = by_url.items()
    lines = []
    for url, steps in others:
        shared = [
            theirs.latency_ms["p50"] / ours.latency_ms["p50"]
            for ours in reference
            for theirs in steps
            if ours.rate == theirs.rate and ours.keeps_up and theirs.keeps_up
        ]
        latency = (
            f"median latency {percentile(shared, 0.5):.2f} × (over {len(shared)} rates)"
            if shared
            else "no rate that both kept up with"
        )
        most, reference_most = max_goodput(steps), max_goodput(reference)
        ratio = f"{most / reference_most:.2f} ×" if reference_most else "compared with none:"
        lines.append(
            f"{scenario}: {url} compared with {first}: {latency}, most right answers/s {ratio} ({most:,.1f})"
        )
    return lines


def _cells(step: Step, stages: Sequence[str]) -> list[str]:
    size = step.mean_batch_size
    failed = sum(step.refusals.values()) + sum(step.errors.values())
    return [
        f"{step.rate:,g}",
        f"{step.right_per_s:,.1f}",
        *(_cell(step.latency_ms, share) for share in SHARES),
        f"{failed:,}",
        "-" if size is None else f"{size:.1f}",
        *(_cell(step.timings_ms.get(stage, {}), "p50") for stage in stages),
    ]


def _cell(percentiles: Percentiles, share: str) -> str:
    return f"{percentiles[share]:,.1f}" if percentiles else "-"


def _failures(steps: Sequence[Step]) -> list[str]:
    lines = []
    for step in steps:
        kinds = sorted((step.refusals | step.errors).items())
        if kinds:
            counts = ", ".join(f"{count:,} × {kind}" for kind, count in kinds)
            lines.append(f"  not right at {step.rate:,g}/s: {counts}")
    return lines


def _extra(scenario: str, steps: Sequence[Step]) -> list[str]:
    """What only streams and mixes have to tell."""
    lines = []
    for step in steps:
        if not step.keeps_up:
            continue
        if scenario == "stream" and step.first_ms:
            p50, p99 = _cell(step.first_ms, "p50"), _cell(step.first_ms, "p99")
            lines.append(f"  first characters at {step.rate:,g}/s: p50 {p50} ms, p99 {p99} ms")
        if len(step.by_scenario_ms) > 1:
            each = (
                f"{name} {_cell(some, 'p50')} / {_cell(some, 'p99')}"
                for name, some in sorted(step.by_scenario_ms.items())
            )
            lines.append(f"  p50 / p99 ms at {step.rate:,g}/s: {', '.join(each)}")
    return lines


def _end(steps: Sequence[Step]) -> list[str]:
    lines = [
        f"  at {step.rate:,g}/s {step.waited:,} of {step.asked:,} requests waited for a free"
        " connection (counted as latency)"
        for step in steps
        if step.waited
    ]
    if limited := [step for step in steps if step.own_limit]:
        rates = ", ".join(f"{step.rate:,g}/s" for step in limited)
        worst = max(limited, key=lambda step: step.lag_ms["p99"])
        lines.append(
            f"  The load generator itself was a bottleneck at {rates}: at worst {worst.own_limit}."
        )
    bend = knee(steps)
    most = f"most right answers/s: {max_goodput(steps):,.1f}"
    if bend is None and not any(step.keeps_up for step in steps):
        return [*lines, f"  no rate was kept up with; {most}"]
    if bend is None:
        return [*lines, f"  no knee up to the highest rate tried, {steps[-1].rate:,g}/s; {most}"]
    p50, p99 = _cell(bend.latency_ms, "p50"), _cell(bend.latency_ms, "p99")
    return [*lines, f"  knee at {bend.rate:,g}/s: p50 {p50} ms, p99 {p99} ms; {most}"]


def _without_answer(tally: StepTally) -> int:
    return tally.errors.total() - tally.errors["wrong answer"]
