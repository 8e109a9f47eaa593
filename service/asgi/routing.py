"""Routes whose handler takes the request and gives the response, documented all the same.

FastAPI's dependency solving and response validation cost more than a small prediction, and its
validation answers in a shape of its own. `APIRoute.get_route_handler` is its documented seam.
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

MODEL_PREFIXES = ("/v1/models/", "/v2/models/")


class RawRoute(APIRoute):
    """Calls `endpoint(request)` and nothing else."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself."""
        return self.endpoint


class RawRouter(APIRouter):
    """An APIRouter of DirectRoutes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=RawRoute, **options)


def route_path(scope: Scope) -> str:
    """The path below the one under which a proxy shows the service."""
    path: str = scope.get("path", "")
    return path.removeprefix(scope.get("root_path", ""))


def allowed_methods(routers: Iterable[RawRouter], scope: Scope) -> list[str]:
    """All methods that some route takes for this path; what answers GET answers HEAD."""
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
    """Starlette's, whose `get` of a header that is not there does not raise and catch an error."""

    def get(self, key: str, default: Any = None) -> Any:
        """The first value of a header, else `default`."""
        wanted = key.lower().encode("latin-1")
        for name, value in self._list:
            if name == wanted:
                return value.decode("latin-1")
        return default


class RawRequest(Request):
    """The request that a RawRoute's endpoint is called with."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._headers = RawHeaders(raw=scope["headers"])


class FastRouter:
    """Calls a RawRoute that has no path parameters, or is below a model's name; `app` does all the rest.

    On its way through FastAPI and Starlette a request passes nine layers that a RawRoute has no
    use for; measured: docs/decisions/0002.
    """

    def __init__(self, app: ASGIApp, routers: Iterable[RawRouter]) -> None:
        self._app = app
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
        """Answer, or pass on; an error passes to whoever is around."""
        path = route_path(scope)
        route = self._routes.get((scope.get("method", ""), path))
        if route is None and path.startswith(MODEL_PREFIXES):
            route = self._match(scope, path)
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        response = await route.endpoint(RawRequest(scope, receive, send))
        await response(scope, receive, send)

    def _match(self, scope: Scope, path: str) -> RawRoute | None:
        """The route below a model's name that has this path and method; its parameters go into the scope."""
        for route in self._patterns:
            match = route.path_regex.match(path)
            if match and scope.get("method", "") in (route.methods or ()):
                scope["path_params"] = match.groupdict()
                return route
        return None
