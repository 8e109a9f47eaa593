"""Terminal output: bars, and text without control characters."""

import sys

BAR_WIDTH = 20


def bar(share: float) -> str:
    """A bar for a fraction, in ASCII if the terminal lacks block characters."""
    filled = round(min(max(share, 0.0), 1.0) * BAR_WIDTH)
    full, empty = _bar_characters()
    return full * filled + empty * (BAR_WIDTH - filled)


def printable(text: str, keep: str = "") -> str:
    """Remove terminal control characters from text, except those in `keep`."""
    return "".join(
        character if character.isprintable() or character in keep else " " for character in text
    )


def _bar_characters() -> tuple[str, str]:
    try:
        "█░".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "#", "."
    return "█", "░"
