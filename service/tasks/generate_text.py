"""Text generation: request → sequences for the batcher → answer."""

import asyncio
import math
from collections.abc import AsyncGenerator, Iterable
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from service.codecs import continuation
from service.errors import InvalidValue
from service.runtime.text_model import TextModel
from service.scheduling.continuous_batcher import DecodingSequence
from service.tasks.sequences import (
    FIRST_CHUNK,
    Entries,
    FinishReason,
    Generation,
    GenerationOptions,
    PrefillSequence,
    TextState,
    rounded,
)
from service.tasks.text_request import TextRequest

TASK = "generate_text"
MAX_CONCURRENT_SEQUENCES = 8  # per request: enough to fill batches, with room for others


class Delta(NamedTuple):
    """New text of one generation; the last delta has the finish reason."""

    number: int
    text: str
    entries: Entries
    finish_reason: FinishReason | None


class GenerationRequest:
    """The generations of one request. Each prompt is prefilled once for all its generations."""

    def __init__(self, model: TextModel, request: TextRequest, deadline: float) -> None:
        """deadline: monotonic seconds."""
        self.request = request
        self.rows = min(MAX_CONCURRENT_SEQUENCES, len(request.samplings))  # that advance together
        self._deadline = deadline
        self.generations: list[Generation] = []
        self.replaced: list[str] = []
        self._model = model
        self._initial_state = _initial_state(model, request)
        self._prefills = [self._prefill(seed) for seed in request.seeds]
        self._changed: set[int] = set()
        self._ended: set[int] = set()
        self._updated = asyncio.Event()

    @property
    def sequences(self) -> list[DecodingSequence]:
        """All sequences so far."""
        return [*self._prefills, *self.generations]

    def steps_left(self) -> int:
        """Sequential steps (characters read and generated) until everything is generated."""
        if self.generations:
            return -(-sum([generation.left for generation in self.generations]) // self.rows)
        reading = max([prefill.left for prefill in self._prefills], default=0)
        drawing = self.request.length * len(self.request.samplings)
        return reading + -(-drawing // self.rows)

    @property
    def seed_characters(self) -> int:
        """Characters of the prompts."""
        return sum(len(prefill.ids) for prefill in self._prefills)

    async def run(self) -> None:
        """Generate everything; after cancellation the batcher's next step contains none of it."""
        await self._run_all(self._prefills)
        self.generations = [
            self._generation(number) for number in range(len(self.request.samplings))
        ]
        await self._run_all(self.generations)

    async def deltas(self) -> AsyncGenerator[list[Delta]]:
        """Generate everything, and yield deltas as they appear."""
        running = asyncio.create_task(self.run())
        running.add_done_callback(lambda _: self._updated.set())
        try:
            is_over = False
            while not is_over:
                await self._updated.wait()
                self._updated.clear()
                is_over = running.done()
                if deltas := self._collect():
                    yield deltas
            running.result()
        finally:
            running.cancel()

    def token(self, generation: Generation) -> str:
        """The continuation token of a finished generation."""
        sampling, state = generation.sampling, generation.state
        whereabouts = continuation.Continuation(
            name=self._model.name,
            version=self._model.version,
            engine=self._model.engine,
            random_seed=sampling.random_seed,
            index=sampling.number,
            position=state.position,
            diversity=sampling.diversity,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            stop=generation.stop,
            held=state.pending,
        )
        return continuation.encode(whereabouts, state.row)

    def _prefill(self, seed: str) -> PrefillSequence:
        ids, replaced = self._model.vocabulary.read(
            seed, self.request.seed_field, replace=self.request.replace
        )
        self.replaced += [character for character in replaced if character not in self.replaced]
        return PrefillSequence(ids, self._initial_state.row, self._model.batcher.largest_chunk)

    def _generation(self, number: int) -> Generation:
        request, width = self.request, self._model.batcher.largest_chunk
        prefill = self._prefills[number * len(self._prefills) // len(request.samplings)]
        chunk = FIRST_CHUNK if request.stream else width
        options = GenerationOptions(request.length, request.stop, request.logprobs, chunk)
        start = self._initial_state._replace(row=prefill.row)
        generation = Generation(
            self._model.vocabulary, request.samplings[number], start, options, width
        )
        if request.with_seed:
            text, entries = self._model.vocabulary.decode(prefill.ids), []
            if request.logprobs is not None:
                entries = [{**one, "top": {}} for one in _entries(text, prefill)]
            generation.begin_with(text, entries)
        generation.on_update = partial(self._note, number)
        return generation

    def _note(self, number: int) -> None:
        self._changed.add(number)
        self._updated.set()

    def _collect(self) -> list[Delta]:
        deltas = []
        for number in sorted(self._changed - self._ended):
            generation = self.generations[number]
            if not generation.left:
                self._ended.add(number)
            reason = None if generation.left else generation.finish_reason
            delta = Delta(number, *generation.collect(), reason)
            if delta.text or reason:
                deltas.append(delta)
        self._changed.clear()
        return deltas

    async def _run_all(self, sequences: Iterable[DecodingSequence]) -> None:
        """Run the sequences, a bounded number at a time, until all are done or one fails."""
        waiting, live = iter(sequences), set[asyncio.Future[None]]()
        try:
            while True:
                for sequence in islice(waiting, MAX_CONCURRENT_SEQUENCES - len(live)):
                    sequence.deadline = self._deadline
                    self._model.batcher.add(sequence)
                    live.add(sequence.done)
                if not live:
                    return
                done, live = await asyncio.wait(live, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    future.result()
        finally:
            for future in live:
                future.cancel()


def encode(generation_request: GenerationRequest) -> dict[str, Any]:
    """The answer, after everything is generated."""
    request = generation_request.request
    generations = []
    for generation in generation_request.generations:
        text, entries = generation.collect()
        encoded = {
            "text": text,
            "diversity": generation.sampling.diversity,
            "finish_reason": generation.finish_reason,
            "continuation": generation_request.token(generation),
        }
        if request.logprobs is not None:
            encoded["logprobs"] = entries
        generations.append(encoded)
    answer: dict[str, Any] = {"random_seed": request.random_seed, "generations": generations}
    if request.replace:
        answer["replaced"] = generation_request.replaced
    return answer


class Score:
    """Scores a string with one prefill."""

    def __init__(self, model: TextModel, text: str, *, replace: bool, deadline: float) -> None:
        """deadline: monotonic seconds."""
        ids, self._replaced = model.vocabulary.read(text, "text", replace=replace)
        self._model = model
        self._with_replaced = replace
        self.prefill = PrefillSequence(ids, model.beginning, model.batcher.largest_chunk)
        self.prefill.deadline = deadline

    async def run(self) -> None:
        """Run the prefill; after cancellation the batcher's next step does not contain it."""
        self._model.batcher.add(self.prefill)
        try:
            await self.prefill.done
        finally:
            self.prefill.done.cancel()

    def encode(self) -> dict[str, Any]:
        """The answer, after the run."""
        nats = -float(self.prefill.logprobs.mean(dtype="float64"))
        answer: dict[str, Any] = {
            "nats_per_character": nats,
            "bits_per_character": nats / math.log(2),
            "characters": _entries(self._model.vocabulary.decode(self.prefill.ids), self.prefill),
        }
        if self._with_replaced:
            answer["replaced"] = self._replaced
        return answer


def _initial_state(model: TextModel, request: TextRequest) -> TextState:
    if request.resume is None:
        return TextState(model.beginning)
    state = request.resume.state
    if len(state.row) != len(model.beginning):
        raise InvalidValue(
            f"continuation has a state of {len(state.row)} values, {model.name}/{model.version} "
            f"has {len(model.beginning)}: send it unchanged"
        )
    return state


def _entries(text: str, prefill: PrefillSequence) -> Entries:
    logprobs = rounded(prefill.logprobs)
    return [{"character": c, "logprob": p} for c, p in zip(text, logprobs, strict=True)]
