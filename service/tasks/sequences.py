"""The two kinds of sequence that a text model runs in chunks: prefill and generation."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from service.codecs.random_streams import uniforms
from service.codecs.stop_strings import StopScanner
from service.codecs.vocabulary import Vocabulary
from service.engine import Arrays
from service.scheduling.continuous_batcher import DecodingSequence, Row

FIRST_CHUNK = 2  # for streams: the first characters are sent as early as possible
GREEDY_TEMPERATURE = 1e-4  # dividing logits by a smaller diversity overflows; treated as 0
FinishReason = Literal["stop", "length"]
Entries = list[dict[str, Any]]  # {"character", "logprob", "top"} for each character


class Sampling(NamedTuple):
    """Sampling options and random numbers."""

    diversity: float
    top_k: int  # 0: all
    top_p: float  # 1: all
    random_seed: int
    number: int  # index of the generation: it samples with (random_seed, number)


class TextState(NamedTuple):
    """The state of a text after its last character."""

    row: np.ndarray  # the model's state, float32 [S]
    position: int = 0  # characters generated so far
    pending: str = ""  # the end of the text that may be the start of a stop string


class PrefillSequence(DecodingSequence):
    """Runs a prompt through the model: final state, and the log-probability of each character."""

    signature = "read"

    def __init__(self, ids: np.ndarray, row: np.ndarray, width: int) -> None:
        super().__init__(len(ids), width)
        self.ids = ids
        self.row = row
        self.logprobs = np.empty(len(ids), np.float32)
        self._width = width
        self._padded = np.concatenate([ids, np.zeros(width, np.int32)])
        self._read = 0

    def inputs(self, steps: int) -> Row:
        """The next characters."""
        ids = self._padded[self._read : self._read + self._width]
        return {"state": self.row, "token_ids": ids, "lengths": np.int32(steps)}

    def consume_outputs(self, outputs: Arrays, steps: int) -> None:
        """Store the state and the log-probabilities."""
        self.row = outputs["state"].copy()
        self.logprobs[self._read : self._read + steps] = outputs["logprobs"][:steps]
        self._read += steps
        self.left -= steps


class GenerationOptions(NamedTuple):
    """The options that all generations of a request share."""

    length: int
    stop: list[str]
    logprobs: int | None  # top log-probabilities to report beside the sampled character
    chunk: int  # maximum characters of the first chunk


class Generation(DecodingSequence):
    """One text, generated up to its length or a stop string; `collect` returns the new part."""

    signature = "generate"

    def __init__(
        self,
        vocabulary: Vocabulary,
        sampling: Sampling,
        start: TextState,
        options: GenerationOptions,
        width: int,
    ) -> None:
        super().__init__(options.length, options.chunk)
        self.sampling = sampling
        self.stop = options.stop
        self.finish_reason: FinishReason | None = None
        self.characters = 0
        self.on_update: Callable[[], None] = lambda: None
        self._vocabulary = vocabulary
        self._with_entries = options.logprobs is not None
        self._top = min(options.logprobs or 0, len(vocabulary))
        self._width = width
        self._row, self._position = start.row, start.position
        self._scanner = StopScanner(options.stop, start.pending)
        self._shown_before = len(start.pending)  # already sent
        self._drawn_from = start.position
        self._uniforms = uniforms(
            sampling.random_seed, sampling.number, start.position, options.length + width
        )
        self._is_going_back = False
        self._text = ""
        self._entries: Entries = []
        self._undecided: Entries = []  # of the held-back text

    @property
    def state(self) -> TextState:
        """The state after the end of the text."""
        return TextState(self._row, self._position, self._scanner.pending)

    def begin_with(self, text: str, entries: Entries) -> None:
        """Show this text before the generated text."""
        self._text, self._entries = text, entries

    def collect(self) -> tuple[str, Entries]:
        """Text that can be shown and was not collected yet, with one entry per character."""
        text, entries = self._text, self._entries
        self._text, self._entries = "", []
        return text, entries

    def inputs(self, steps: int) -> Row:
        """The state, the next random numbers, and the sampling options."""
        generated = self._position - self._drawn_from
        diversity = self.sampling.diversity
        return {
            "state": self._row,
            "uniforms": self._uniforms[generated : generated + self._width],
            "lengths": np.int32(steps),
            "temperature": np.float32(diversity if diversity >= GREEDY_TEMPERATURE else 0),
            "top_k": np.int32(self.sampling.top_k),
            "top_p": np.float32(self.sampling.top_p),
        }

    def consume_outputs(self, outputs: Arrays, steps: int) -> None:
        """Add the decided characters; at a stop string, go back to its end."""
        if self._is_going_back:
            self._advance(outputs, steps)
        else:
            self._grow(outputs, steps)
        self.on_update()

    def _grow(self, outputs: Arrays, steps: int) -> None:
        delta = self._vocabulary.decode(outputs["token_ids"][:steps])
        scanned = self._scanner.scan(delta)
        if self._with_entries:
            self._undecided += self._note(delta, outputs)
        self._show(scanned.text)
        if scanned.end is None:
            self._advance(outputs, steps)
            if not self.left:
                self.finish_reason = "length"
                self._show(self._scanner.pending)
        else:
            self.finish_reason = "stop"
            self.left = scanned.end
            if scanned.end == steps:
                self._advance(outputs, steps)
            else:
                self._is_going_back = True  # the same random numbers give the same characters

    def _advance(self, outputs: Arrays, steps: int) -> None:
        self._row = outputs["state"].copy()
        self._position += steps
        self.left -= steps

    def _show(self, text: str) -> None:
        new = text[self._shown_before :]
        self._shown_before -= min(self._shown_before, len(text))
        self._text += new
        self.characters += len(new)
        self._entries += self._undecided[: len(new)]
        self._undecided = self._undecided[len(new) :]

    def _note(self, delta: str, outputs: Arrays) -> Entries:
        """One entry per character: its log-probability, and those of the likeliest characters."""
        steps, top = len(delta), self._top
        logprobs = rounded(outputs["logprobs"][:steps])
        likeliest = self._vocabulary.decode(outputs["top_ids"][:steps, :top].ravel())
        their_logprobs = rounded(outputs["top_logprobs"][:steps, :top])
        rows = (likeliest[i : i + top] for i in range(0, steps * top, top)) if top else [""] * steps
        return [
            {"character": c, "logprob": p, "top": dict(zip(row, ps, strict=True))}
            for c, p, row, ps in zip(delta, logprobs, rows, their_logprobs, strict=True)
        ]


def rounded(logprobs: np.ndarray) -> Any:
    """Round to six decimals, which is enough for a float32 and halves the JSON."""
    return logprobs.astype(np.float64).round(6).tolist()
