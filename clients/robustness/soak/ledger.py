"""Outcomes of requests: each is counted as exactly one of answered, lost, or forbidden."""

import time
from collections import Counter
from typing import Any

from clients.load.connection import Answer
from clients.load.measurement import percentile
from clients.robustness.soak.connection import Connection
from clients.robustness.soak.pauses import PAUSES, Pauses

ALLOWED = frozenset((*range(200, 500), 503, 504))  # a refusal may say "not ready" or "too late"


class Ledger:
    """Statuses and latencies of answers, and the requests that ended as none may.

    one_shape: whether errors have to have the service's shape.
    pauses: of this process; what was lost over one is asked again.
    """

    def __init__(self, one_shape: bool = True, pauses: Pauses = PAUSES) -> None:
        self._one_shape = one_shape
        self._pauses = pauses
        pauses.watch()
        self.repeated = 0
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []
        self.lost: list[str] = []
        self.errors: list[str] = []
        self.misshapen: list[str] = []

    @property
    def problems(self) -> list[str]:
        """All that must never be."""
        return self.errors + self.lost + self.misshapen

    async def note(self, connection: Connection, *request: Any) -> Answer | None:
        """Ask, and file the answer; None: it was lost."""
        name, asked_at = f"{request[0]} {request[1][:60]}", time.monotonic()
        try:
            answer = await connection.send(*request)
        except OSError as error:
            if await self._pauses.was_any_since(asked_at):
                self.repeated += 1
                return await self.note(connection, *request)
            self.lost.append(f"{name}: {error!r}")
            return None
        self.statuses[answer.status] += 1
        self.seconds.append(time.monotonic() - asked_at)
        if answer.status not in ALLOWED:
            self.errors.append(f"{name}: status {answer.status}, {request[2:3]!r:.100}")
        elif answer.status >= 400 and self._one_shape and not is_problem(answer):
            self.misshapen.append(f"{name}: {answer.body[:80]!r}")
        return answer

    def quantile(self, share: float) -> float:
        """The latency, in milliseconds, that this share of the answers does not exceed."""
        return 1000 * percentile(self.seconds, share) if self.seconds else 0.0

    def tally(self) -> dict[str, float]:
        """The numbers that goals have in common."""
        return {
            "answered": self.statuses.total(),
            "ok": self.statuses[200],
            "errors": len(self.errors),
            "lost": len(self.lost),
            "repeated": self.repeated,
            "most_ms": max(self.seconds, default=0) * 1000,
        }


def is_problem(answer: Answer) -> bool:
    """Whether an error has the one shape."""
    try:
        fields = answer.json()
    except ValueError:
        return False
    return isinstance(fields, dict) and {"error", "code", "request_id"} <= set(fields)
