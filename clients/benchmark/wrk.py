"""A closed loop driven by wrk, a compiled client, if it is installed: Python's own needs a core at 3,000/s."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from clients.load.measurement import Measurement
from clients.load.scenario import Scenario
from clients.load.target import Target

SCRIPT = """\
local file = io.open("{body}", "rb"); wrk.body = file:read("*a"); file:close()
wrk.method = "{method}"; wrk.headers["Content-Type"] = "{content_type}"
"""
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_PERCENTILE = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_ERRORS = re.compile(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)")


def is_installed() -> bool:
    """Whether there is a wrk."""
    return shutil.which("wrk") is not None


def drive(scenario: Scenario, target: Target, connections: int, seconds: int) -> Measurement:
    """Keep `connections` busy for `seconds`."""
    with tempfile.TemporaryDirectory() as folder:
        body, script = Path(folder) / "body", Path(folder) / "post.lua"
        body.write_bytes(scenario.body)
        script.write_text(
            SCRIPT.format(body=body, method=scenario.method, content_type=scenario.content_type)
        )
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--latency",
            "-s",
            str(script),
        ]
        url = f"http://{target.authority}{target.prefix}{scenario.path}"
        done = subprocess.run([*command, url], capture_output=True, text=True, check=True)
    return read(done.stdout)


def read(printed: str) -> Measurement:
    """Parse wrk's output; its rate counts every answer, so a cell with refusals has no meaningful rate."""
    latencies = {share: float(n) * _MS[unit] for share, n, unit in _PERCENTILE.findall(printed)}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    if rate is None or latencies.keys() != {"50", "99"}:
        raise ValueError(f"wrk printed something else: {printed[-400:]}")
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    errors = _ERRORS.search(printed)
    return Measurement(
        float(rate[1]),
        latencies["50"],
        latencies["99"],
        int(failed[1]) if failed else 0,
        sum(map(int, errors.groups())) if errors else 0,
    )
