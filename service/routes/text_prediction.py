"""One call of a text route: which model, how long it may take, and that somebody still wants it."""

import time

from starlette.requests import Request

from service.errors import InvalidValue, ModelNotFound
from service.routes.prediction import Call
from service.runtime.text_model import TextModel
from service.scheduling.continuous_batcher import Sequence
from service.tasks import generate_text
from service.tasks.text_request import Origin

DEFAULT = "text"


class TextCall(Call):
    """A request whose body is read already: a body may name the model, or hold a continuation."""

    def __init__(
        self, request: Request, model: str = DEFAULT, origin: Origin | None = None
    ) -> None:
        if origin:
            _check_agrees(request, origin)
            super().__init__(request, generate_text.TASK, origin.name, origin.version)
        else:
            super().__init__(request, generate_text.TASK, model)
        if self.servable.text is None:
            raise ModelNotFound(f"{self.servable.manifest.name} has no vocabulary to write with.")
        self.text: TextModel = self.servable.text
        self._steps = 0
        self._entered = 0.0

    def expect(self, steps: int) -> None:
        """So many characters have to be read and drawn one after the other; what came is decoded."""
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


def _check_agrees(request: Request, origin: Origin) -> None:
    for name, own in (("model", origin.name), ("version", str(origin.version))):
        if request.query_params.get(name, own) != own:
            raise InvalidValue(
                f"the continuation goes on with {origin.name}/{origin.version}: leave out ?{name}="
            )
