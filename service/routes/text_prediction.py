"""One call of a text route: model, deadline, and cancellation when the client disconnects."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Self

from starlette.requests import Request

from service.errors import InvalidValue, ModelNotFound, VersionNotFound
from service.routes.long_prediction import JobPrediction
from service.routes.prediction import choose_model
from service.runtime.servable import Servable
from service.runtime.text_model import TextModel
from service.scheduling.continuous_batcher import DecodingSequence
from service.scheduling.job_queue import Job
from service.tasks.generate_text import TASK, Delta, GenerationRequest
from service.tasks.text_request import ResumePoint, TextRequest

DEFAULT = "text"


class TextPrediction(JobPrediction):
    """A request with a parsed body, which may select the model or contain a continuation."""

    def __init__(
        self,
        request: Request,
        model: str = DEFAULT,
        resume: ResumePoint | None = None,
        chosen: Servable | None = None,
    ) -> None:
        """chosen: the servable, if the path selects it."""
        version = None
        if resume:
            _check_agrees(request, resume)
            model, version = resume.name, resume.version
        servable = chosen or choose_model(request, TASK, model, version)
        super().__init__(request, servable)
        if self.servable.text is None:
            raise ModelNotFound(f"{self.servable.manifest.name} is not a text model")
        self.text: TextModel = self.servable.text
        if resume and resume.engine != self.text.engine:
            raise VersionNotFound(
                f"the continuation was written by {resume.engine}, {resume.name}/{resume.version} runs "
                f"on {self.text.engine} here: start with the text instead"
            )
        self._engines[self.text.engine] = None
        self._entered = 0.0
        if self.servable.admission.is_full:  # before its characters are read
            self.servable.admission.check(self.deadline, self.servable.jobs.seconds_ahead())

    def expect(self, signature: str, rows: int, steps_left: Callable[[], int]) -> None:
        """Set the number of sequences and steps of the decoded request."""
        cost = self.servable.costs[signature].seconds
        self._job = Job(rows, steps_left, self.deadline, cost)
        self.mark_decoded()

    def generation(self, asked: TextRequest) -> GenerationRequest:
        """What a request asks for, with its cost estimated, before it enters the queue."""
        found = GenerationRequest(self.text, asked, self.deadline)
        self.expect("generate", found.rows, found.steps_left)
        return found

    async def complete(self, generation: GenerationRequest) -> None:
        """Generate everything."""
        await self.run_until_disconnect(generation.run)
        self.note(generation.sequences)

    async def deltas(self, generation: GenerationRequest) -> AsyncIterator[list[Delta]]:
        """Generate everything, and yield deltas as they appear."""
        async with contextlib.aclosing(generation.deltas()) as found:
            async for deltas in found:
                self.note(generation.sequences)
                yield deltas

    def __enter__(self) -> Self:
        super().__enter__()
        self._entered = time.monotonic()
        return self

    def note(self, sequences: list[DecodingSequence]) -> None:
        """Record timings and batch size for the headers."""
        began = min((s.first_run_at for s in sequences if s.first_run_at), default=self._entered)
        running = time.monotonic() - began
        self.record("queue", began - self._entered, ago=running)
        self.record("infer", running)
        queue_seconds = self._state["metrics"].queue_seconds
        queue_seconds.labels(self.servable.manifest.name).observe(began - self._entered)
        self._batch_size = max(sequence.batch_size for sequence in sequences)


def _check_agrees(request: Request, resume: ResumePoint) -> None:
    for name, own in (("model", resume.name), ("version", str(resume.version))):
        given = request.query_params.get(name, own)
        if given != own:
            error = VersionNotFound if name == "version" else InvalidValue
            raise error(
                f"{name} must be that of the continuation, {own}, or left out, got {given[:40]!r}"
            )
