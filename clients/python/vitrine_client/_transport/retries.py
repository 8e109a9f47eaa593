"""The retry policy: 429 and 503 only, bounded in number and in time."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

RETRIED_STATUSES = frozenset({429, 503})


@dataclass(frozen=True)
class Retries:
    """The retry policy.

    Args:
        attempts: Maximum attempts per call; 1: no retries.
        longest_wait_seconds: Give up if the service asks for a longer wait.
        first_wait_seconds: The first wait if the service names none; it doubles each time.
    """

    attempts: int = 4
    longest_wait_seconds: float = 10.0
    first_wait_seconds: float = 0.5

    def wait_seconds(self, response: httpx.Response, attempt: int) -> float | None:
        """Seconds until the next attempt, or None if `response` is final."""
        if response.status_code not in RETRIED_STATUSES or attempt + 1 >= self.attempts:
            return None
        wait_seconds = _retry_after(response.headers.get("Retry-After", ""))
        if wait_seconds is None:
            wait_seconds = self.first_wait_seconds * 2**attempt
        return wait_seconds if wait_seconds <= self.longest_wait_seconds else None


DEFAULT_RETRIES = Retries()
NEVER = Retries(attempts=1)


def _retry_after(header: str) -> float | None:
    """A number of seconds or a date, as HTTP allows; None when it is neither."""
    try:
        seconds = float(header)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, TypeError):
        return None
    if date.tzinfo is None:  # "-0000": UTC, of no known place
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
