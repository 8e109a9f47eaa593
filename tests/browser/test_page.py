"""The page in a real browser: every section, in several views; its modules under Node's test runner.

Needs node and, for the page, chromium and playwright-core with axe-core (`npm ci` in this folder). Where they are
missing the tests are skipped and say so; `.ci/run` installs them.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.running import running_service, wait_for_projection

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("CHROMIUM", shutil.which("chromium") or "")
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and (HERE / "node_modules").is_dir()),
    reason="no real browser: install chromium and run `npm ci` in tests/browser",
)


def run(*command):
    finished = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, timeout=2900, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def url(models):
    """The address of a service of which everything is ready: the page shows a 503 as an error."""
    with running_service(models) as (_, port):
        url = f"http://127.0.0.1:{port}"
        wait_for_projection(url)
        yield url


@needs_node
def test_the_pages_modules_keep_their_promises():
    """In one process: one for each of the twenty files takes twice the processor time."""
    files = sorted(path.as_uri() for path in HERE.parent.glob("clients/web/*.test.mjs"))
    program = "".join(f"await import({json.dumps(file)});\n" for file in files)
    out = run("node", "--test-reporter=tap", "--input-type=module", "--eval", program)

    assert "# fail 0" in out
    assert f"# pass {out.count('# Subtest: ')}" in out


@needs_node
@needs_browser
@pytest.mark.browser
@pytest.mark.tensorflow
def test_every_section_works_on_desktop_and_phone(url, tmp_path):
    out = run("node", "page.mjs", url, str(tmp_path))

    for view in ("light", "phone"):
        assert f"{view}: the page reads 7" in out
        assert f"{view}: a text streams, stops and goes on" in out
        assert f"{view}: the latent spaces are walked" in out
        assert f"{view}: a photo has labels" in out
        assert f"{view}: digits are made, found and edited" in out
        assert f"{view}: a drawn 4 is found, thickened and slanted" in out
        assert f"{view}: the cards are shown" in out
    for part in (
        "prefix: the page works below a path",
        "key: asked for",
        "busy: said",
        "policy: nothing unsafe",
    ):
        assert part in out
    assert list(tmp_path.glob("*.png"))


@needs_node
@needs_browser
@pytest.mark.browser
@pytest.mark.tensorflow
def test_the_page_does_what_its_checks_say(url):
    names = json.loads(run("node", "checks.mjs", "list"))
    out = run("node", "checks.mjs", url)

    assert sorted(out.splitlines()) == sorted(f"held: {name}" for name in names)


@needs_node
@pytest.mark.skipif(not shutil.which("firefox-esr"), reason="firefox-esr is not installed")
@pytest.mark.nightly
@pytest.mark.browser
@pytest.mark.tensorflow
def test_every_section_opens_in_firefox(url):
    out = run("node", "--experimental-websocket", "firefox.mjs", url, "firefox-esr")

    opened = ("digits", "text", "labels", "vae", "gan", "models", "course")
    assert out.splitlines() == [f"firefox: {name} is open" for name in opened]
