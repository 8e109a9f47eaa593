"""Around every request: id, metrics and log line; then CORS; then API keys, and an answer whatever happens inside.

Pure ASGI: Starlette's BaseHTTPMiddleware hides disconnects from the routes.
"""

import asyncio
import logging
import time
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import errors
from service.asgi.bytes_in_flight import BytesInFlight
from service.asgi.keys import KeyRing, digest_of, key_of
from service.asgi.rate_limit import RateLimit
from service.asgi.request_head import request_id_of
from service.asgi.request_log import RequestLog
from service.asgi.responses import error_answer
from service.asgi.routing import route_path

OPEN_PATHS = ("/", "/v2/health/live", "/v2/health/ready")
OPEN_PREFIX = "/page/"
CLIENT_LEFT = 499  # nobody is left to answer; the number is for log and metrics
NEEDS_KEY = (
    "the request must have a valid API key, got none or another: send it as 'Authorization: Bearer KEY' "
    "or 'X-API-Key: KEY'"
)

log = logging.getLogger("vitrine.request")


class RequestContext:
    """Outermost of our own layers: gives a request its id, and counts and logs how it ended."""

    def __init__(self, app: ASGIApp, log: RequestLog, bytes_in_flight: BytesInFlight) -> None:
        self._app = app
        self._log = log
        self._bytes_in_flight = bytes_in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; other scopes (lifespan) pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _get_for_head(scope)
        scope["request_id"] = request_id = request_id_of(scope["headers"])
        started = scope.setdefault("started", time.monotonic())
        scope["held"] = held = self._bytes_in_flight.hold()
        answer = _Answer(send, request_id)
        scope["answer"] = answer
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            answer.status = CLIENT_LEFT
        except asyncio.CancelledError:
            if not _is_gone(scope):
                raise
            answer.status = CLIENT_LEFT
        finally:
            held.release()
            self._log.note_scope(scope, answer.status, time.monotonic() - started)
            answer.end()


class CrossOrigin(CORSMiddleware):
    """Starlette's, whose refusals come in the one error shape."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight request, or let a request pass with the headers that browsers ask for."""
        try:
            await super().__call__(scope, receive, send)
        except errors.OriginRefused as error:
            await error_answer(error, scope["request_id"])(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """The permission, or OriginRefused."""
        response = super().preflight_response(request_headers)
        if response.status_code >= 400:
            asked = ", ".join(
                f"{name} {request_headers[name][:60]!r}"
                for name in ("origin", "access-control-request-method")
                if name in request_headers
            )
            raise errors.OriginRefused(
                f"the origin and method must be ones that VITRINE_CORS_ORIGINS allows, got {asked}"
            )
        return response


class Keys(NamedTuple):
    """The keys of users and of admins, and the rate limit of each key."""

    users: KeyRing
    admins: KeyRing
    rate: RateLimit


class Gate:
    """Innermost of our own layers: checks the key, and turns every error into an answer.

    The admin key is a key for everything. `has_key` and `is_admin` of the scope say what a request showed.
    """

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; nothing inside can leave it without an answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"]
        try:
            self._check_key(scope)
            await self._app(scope, receive, send)
        except errors.VitrineError as error:
            if isinstance(error, errors.InternalError):
                log.error("failed", extra={"request_id": request_id}, exc_info=error)
            elif isinstance(error, errors.QueueRefusal):
                scope["state"]["refusals"].record(scope, error)
            scope["error_code"] = error.code
            answer = error_answer(error, request_id)
            # Its traceback holds the body, in a cycle that the collector would find much later.
            error.__traceback__ = error.__cause__ = error.__context__ = None
            await answer(scope, receive, send)
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("unhandled", extra={"request_id": request_id})
            if scope["answer"].status:
                raise  # the answer has begun: cut the connection, so that it cannot pass for whole
            failure = errors.InternalError(
                "the service failed: its log has the cause under this id"
            )
            scope["error_code"] = failure.code
            await error_answer(failure, request_id)(scope, receive, send)

    def _check_key(self, scope: Scope) -> None:
        users, admins = self._keys.users, self._keys.admins
        if not (users.is_configured or admins.is_configured):
            return
        digest = digest_of(key_of(scope["headers"]))
        scope["is_admin"] = admins.holds(digest)
        scope["has_key"] = scope["is_admin"] or users.holds(digest)
        path = route_path(scope)
        if path in OPEN_PATHS or path.startswith(OPEN_PREFIX) or not users.is_configured:
            return
        if not scope["has_key"]:
            raise errors.Unauthorized(NEEDS_KEY)
        if not scope["is_admin"]:
            self._keys.rate.take(digest)
            if users.count > 1:
                scope["named_key"] = digest


class _Answer:
    """Puts the request's id on the answer and remembers its status; 0: not begun."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0

    def end(self) -> None:
        """Forget the connection, which refers to the request, so that nothing is left in a circle."""
        self._send = _send_nothing

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"].append((b"x-request-id", self.request_id.encode()))
        await self._send(message)


async def _send_nothing(_: Message) -> None:
    raise RuntimeError("the request is over")


def _is_gone(scope: Scope) -> bool:
    """Whether the connection knows that its client left; a server of another kind cannot say."""
    return bool(scope.get("is_gone", lambda: False)())


def _get_for_head(scope: Scope) -> Scope:
    """What answers GET answers HEAD; the server, which sees the scope unchanged, sends no body."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
