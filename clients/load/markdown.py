"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a whole table."""
    return [*table_head(head), *map(table_row, rows)]


def table_head(head: Sequence[str]) -> list[str]:
    """The two lines above the rows, for a table whose rows come one by one."""
    return [table_row(head), "|---" * len(head) + "|"]


def table_row(cells: Sequence[object]) -> str:
    """One line."""
    return f"| {' | '.join(map(str, cells))} |"
