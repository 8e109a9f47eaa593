"""`/v1/models/*` and `/v2/health/*`: the served models, their cards, and readiness."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

from vitrine_client._transport.request import Call, get
from vitrine_client._transport.response import answer_of
from vitrine_client._transport.sync_async import Group, Mode, endpoint
from vitrine_client.types import Answer, ModelAnswer


@dataclass(frozen=True)
class ListedModel:
    """One model."""

    id: str
    task: str | None  # None: no version of it could be loaded
    versions: tuple[int, ...]
    ready: bool


@dataclass(frozen=True)
class ModelsAnswer(Answer):
    """All models; `models` are their names."""

    data: tuple[ListedModel, ...]
    models: tuple[str, ...]


@dataclass(frozen=True)
class VersionError:
    """Why a version cannot be used; `error_code` is `OK` if it can."""

    error_code: str
    error_message: str


@dataclass(frozen=True)
class VersionStatus:
    """The state of a version, in TensorFlow Serving's format."""

    version: str
    state: str  # START, LOADING, AVAILABLE, UNLOADING or END
    status: VersionError


@dataclass(frozen=True)
class ModelStatus(Answer):
    """Whether a model is ready, and its versions, newest first."""

    name: str
    ready: bool
    task: str | None
    model_version_status: tuple[VersionStatus, ...]


@dataclass(frozen=True)
class ModelCard(ModelAnswer):
    """The card of a model version."""

    task: str
    framework: str | None
    signatures: Mapping[str, Any] = field(repr=False)
    max_batch_size: int
    digest: str | None

    @property
    def contents(self) -> dict[str, Any]:
        """The whole card: data, split, configuration, metrics, layers, as its author wrote them."""
        return cast("dict[str, Any]", json.loads(self.body))


@dataclass(frozen=True)
class Health(Answer):
    """Live: the process answers. Ready: every model has a ready version, otherwise `error` has the reason."""

    live: bool
    ready: bool
    error: str = ""


class Models(Group[Mode]):
    """`/v1/models/*`."""

    @endpoint
    def list(self) -> Call[ModelsAnswer]:
        """All models."""
        return Call(get("v1/models"), answer_of(ModelsAnswer))

    @endpoint
    def status(self, model: str) -> Call[ModelStatus]:
        """Whether a model is ready, and the state of each version."""
        return Call(get(f"v1/models/{_quoted(model)}"), answer_of(ModelStatus))

    @endpoint
    def card(
        self, model: str, *, version: int | None = None, version_label: str | None = None
    ) -> Call[ModelCard]:
        """A model's card: its source, training and metrics."""
        query = {"version": version, "version_label": version_label}
        return Call(get(f"v1/models/{_quoted(model)}/card", query), answer_of(ModelCard))


class HealthChecks(Group[Mode]):
    """`/v2/health/*`. "Not ready" is an answer and is not retried."""

    @endpoint
    def live(self) -> Call[Health]:
        """Whether the service is alive."""
        return Call(get("v2/health/live"), answer_of(Health), retry=False)

    @endpoint
    def ready(self) -> Call[Health]:
        """Whether all models are ready."""
        return Call(get("v2/health/ready"), answer_of(Health, also=503), retry=False)


def _quoted(model: str) -> str:
    return quote(model, safe="")
