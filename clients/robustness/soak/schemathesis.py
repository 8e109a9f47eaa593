"""G3: schemathesis fuzzes the service by its OpenAPI document, without a key and with one.

It runs as its own program, since its dependencies are not ours: `pip install schemathesis` into an environment
of its own, whose `bin` is on the PATH. Two of its checks are adapted: 503 and 504 are documented answers, not
failures; and a schema cannot say that bytes are an image or that a character is known, so valid data may be refused.
"""

import asyncio
import re
import shutil
import tempfile
from pathlib import Path

from clients.robustness.soak.goals import Goal, Step, Tally

PROGRAM, KEY = "schemathesis", "soak"
SECONDS = 300  # for each of the two
CONFIGURATION = """
[checks]
positive_data_acceptance.enabled = false
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503, 504]
"""
CASES, FOUND = re.compile(r"([\d,]+) generated"), re.compile(r"❌ (.+): (\d+)")


async def fuzz(step: Step) -> Tally:
    """Half of the time without a key, half with one that all routes require."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise SystemExit(f"G3 needs {PROGRAM} on the PATH, installed in an environment of its own")
    with_key = step.start >= SECONDS
    settings = {"api_keys": KEY, "admin_key": f"{KEY} admin"} if with_key else {}
    with (
        tempfile.TemporaryDirectory() as folder,
        step.serve(step.models, log_level="warning", **settings) as server,
    ):
        configuration = Path(folder) / "schemathesis.toml"
        configuration.write_text(CONFIGURATION)
        document = f"http://127.0.0.1:{server.port}/openapi.json"
        process = await asyncio.create_subprocess_exec(
            program, "--no-color", "--config-file", str(configuration), "fuzz", document,
            "--max-time", str(step.count), "--continue-on-failure", "--suppress-health-check", "all",
            *(["--header", f"X-API-Key: {KEY}"] if with_key else []),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder,
        )  # fmt: skip
        output = (await process.communicate())[0].decode(errors="replace")
        problems = [f"{name}: {count}" for name, count in FOUND.findall(output)]
        if not server.is_ready():
            problems.append("it is not ready afterwards")
    cases = CASES.search(output)
    if cases is None:
        raise RuntimeError(f"{PROGRAM} ended with status {process.returncode}: {output[-2000:]}")
    if problems:
        print(output[-8000:], flush=True)
    return {"wrong": step.note(problems), "cases": int(cases[1].replace(",", ""))}


FUZZED = Goal(
    "G3", "schemathesis by the OpenAPI document, without and with a key", "seconds",
    2 * SECONDS, 0, SECONDS, 0, fuzz,
    lambda tally: f"{tally['wrong']:.0f} kinds of failures in {tally['cases']:,.0f} cases",
)  # fmt: skip
