"""Finds the first complete stop string in text that arrives in parts.

A part may end anywhere: text that could become a stop string is held back until that is decided.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Scanned(NamedTuple):
    """The result of scanning one part."""

    text: str  # text that can be shown now, of this part and of the held-back text
    end: int | None  # characters of this piece up to the end of the stop string, if there was one


class StopScanner:
    """Scans one text. `pending` is its end that could be the beginning of a stop string."""

    def __init__(self, stops: Sequence[str], pending: str = "") -> None:
        self.pending = pending
        self._stops = tuple(stops)
        # Longest first, so that the first match is the longest held-back text.
        beginnings = {stop[:length] for stop in stops for length in range(1, len(stop))}
        self._beginnings = tuple(sorted(beginnings, key=len, reverse=True))

    def scan(self, piece: str) -> Scanned:
        """Scan the next part; after a stop string the scanner starts again behind it."""
        if not self._stops:
            return Scanned(piece, None)
        text = self.pending + piece
        # The first complete one ends the text; of two that end together, the longer.
        found = [(start + len(s), start) for s in self._stops if (start := text.find(s)) >= 0]
        if found:
            end, start = min(found)
            piece_end = end - len(self.pending)
            self.pending = ""
            return Scanned(text[:start], piece_end)
        keep = self._length_to_hold(text)
        self.pending = text[len(text) - keep :]
        return Scanned(text[: len(text) - keep], None)

    def _length_to_hold(self, text: str) -> int:
        if not text.endswith(self._beginnings):
            return 0
        return next(len(start) for start in self._beginnings if text.endswith(start))
