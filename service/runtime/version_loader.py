"""Loads versions on separate threads, and records the result in the version and in the metrics."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from service.metrics import Metrics
from service.runtime.golden import GoldenError
from service.runtime.manifest import ManifestError
from service.runtime.servable import Servable
from service.runtime.version import LAST_RETRY_SECONDS, STATES, UNSETTLED, State, Version

LoadServable = Callable[[Path], Servable]
CANNOT_BE_LOADED = "the model cannot be loaded; the log has the cause"

log = logging.getLogger("vitrine.repository")


class VersionLoader:
    """Loads versions; used on the event loop. `on_done` is called with each version after its load."""

    def __init__(
        self, load_servable: LoadServable, metrics: Metrics, on_done: Callable[[Version], None]
    ) -> None:
        self._load_servable = load_servable
        self._metrics = metrics
        self._on_done = on_done
        self._executor = ThreadPoolExecutor(2, "loader")

    def close(self) -> None:
        """Start no more loads; running ones finish on their threads."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def start(self, version: Version, *, is_staged: bool = False) -> None:
        """Load a version, unless its files are already known to be invalid.

        is_staged: the version becomes active only with `activate`.
        """
        is_settled = version.found.problem != UNSETTLED
        version.loaded = version.found.fingerprint if is_settled else None
        version.is_whole = not version.found.problem
        if version.found.problem:
            self._fail(version, version.found.problem, "")
        else:
            version.loading = asyncio.create_task(self._load(version, is_staged=is_staged))

    def activate(self, version: Version) -> None:
        """Activate a staged version; requests that use the previous one finish on it."""
        if version.staged:
            version.servable, version.staged = version.staged, None
            self._set_state(version, "AVAILABLE")

    def drop(self, version: Version) -> None:
        """Stop serving a version; requests that use it finish on it."""
        if version.loading:
            version.loading.cancel()
        if version.is_ready or version.staged or version.loading or version.error:
            version.loading = None
            version.servable, version.staged, version.loaded = None, None, None
            self._set_state(version, "END")
            self._metrics.forget_load(version.name, version.number)
            log.info("unloaded", extra={"model": version.where})
        if not version.on_disk:
            self._metrics.forget_version(version.name, version.number)

    async def _load(self, version: Version, *, is_staged: bool) -> None:
        self._set_state(version, "AVAILABLE" if version.is_ready else "LOADING")
        started = time.monotonic()
        try:
            servable = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._load_servable, version.found.directory
            )
        except (ManifestError, GoldenError) as error:
            version.is_whole = isinstance(error, GoldenError)
            self._fail(version, str(error)[:500], "")
        except Exception as error:  # noqa: BLE001 - engines raise what they like; the old one stays
            self._fail(version, CANNOT_BE_LOADED, f"{type(error).__name__}: {error}"[:500])
        else:
            version.staged = servable
            version.error = version.detail = ""
            if not is_staged:
                self.activate(version)
            self._report(version, servable, time.monotonic() - started)
        finally:
            if version.loading is asyncio.current_task():
                version.loading = None
        self._on_done(version)

    def _report(self, version: Version, servable: Servable, seconds: float) -> None:
        self._metrics.load_seconds.labels(version.name, version.number).set(seconds)
        self._metrics.warm_up_seconds.labels(version.name, version.number).set(
            servable.warm_up_seconds
        )
        self._metrics.loads.labels(version.name, "ok").inc()
        log.info("ready", extra={"model": version.where, "seconds": round(seconds, 3)})

    def _fail(self, version: Version, reason: str, detail: str) -> None:
        version.retry_at = time.monotonic() + version.retry_seconds
        version.retry_seconds = min(2 * version.retry_seconds, LAST_RETRY_SECONDS)
        is_news = version.last_failure != (reason, detail)
        version.last_failure = (reason, detail)
        self._set_state(version, "AVAILABLE" if version.is_ready else "END", reason, detail)
        self._metrics.loads.labels(version.name, "failed").inc()
        if is_news:
            log.warning("not loaded", extra={"model": version.where, "error": detail or reason})

    def _set_state(self, version: Version, state: State, error: str = "", detail: str = "") -> None:
        version.state, version.error, version.detail = state, error, detail
        for one in STATES:
            gauge = self._metrics.versions.labels(version.name, str(version.number), one)
            gauge.set(one == state)
