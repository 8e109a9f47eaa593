"""Routes whose handler takes the request and returns the response, with OpenAPI documentation.

FastAPI's dependency solving and response validation cost more than a small prediction, and its
validation has its own error format. `APIRoute.get_route_handler` is its documented extension point.
"""

import re
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import MethodNotAllowed, RouteNotFound

MODEL_PREFIXES = ("/v1/models/", "/v2/models/")


class RawRoute(APIRoute):
    """Only calls `endpoint(request)`; a parameter of its path ends before ":", as in `{model}:predict`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.path_regex = re.compile(self.path_regex.pattern.replace("[^/]+", "[^/:]+"))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself."""
        return self.endpoint


class RawRouter(APIRouter):
    """An APIRouter of RawRoutes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=RawRoute, **options)


def route_path(scope: Scope) -> str:
    """The path without the root path of a proxy."""
    path: str = scope.get("path", "")
    root = scope.get("root_path", "")
    return path.removeprefix(root) if path.startswith(root + "/") else path


def no_route(routers: Iterable[RawRouter], scope: Scope) -> MethodNotAllowed | RouteNotFound:
    """The error for a method that the path does not have, or a path that does not exist."""
    path = scope["path"][:100]
    if allowed := _allowed_methods(routers, scope):
        return MethodNotAllowed(path, allowed, scope["method"])
    return RouteNotFound(f"the path must be a route of /docs, got {path!r}")


def _allowed_methods(routers: Iterable[RawRouter], scope: Scope) -> list[str]:
    """All methods of the routes for this path; routes for GET also answer HEAD."""
    path = route_path(scope)
    methods = {
        method
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute) and route.path_regex.match(path)
        for method in route.methods or ()
    }
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


class RawHeaders(Headers):
    """Starlette's headers, with a `get` that does not raise and catch an error for a missing header."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        super().__init__(raw=raw)
        self._first = dict(reversed(raw))

    def get(self, key: str, default: Any = None) -> Any:
        """The first value of a header, or `default`."""
        value = self._first.get(key.lower().encode("latin-1"))
        return default if value is None else value.decode("latin-1")


class RawRequest(Request):
    """The request that a RawRoute's endpoint is called with."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._headers = RawHeaders(raw=scope["headers"])


class FastRouter:
    """Calls RawRoutes without path parameters, or under a model's name; `app` handles all others.

    Through FastAPI and Starlette a request passes nine layers that a RawRoute does not need;
    measured: docs/decisions/0002.
    """

    def __init__(self, app: ASGIApp, routers: Iterable[RawRouter]) -> None:
        self._app = app
        self._routers = list(routers)
        self._routes = {
            (method, route.path): route
            for router in routers
            for route in router.routes
            if isinstance(route, RawRoute) and "{" not in route.path
            for method in route.methods or ()
        }
        self._patterns = [
            route
            for router in routers
            for route in router.routes
            if isinstance(route, RawRoute) and route.path.startswith(MODEL_PREFIXES)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on; errors propagate to the outer layers."""
        path = route_path(scope)
        route = self._routes.get((scope.get("method", ""), path))
        if route is None and path.startswith(MODEL_PREFIXES):
            route = self._match(scope, path)
            if route is None:  # to the app's own patterns "digits:predict" is a model's name
                raise no_route(self._routers, scope)
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        response = await route.endpoint(RawRequest(scope, receive, send))
        await response(scope, receive, send)

    def _match(self, scope: Scope, path: str) -> RawRoute | None:
        """The route under a model's name with this path and method; its parameters go into the scope."""
        for route in self._patterns:
            match = route.path_regex.match(path)
            if match and scope.get("method", "") in (route.methods or ()):
                scope["path_params"] = match.groupdict()
                return route
        return None
