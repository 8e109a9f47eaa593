"""Text ↔ token ids, one per character (Unicode code point)."""

from collections.abc import Sequence

import numpy as np

from service.errors import InvalidValue

ENCODING = "utf-32-le"
MAX_REPLACED = 20  # maximum different unknown characters listed in a message or an answer


class Vocabulary:
    """The characters of a model, in the order of their ids."""

    def __init__(self, characters: Sequence[str]) -> None:
        self._codes = np.array([ord(character) for character in characters], "<u4")
        self._ids = np.full(int(self._codes.max()) + 2, -1, np.int32)  # id of all other characters
        self._ids[self._codes] = np.arange(len(self._codes))
        # Training reads every line end as "\n"; a vocabulary from elsewhere may know "\r".
        self._one_line_end = "\n" in characters and "\r" not in characters
        self._stand_in = self._ids[ord(" ")] if " " in characters else np.int32(0)

    def __len__(self) -> int:
        return len(self._codes)

    def encode(self, text: str) -> np.ndarray:
        """Token ids, int32 [T]; -1 for unknown characters."""
        codes = np.frombuffer(text.encode(ENCODING), "<u4")
        ids: np.ndarray = self._ids[np.minimum(codes, len(self._ids) - 1)]
        return ids

    def decode(self, ids: np.ndarray) -> str:
        """The text of token ids; IndexError if one is none."""
        codes: np.ndarray = self._codes[ids]
        return codes.tobytes().decode(ENCODING)

    def read(self, text: str, field: str, *, replace: bool) -> tuple[np.ndarray, list[str]]:
        """Token ids of a caller's text, and the unknown characters that were replaced.

        Line ends of Windows and of old Macs become newlines, as in training.

        Raises:
            InvalidValue: a character is unknown and `replace` is false; the message names it.
        """
        if self._one_line_end and "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        ids = self.encode(text)
        places = np.flatnonzero(ids < 0)
        if not len(places):
            return ids, []
        if not replace:
            raise InvalidValue(_unknown(text, field, places))
        ids = ids.copy()
        ids[places] = self._stand_in
        return ids, _kinds(text, places)


def _unknown(text: str, field: str, places: np.ndarray) -> str:
    first = text[places[0]]
    others = len(_kinds(text, places)) - 1
    more = f" and {others} other{'s' if others > 1 else ''}" if others else ""
    return (
        f"{field} must have only characters of the model's training text, got {first!r} "
        f'(U+{ord(first):04X}) at position {places[0]}{more}: remove it, or send "unknown": "replace"'
    )


def _kinds(text: str, places: np.ndarray) -> list[str]:
    """The different characters at these positions, in order, at most MAX_REPLACED."""
    return list(dict.fromkeys(text[place] for place in places.tolist()))[:MAX_REPLACED]
