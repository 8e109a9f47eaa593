"""The same job on several servers in turn: this service with one and with n workers, and others.

The job: a posted PNG (28×28, 280×280) → the course's network (`digits-course`) → its ten probabilities. `signature`
is FastAPI with one TensorFlow call a request, `decode-only` FastAPI without a network; mosec and LitServe
join where the Python that `--peers` names has them. Servers stay up for the whole run and take turns
within each cell, so that all see the same noise; ratios are of neighbours, by round.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from clients.benchmark import servers, wrk
from clients.benchmark.comparison import Goal, spread
from clients.benchmark.digits import (
    CONNECTIONS,
    IMAGES,
    WARM_UP_S,
    check_answer,
    drive_connections,
)
from clients.benchmark.raw_model import newest_version
from clients.load.connection import Disconnected
from clients.load.measurement import Measurement
from clients.load.scenario import Scenario, scenarios
from clients.load.target import Target

MODEL = "digits-course"
REFERENCE = "signature"
OURS = "vitrine"
SERVICE_PATH = f"/v1/digits/classify?model={MODEL}"
PACKAGES = {"mosec": ("tensorflow", "onnx"), "litserve": ("onnx",)}  # with which engines
START_S = 120.0
FORM_TYPE = "multipart/form-data; boundary=vitrine-benchmark"
FORM_HEAD = (
    "--vitrine-benchmark\r\nContent-Type: {type}\r\n"
    'Content-Disposition: form-data; name="image"; filename="image.png"\r\n\r\n'
)
FORM_END = b"\r\n--vitrine-benchmark--\r\n"
HEAD = (
    f"| image | conns | server | × {REFERENCE} | × best peer | req/s: median (min-max) | p50 ms | p99 ms"
    " | not 2xx / socket errors |"
)
COST_HEAD = "| server | start to first answer, s | memory (PSS), MiB |"


class Contestant(NamedTuple):
    """A server: how it starts on a port, what it is asked, and with what in its environment."""

    name: str
    command: Callable[[int], list[str]]
    path: str
    environ: dict[str, str]
    takes_form: bool = False  # an image is a file of a form, not the body

    def asked(self, scenario: Scenario) -> Scenario:
        """The scenario as this server takes it."""
        if not self.takes_form:
            return scenario._replace(path=self.path)
        body = FORM_HEAD.format(type=scenario.content_type).encode() + scenario.body + FORM_END
        return scenario._replace(path=self.path, body=body, content_type=FORM_TYPE)

    @property
    def is_peer(self) -> bool:
        """Whether somebody else's server does the whole job."""
        return not self.name.startswith(OURS) and self.name not in (REFERENCE, "decode-only")


class PeerRow(NamedTuple):
    """One server in one cell of one round, with what its start took and its memory."""

    round: int
    server: str
    is_peer: bool
    image: str
    connections: int
    measured: Measurement
    ready_s: float
    pss_mib: float


def contestants(models: Path, python: str | None, workers: int) -> list[Contestant]:
    """Those that can start here; python: an interpreter that has other servers."""
    version = {"BENCHMARK_MODEL": str(newest_version(models, MODEL).resolve())}
    found = [_service(1), *([_service(workers)] if workers > 1 else [])]
    found.append(
        _module("signature", "signature", "/predict", {**version, "BENCHMARK_ENGINE": "tensorflow"})
    )
    decode_only = [sys.executable, "-m", "clients.benchmark.decode_only_server"]
    found.append(
        Contestant("decode-only", lambda port: [*decode_only, str(port)], "/v1/digits/classify", {})
    )
    for package, engines in PACKAGES.items():
        for engine in engines:
            needed = "onnxruntime" if engine == "onnx" else engine
            if python and _has(python, package, needed):
                found.append(_peer(python, package, engine, version))
    return found


def _service(workers: int) -> Contestant:
    command = [sys.executable, "-m", "service"]
    environ = {"VITRINE_WORKERS": str(workers), "VITRINE_LOG_LEVEL": "warning"}
    name = f"{OURS}, {workers} worker{'s' if workers > 1 else ''}"
    return Contestant(name, lambda _: command, SERVICE_PATH, environ)


def _module(name: str, module: str, path: str, environ: dict[str, str]) -> Contestant:
    command = [sys.executable, "-m", f"clients.benchmark.peer_servers.{module}"]
    return Contestant(name, lambda port: [*command, str(port)], path, environ)


def _peer(python: str, package: str, engine: str, version: dict[str, str]) -> Contestant:
    command = [python, "-m", f"clients.benchmark.peer_servers.{package}_server"]
    option = ["--port"] if package == "mosec" else []
    path = "/inference" if package == "mosec" else "/predict"
    environ = version | {"BENCHMARK_ENGINE": engine}
    return Contestant(
        f"{package} ({engine})",
        lambda port: [*command, *option, str(port)],
        path,
        environ,
        takes_form=package == "litserve",
    )


def _has(python: str, *modules: str) -> bool:
    find = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
    return subprocess.run([python, "-c", find, *modules], check=False).returncode == 0


