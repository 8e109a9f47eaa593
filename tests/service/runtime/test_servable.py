"""Which models are heavy, and how many heavy runs of a version go on at once."""

import asyncio
import threading
import time

import numpy as np
import pytest

from service.metrics import Metrics
from service.runtime.model import load_model
from service.runtime.servable import Servable
from service.scheduling.admission import Admission
from tests.fakes import FakeEngine, every, write_version

pytestmark = pytest.mark.anyio
IMAGES = {"images": np.zeros((1, 28, 28, 1), np.uint8)}


class HeavyEngine(FakeEngine):
    """Costs 6 ms a run; counts the runs that are under way at the same time, at most `most`.

    A run waits until there were `expected` at once, however long a busy machine needs for that.
    """

    def __init__(self, *, is_free):
        super().__init__()
        self.is_thread_free = is_free
        self.under_way = self.most = self.expected = 0
        self.changed = threading.Condition()

    def run(self, signature, inputs):
        with self.changed:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.expected, 120)
        time.sleep(0.006)
        with self.changed:
            self.under_way -= 1
        return super().run(signature, inputs)


@pytest.mark.parametrize(
    ("is_free", "heavy_threads", "most"), [(True, 2, 2), (True, 1, 1), (False, 2, 1)]
)
async def test_heavy_runs_share_threads_where_the_engine_computes_on_the_callers(
    tmp_path, is_free, heavy_threads, most
):
    engine = HeavyEngine(is_free=is_free)
    model = load_model(write_version(tmp_path), every(engine))
    servable = Servable(model, Admission(64), Metrics(), heavy_threads=heavy_threads)
    engine.expected = most
    batcher = servable.batcher("serving_default", 1)
    deadline = time.monotonic() + 240

    await asyncio.gather(*(batcher.submit(IMAGES, deadline) for _ in range(16)))

    assert engine.most == most


def test_a_model_with_a_short_run_is_not_heavy(tmp_path):
    light = load_model(write_version(tmp_path / "light"), every(FakeEngine()))
    light.costs["serving_default"].learn(1, 0.001)
    heavy = load_model(write_version(tmp_path / "heavy"), every(HeavyEngine(is_free=True)))

    assert not Servable(light, Admission(64), Metrics()).is_heavy
    assert Servable(heavy, Admission(64), Metrics()).is_heavy
