"""The comparison's tables, verdict and chart."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from clients.benchmark import wrk
from clients.benchmark.comparison import Goal, spread
from clients.benchmark.contestants import DIGITS, OURS, REFERENCE
from clients.load.measurement import Measurement

HEAD = (
    f"| job | conns | server | × {REFERENCE} | × best peer | req/s: median (min-max) | processor ms an answer | p50 ms | p99 ms"
    " | not 2xx / socket errors |"
)
COST_HEAD = "| server | start to first answer, s | memory (PSS), MiB |"


class PeerRow(NamedTuple):
    """One server in one cell of one round, with its start-up time and its memory."""

    round: int
    server: str
    is_peer: bool
    job: str
    connections: int
    measured: Measurement
    ready_s: float
    pss_mib: float
    processor_ms: float  # of all cores, for each answer


def _cell(rows: Sequence[PeerRow], job: str, connections: int) -> dict[str, list[PeerRow]]:
    found: dict[str, list[PeerRow]] = {}
    for row in rows:
        if (row.job, row.connections) == (job, connections):
            found.setdefault(row.server, []).append(row)
    return found


def _rates(rows: Sequence[PeerRow]) -> list[float]:
    return [row.measured.requests_per_s for row in rows]


def _ratios(rows: Sequence[PeerRow], others: Sequence[PeerRow]) -> list[float]:
    """By round; without those in which the other answered nothing within its seconds."""
    return [a / b for a, b in zip(_rates(rows), _rates(others), strict=True) if b]


def _best_peer(cell: dict[str, list[PeerRow]]) -> list[PeerRow] | None:
    peers = [rows for rows in cell.values() if rows[0].is_peer]
    return max(peers, key=lambda rows: median(_rates(rows))) if peers else None


def table(rows: Sequence[PeerRow]) -> list[str]:
    """Two Markdown tables: every cell, ratios first; the cost of each server."""
    lines = [HEAD, "|---" * 10 + "|"]
    for job, connections in dict.fromkeys((row.job, row.connections) for row in rows):
        cell = _cell(rows, job, connections)
        best = _best_peer(cell)
        for name, one in cell.items():
            columns = (
                job,
                connections,
                name,
                spread(_ratios(one, cell[REFERENCE])),
                spread(_ratios(one, best)) if best else "–",
                spread(_rates(one), 0),
                spread([row.processor_ms for row in one]),
                spread([row.measured.p50_ms for row in one]),
                spread([row.measured.p99_ms for row in one], 1),
                f"{sum(r.measured.not_2xx for r in one)} / {sum(r.measured.socket_errors for r in one)}",
            )
            lines.append("| " + " | ".join(map(str, columns)) + " |")
    lines += ["", COST_HEAD, "|---" * 3 + "|"]
    for name in dict.fromkeys(row.server for row in rows):
        one = [row for row in rows if row.server == name]
        lines.append(f"| {name} | {one[0].ready_s:.1f} | {max(row.pss_mib for row in one):,.0f} |")
    return lines


def goals(rows: Sequence[PeerRow]) -> list[Goal]:
    """The verdict: ahead of the best peer in every cell, quicker than a plain endpoint at one connection."""
    verdict = []
    for job, connections in dict.fromkeys((row.job, row.connections) for row in rows):
        cell = _cell(rows, job, connections)
        ours = max(
            (one for name, one in cell.items() if name.startswith(OURS)),
            key=lambda one: median(_rates(one)),
        )
        if best := _best_peer(cell):
            by_round = _ratios(ours, best)
            text = f"{job}, {connections} connections: {spread(by_round)} × {best[0].server}, goal ≥ 1.2"
            verdict.append(Goal(text, not by_round or median(by_round) >= 1.2))
        if connections == 1 and job in DIGITS:
            pairs = zip(ours, cell[REFERENCE], strict=True)
            p50 = [a.measured.p50_ms / b.measured.p50_ms for a, b in pairs]
            text = f"{job}: p50 at 1 connection {spread(p50)} × {REFERENCE}, goal ≤ 0.6"
            verdict.append(Goal(text, median(p50) <= 0.6))
    return verdict


def summary(rows: Sequence[PeerRow]) -> dict[str, Any]:
    """The same for machines."""
    rounds = [row._asdict() | {"measured": row.measured._asdict()} for row in rows]
    found = {"driver": "wrk" if wrk.is_installed() else "clients.load", "rounds": rounds}
    return {"peers": json.loads(json.dumps(found)), "goals": [g._asdict() for g in goals(rows)]}


def write_chart(rows: Sequence[PeerRow], path: Path) -> None:
    """A PNG with one panel per task: answers per second over connections, one line per server."""
    from matplotlib.figure import Figure  # for this alone

    jobs = list(dict.fromkeys(row.job for row in rows))
    names = list(dict.fromkeys(row.server for row in rows))
    across = min(len(jobs), 4)
    down = -(-len(jobs) // across)
    figure = Figure((3.1 * across, 2.5 * down + 0.5), dpi=100, layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).flat
    for job, panel in zip(jobs, panels, strict=False):
        for number, name in enumerate(names):
            cells = [_cell(rows, job, n).get(name, []) for n in _connections(rows)]
            points = [(one[0].connections, median(_rates(one))) for one in cells if one]
            points = [point for point in points if point[1]]
            style = "o-" if name.startswith(OURS) else "x--"
            panel.plot(
                *zip(*points, strict=True), style, color=f"C{number}", label=name
            ) if points else None
        panel.set(xscale="log", yscale="log", title=job)
        panel.set_xlabel("connections", fontsize="small")
        panel.set_xticks(_connections(rows), map(str, _connections(rows)))
        panel.minorticks_off()
    for panel in panels:
        panel.set_axis_off()
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize="small")
    figure.supylabel("answers per second", fontsize="small")
    figure.savefig(path, format="png")


def _connections(rows: Sequence[PeerRow]) -> list[int]:
    return sorted({row.connections for row in rows})
