"""One served model version with its lanes, its batchers and its admission control.

`batcher` returns the batcher of a signature.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from service.errors import InvalidValue
from service.metrics import Metrics
from service.runtime.model import Model
from service.runtime.spread_runs import SpreadRuns
from service.runtime.statistics import Statistics
from service.runtime.text_model import make_text_model
from service.scheduling.admission import Admission
from service.scheduling.batch import Batch, Run
from service.scheduling.continuous_batcher import Step
from service.scheduling.job_queue import JobQueue
from service.scheduling.lane import RUNS_PER_REPLICA, Lane, thread_lane
from service.scheduling.micro_batcher import TICK_SECONDS, MicroBatcher
from service.scheduling.turns import Turns, at_once

# The same random seed must give the same bytes regardless of other requests.
GENERATIVE = ("autoencode_image", "generate_image")
SPREAD_SIGNATURE = "serving_default"  # others would load their weights a third time
INLINE_ROWS = 16  # maximum rows of a batch on the event loop
# Maximum duration of one if requests do not share batches: each waits for those before it.
INLINE_ALONE_SECONDS = 0.001
# Signatures that take longer for one row run at low priority, on two threads where they can. Above the
# networks of a millisecond or two in TensorFlow, below those of photos in ONNX Runtime (5 to 7 ms).
HEAVY_SECONDS = 0.004


class Servable:
    """A loaded version that can answer requests.

    It has no reference cycles, so its threads stop and its memory is freed as soon as the
    last request that uses it is answered.

    replicas: number of remote replicas; 0: runs use this process' processors.
    turns: scheduler shared by the light and heavy runs of all models; None: every run starts at once.
    heavy_threads: that heavy runs may share, of an engine that computes on the caller's thread.
    """

    def __init__(
        self,
        model: Model,
        admission: Admission,
        metrics: Metrics,
        replicas: int = 0,
        turns: tuple[Turns, Turns] | None = None,
        heavy_threads: int = 1,
    ) -> None:
        manifest = model.manifest
        self.manifest = manifest
        self.card = model.card
        self.filters = model.filters
        self.warm_up_seconds = model.warm_up_seconds
        self.engines = {name: engine.name for name, engine in model.engines.items()}
        self.unready = model.unready
        self.admission = admission
        self.statistics = Statistics()
        self.queue_seconds = metrics.queue_seconds.labels(manifest.name)
        parallel_runs = RUNS_PER_REPLICA * replicas or 1
        self.jobs = JobQueue(
            manifest.max_batch_size if manifest.vocabulary else 1, parallel_runs=parallel_runs
        )
        self.costs = model.costs
        name = f"{manifest.name}-{manifest.version}"
        light_turn, heavy_turn = (
            [partial(one.turn, manifest.name) for one in turns] if turns else [at_once] * 2
        )
        light = thread_lane(
            name,
            is_heavy=False,
            parallel_runs=parallel_runs,
            eager_runs=replicas,
            turn=light_turn,
        )
        heavy_runs = heavy_threads if not replicas and _shares_threads(model) else parallel_runs
        heavy = thread_lane(
            f"{name}-h",
            is_heavy=not replicas,  # remote runs do not use this process' processors
            parallel_runs=heavy_runs,
            eager_runs=replicas,
            turn=heavy_turn,
        )
        self._lanes = (light, heavy)
        count_run = _run_counter(manifest.name, metrics, self.statistics)
        self._inline: dict[str, MicroBatcher] = {}
        self._batchers: dict[str, MicroBatcher] = {}
        self.is_heavy = True  # whether all its runs take long
        for signature in manifest.signatures:
            cost = model.costs[signature]
            make = partial(
                MicroBatcher,
                cost=cost,
                on_batch=count_run,
                batch_across_requests=manifest.task not in GENERATIVE,
            )
            run: Run = partial(model.run, signature)
            inline_rows = _inline_rows(model, signature)
            if inline_rows:
                self._inline[signature] = make(run, Lane(), inline_rows)
            is_light = cost.is_known and cost.seconds(1) <= HEAVY_SECONDS and not inline_rows
            lane = light if is_light else heavy
            self.is_heavy &= not (inline_rows or is_light)
            if (
                lane is heavy
                and heavy_threads > 1
                and _can_be_spread(model, signature)
                and not replicas
            ):
                run = SpreadRuns(run, model.zeros(signature, 1), cost.seconds(1))
            self._batchers[signature] = make(run, lane, manifest.batch_limit(signature))
        self._first = [self.batcher(signature, 1) for signature in manifest.signatures]

        def end_round(step: Step) -> None:
            self.jobs.advanced()
            count_run(step)

        self.text = make_text_model(model, heavy, end_round) if manifest.vocabulary else None

    @property
    def engine_names(self) -> list[str]:
        """The engines of all signatures, without duplicates."""
        return sorted(set(self.engines.values()))

    def describe_engines(self) -> dict[str, dict[str, Any]]:
        """Signature → `engine`, the measured difference of the other engine, and the reason if unready."""
        exported = self.card.get("engines", {})
        return {
            name: {
                **exported.get(name, {}),
                "engine": engine,
                **({"unready": why} if (why := self.unready.get(name)) else {}),
            }
            for name, engine in self.engines.items()
        }

    def batcher(self, signature: str, rows: int) -> MicroBatcher:
        """The batcher for a number of rows of a signature: a few cheap rows run on the event loop."""
        inline = self._inline.get(signature)
        if inline and rows <= inline.max_batch_size:
            return inline
        if signature not in self._batchers:
            raise InvalidValue(
                f"model must have the signature {signature}, got {self.manifest.name}, which has "
                f"{', '.join(self._batchers)}"
            )
        return self._batchers[signature]

    def seconds_ahead(self) -> float:
        """Estimated duration of all queued work."""
        light, heavy = self._lanes
        return max(light.seconds_ahead(), heavy.seconds_ahead())

    def least_seconds_ahead(self) -> float:
        """Minimum wait of any request, whatever its signature."""
        return min([batcher.seconds_ahead() for batcher in self._first])


def _shares_threads(model: Model) -> bool:
    """Whether heavy runs may run in parallel; text sequences already share one loop."""
    manifest = model.manifest
    return not manifest.vocabulary and all(
        engine.is_thread_free for engine in model.engines.values()
    )


def _can_be_spread(model: Model, signature: str) -> bool:
    """Whether single rows may use two threads."""
    is_wanted = signature == SPREAD_SIGNATURE and model.manifest.task not in GENERATIVE
    return is_wanted and model.costs[signature].is_known and _shares_threads(model)


def _inline_rows(model: Model, signature: str) -> int:
    """Maximum rows of a signature on the event loop; 0: its runs need a thread."""
    cost, most = model.costs[signature], min(INLINE_ROWS, model.manifest.batch_limit(signature))
    if not model.engines[signature].is_thread_free or not cost.is_known:
        return 0
    batch_across_requests = model.manifest.task not in GENERATIVE
    longest = TICK_SECONDS if batch_across_requests else INLINE_ALONE_SECONDS
    sizes = (size for size in range(most, 0, -1) if cost.seconds(size) <= longest)
    return next(sizes, 0)


def _run_counter(
    name: str, metrics: Metrics, statistics: Statistics
) -> Callable[[Batch | Step], None]:
    batch_rows, run_seconds = metrics.batch_rows.labels(name), metrics.run_seconds.labels(name)

    def count(run: Batch | Step) -> None:
        batch_rows.observe(run.rows)
        run_seconds.observe(run.seconds)
        statistics.record_run(run.rows, run.seconds)
        if isinstance(run, Step):
            metrics.characters.labels(name, run.signature).inc(run.steps)

    return count
