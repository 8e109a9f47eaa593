"""The same tasks on several servers in turn: this service with one and with two workers, and others.

Each task has a row for every server that supports it: digits by the course's network,
photos, clothing, texts of 400 characters, 16 samples of VAE and GAN as one PNG.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from clients.benchmark import report
from clients.benchmark.contestants import DIGITS, OURS, REFERENCE, contestants
from clients.benchmark.report import Column, Goal
from clients.benchmark.rounds import CELL, ERRORS, LATENCIES, RATE, Row, Say, take_turns

LEAST_OF_PEERS = 1.2  # requests/s of the better of our layouts / of the best peer
MOST_OF_REFERENCE = 0.6  # p50 at one connection

Cell = dict[str, list[Row]]  # by server


def measure(
    models: Path, rounds: int, seconds: int, say: Say, pythons: Sequence[str] = ()
) -> list[Row]:
    """Measure all of them round by round."""
    return list(take_turns(contestants(models, pythons), rounds, seconds, say))


def table(rows: Sequence[Row]) -> list[str]:
    """Two Markdown tables: every cell, ratios first; the cost of each server."""
    found = {
        (one[0].job, one[0].connections): cell for cell in _cells(rows) for one in cell.values()
    }

    def of_reference(one: Sequence[Row]) -> list[float]:
        return _ratios(one, found[one[0].job, one[0].connections][REFERENCE])

    def of_best_peer(one: Sequence[Row]) -> list[float]:
        best = _best_peer(found[one[0].job, one[0].connections])
        return _ratios(one, best) if best else []

    columns = [
        *CELL,
        Column(f"× {REFERENCE}", of_reference),
        Column("× best peer", of_best_peer),
        RATE,
        Column("processor ms an answer", lambda one: [row.processor_ms for row in one]),
        *LATENCIES,
        ERRORS,
    ]
    costs = [
        Column("server", lambda one: one[0].server),
        Column("start to first answer, s", lambda one: f"{one[0].ready_s:.1f}"),
        Column("memory (PSS), MiB", lambda one: f"{max(row.pss_mib for row in one):,.0f}"),
    ]
    lines = report.table(report.cells(rows, "job", "connections", "server"), columns)
    return [*lines, "", *report.table(report.cells(rows, "server"), costs)]


def goals(rows: Sequence[Row]) -> list[Goal]:
    """The verdict: ahead of the best peer in every cell, quicker than a plain endpoint at one connection."""
    verdict = []
    for cell in _cells(rows):
        mine = [one for name, one in cell.items() if name.startswith(OURS)]
        ours = max(mine, key=lambda one: median(_rates(one)))
        job, connections = ours[0].job, ours[0].connections
        best = _best_peer(cell)
        if best and (by_round := _ratios(ours, best)):
            text = f"{job}, {connections} connections, × {best[0].server}:"
            verdict.append(report.at_least(text, by_round, LEAST_OF_PEERS))
        if connections == 1 and job in DIGITS:
            pairs = zip(ours, cell[REFERENCE], strict=True)
            p50 = [a.measured.p50_ms / b.measured.p50_ms for a, b in pairs]
            text = f"{job}: p50 at 1 connection, × {REFERENCE}:"
            verdict.append(report.at_most(text, p50, MOST_OF_REFERENCE))
    return verdict


def _cells(rows: Sequence[Row]) -> list[Cell]:
    found = report.cells(rows, "job", "connections")
    return [{one[0].server: one for one in report.cells(cell, "server")} for cell in found]


def _rates(rows: Sequence[Row]) -> list[float]:
    return [row.measured.requests_per_s for row in rows]


def _ratios(rows: Sequence[Row], others: Sequence[Row]) -> list[float]:
    """By round; without those in which the other answered nothing within its seconds."""
    return [a / b for a, b in zip(_rates(rows), _rates(others), strict=True) if b]


def _best_peer(cell: Cell) -> list[Row] | None:
    peers = [rows for rows in cell.values() if rows[0].is_peer]
    return max(peers, key=lambda rows: median(_rates(rows))) if peers else None


def write_chart(rows: Sequence[Row], path: Path) -> None:
    """A PNG with one panel per task: answers per second over connections, one line per server."""
    from clients.load import chart  # Matplotlib, for this alone

    jobs = list(dict.fromkeys(row.job for row in rows))
    names = list(dict.fromkeys(row.server for row in rows))
    counts = sorted({row.connections for row in rows})
    across = min(len(jobs), 4)
    down = -(-len(jobs) // across)
    figure = chart.new_figure(3.1 * across, 2.5 * down + 0.5)
    panels = figure.subplots(down, across, squeeze=False).flat
    for job, panel in zip(jobs, panels, strict=False):
        for number, name in enumerate(names):
            some = [row for row in rows if (row.job, row.server) == (job, name)]
            rates = [median(_rates(one)) for one in report.cells(some, "connections")]
            style = "o-" if name.startswith(OURS) else "x--"
            panel.plot(counts[: len(rates)], rates, style, color=f"C{number}", label=name)
        panel.set(xscale="log", yscale="log", title=job)
        panel.set_xlabel("connections", fontsize="small")
        panel.set_xticks(counts, map(str, counts))
        panel.minorticks_off()
    for panel in panels:
        panel.set_axis_off()
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize="small")
    figure.supylabel("answers per second", fontsize="small")
    path.write_bytes(chart.as_png(figure))
