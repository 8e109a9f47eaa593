"""The page in a real browser: draw a 7, read 7; and the page's modules under `node --test`.

Needs node and, for the page, chromium and playwright-core (`npm ci` in this folder). Where they are
missing the tests are skipped and say so; `.ci/run` installs them.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.running import running_service

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("CHROMIUM", shutil.which("chromium") or "")
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and (HERE / "node_modules").is_dir()),
    reason="no real browser: install chromium and run `npm ci` in tests/browser",
)


def run(*command):
    finished = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, timeout=180, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@needs_node
def test_the_pages_modules_keep_their_promises():
    files = sorted(str(path) for path in HERE.parent.glob("clients/web/*.test.mjs"))

    assert "# fail 0" in run("node", "--test", "--test-reporter=tap", *files)


@needs_node
@needs_browser
@pytest.mark.browser
@pytest.mark.tensorflow
def test_a_drawn_7_is_read_as_7_on_desk_and_phone(models, tmp_path):
    with running_service(models) as (_, port):
        out = run("node", "page.mjs", f"http://127.0.0.1:{port}", str(tmp_path))

    assert "light: the page reads 7" in out
    assert "phone: the page reads 7" in out
    assert list(tmp_path.glob("*.png"))
