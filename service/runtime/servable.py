"""What answers requests: one model version, its thread, its batchers and its admission.

The whole way of a prediction is `predict`. Knows no HTTP, no pictures
and no texts.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from service.engine import Arrays
from service.errors import InvalidValue
from service.metrics import Metrics
from service.runtime.model import Model
from service.runtime.statistics import Statistics
from service.runtime.text_model import make_text_model
from service.scheduling.admission import Admission
from service.scheduling.continuous_batcher import Round
from service.scheduling.micro_batcher import Batched, MicroBatcher
from service.scheduling.projection_queue import Backlog

# What they draw from a random seed has to be the same bytes whatever else runs.
GENERATIVE = ("autoencode_image", "generate_image")


class Servable:
    """A loaded version, ready to answer.

    Its thread ends when the last request that holds it is answered and nothing refers to it.
    """

    def __init__(self, model: Model, admission: Admission, metrics: Metrics) -> None:
        manifest = model.manifest
        self.manifest = manifest
        self.card = model.card
        self.engines = {name: model.engine_of(name) for name in manifest.signatures}
        self.unready = model.unready
        self.admission = admission
        self.backlog = Backlog()
        self.statistics = Statistics()
        self._rows = metrics.batch_rows.labels(manifest.name)
        self._seconds = metrics.run_seconds.labels(manifest.name)
        self._executor = ThreadPoolExecutor(1, f"{manifest.name}-{manifest.version}")
        self._batchers = {
            signature: MicroBatcher(
                partial(model.run, signature),
                self._executor,
                manifest.batch_limit(signature),
                self._note,
                is_shared=manifest.task not in GENERATIVE,
            )
            for signature in manifest.signatures
        }
        self._characters = metrics.characters
        self.text = (
            make_text_model(model, self._executor, self._note_round)
            if manifest.vocabulary
            else None
        )

    @property
    def engine_names(self) -> list[str]:
        """The engines of all signatures, each once."""
        return sorted(set(self.engines.values()))

    def describe_engines(self) -> dict[str, dict[str, Any]]:
        """Signature → `engine`, how far the other one was at the export, and why it is unready."""
        exported = self.card.get("engines", {})
        return {
            name: {
                **exported.get(name, {}),
                "engine": engine,
                **({"unready": why} if (why := self.unready.get(name)) else {}),
            }
            for name, engine in self.engines.items()
        }

    async def predict(self, signature: str, inputs: Arrays, deadline: float) -> Batched:
        """Run `signature` on `inputs` [B, …] together with whatever else waits for it."""
        if signature not in self._batchers:
            raise InvalidValue(
                f"{self.manifest.name} has no signature {signature}; it has {', '.join(self._batchers)}."
            )
        return await self._batchers[signature].submit(inputs, deadline)

    def _note_round(self, done: Round) -> None:
        self._rows.observe(done.rows)
        self.statistics.record_run(done.rows, done.seconds)
        self._seconds.observe(done.seconds)
        self._characters.labels(self.manifest.name, done.signature).inc(done.steps)

    def _note(self, requests: int, rows: int, seconds: float) -> None:
        self._rows.observe(rows)
        self.statistics.record_run(rows, seconds)
        self._seconds.observe(seconds)
        self.admission.drained(requests, seconds)
