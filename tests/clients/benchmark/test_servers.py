"""Processes are started, waited for, and always stopped."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from clients.benchmark import servers
from clients.load.connection import Connection
from tests.waiting import until


def test_the_baseline_runs_for_the_block_and_is_gone_after_it():
    async def ask():
        connection = Connection(target.host, target.port)
        try:
            request = servers.READY.format(authority=target.authority).encode()
            return await connection.ask(request)
        finally:
            connection.close()

    with servers.baseline() as target:
        assert asyncio.run(ask()).status == 200
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(ask())


def test_a_process_is_stopped_when_the_block_fails():
    started = []
    with tempfile.TemporaryFile() as errors:

        def fail():
            command = [sys.executable, "-c", "import time; time.sleep(60)"]
            with servers.running(command, {}, subprocess.DEVNULL, errors) as process:
                started.append(process)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
    assert started[0].returncode is not None


@pytest.mark.skipif(sys.platform != "linux", reason="looks in /proc")
def test_what_a_process_leaves_behind_is_killed():
    code = (
        "import subprocess, sys; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], stdout=2); "
        "print(child.pid, flush=True); input()"
    )
    command = [sys.executable, "-c", code]
    with (
        tempfile.TemporaryFile() as errors,
        servers.running(command, {}, subprocess.PIPE, errors) as process,
    ):
        left = int(process.stdout.readline())
        assert left in servers.processes_below(process.pid)
    asyncio.run(until(lambda: not is_running(left)))


def is_running(pid):
    """Whether a process exists and has not ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_service_that_cannot_start_is_reported_with_its_last_words(monkeypatch):
    monkeypatch.setenv("VITRINE_TIMEOUT_MS", "soon")
    with (
        pytest.raises(OSError, match=r"(?s)the server exited during start-up.*VITRINE_TIMEOUT"),
        servers.service(),
    ):
        pass


def test_processor_time_is_that_of_a_process_and_all_below_it():
    before = servers.processor_seconds(os.getpid())
    code = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        used = servers.processor_seconds(os.getpid()) - before
        child.communicate(b"\n")
    assert used >= 0.25
