"""Structured logs on stderr: one JSON object per line. Control characters are escaped."""

import logging
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


def configure(level: str) -> None:
    """Send everything to stderr; called once, by `python -m service`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every unusual byte
    logging.getLogger(
        "uvicorn.access"
    ).disabled = True  # the middleware's own line has more information
