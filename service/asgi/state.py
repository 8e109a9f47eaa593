"""Objects shared by all routes, created by the app's lifespan, with types."""

from collections.abc import Callable
from typing import TypedDict, cast

from starlette.requests import Request

from service.asgi.bytes_in_flight import BytesInFlight
from service.asgi.decoders import Decoders
from service.asgi.direct import DirectRoutes
from service.asgi.early_refusal import EarlyRefusals
from service.asgi.loop_turns import LoopTurns
from service.metrics import Metrics
from service.processes.peers import Peers
from service.runtime.repository import ModelRepository
from service.settings import Settings


class Lifecycle:
    """The state shared by the process and its application.

    is_draining: whether the process is stopping.
    on_loaded: called once, when all initial models have loaded or failed.
    """

    def __init__(self, on_loaded: Callable[[], None] = lambda: None) -> None:
        self.is_draining = False
        self.on_loaded = on_loaded


class State(TypedDict):
    """The shared objects of one app; endings: of connections that were waited for too long."""

    settings: Settings
    repository: ModelRepository
    metrics: Metrics
    lifecycle: Lifecycle
    peers: Peers
    decoders: Decoders
    endings: LoopTurns
    bytes_in_flight: BytesInFlight
    direct: DirectRoutes
    refusals: EarlyRefusals


def state_of(request: Request) -> State:
    """The state from the app's lifespan."""
    return cast(State, request.scope["state"])
