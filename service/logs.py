"""Structured logs on stderr: one JSON object per line. Control characters are escaped."""

import logging
import os
import select
import sys

import orjson

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message, the fields of `extra`, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        fields = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in STANDARD},
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(fields, default=str).decode()


class NeverBlockingHandler(logging.Handler):
    """Drops the lines that a pipe, terminal or socket does not take at once, and later states their number.

    With a blocking write the event loop would wait for the reader of the log: a pager, a stopped terminal,
    a parent process that does not read. Windows cannot ask a pipe, and blocks.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._begun = b""  # the rest of the last line
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, or count it as dropped."""
        try:
            self._write()
            if self._begun:
                self._dropped += 1
                return
            if self._dropped:
                fields = {"levelname": "WARNING", "name": __name__, "dropped": self._dropped}
                about = logging.makeLogRecord(
                    fields | {"msg": "the log was blocked: lines dropped"}
                )
                self._begun = self.format(about).encode() + b"\n"
                self._dropped = 0
            self._begun += self.format(record).encode() + b"\n"
            self._write()
        except OSError:  # the reader is gone
            self._begun = b""

    def _write(self) -> None:
        while self._begun and _takes_more(self._descriptor):
            written = os.write(self._descriptor, self._begun[:MOST_AT_ONCE])
            self._begun = self._begun[written:]


if sys.platform == "win32":
    MOST_AT_ONCE = 4096

    def _takes_more(descriptor: int) -> bool:
        return True
else:
    MOST_AT_ONCE = select.PIPE_BUF  # a pipe that is writable takes this much without blocking

    def _takes_more(descriptor: int) -> bool:
        ready = select.poll()
        ready.register(descriptor, select.POLLOUT)
        return bool(ready.poll(0))


def configure(level: str) -> None:
    """Send everything to stderr; called once, by `python -m service`."""
    handler = NeverBlockingHandler(sys.stderr.fileno())
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every unusual byte
    logging.getLogger(
        "uvicorn.access"
    ).disabled = True  # the middleware's own line has more information
