"""What `service.asgi` overrides or reads of uvicorn's private classes is still there, with the same parameters."""

import inspect

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.asgi import answering, cycle, direct, protocol, request_reading, server, time_limits

OVERRIDDEN = {
    HttpToolsProtocol: {
        "_start_asgi_task": ["self", "cycle", "app"],
        "_unset_keepalive_if_required": ["self"],
        "connection_lost": ["self", "exc"],
        "connection_made": ["self", "transport"],
        "data_received": ["self", "data"],
        "eof_received": ["self"],
        "on_body": ["self", "body"],
        "on_header": ["self", "name", "value"],
        "on_headers_complete": ["self"],
        "on_message_begin": ["self"],
        "on_message_complete": ["self"],
        "on_response_complete": ["self"],
        "on_url": ["self", "url"],
        "pause_writing": ["self"],
        "resume_writing": ["self"],
        "shutdown": ["self"],
        "timeout_keep_alive_handler": ["self"],
    },
    RequestResponseCycle: {
        "receive": ["self"],
        "run_asgi": ["self", "app"],
        "send": ["self", "message"],
    },
    uvicorn.Server: {
        "handle_exit": ["self", "sig", "frame"],
        "shutdown": ["self", "sockets"],
        "startup": ["self", "sockets"],
    },
}


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [(owner, *method) for owner, methods in OVERRIDDEN.items() for method in methods.items()],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_overridden_method_exists_and_takes_what_ours_takes(owner, name, parameters):
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


def test_every_override_of_ours_is_in_the_list():
    ours = {
        (owner, name)
        for module in (answering, cycle, direct, server, protocol, request_reading, time_limits)
        for kind in vars(module).values()
        if inspect.isclass(kind) and kind.__module__ == module.__name__
        for owner in OVERRIDDEN
        if issubclass(kind, owner)
        for name in vars(kind)
        if inspect.isfunction(vars(kind)[name]) and name in vars(owner) and name != "__init__"
    }

    assert ours == {(owner, name) for owner, methods in OVERRIDDEN.items() for name in methods}


def test_a_cycle_has_the_attributes_that_are_read():
    config = uvicorn.Config(app=None, http=HttpToolsProtocol)
    protocol = HttpToolsProtocol(config, uvicorn.server.ServerState(), {}, _loop=_Loop())

    assert {"cycle", "transport", "loop"} <= vars(protocol).keys()
    source = inspect.getsource(RequestResponseCycle.__init__)
    assert all(f"self.{name} = " in source for name in ("keep_alive", "response_started"))
    assert "self.response_complete = " in source


class _Loop:
    """Nothing is scheduled on it."""
