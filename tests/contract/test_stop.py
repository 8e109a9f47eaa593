"""A stop loses nothing: what is in flight is answered, who just connected is not reset."""

import asyncio
import contextlib
import os
import signal

import pytest

from tests.running import running_service

pytestmark = pytest.mark.anyio
GET = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Ledger:
    """How fresh connections ended, one after the other from several clients at once."""

    def __init__(self):
        self.answered = 0
        self.refused = 0
        self.lost = []

    async def ask_until_refused(self, port):
        while not self.refused:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                self.refused += 1
                return
            try:
                writer.write(GET)
                answer = await reader.read()
                assert answer.startswith(b"HTTP/1.1 200 "), answer
                self.answered += 1
            except (OSError, AssertionError) as error:
                self.lost.append(repr(error))
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_no_fresh_connection_is_reset_by_a_stop(tmp_path, workers):
    settings = {"VITRINE_DRAIN_SECONDS": "0.2", "VITRINE_WORKERS": workers}
    with running_service(tmp_path, until="live", **settings) as (process, port):
        ledger = Ledger()
        asking = [asyncio.create_task(ledger.ask_until_refused(port)) for _ in range(8)]
        while ledger.answered < 100:
            await asyncio.sleep(0.01)
        os.kill(process.pid, signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*asking), 120)
        status = await asyncio.to_thread(process.wait, 120)

    assert ledger.lost == []
    assert status == 0


@pytest.mark.tensorflow
async def test_a_real_stop_answers_what_is_in_flight_and_exits_0(models):
    def stop():
        with running_service(models, VITRINE_DRAIN_SECONDS="0.2") as (process, _):
            os.kill(process.pid, signal.SIGTERM)
            process.wait(120)
            return process.returncode

    assert await asyncio.to_thread(stop) == 0
