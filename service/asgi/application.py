"""The FastAPI application of the routes, with our middleware and errors."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service import errors
from service.asgi.keys import KeyRing
from service.asgi.middleware import CrossOrigin, Gate, Keys
from service.asgi.rate_limit import RateLimit
from service.asgi.responses import error_answer
from service.asgi.routing import FastRouter, RawRouter, no_route
from service.schemas import document
from service.settings import Settings

EXPOSED = [
    "X-Request-ID",
    "X-Model",
    "X-Engine",
    "X-Batch-Size",
    "Server-Timing",
    "Retry-After",
    "ETag",
    "X-Random-Seed",
]


class VitrineApp(FastAPI):
    """FastAPI with our middleware outside its own, so that the fast router bypasses FastAPI's."""

    wrap: Callable[[ASGIApp], ASGIApp]
    routers: list[RawRouter]
    below = ""  # the path under which a proxy shows the service, cut off or passed on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As FastAPI's, without reading the environment for telemetry in every request."""
        if scope["type"] != "http" or self.middleware_stack is None:
            await super().__call__(scope, receive, send)
            return
        if self.below:
            scope["root_path"] = self.below
        scope["app"] = self
        await self.middleware_stack(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """FastAPI's document, completed, with the path under which a proxy shows the service."""
        whole = self.openapi_schema or document.complete(super().openapi())
        return whole | ({"servers": [{"url": self.below}]} if self.below else {})

    def build_middleware_stack(self) -> ASGIApp:
        """FastAPI's stack inside ours, without its outermost layer, which answers 500 as text."""
        stack = super().build_middleware_stack()
        assert isinstance(stack, ServerErrorMiddleware)
        return self.wrap(stack.app)


def wrap(
    app: ASGIApp,
    *,
    routers: list[RawRouter],
    settings: Settings,
    context: Callable[[ASGIApp], ASGIApp],
) -> ASGIApp:
    """Wrap the app, from the inside out: fast router, keys and errors, CORS, request context."""
    app = Gate(FastRouter(app, routers), keys_of(settings))
    if settings.cors_origins:
        app = CrossOrigin(
            app,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
        )
    return context(app)


def keys_of(settings: Settings) -> Keys:
    """The API keys, the admin keys, and the rate limit."""
    admin = [settings.admin_key] if settings.admin_key else []
    return Keys(
        KeyRing(settings.api_keys, settings.api_keys_file),
        KeyRing(admin, settings.admin_key_file),
        RateLimit(settings.rate_limit),
    )


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer with an error in the common format."""
    assert isinstance(error, errors.VitrineError)
    request.scope["error_code"] = error.code
    return error_answer(error, request.scope["request_id"])


async def answer_router_error(request: Request, error: Exception) -> Response:
    """Answer errors of the router: an unknown path or method."""
    assert isinstance(error, HTTPException)
    if error.status_code in (404, 405):
        return await answer_error(request, no_route(request.app.routers, request.scope))
    detail = f"the request cannot be handled: {error.detail}"
    return await answer_error(request, errors.InvalidRequest(detail))
