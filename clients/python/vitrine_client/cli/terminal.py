"""Terminal output: bars, and text without control characters."""

import sys

BAR_WIDTH = 20


def bar(share: float) -> str:
    """A share of 1 → a bar, in ASCII where the terminal lacks block characters."""
    filled = round(min(max(share, 0.0), 1.0) * BAR_WIDTH)
    full, empty = _bar_characters()
    return full * filled + empty * (BAR_WIDTH - filled)


def printable(text: str, keep: str = "") -> str:
    """Text from outside without the characters that steer a terminal, but for those in `keep`."""
    return "".join(
        character if character.isprintable() or character in keep else " " for character in text
    )


def _bar_characters() -> tuple[str, str]:
    try:
        "█░".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "#", "."
    return "█", "░"
