"""Texts: what a caller asks for → sequences for the batcher → what they gave. Knows no HTTP."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from service.codecs import continuation
from service.errors import InvalidValue
from service.runtime.text_model import TextModel
from service.scheduling.continuous_batcher import Sequence
from service.tasks.sequences import (
    FIRST_CHUNK,
    Entries,
    FinishReason,
    Generation,
    Manner,
    Reading,
    TextState,
    rounded,
)
from service.tasks.text_request import TextRequest

TASK = "generate_text"
LIVE = 8  # generations of one request at a time: enough to fill batches, and room for others


class Piece(NamedTuple):
    """Something new of one generation, the last time with the reason why it ended."""

    number: int
    text: str
    entries: Entries
    finish_reason: FinishReason | None


class Composition:
    """The generations of one request. A seed is read once, whatever is drawn after it."""

    def __init__(self, model: TextModel, request: TextRequest) -> None:
        self.request = request
        self.generations: list[Generation] = []
        self.replaced: list[str] = []
        self._model = model
        self._beginning = _beginning(model, request)
        self._readings = [self._reading(seed) for seed in request.seeds]
        self._changed: set[int] = set()
        self._ended: set[int] = set()
        self._news = asyncio.Event()

    @property
    def sequences(self) -> list[Sequence]:
        """All there are so far."""
        return [*self._readings, *self.generations]

    @property
    def seed_characters(self) -> int:
        """Characters that were read."""
        return sum(len(reading.ids) for reading in self._readings)

    async def run(self) -> None:
        """Draw everything; once cancelled, nothing of it is in the batcher's next round."""
        await self._through(self._readings)
        self.generations = [
            self._generation(number) for number in range(len(self.request.samplings))
        ]
        await self._through(self.generations)

    async def pieces(self) -> AsyncIterator[list[Piece]]:
        """Draw everything, and give what is new whenever there is something."""
        running = asyncio.create_task(self.run())
        running.add_done_callback(lambda _: self._news.set())
        try:
            is_over = False
            while not is_over:
                await self._news.wait()
                self._news.clear()
                is_over = running.done()
                if pieces := self._collect():
                    yield pieces
            running.result()
        finally:
            running.cancel()

    def token(self, generation: Generation) -> str:
        """What lets a finished generation go on."""
        sampling, state = generation.sampling, generation.state
        whereabouts = continuation.Continuation(
            name=self._model.name,
            version=self._model.version,
            random_seed=sampling.random_seed,
            index=sampling.number,
            position=state.position,
            diversity=sampling.diversity,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            stop=generation.stop,
            held=state.held,
        )
        return continuation.encode(whereabouts, state.row)

    def _reading(self, seed: str) -> Reading:
        ids, replaced = self._model.vocabulary.read(
            seed, self.request.seed_field, replace=self.request.replace
        )
        self.replaced += [character for character in replaced if character not in self.replaced]
        return Reading(ids, self._beginning.row, self._model.batcher.largest_chunk)

    def _generation(self, number: int) -> Generation:
        request, width = self.request, self._model.batcher.largest_chunk
        reading = self._readings[number * len(self._readings) // len(request.samplings)]
        chunk = FIRST_CHUNK if request.stream else width
        manner = Manner(request.length, request.stop, request.logprobs, chunk)
        start = self._beginning._replace(row=reading.row)
        generation = Generation(
            self._model.vocabulary, request.samplings[number], start, manner, width
        )
        if request.with_seed:
            text, entries = self._model.vocabulary.decode(reading.ids), []
            if request.logprobs is not None:
                entries = [{**one, "top": {}} for one in _entries(text, reading)]
            generation.begin_with(text, entries)
        generation.on_news = partial(self._note, number)
        return generation

    def _note(self, number: int) -> None:
        self._changed.add(number)
        self._news.set()

    def _collect(self) -> list[Piece]:
        pieces = []
        for number in sorted(self._changed - self._ended):
            generation = self.generations[number]
            if not generation.left:
                self._ended.add(number)
            reason = None if generation.left else generation.finish_reason
            piece = Piece(number, *generation.collect(), reason)
            if piece.text or reason:
                pieces.append(piece)
        self._changed.clear()
        return pieces

    async def _through(self, sequences: Iterable[Sequence]) -> None:
        """Let the sequences run, some at a time, until all are done or one fails."""
        waiting, live = iter(sequences), set[asyncio.Future[None]]()
        try:
            while True:
                for sequence in islice(waiting, LIVE - len(live)):
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


def encode(composition: Composition) -> dict[str, Any]:
    """The answer, once everything is drawn."""
    request = composition.request
    generations = []
    for generation in composition.generations:
        text, entries = generation.collect()
        encoded = {
            "text": text,
            "diversity": generation.sampling.diversity,
            "finish_reason": generation.finish_reason,
            "continuation": composition.token(generation),
        }
        if request.logprobs is not None:
            encoded["logprobs"] = entries
        generations.append(encoded)
    answer: dict[str, Any] = {"random_seed": request.random_seed, "generations": generations}
    if request.replace:
        answer["replaced"] = composition.replaced
    return answer


class Score:
    """How likely a model finds a text: one reading."""

    def __init__(self, model: TextModel, text: str, *, replace: bool) -> None:
        ids, self._replaced = model.vocabulary.read(text, "text", replace=replace)
        self._model = model
        self._with_replaced = replace
        self.reading = Reading(ids, model.beginning, model.batcher.largest_chunk)

    async def run(self) -> None:
        """Read the text; once cancelled, it is not in the batcher's next round."""
        self._model.batcher.add(self.reading)
        try:
            await self.reading.done
        finally:
            self.reading.done.cancel()

    def encode(self) -> dict[str, Any]:
        """The answer, once the text is read."""
        nats = -float(self.reading.logprobs.mean(dtype="float64"))
        answer: dict[str, Any] = {
            "nats_per_character": nats,
            "bits_per_character": nats / math.log(2),
            "characters": _entries(self._model.vocabulary.decode(self.reading.ids), self.reading),
        }
        if self._with_replaced:
            answer["replaced"] = self._replaced
        return answer


def _beginning(model: TextModel, request: TextRequest) -> TextState:
    if request.origin is None:
        return TextState(model.beginning)
    state = request.origin.state
    if len(state.row) != len(model.beginning):
        raise InvalidValue(
            f"continuation holds a state of {len(state.row)} numbers, {model.name}/{model.version} "
            f"has {len(model.beginning)}: send it unchanged"
        )
    return state


def _entries(text: str, reading: Reading) -> Entries:
    logprobs = rounded(reading.logprobs)
    return [{"character": c, "logprob": p} for c, p in zip(text, logprobs, strict=True)]
