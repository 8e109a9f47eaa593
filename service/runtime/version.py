"""A version and its state, and a model with its versions."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from service.errors import ModelNotFound, NotReady, VersionNotFound
from service.runtime.models_folder import Fingerprint, FoundVersion
from service.runtime.servable import Servable
from service.runtime.serving_config import DEFAULT, ServingConfig

State = Literal["LOADING", "AVAILABLE", "END"]
STATES: tuple[State, ...] = ("LOADING", "AVAILABLE", "END")
UNSETTLED = "its files are still changing"
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 2.0, 60.0


@dataclass
class Version:
    """A version that is or was in the models folder.

    error: why it is not ready, for anybody; detail: the same for clients with a key.
    staged: loaded, but not active until every worker has loaded it.
    """

    name: str
    number: int
    found: FoundVersion
    loaded: Fingerprint | None = None  # fingerprint of the files of the last load attempt
    seen: Fingerprint | None = None  # fingerprint at the previous scan
    on_disk: bool = True
    is_whole: bool = True  # judging by its files
    state: State = "END"
    error: str = ""
    detail: str = ""
    last_failure: tuple[str, str] = ("", "")
    servable: Servable | None = None
    staged: Servable | None = None
    retry_at: float = 0.0
    retry_seconds: float = FIRST_RETRY_SECONDS
    loading: "asyncio.Task[None] | None" = field(default=None, repr=False)

    @property
    def where(self) -> str:
        """Name and number, for logs and messages."""
        return f"{self.name}/{self.number}"

    @property
    def is_ready(self) -> bool:
        """True while it answers, also while changed files are being loaded."""
        return self.servable is not None

    @property
    def is_broken(self) -> bool:
        """Whether it failed to load."""
        return bool(self.error) and not self.is_ready

    def not_ready(self) -> NotReady:
        """The error of a request for it while it does not answer."""
        state = "cannot be used" if self.error else "is still loading"
        return NotReady(f"{self.where} {state}; try again later")


@dataclass
class ServedModel:
    """All versions of a model and its configuration.

    held: versions that a pending change of the configuration needs, by the change's key.
    is_awaited: whether the readiness of the service depends on this model.
    """

    name: str
    config: ServingConfig = DEFAULT
    config_error: str = ""
    versions: dict[int, Version] = field(default_factory=dict)
    held: dict[str, set[int]] = field(default_factory=dict)
    is_awaited: bool = False

    def present(self) -> list[int]:
        """Numbers of the versions on disk."""
        return [number for number, version in self.versions.items() if version.on_disk]

    def configured(self) -> set[int]:
        """Numbers of the versions that should be served."""
        broken = [number for number, version in self.versions.items() if version.is_broken]
        return self.config.wanted(self.present(), broken.__contains__)

    def all_held(self) -> set[int]:
        """Numbers of the versions needed by pending changes."""
        return set().union(*self.held.values())

    def wanted(self) -> set[int]:
        """Numbers of the versions to load."""
        return self.configured() | self.all_held()

    def newest_ready(self) -> Servable | None:
        """The newest version that answers."""
        for number in sorted(self.versions, reverse=True):
            if servable := self.versions[number].servable:
                return servable
        return None

    def resolve(self, number: int | None, label: str | None) -> Servable:
        """The servable of a version or label, by default of the newest ready version.

        Raises:
            ModelNotFound: the model is unloaded.
            VersionNotFound: there is no such version or label.
            NotReady: the version is loading or cannot be used.
        """
        if label is not None:
            number = self._labelled(label)
        if number is not None:
            return self._numbered(number)
        if servable := self.newest_ready():
            return servable
        if self.config.unloaded:
            raise ModelNotFound(
                f"model must be loaded, got {self.name!r}: "
                f"POST /v2/repository/models/{self.name}/load loads it"
            )
        raise self.versions[max(self.versions)].not_ready()

    def _labelled(self, label: str) -> int:
        if label not in self.config.labels or self.config.unloaded:
            raise VersionNotFound(
                f"version_label must be a label of {self.name}, got {label[:64]!r}; "
                f"GET /v1/models/{self.name}/serving lists them"
            )
        return self.config.labels[label]

    def _numbered(self, number: int) -> Servable:
        version = self.versions.get(number)
        if version and version.servable:
            return version.servable
        if version is None or number not in self.wanted():
            raise VersionNotFound(
                f"version must be a served version of {self.name}, got {number}; "
                f"GET /v1/models/{self.name} lists them"
            )
        raise version.not_ready()
