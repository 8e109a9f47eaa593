"""The servers that the soak tests: the service, or a plain app."""

import os
import shutil
import sys
from pathlib import Path

from clients.load.server_process import Server, free_target, service


def vitrine(models: Path, **settings: str) -> Server:
    """A service of these models; settings without VITRINE_, in lower case."""
    given = {"log_level": "info", "models": str(models), **settings}
    return service("service", _without_settings(), **given)


def plain_app(models: Path, **settings: str) -> Server:
    """The plain app, which has no settings, with the digit model's own graph."""
    target = free_target()
    command = ["-m", "clients.robustness.soak.plain_app", str(models), str(target.port)]
    return Server([sys.executable, *command], _without_settings(), target)


def copy_models(source: Path, target: Path, *names: str) -> Path:
    """The newest version of each model, in a folder that may be changed; return that folder."""
    for name in names:
        versions = [v for v in (source / name).iterdir() if v.name.isdigit()]
        newest = max(versions, key=lambda version: int(version.name))
        shutil.copytree(newest, target / name / newest.name)
    return target


def _without_settings() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("VITRINE_")}
