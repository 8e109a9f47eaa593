"""What every route may use, made once by the app's lifespan and read back typed."""

from typing import TypedDict, cast

from starlette.requests import Request

from service.asgi.bytes_in_flight import BytesInFlight
from service.asgi.decoders import Decoders
from service.errors import NotReady
from service.metrics import Metrics
from service.processes.peers import FOLLOW, Peers
from service.runtime.repository import ModelRepository
from service.settings import Settings

SWITCH_SECONDS = 120.0  # that workers have to load a version


class Lifecycle:
    """Whether the process is on its way out."""

    is_draining = False


class State(TypedDict):
    """The shared objects of one app."""

    settings: Settings
    repository: ModelRepository
    metrics: Metrics
    lifecycle: Lifecycle
    peers: Peers
    decoders: Decoders
    bytes_in_flight: BytesInFlight


def state_of(request: Request) -> State:
    """The app's state, as the lifespan yielded it."""
    return cast(State, request.scope["state"])


async def follow_everywhere(request: Request, name: str) -> None:
    """Return when every worker has switched to what was just configured for a model."""
    found = await state_of(request)["peers"].ask_all(FOLLOW, name, SWITCH_SECONDS)
    if found.failures:
        raise NotReady(f"the change is written, but a worker has not switched: {found.failures[0]}")
