"""One definition of each route for both clients, synchronous and asynchronous.

A route is a method that describes a request (`Call`, `Stream`) and a decorator that sends it. Its type depends on
the group: on a `Group[Async]` it is a coroutine, on a `Group[Sync]` it returns the answer.
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, get_args, overload

from vitrine_client._transport.core import Core
from vitrine_client._transport.request import PNG, Call, Stream
from vitrine_client._transport.response import Grid, grid

RAISES = "Raises:\n    VitrineError: See the tree in `errors`"

P = ParamSpec("P")
Value = TypeVar("Value")


class Async:
    """Passes the core's coroutines and generators to the caller's event loop."""

    @staticmethod
    def wait(coroutine: Coroutine[Any, Any, Value]) -> Coroutine[Any, Any, Value]:
        """The coroutine itself."""
        return coroutine

    @staticmethod
    def iterate(values: AsyncGenerator[Value, None]) -> AsyncGenerator[Value, None]:
        """The generator itself."""
        return values


class Sync:
    """Runs the core's coroutines and generators on the caller's thread, over a blocking wire."""

    @staticmethod
    def wait(coroutine: Coroutine[Any, Any, Value]) -> Value:
        """The result of the coroutine."""
        return run(coroutine)

    @staticmethod
    def iterate(values: AsyncGenerator[Value, None]) -> Generator[Value, None, None]:
        """Iterate over the generator; it is closed when the loop ends."""
        try:
            while True:
                try:
                    value = run(values.__anext__())
                except StopAsyncIteration:
                    return
                yield value
        finally:
            run(values.aclose())


def run(coroutine: Coroutine[Any, Any, Value]) -> Value:
    """Run a coroutine that never suspends to its end, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: Value = end.value
        return value
    raise RuntimeError("blocking I/O must not suspend")


Mode = TypeVar("Mode", Async, Sync)


class Group(Generic[Mode]):
    """Routes that belong together; each of them raises the errors of `vitrine_client.errors`."""

    def __init__(self, core: Core, mode: Mode) -> None:
        self.core = core
        self.mode: Mode = mode

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class endpoint(Generic[P, Value]):  # noqa: N801 - a decorator
    """Turn a method that describes a request into one that sends it."""

    def __init__(self, build: Callable[Concatenate[Any, P], Call[Value]]) -> None:
        self.build = build

        @functools.wraps(build)
        def ask(group: Group[Any], *args: Any, **options: Any) -> Any:
            return group.mode.wait(group.core.ask(build(group, *args, **options)))

        self._method = _signed(ask)

    @overload
    def __get__(
        self, group: Group[Async], owner: type
    ) -> Callable[P, Coroutine[Any, Any, Value]]: ...
    @overload
    def __get__(self, group: Group[Sync], owner: type) -> Callable[P, Value]: ...
    @overload
    def __get__(self, group: None, owner: type) -> Callable[..., Any]: ...
    def __get__(self, group: Any, owner: type) -> Any:
        """The method of a group."""
        return self._method if group is None else MethodType(self._method, group)


class streaming_endpoint(Generic[P, Value]):  # noqa: N801 - a decorator
    """The same for a route with a streamed answer."""

    def __init__(self, build: Callable[Concatenate[Any, P], Stream[Value]]) -> None:
        @functools.wraps(build)
        def iterate(group: Group[Any], *args: Any, **options: Any) -> Any:
            return group.mode.iterate(group.core.stream(build(group, *args, **options)))

        self._method = _signed(iterate, Iterator)

    @overload
    def __get__(
        self, group: Group[Async], owner: type
    ) -> Callable[P, AsyncGenerator[Value, None]]: ...
    @overload
    def __get__(
        self, group: Group[Sync], owner: type
    ) -> Callable[P, Generator[Value, None, None]]: ...
    @overload
    def __get__(self, group: None, owner: type) -> Callable[..., Any]: ...
    def __get__(self, group: Any, owner: type) -> Any:
        """The method of a group."""
        return self._method if group is None else MethodType(self._method, group)


def as_grid(route: endpoint[P, Any]) -> endpoint[P, Grid]:
    """The same route, answered by one PNG file."""

    @functools.wraps(route.build)
    def build(group: Any, /, *args: P.args, **options: P.kwargs) -> Call[Grid]:
        request = route.build(group, *args, **options).request
        return Call(request._replace(accept=PNG), grid)

    build.__name__ = f"{route.build.__name__}_grid"
    build.__doc__ = f"As `{route.build.__name__}`, but all images in one PNG file."
    build.__annotations__ = {**route.build.__annotations__, "return": Call[Grid]}
    return endpoint(build)


def _signed(method: Callable[..., Any], several: Any = None) -> Callable[..., Any]:
    """Make `help` show the errors, and the answer's type (or `several` of it) instead of the request's."""
    [value] = get_args(method.__annotations__["return"])
    value = value if several is None else several[value]
    signature = inspect.signature(method).replace(return_annotation=value)
    where = "." if several is None else "; also in mid-stream."
    method.__doc__ = f"{inspect.getdoc(method)}\n\n{RAISES}{where}"
    method.__signature__ = signature  # type: ignore[attr-defined]  # what inspect looks for
    return method
