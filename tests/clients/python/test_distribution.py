"""The client is a distribution of its own: it needs httpx alone, and has the service's version."""

import subprocess
import sys
import tomllib
from pathlib import Path

from service import __version__

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())
HEAVY = ("numpy", "PIL", "orjson", "pydantic", "tensorflow", "service", "clients")


def test_the_client_has_the_version_of_the_service():
    assert PROJECT["project"]["version"] == __version__


def test_the_client_declares_every_package_it_has():
    source = ROOT / "clients/python"
    found = {".".join(p.parent.relative_to(source).parts) for p in source.rglob("__init__.py")}

    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_importing_the_client_and_its_command_line_needs_httpx_alone():
    program = (
        f"import vitrine_client.__main__, sys; print([n for n in {HEAVY} if n in sys.modules])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT / "clients/python",
        capture_output=True,
        text=True,
        check=True,
    )

    assert PROJECT["project"]["dependencies"] == ["httpx>=0.28"]
    assert finished.stdout.strip() == "[]"
