"""Counts characters of long bodies, faster than `bytes.count`, which looks at one after the other.

NumPy compares many at once and lets other threads run meanwhile; a search for a rare one is faster still.
"""

import numpy as np

FEW = 16  # occurrences that are searched one by one
PIECE_BYTES = 2**18  # compared in one call, so that the result stays in the processor's cache


def count_byte(body: bytes | bytearray, character: bytes, end: int | None = None) -> int:
    """`body.count(character, 0, end)` for one character."""
    position = 0
    for number in range(FEW):
        position = body.find(character, position, end) + 1
        if not position:
            return number
    codes = np.frombuffer(body, np.uint8)[:end]
    count = sum(
        int(np.count_nonzero(codes[at : at + PIECE_BYTES] == character[0]))
        for at in range(position, len(codes), PIECE_BYTES)
    )
    return FEW + count


def has_surrogate_escape(body: bytes) -> bool:
    r"""Whether there is a JSON escape of half a character, `\ud…` or `\uD…`."""
    if b"\\" not in body:
        return False
    codes = np.frombuffer(body, np.uint8)
    for at in range(0, len(codes), PIECE_BYTES):
        piece = codes[at : at + PIECE_BYTES + 2]
        backslashes, letters, digits = piece[:-2] == ord("\\"), piece[1:-1], piece[2:]
        if np.any(backslashes & (letters == ord("u")) & (digits | 0x20 == ord("d"))):
            return True
    return False
