"""A class's browsers: Firefox over https with a self-made certificate (Chromium without https is one of checks.mjs)."""

import shutil
import ssl

import pytest

from service import certificate
from tests.browser.test_page import needs_node, run
from tests.running import running_service


@needs_node
@pytest.mark.skipif(not shutil.which("firefox-esr"), reason="firefox-esr is not installed")
@pytest.mark.nightly
@pytest.mark.browser
@pytest.mark.tensorflow
def test_firefox_draws_and_uses_the_camera_over_https(models, tmp_path):
    certificate.write(tmp_path, ["localhost", "127.0.0.1"])
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    context = ssl.create_default_context(cafile=str(cert))
    settings = {"VITRINE_TLS_CERT": str(cert), "VITRINE_TLS_KEY": str(key)}
    with running_service(models, tls=context, **settings) as (_, port):
        address = f"https://127.0.0.1:{port}"
        out = run("node", "--experimental-websocket", "firefox_https.mjs", address, str(tmp_path))

    assert out.splitlines() == [
        "firefox: warns of a certificate that nobody vouches for",
        "firefox: reads the drawn 4 over https",
        "firefox: takes a photo with the live camera",
        "firefox: without a camera it says so and reads a photo",
    ]
    assert len(list(tmp_path.glob("*.png"))) == 4
