from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from vitrine_client import Retries


def reply(status, retry_after=None):
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return httpx.Response(status, headers=headers)


@pytest.mark.parametrize("status", [200, 400, 413, 422, 500, 502, 504])
def test_only_429_and_503_are_worth_another_attempt(status):
    assert Retries().wait_seconds(reply(status, "1"), attempt=0) is None


@pytest.mark.parametrize("status", [429, 503])
def test_the_service_says_how_long(status):
    assert Retries().wait_seconds(reply(status, "3"), attempt=0) == 3


def test_without_a_word_of_the_service_the_wait_doubles():
    waits = [Retries(first_wait_seconds=0.5).wait_seconds(reply(429), n) for n in range(3)]

    assert waits == [0.5, 1, 2]


@pytest.mark.parametrize("nonsense", ["soon", "", "nan", "inf"])
def test_a_retry_after_that_means_nothing_counts_as_none(nonsense):
    assert Retries(first_wait_seconds=0.5).wait_seconds(reply(429, nonsense), 0) == 0.5


def test_a_date_is_a_wait_until_then():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=8), usegmt=True)
    earlier = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)

    assert 5 < Retries().wait_seconds(reply(503, later), 0) <= 8
    assert Retries().wait_seconds(reply(503, earlier), 0) == 0


def test_a_wait_longer_than_the_patience_is_no_retry():
    assert Retries(longest_wait_seconds=10).wait_seconds(reply(429, "11"), 0) is None


def test_the_last_attempt_is_the_last():
    assert Retries(attempts=2).wait_seconds(reply(429, "1"), attempt=1) is None
    assert Retries(attempts=1).wait_seconds(reply(429, "1"), attempt=0) is None
