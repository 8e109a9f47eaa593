"""The two kinds of sequence that a text model runs in chunks: prefill and generation."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from service.codecs.random_streams import uniforms
from service.codecs.stop_strings import StopScanner
from service.codecs.vocabulary import Vocabulary
from service.engine import Arrays
from service.scheduling.continuous_batcher import Row, Sequence

FIRST_CHUNK = 2  # of a stream: the first characters leave as soon as they can
GREEDY_TEMPERATURE = (
    1e-4  # a diversity below divides logits by so little that they overflow; it is as good as 0
)
FinishReason = Literal["stop", "length"]
Entries = list[dict[str, Any]]  # {"character", "logprob", "top"} for each character


class Sampling(NamedTuple):
    """How characters are sampled, and from which random numbers."""

    diversity: float
    top_k: int  # 0: all
    top_p: float  # 1: all
    random_seed: int
    number: int  # of the generation: it draws from (random_seed, number)


class TextState(NamedTuple):
    """The state of a text after its last character."""

    row: np.ndarray  # the model's state, float32 [S]
    position: int = 0  # characters drawn so far
    pending: str = ""  # the end of the text that may be the start of a stop string


class PrefillSequence(Sequence):
    """Runs a prompt through the model: the state after it, and the log-probability of each character."""

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

    def take(self, outputs: Arrays, steps: int) -> None:
        """Keep the state and the log-probabilities."""
        self.row = outputs["state"].copy()
        self.logprobs[self._read : self._read + steps] = outputs["logprobs"][:steps]
        self._read += steps
        self.left -= steps


class GenerationOptions(NamedTuple):
    """The options that all generations of a request share."""

    length: int
    stop: list[str]
    logprobs: int | None  # top log-probabilities to report beside the sampled character
    chunk: int  # the most characters of the first chunk


class Generation(Sequence):
    """One text, generated until its length or a stop string; `collect` takes what is new."""

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
        self._shown_before = len(start.pending)  # the caller has it already
        self._drawn_from = start.position
        self._uniforms = uniforms(
            sampling.random_seed, sampling.number, start.position, options.length + width
        )
        self._is_going_back = False
        self._text = ""
        self._entries: Entries = []
        self._undecided: Entries = []  # of what is held back

    @property
    def state(self) -> TextState:
        """Where the text stands, once it is done."""
        return TextState(self._row, self._position, self._scanner.pending)

    def begin_with(self, text: str, entries: Entries) -> None:
        """Show this before what is drawn."""
        self._text, self._entries = text, entries

    def collect(self) -> tuple[str, Entries]:
        """What can be shown and was not collected yet: text, and an entry for each character."""
        text, entries = self._text, self._entries
        self._text, self._entries = "", []
        return text, entries

    def inputs(self, steps: int) -> Row:
        """The state, the next random numbers, and how to draw."""
        drawn = self._position - self._drawn_from
        diversity = self.sampling.diversity
        return {
            "state": self._row,
            "uniforms": self._uniforms[drawn : drawn + self._width],
            "lengths": np.int32(steps),
            "temperature": np.float32(diversity if diversity >= GREEDY_TEMPERATURE else 0),
            "top_k": np.int32(self.sampling.top_k),
            "top_p": np.float32(self.sampling.top_p),
        }

    def take(self, outputs: Arrays, steps: int) -> None:
        """Show the characters that are decided; at a stop string, go back to where it ended."""
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
        """One entry for each character: its log-probability, and those of the likeliest."""
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
    """Six decimals are more than a float32 holds of what matters, and half as long in JSON."""
    return logprobs.astype(np.float64).round(6).tolist()
