"""Server-sent events: bytes as they arrive → the data of each event."""

from collections.abc import Iterator


class EventReader:
    """Splits a stream into events.

    Lines end with a line feed only, unlike those of `str.splitlines`: a text may hold U+2028.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The `data` of each event that is now complete."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            field, _, value = line.removesuffix(b"\r").partition(b":")
            if field == b"data":
                self._data.append(value.removeprefix(b" "))
            elif not field and not value and self._data:
                yield b"\n".join(self._data).decode()
                self._data = []
