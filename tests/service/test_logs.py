"""The log of a service whose stderr nobody reads."""

import json
import logging
import os

import pytest

from service.logs import JsonFormatter, NeverBlockingHandler


@pytest.fixture
def pipe():
    """The end to read, and a logger that writes to the other one."""
    read, write = os.pipe()
    handler = NeverBlockingHandler(write)
    handler.setFormatter(JsonFormatter())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    with os.fdopen(read, "rb", buffering=0) as reader, os.fdopen(write, "wb"):
        yield reader, logger


def test_a_log_that_nobody_reads_blocks_nobody_and_states_later_what_it_dropped(pipe):
    reader, logger = pipe
    for number in range(5000):
        logger.error("line %d", number, extra={"text": "x" * (number % 9000)})

    before = reader.read(1 << 20)
    logger.error("read again")
    lines = [json.loads(line) for line in (before + reader.read(1 << 20)).splitlines()]

    *kept, about, last = lines
    assert [line["message"] for line in kept] == [f"line {n}" for n in range(len(kept))]
    assert about["message"] == "the log was blocked: lines dropped"
    assert (about["level"], about["dropped"]) == ("warning", 5000 - len(kept))
    assert last["message"] == "read again"


def test_without_a_reader_lines_are_lost_without_an_error(pipe):
    reader, logger = pipe
    reader.close()

    logger.error("nobody reads this")
