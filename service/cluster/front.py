"""The front end: the same FastAPI application, as a Ray Serve deployment on every node."""

from typing import Any

from ray import serve
from starlette.types import ASGIApp, Receive, Scope, Send

from service.app import create_app
from service.cluster.deployments import QUIET, cluster_loader
from service.cluster.model_mirror import ModelMirror
from service.cluster.settings import ClusterSettings, split_environ
from service.processes.peers import Peers
from service.settings import Settings, from_environ

# Of one front: what has to wait is admitted or refused by our own queues
MAX_ONGOING_REQUESTS = 1000


class WithLifespanState:
    """Adds the state of the application's lifespan to each request, which Ray Serve omits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._state: dict[str, Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store the state at start-up, and copy it into every request."""
        if scope["type"] == "lifespan":
            scope["state"] = self._state
        else:
            scope = {**scope, "state": dict(self._state)}
        await self._app(scope, receive, send)


def application(_: dict[str, str]) -> serve.Application:
    """The target of `import_path` in a Serve configuration; settings come from the environment."""
    cluster, rest = split_environ()
    return front_application(from_environ(rest), cluster)


def front_application(settings: Settings, cluster: ClusterSettings) -> serve.Application:
    """The fronts, ready for `serve.run`."""

    def build() -> ASGIApp:
        if cluster.store:
            mirror = ModelMirror(cluster.store, settings.models)
            mirror.synchronize()
            mirror.keep_up(max(settings.poll_seconds, 1.0))
        load_engines = cluster_loader(settings.engine, settings.allowed_operations, cluster)
        peers = Peers()
        peers.waits_until_ready = True  # Ray sends no request before the application has started
        app = create_app(settings, load_engines, peers=peers, replicas=cluster.max_replicas)
        return WithLifespanState(app)

    @serve.deployment(
        name="front",
        num_replicas=cluster.fronts,
        max_ongoing_requests=MAX_ONGOING_REQUESTS,
        ray_actor_options={"num_cpus": cluster.cpus_per_front},
        logging_config=QUIET,
    )
    @serve.ingress(build)
    class Front:
        """Routes, batching, admission; the models' replicas compute."""

    front: Any = Front  # what the decorators make of a class
    return front.bind()
