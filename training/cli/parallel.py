"""Exports several models in parallel, with one process per core; each imports TensorFlow once."""

import gc
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path

LONGEST_FIRST = ("labels", "gan", "fashion-dense", "text-course", "text", "fashion-svm")
MOST_PROCESSES = 4  # each takes about a gigabyte
Export = Callable[[str, Path], Path]


def run_each(export: Export, names: Sequence[str], models: Path) -> int:
    """Export each name and print one line each; failures go to stderr; return their number."""
    failed = 0
    for number, (name, outcome) in enumerate(_outcomes(export, names, models), 1):
        if isinstance(outcome, Exception):
            print(f"{name}: not exported: {outcome}", file=sys.stderr, flush=True)
            failed += 1
        else:
            print(f"exported {outcome} ({number} of {len(names)})", flush=True)
    return failed


def _outcomes(
    export: Export, names: Sequence[str], models: Path
) -> Iterator[tuple[str, Path | Exception]]:
    """Yield name and version directory, or the error, in the order of completion."""
    processes = min(len(names), os.cpu_count() or 1, MOST_PROCESSES)
    if processes < 2:
        for name in names:
            try:
                yield name, export(name, models)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong, the others still count
                yield name, error
        return
    longest = [name for name in LONGEST_FIRST if name in names]
    ordered = [*longest, *(name for name in names if name not in longest)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _collect_rarely) as executor:
        futures: dict[Future[Path], str] = {
            executor.submit(export, name, models): name for name in ordered
        }
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except Exception as error:  # noqa: BLE001 - whatever goes wrong, the others still count
                yield futures[future], error


def _collect_rarely() -> None:
    """TensorFlow's import and its traces keep millions of objects, which are searched in vain: a seventh of the time."""
    gc.set_threshold(100_000, 20, 20)
