"""What `vitrine site` writes, on a plain web server in a real browser, and beside what the service serves."""

import contextlib
import functools
import http.server
import shutil
import threading

import pytest

from clients.site.__main__ import main as site
from tests.browser.test_page import HERE, needs_browser, needs_node, run

RUNTIME = HERE / "node_modules" / "onnxruntime-web"


@contextlib.contextmanager
def web_server(folder):
    """The standard library's web server: no headers of ours, no service behind it."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@needs_node
@needs_browser
@pytest.mark.skipif(not RUNTIME.is_dir(), reason="onnxruntime-web is not installed: `npm ci`")
@pytest.mark.browser
@pytest.mark.tensorflow
def test_the_page_answers_without_a_service(models, tmp_path):
    folder = tmp_path / "public"
    arguments = ["-o", str(folder), "--models", str(models), "--runtime", str(RUNTIME)]
    assert site(arguments) == 0

    with web_server(folder) as port:
        out = run("node", "site.mjs", f"http://127.0.0.1:{port}", str(tmp_path))

    shutil.rmtree(folder)
    for name in ("digits", "text", "labels", "vae", "gan", "models", "course"):
        assert f"site: {name} is answered in the page" in out
    assert "site: without SIMD it says what is missing" in out
