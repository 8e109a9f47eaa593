"""Single rows of a heavy network on two threads, while no other run of it is under way and where that is faster.

On two idle processors a photo takes 3.5 ms instead of 5.8. Where other work needs one of them, the two threads wait for
each other, and a row takes longer than on one thread: each run is measured, and the faster way is taken.
"""

import contextlib
import logging
import threading
import time

import numpy as np

from service.engine import Arrays
from service.native_memory import give_back_free_memory
from service.onnx_engine import on_two_threads, shrinking_arena
from service.scheduling.batch import Run, rows_of
from service.scheduling.lane import lower_priority
from service.scheduling.run_cost import RunCost

EXPECTED_GAIN = 1.6  # of two threads over one; what is measured later counts

log = logging.getLogger("vitrine.model")


class SpreadRuns:
    """Runs `run`, on the caller's thread or on two; may be called on several threads at the same time."""

    def __init__(self, run: Run, row: Arrays, seconds: float) -> None:
        """Start the second thread with `row`, inputs of one row; seconds: of its run on one thread."""
        self._run = run
        self._lock = threading.Lock()
        self._under_way = 0
        self._on_one, self._on_two = RunCost(), RunCost()
        self._on_one.learn(1, seconds)
        starting = threading.Thread(target=self._start, args=(row, seconds / EXPECTED_GAIN))
        starting.start()
        starting.join()

    def __call__(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run once; the outputs do not depend on the number of threads."""
        is_row = rows_of(inputs) == 1
        with self._lock:
            is_spread = is_row and not self._under_way and self._is_spread_faster()
            self._under_way += 1
        started = time.perf_counter()
        try:
            with on_two_threads() if is_spread else contextlib.nullcontext():
                outputs = self._run(inputs)
        finally:
            with self._lock:
                self._under_way -= 1
        if is_row:
            with self._lock:
                cost = self._on_two if is_spread else self._on_one
                cost.record(1, time.perf_counter() - started)
        return outputs

    def _is_spread_faster(self) -> bool:
        return self._on_two.is_known and self._on_two.seconds(1) < self._on_one.seconds(1)

    def _start(self, row: Arrays, expected: float) -> None:
        """Called on a thread of its own, whose low priority the second thread inherits."""
        lower_priority()
        try:
            with on_two_threads(), shrinking_arena():
                self._run(row)
            give_back_free_memory()
        except Exception:
            log.exception("runs on one thread only")
        else:
            self._on_two.learn(1, expected)
