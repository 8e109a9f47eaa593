"""What holds for the repository as a whole: locks, floors, the README's length, nothing local."""

import json
import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version
from PIL import Image

from service import __version__
from service.routes.page import SHOWN_DOCS

ROOT = Path(__file__).parents[1]
# Versions below these have known holes or lack what the service relies on.
FLOORS = {
    "fastapi": "0.165",
    "starlette": "1.10",
    "python-multipart": "0.0.31",
    "pillow": "12.3.0",
    "h11": "0.16.0",
    "uvicorn": "0.51",
    "keras": "3.15.1",
    "orjson": "3.9.15",
}


@pytest.mark.parametrize("lock", ["service", "run", "dev"])
def test_locks_hold_names_and_hashes_and_no_address(lock):
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()
    packages = re.findall(r"^[a-z0-9][a-z0-9._-]*==", text, re.MULTILINE)

    assert "://" not in text
    assert len(packages) > 10
    assert text.count("--hash=sha256:") >= len(packages)


def test_the_smaller_locks_agree_with_the_largest():
    def pins(lock):
        return set(re.findall(r"^\S+==\S+", (ROOT / f"requirements/{lock}.lock").read_text(), re.M))

    assert pins("service") <= pins("run") <= pins("dev")


def test_the_browser_tests_lock_records_no_download_address():
    lock = json.loads((ROOT / "tests/browser/package-lock.json").read_text())

    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_what_is_installed_is_not_below_its_floor(package, floor):
    assert Version(version(package)) >= Version(floor)


def test_the_readme_fits_on_a_few_screens():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_git_holds_no_model_directory_and_no_large_file():
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    names = [name for name in listed.stdout.split("\0") if name]

    built = [n for n in names if n.startswith(("models/", "runs/")) or n.endswith(".pb")]
    earlier = "tests/fixtures/format_1/"  # a tiny export of an earlier version, kept on purpose
    assert [name for name in built if not name.startswith(earlier)] == []
    assert sum((ROOT / n).stat().st_size for n in names if n.startswith(earlier)) < 200_000
    assert not [name for name in names if (ROOT / name).stat().st_size > 6_000_000]


def test_contributing_names_only_paths_and_commands_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`((?:service|training|clients|tests|docs|requirements)/[\w./-]*)`", text)

    assert len(named) > 15
    assert [path for path in named if not (ROOT / path).exists()] == ["training/jobs/my_job.py"]


def test_hosted_ci_calls_make_targets_that_exist():
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    targets = re.findall(r"run: make (\S+)", workflow)
    makefile = (ROOT / "Makefile").read_text()

    assert targets == ["test", "test-nightly", "test-fast"]
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.M)] == []


def test_the_version_stands_in_one_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert "version" in project["project"]["dynamic"]
    assert f"## {__version__} - " in (ROOT / "CHANGELOG.md").read_text()


def test_the_animation_of_the_readme_is_small_and_moves():
    with Image.open(ROOT / "docs/page.webp") as animation:
        frames = animation.n_frames

    assert "(docs/page.webp)" in (ROOT / "README.md").read_text()
    assert (ROOT / "docs/page.webp").stat().st_size <= 2_000_000
    assert frames > 10


def test_an_installed_page_has_the_documents_that_it_shows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    setuptools = project["tool"]["setuptools"]

    assert "docs" in setuptools["packages"]["find"]["include"]
    assert sorted(setuptools["package-data"]["docs"]) == sorted(SHOWN_DOCS)
