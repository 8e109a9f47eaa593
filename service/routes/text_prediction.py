"""One call of a text route: which model, how long it may take, and that somebody still wants it."""

import time

from starlette.requests import Request

from service.errors import InvalidValue, ModelNotFound, VersionNotFound
from service.routes.prediction import Call
from service.runtime.servable import Servable
from service.runtime.text_model import TextModel
from service.scheduling.continuous_batcher import Sequence
from service.tasks import generate_text
from service.tasks.text_request import ResumePoint

DEFAULT = "text"


class TextCall(Call):
    """A request whose body is read already: a body may name the model, or hold a continuation."""

    def __init__(
        self,
        request: Request,
        model: str = DEFAULT,
        resume: ResumePoint | None = None,
        chosen: Servable | None = None,
    ) -> None:
        """chosen: the servable, where the path names it."""
        self._chosen = chosen
        if resume:
            _check_agrees(request, resume)
            super().__init__(request, generate_text.TASK, resume.name, resume.version)
        else:
            super().__init__(request, generate_text.TASK, model)
        if self.servable.text is None:
            raise ModelNotFound(f"{self.servable.manifest.name} is not a text model")
        self.text: TextModel = self.servable.text
        if resume and resume.engine != self.text.engine:
            raise VersionNotFound(
                f"the continuation was written by {resume.engine}, {resume.name}/{resume.version} runs "
                f"on {self.text.engine} here: start from the text instead"
            )
        self._engines[self.text.engine] = None
        self._steps = 0
        self._entered = 0.0

    def _resolve(self, task: str, default: str, version: int | None) -> Servable:
        return self._chosen or super()._resolve(task, default, version)

    def expect(self, steps: int) -> None:
        """The longest sequence of the request, in characters; its body is decoded now."""
        self._steps = steps
        self._timings["decode"] = time.monotonic() - self._request.scope["started"]

    def __enter__(self) -> "TextCall":
        ahead = self.text.batcher.seconds_ahead(self._steps)
        self.servable.admission.enter(self.deadline, ahead)
        self._entered = time.monotonic()
        return self

    def note(self, sequences: list[Sequence]) -> None:
        """Take timings and company, for the headers, from what has run by now."""
        began = min((s.first_run_at for s in sequences if s.first_run_at), default=self._entered)
        self._timings["queue"] = began - self._entered
        self._timings["infer"] = time.monotonic() - began
        self._batch_size = max(sequence.batch_size for sequence in sequences)


def _check_agrees(request: Request, resume: ResumePoint) -> None:
    for name, own in (("model", resume.name), ("version", str(resume.version))):
        given = request.query_params.get(name, own)
        if given != own:
            raise InvalidValue(
                f"{name} must be that of the continuation, {own}, or left out, got {given[:40]!r}"
            )
