"""Keeps n workers running on one listening socket: restarts, replaces and drains them, and forwards requests.

It has no threads, no model and no TensorFlow, so forking is safe and cheap.
"""

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from uvicorn.config import STARTUP_FAILURE

from service.metrics import merge_departed
from service.processes.messages import Message
from service.processes.peers import METRICS, RETIRE
from service.processes.worker_process import RunWorker, WorkerProcess

SILENT_SECONDS = 5.0  # a worker whose event loop is silent for this long is killed
FIRST_BEAT_SECONDS = 60.0
CHECK_SECONDS = 1.0
READY_SECONDS = 120.0  # time for a replacement to load its models
QUICK_DEATH_SECONDS = 1.0
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.1, 2.0

log = logging.getLogger("vitrine.supervisor")


class Supervisor:
    """`run` blocks until a signal. SIGTERM and SIGINT are passed on to the workers; SIGHUP replaces them all."""

    def __init__(
        self,
        count: int,
        listening: socket.socket,
        run_worker: RunWorker,
        stop_seconds: float,
    ) -> None:
        """stop_seconds: time for a worker to stop before it is killed."""
        self._count = count
        self._listening = listening
        self._run_worker = run_worker
        self._stop_seconds = stop_seconds
        self.on_started: Callable[[], None] = lambda: None  # called after all workers were forked
        self._workers: list[WorkerProcess] = []
        self._departed: list[Any] = []  # the metrics of workers that have exited, merged
        self._is_stopping = False
        self._is_replacing = False
        self._pause = 0.0
        self._exit_status = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self) -> int:
        """Serve until a signal; return the exit status."""
        return asyncio.run(self._serve())

    async def _serve(self) -> int:
        loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._keep(self._replace_all()))
        for _ in range(self._count):
            await self._start_worker(is_replacement=False)
        self.on_started()
        self._keep(self._watch())
        await self._stopped.wait()
        for task in self._tasks:
            task.cancel()
        return self._exit_status

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start_worker(self, *, is_replacement: bool) -> WorkerProcess:
        worker = WorkerProcess(self._listening, self._run_worker, is_replacement=is_replacement)
        await worker.start(
            self._workers, lambda message: self._keep(self._pass_on(worker, message))
        )
        self._workers.append(worker)
        self._keep(self._await_exit(worker))
        log.info("worker started", extra={"worker": worker.pid})
        return worker

    async def _await_exit(self, worker: WorkerProcess) -> None:
        """When a worker exits, keep its metrics, and start another unless it was stopped."""
        await worker.exited.wait()
        self._remember(worker)
        self._workers.remove(worker)
        log.info("worker ended", extra={"worker": worker.pid, "status": worker.exit_code})
        if self._is_stopping:
            if not self._workers:
                self._stopped.set()
        elif worker.is_wanted:
            await self._restart(worker)

    async def _restart(self, worker: WorkerProcess) -> None:
        if worker.exit_code == STARTUP_FAILURE and not worker.is_replacement:
            self._exit_status = STARTUP_FAILURE
            self._stop(signal.SIGTERM)
            return
        lived = time.monotonic() - worker.started_at
        next_pause = min(LAST_PAUSE_SECONDS, 2 * self._pause or FIRST_PAUSE_SECONDS)
        self._pause = next_pause if lived < QUICK_DEATH_SECONDS else 0.0
        await asyncio.sleep(self._pause)
        if not self._is_stopping:
            await self._start_worker(is_replacement=True)

    def _remember(self, worker: WorkerProcess) -> None:
        """Keep the metrics of a worker that has exited: its last ones, or those of the last request."""
        if worker.last_metrics is not None:
            self._departed = [merge_departed([*self._departed, worker.last_metrics])]

    async def _watch(self) -> None:
        """Kill workers whose event loop is silent, unless the whole machine was suspended."""
        checked = time.monotonic()
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            late, checked = time.monotonic() - checked - CHECK_SECONDS, time.monotonic()
            for worker in self._workers:
                worker.last_beat += max(0.0, late)
                allowed = SILENT_SECONDS if worker.has_beaten else FIRST_BEAT_SECONDS
                if checked - worker.last_beat > allowed:
                    log.error("worker silent", extra={"worker": worker.pid, "seconds": allowed})
                    worker.kill(signal.SIGKILL)

    async def _pass_on(self, asker: WorkerProcess, message: Message) -> None:
        """Forward a request to all workers, including the sender, and return their answers."""
        question, seconds = message["question"], message["seconds"]
        replies = await asyncio.gather(
            *(worker.ask(question, message["payload"], seconds) for worker in self._workers)
        )
        answers = [reply["answer"] for reply in replies if reply and "answer" in reply]
        failures = [reply["failure"] for reply in replies if reply and "failure" in reply]
        if question == METRICS:
            answers += self._departed
        asker.send(
            {"kind": "answers", "number": message["number"]}
            | {"answers": answers, "failures": failures}
        )

    def _stop(self, number: signal.Signals) -> None:
        """Let every worker drain and exit. The socket is closed here first; the workers have copies."""
        self._is_stopping = True
        self._listening.close()
        for worker in self._workers:
            worker.kill(number)
            self._keep(self._kill_later(worker))
        if not self._workers:
            self._stopped.set()

    async def _kill_later(self, worker: WorkerProcess) -> None:
        """Kill a worker that does not stop in time."""
        await asyncio.sleep(self._stop_seconds)
        worker.kill(signal.SIGKILL)

    async def _replace_all(self) -> None:
        """Replace workers one after another: each stops when its replacement is ready, otherwise it stays."""
        if self._is_replacing or self._is_stopping:
            return
        self._is_replacing = True
        try:
            for worker in [worker for worker in self._workers if worker.is_wanted]:
                if not await self._replace(worker):
                    return
        finally:
            self._is_replacing = False

    async def _replace(self, worker: WorkerProcess) -> bool:
        replacement = await self._start_worker(is_replacement=True)
        events = (replacement.became_ready.wait(), replacement.exited.wait())
        waits = [asyncio.create_task(event) for event in events]
        await asyncio.wait(waits, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if not replacement.is_ready:
            log.error("replacement not ready", extra={"worker": replacement.pid})
            replacement.is_wanted = False
            replacement.kill(signal.SIGKILL)
            return False
        worker.is_wanted = False
        self._keep(self._kill_later(worker))
        await worker.ask(RETIRE, None, self._stop_seconds)
        await worker.exited.wait()
        return True
