"""What the soak counts as lost, and what it asks again."""

import os
import signal
import subprocess
import sys
import time

import pytest

from clients.load.connection import Answer
from clients.robustness.soak.ledger import Ledger
from clients.robustness.soak.pauses import Pauses

pytestmark = pytest.mark.anyio
WATCHED = """
import asyncio, sys, time
from clients.robustness.soak.pauses import Pauses
pauses, started = Pauses(0.01, 0.2), time.monotonic()
pauses.watch()
print("watching", flush=True)
sys.stdin.readline()
print(asyncio.run(pauses.was_any_since(started)))
"""


class FakePauses(Pauses):
    def __init__(self, *answers):
        self.answers = list(answers)

    def watch(self):
        pass

    async def was_any_since(self, moment):
        return self.answers.pop(0)


class Connection:
    """Loses as many requests as it is told."""

    def __init__(self, losses):
        self.losses = losses

    async def send(self, *request):
        self.losses -= 1
        if self.losses >= 0:
            raise TimeoutError
        return Answer(200, {}, b"")


async def test_what_was_lost_over_a_pause_is_asked_again():
    ledger = Ledger(pauses=FakePauses(True, True))

    assert (await ledger.note(Connection(2), "GET", "/")).status == 200
    assert (ledger.repeated, ledger.lost) == (2, [])


async def test_what_was_lost_without_a_pause_is_lost():
    ledger = Ledger(pauses=FakePauses(True, False))

    assert await ledger.note(Connection(2), "GET", "/") is None
    assert (ledger.repeated, len(ledger.lost)) == (1, 1)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped")
def test_a_process_that_was_stopped_notices_it():
    with subprocess.Popen(
        [sys.executable, "-c", WATCHED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "watching\n"
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.4)
        os.kill(process.pid, signal.SIGCONT)
        assert process.communicate("go on\n")[0] == "True\n"
