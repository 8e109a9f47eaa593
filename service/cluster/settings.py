"""Settings of a cluster, `VITRINE_CLUSTER_*`, in addition to those of the service."""

import os
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.settings import PREFIX, read_settings

CLUSTER = PREFIX + "CLUSTER_"


class ClusterSettings(BaseModel):
    """All settings with their defaults. Each field is the variable VITRINE_CLUSTER_<NAME>."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    proxies: Literal["every", "head"] = Field(
        "every", description="nodes that listen for HTTP: every node, or only the head"
    )
    store: str = Field(
        "",
        description="object store from which every node copies the models to VITRINE_MODELS, such as "
        "s3://bucket/models (any file system of fsspec); none: VITRINE_MODELS is a shared volume",
    )
    fronts: int = Field(1, ge=1, description="processes that handle HTTP and batching")
    cpus_per_front: float = Field(1.0, gt=0, description="cores reserved per front")
    min_replicas: int = Field(1, ge=1, description="minimum replicas of a model version")
    max_replicas: int = Field(4, ge=1, description="maximum replicas of a model version")
    cpus_per_replica: float = Field(1.0, gt=0, description="cores reserved per replica")
    max_queued_runs: int = Field(64, ge=1, description="maximum queued batches per version")


def split_environ(
    environ: Mapping[str, str] = os.environ,
) -> tuple[ClusterSettings, dict[str, str]]:
    """The cluster's settings, and the environment without them; SettingsError names a wrong one."""
    rest = {name: value for name, value in environ.items() if not name.startswith(CLUSTER)}
    return read_settings(ClusterSettings, CLUSTER, environ), rest
