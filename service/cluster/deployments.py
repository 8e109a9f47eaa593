"""Model versions as Ray Serve applications: one deployment each, without an HTTP route."""

import threading
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from ray import serve
from ray.serve.config import AutoscalingConfig
from ray.serve.schema import LoggingConfig

from service.cluster.ray_engine import RayEngine
from service.cluster.replica import ModelReplica
from service.cluster.settings import ClusterSettings
from service.engine import Engines
from service.runtime.engines import Choice, LoadEngines, needs_tensorflow
from service.runtime.manifest import Manifest
from service.runtime.saved_model import check_operations
from service.scheduling.lane import RUNS_PER_REPLICA

QUIET = LoggingConfig(
    enable_access_log=False
)  # a log line per batch is expensive and has no information
DRAIN_SECONDS = 30.0  # from the last front's switch until the replicas of an old version stop


def application_name(manifest: Manifest) -> str:
    """A name that depends on the files, so that a new export never uses replicas of an older one."""
    digest = manifest.files.get("saved_model.pb", "").removeprefix("sha256:")[:8]
    return f"{manifest.name}-{manifest.version}-{digest}"


def cluster_loader(
    choice: Choice, allowed: tuple[str, ...], cluster: ClusterSettings
) -> LoadEngines:
    """Return a loader that deploys a version and waits for its replicas; the first front deploys it.

    allowed: additional operations of SavedModels. A version that uses others is not deployed.
    """
    in_use: Counter[str] = Counter()  # application → engines of this front

    def load(directory: Path, manifest: Manifest) -> Engines:
        if needs_tensorflow(directory, manifest, choice):
            check_operations(directory, allowed)
        name = application_name(manifest)
        version: Any = serve.deployment(ModelReplica)
        deployment = version.options(
            name=manifest.name,
            max_ongoing_requests=RUNS_PER_REPLICA,
            max_queued_requests=cluster.max_queued_runs,
            autoscaling_config=AutoscalingConfig(
                min_replicas=cluster.min_replicas,
                max_replicas=cluster.max_replicas,
                target_ongoing_requests=1.5,
            ),
            ray_actor_options={"num_cpus": cluster.cpus_per_replica},
            logging_config=QUIET,
        )
        handle = serve.run(
            deployment.bind(str(directory), choice, allowed, cluster.store),
            name=name,
            route_prefix=None,
        )
        found = handle.engines.remote().result()
        release = partial(_release, name, in_use)
        engines = {engine: RayEngine(handle, engine, release) for engine in set(found.values())}
        in_use[name] += len(engines)
        return {signature: engines[engine] for signature, engine in found.items()}

    return load


def _release(name: str, in_use: Counter[str]) -> None:
    """Delete an application after every front has had time to switch, unless it was loaded again."""
    in_use[name] -= 1

    def delete() -> None:
        if not in_use[name]:
            serve.delete(name, _blocking=False)

    timer = threading.Timer(DRAIN_SECONDS, delete)
    timer.daemon = True
    timer.start()
