"""Processes are started, waited for, and always stopped."""

import asyncio
import os
import subprocess
import sys

import psutil
import pytest

from clients.load import server_process
from clients.load.connection import ask
from clients.load.server_process import Program, Server
from tests.waiting import until

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_a_server_is_ready_in_the_block_and_gone_after_it():
    target = server_process.free_target()
    with Server([sys.executable, "-c", SERVER, str(target.port)], {}, target) as server:
        assert ask(server.port, "GET", "/").status == 200
        assert server.ready_s > 0
    with pytest.raises(ConnectionRefusedError):
        ask(target.port, "GET", "/")


def test_a_process_is_stopped_when_the_block_fails():
    started = []

    def fail():
        with Program([sys.executable, "-c", "import time; time.sleep(60)"], {}) as program:
            started.append(program)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert started[0].popen.returncode is not None


def test_a_program_that_ends_by_itself_leaves_its_signal_and_its_stacks():
    code = "import signal; signal.raise_signal(signal.SIGSEGV)"
    with (
        pytest.raises(OSError, match="signal SIGSEGV") as raised,
        Program([sys.executable, "-c", code], {}) as program,
    ):
        program.popen.wait()

    assert 'File "<string>", line 1' in str(raised.value)


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGTERM")
def test_a_measurement_that_is_stopped_stops_what_it_has_started():
    code = (
        "import sys; from clients.load.server_process import Program, stop_on_sigterm; stop_on_sigterm()\n"
        "with Program([sys.executable, '-c', 'import time; time.sleep(600)'], {}) as one:\n"
        "    print(one.popen.pid, flush=True); one.popen.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as measurement:
        started = psutil.Process(int(measurement.stdout.readline()))
        measurement.terminate()
        assert measurement.wait() == 143
    assert not started.is_running()


@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
def test_what_a_process_leaves_behind_is_killed():
    code = (
        "import subprocess, sys; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], stdout=2); "
        "print(child.pid, flush=True); input()"
    )
    with Program([sys.executable, "-c", code], {}, subprocess.PIPE) as program:
        left = psutil.Process(int(program.popen.stdout.readline()))
        assert left in program.processes
    asyncio.run(until(lambda: not left.is_running() or left.status() == psutil.STATUS_ZOMBIE))


def test_a_service_that_cannot_start_is_reported_with_its_last_words():
    with (
        pytest.raises(OSError, match=r"(?s)-m service ended by itself.*VITRINE_TIMEOUT"),
        server_process.service(timeout_ms="soon"),
    ):
        pass


def test_a_measurement_is_made_for_each_turn():
    code = "import itertools\nfor n in itertools.count(1): input(); print(f'[{n}]', flush=True)"
    with server_process.on_demand([sys.executable, "-c", code]) as turn:
        assert [turn(), turn()] == [[1], [2]]


def test_a_measurement_that_cannot_be_made_is_reported_with_its_last_words():
    code = "import sys; sys.exit('no such model')"
    with (
        pytest.raises(OSError, match=r"(?s)exit status 1.*no such model"),
        server_process.on_demand([sys.executable, "-c", code]) as turn,
    ):
        turn()


@pytest.mark.skipif(sys.platform != "linux", reason="looks in /proc")
def test_what_a_program_uses_is_that_of_all_its_processes():
    busy = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True); input()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    with Program([sys.executable, "-c", code], dict(os.environ), subprocess.PIPE) as program:
        program.popen.stdout.readline()
        assert program.processor_seconds >= 0.25
        assert len(program.processes) == 2
        assert 0 < program.megabytes <= program.peak_megabytes
        assert program.pss_mib > 0
        assert program.threads == 1
        assert program.files >= 3
