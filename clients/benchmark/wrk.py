"""The driver of choice: wrk, which costs little of the two cores it shares with what it measures.

Writes the Lua script that posts a scenario's body, runs wrk, and reads what it prints. wrk checks no
answer beyond its status; the benchmark checks one of each by hand before.
"""

import re
import shutil
import subprocess
from pathlib import Path

from clients.load.measurement import Measurement
from clients.load.scenario import Scenario
from clients.load.target import Target

UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0, "h": 3_600_000.0}


def find_wrk() -> str | None:
    """The path of wrk, if it is installed."""
    return shutil.which("wrk")


def wrk_version(wrk: str) -> str:
    """Such as "wrk 4.1.0 [epoll]"."""
    answer = subprocess.run([wrk, "-v"], capture_output=True, text=True, check=False)
    return (answer.stdout + answer.stderr).split(" Copyright")[0].strip()


def write_script(scenario: Scenario, folder: Path) -> Path:
    """Write the Lua script that makes wrk send this scenario's request."""
    body = "".join(f"\\{byte:03d}" for byte in scenario.body)
    script = folder / f"{scenario.name}.lua"
    script.write_text(
        f'wrk.method = "{scenario.method}"\n'
        f'wrk.headers["Content-Type"] = "{scenario.content_type}"\n'
        f'wrk.body = "{body}"\n',
        encoding="ascii",
    )
    return script


def run_wrk(wrk: str, script: Path, url: str, connections: int, seconds: int) -> Measurement:
    """One thread, so many connections, for so long; `url` includes the scenario's path."""
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    answer = subprocess.run(
        [*command, "-s", str(script), url],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 30,
    )
    if answer.returncode != 0:
        raise OSError(f"wrk failed: {(answer.stderr or answer.stdout).strip()}")
    return parse_output(answer.stdout)


def parse_output(output: str) -> Measurement:
    """What `wrk --latency` prints → a measurement."""
    socket_errors = _search(r"Socket errors: (.*)", output) or ""
    return Measurement(
        requests_per_s=float(_required(r"Requests/sec:\s+([\d.]+)", output)),
        p50_ms=_milliseconds(_required(r"\n\s+50%\s+(\S+)", output)),
        p99_ms=_milliseconds(_required(r"\n\s+99%\s+(\S+)", output)),
        not_2xx=int(_search(r"Non-2xx or 3xx responses: (\d+)", output) or 0),
        socket_errors=sum(int(number) for number in re.findall(r"\d+", socket_errors)),
    )


def scenario_url(scenario: Scenario, target: Target) -> str:
    """The whole URL a scenario is sent to."""
    return target.url + scenario.path


def _milliseconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(us|ms|s|m|h)", text)
    if match is None:
        raise ValueError(f"wrk printed {text!r} where a duration was expected")
    return float(match[1]) * UNITS_MS[match[2]]


def _search(pattern: str, output: str) -> str | None:
    match = re.search(pattern, output)
    return match[1] if match else None


def _required(pattern: str, output: str) -> str:
    found = _search(pattern, output)
    if found is None:
        raise ValueError(f"wrk's output holds no {pattern!r}:\n{output}")
    return found
