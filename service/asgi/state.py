"""What every route may use, made once by the app's lifespan and read back typed."""

from typing import TypedDict, cast

from starlette.requests import Request

from service.asgi.bytes_in_flight import BytesInFlight
from service.asgi.decoders import Decoders
from service.asgi.early_refusal import EarlyRefusals
from service.metrics import Metrics
from service.processes.peers import Peers
from service.runtime.repository import ModelRepository
from service.settings import Settings


class Lifecycle:
    """What the process and its application tell each other.

    is_draining: whether the process is on its way out.
    """

    is_draining = False

    def on_loaded(self) -> None:
        """Called once, when each model that was there at the start is loaded or has failed."""


class State(TypedDict):
    """The shared objects of one app."""

    settings: Settings
    repository: ModelRepository
    metrics: Metrics
    lifecycle: Lifecycle
    peers: Peers
    decoders: Decoders
    bytes_in_flight: BytesInFlight
    refusals: EarlyRefusals


def state_of(request: Request) -> State:
    """The app's state, as the lifespan yielded it."""
    return cast(State, request.scope["state"])
