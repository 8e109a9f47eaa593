"""The definition of a soak goal, and the sums over its steps.

A goal runs in steps, each with a new server, so that a run can stop after any step
and resume later. The same work runs against the service and against a plain FastAPI app.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from clients.load.server_process import Server
from clients.robustness.soak.cores import on_core
from clients.robustness.soak.ledger import Ledger
from clients.robustness.soak.server_process import copy_models, plain_app

Tally = dict[str, float]  # names that begin with most_ are maxima, all others sums
Serve = Callable[..., AbstractContextManager[Server]]


@dataclass(frozen=True)
class Step:
    """Which part of a goal to work off, from unit `start` on.

    models: the folder of exported models.
    serve: runs a server, `serve(models, **settings)`: the service or the plain app.
    progress: called with the units of this step that are done.
    """

    models: Path
    start: int
    count: int
    serve: Serve
    progress: Callable[[int], None] = lambda done: None

    @contextlib.contextmanager
    def serving(self, *names: str, **settings: str) -> Iterator[Server]:
        """A server of these models alone, in a folder of their own."""
        with tempfile.TemporaryDirectory() as folder:
            models = copy_models(self.models, Path(folder), *names)
            with self.serve(models, **settings) as server:
                yield server

    @contextlib.contextmanager
    def serving_apart(self, *names: str, **settings: str) -> Iterator[Server]:
        """The same, with a core for the server and another for the block."""
        with contextlib.ExitStack() as stack:
            with on_core(0):
                server = stack.enter_context(self.serving(*names, **settings))
            with on_core(-1):
                yield server

    def ledger(self) -> Ledger:
        """An empty ledger; a plain app's errors have a shape of their own."""
        return Ledger(one_shape=self.serve is not plain_app)

    def note(self, problems: list[str]) -> int:
        """Show the first few problems; return their number."""
        for problem in problems[:5]:
            print(f"    {problem[:300]}", file=sys.stderr, flush=True)
        return len(problems)


Work = Callable[[Step], Awaitable[Tally]]


@dataclass(frozen=True)
class Goal:
    """One row of the table.

    full, short, step: how many units a full run and a short one (0: none) make, and how many a step.
    plain: how many units the plain FastAPI app is given; 0: it has nothing of the kind.
    work: returns the tally of a step; `wrong` counts forbidden outcomes and should be 0.
    is_reached: whether the figures, too, meet the aim; they depend on the machine.
    """

    key: str
    title: str
    unit: str
    full: int
    short: int
    step: int
    plain: int
    work: Work
    describe: Callable[[Tally], str]
    is_reached: Callable[[Tally], bool] = lambda tally: True

    def run(self, step: Step) -> Tally:
        """Work off a step."""
        return {"done": step.count, **asyncio.run(_awaited(self.work(step)))}


async def _awaited(work: Awaitable[Tally]) -> Tally:
    return await work


def added(tally: Tally, more: Tally) -> Tally:
    """Two tallies of the same goal as one."""
    return {
        name: max(tally.get(name, 0), more.get(name, 0))
        if name.startswith("most_")
        else tally.get(name, 0) + more.get(name, 0)
        for name in {**tally, **more}
    }