def measure(
    models: Path,
    rounds: int,
    seconds: int,
    say: Callable[[str], None],
    python: str | None = None,
    workers: int = 2,
) -> list[PeerRow]:
    """Start all of them one after the other, and measure round by round."""
    driver = wrk.drive if wrk.is_installed() else drive_connections
    every, rows = scenarios(), []
    with contextlib.ExitStack() as stack:
        running = [(one, *_start(stack, one)) for one in contestants(models, python, workers)]
        for one, target, ready_s, _ in running:
            say(f"{one.name}: first answer after {ready_s:.1f} s")
            for name in IMAGES.values():
                driver(one.asked(every[name]), target, 32, WARM_UP_S)
        for number in range(rounds):
            for connections in CONNECTIONS:
                for image, name in IMAGES.items():
                    for one, target, ready_s, pid in running:
                        asked = one.asked(every[name])
                        measured = driver(asked, target, connections, seconds)
                        say(
                            f"round {number + 1}  {image:>7}  {connections:>3} connections  {one.name:<20}"
                            f"  {measured.requests_per_s:7,.0f} requests/s  p50 {measured.p50_ms:.2f} ms"
                        )
                        row = PeerRow(
                            number,
                            one.name,
                            one.is_peer,
                            image,
                            connections,
                            measured,
                            ready_s,
                            0,
                        )
                        rows.append(row._replace(pss_mib=servers.pss_mib(pid)))
    return rows


def _start(stack: contextlib.ExitStack, one: Contestant) -> tuple[Target, float, int]:
    """Start a server; return where it answers, the seconds to its first right answer, and its process."""
    target = servers.free_target()
    environ = {k: v for k, v in os.environ.items() if k not in servers.NOT_PASSED_ON}
    environ |= {"VITRINE_PORT": str(target.port), "PYTHONPATH": str(Path.cwd()), **one.environ}
    started = time.monotonic()
    errors = stack.enter_context(servers.standard_error())
    process = stack.enter_context(
        servers.running(one.command(target.port), environ, subprocess.DEVNULL, errors)
    )
    asked = one.asked(scenarios()["digit"])
    while True:
        if process.poll() is not None:
            raise OSError(f"{one.name} ended at its start: {servers.last_words(errors)}")
        try:
            check_answer(asked, target)
        except (OSError, ValueError, Disconnected) as error:
            if time.monotonic() - started > START_S:
                raise OSError(f"{one.name} does not answer: {error}") from error
            time.sleep(0.05)
        else:
            return target, time.monotonic() - started, process.pid


def _cell(rows: Sequence[PeerRow], image: str, connections: int) -> dict[str, list[PeerRow]]:
    found: dict[str, list[PeerRow]] = {}
    for row in rows:
        if (row.image, row.connections) == (image, connections):
            found.setdefault(row.server, []).append(row)
    return found


def _rates(rows: Sequence[PeerRow]) -> list[float]:
    return [row.measured.requests_per_s for row in rows]


def _ratios(rows: Sequence[PeerRow], others: Sequence[PeerRow]) -> list[float]:
    return [a / b for a, b in zip(_rates(rows), _rates(others), strict=True)]


def _best_peer(cell: dict[str, list[PeerRow]]) -> list[PeerRow] | None:
    peers = [rows for rows in cell.values() if rows[0].is_peer]
    return max(peers, key=lambda rows: median(_rates(rows))) if peers else None


def table(rows: Sequence[PeerRow]) -> list[str]:
    """Two Markdown tables: every cell, ratios first; what each server costs."""
    lines = [HEAD, "|---" * 9 + "|"]
    for image, connections in dict.fromkeys((row.image, row.connections) for row in rows):
        cell = _cell(rows, image, connections)
        best = _best_peer(cell)
        for name, one in cell.items():
            columns = (
                image,
                connections,
                name,
                spread(_ratios(one, cell[REFERENCE])),
                spread(_ratios(one, best)) if best else "–",
                spread(_rates(one), 0),
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
    for image, connections in dict.fromkeys((row.image, row.connections) for row in rows):
        cell = _cell(rows, image, connections)
        ours = max(
            (one for name, one in cell.items() if name.startswith(OURS)),
            key=lambda one: median(_rates(one)),
        )
        if best := _best_peer(cell):
            by_round = _ratios(ours, best)
            text = f"{image}, {connections} connections: {spread(by_round)} × {best[0].server}, goal ≥ 1.2"
            verdict.append(Goal(text, median(by_round) >= 1.2))
        if connections == 1:
            pairs = zip(ours, cell[REFERENCE], strict=True)
            p50 = [a.measured.p50_ms / b.measured.p50_ms for a, b in pairs]
            text = f"{image}: p50 at 1 connection {spread(p50)} × {REFERENCE}, goal ≤ 0.6"
            verdict.append(Goal(text, median(p50) <= 0.6))
    return verdict


def summary(rows: Sequence[PeerRow]) -> dict[str, Any]:
    """The same for machines."""
    rounds = [row._asdict() | {"measured": row.measured._asdict()} for row in rows]
    found = {"driver": "wrk" if wrk.is_installed() else "clients.load", "rounds": rounds}
    return {"peers": json.loads(json.dumps(found)), "goals": [g._asdict() for g in goals(rows)]}
