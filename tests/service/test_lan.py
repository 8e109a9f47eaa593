"""`vitrine serve --lan` and `vitrine certificate`: what a class is told, and https that works."""

import ssl
import stat
import urllib.request

import pytest

from service import certificate
from service.lan import describe, link
from service.settings import Settings, SettingsError, from_environ
from tests.fakes import write_version
from tests.running import running_service


def test_the_link_brings_the_key_along():
    assert link(Settings(), "192.0.2.7", 8000) == "http://192.0.2.7:8000/"
    assert (
        link(Settings(api_keys="class-7b"), "192.0.2.7", 8000)
        == "http://192.0.2.7:8000/#digits?key=class-7b"
    )


def test_the_access_rights_are_printed():
    open_to_all = "\n".join(describe(Settings(), "http://192.0.2.7:8000/"))
    with_keys = "\n".join(describe(Settings(api_keys="k", admin_key="a"), "http://192.0.2.7:8000/"))

    assert "open to everyone on this network, without a key" in open_to_all
    assert "can be changed by nobody" in open_to_all
    assert "vitrine certificate" in open_to_all
    assert "open to everyone with the link" in with_keys
    assert "can be changed with the admin key" in with_keys


def test_the_qr_code_is_the_link():
    lines = describe(Settings(), "http://192.0.2.7:8000/")[1:-2]

    assert len(lines) * 2 >= len(lines[0]) == 29  # version 2: 25 modules and a border of two
    assert set("".join(lines)) == set("█▀▄ ")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    certificate.write(folder, ["localhost", "127.0.0.1", "class.example"])
    return folder / "cert.pem", folder / "key.pem"


def test_the_certificate_is_good_for_the_names_it_was_made_for(pair, tmp_path):
    cert, key = pair
    write_version(tmp_path)
    context = ssl.create_default_context(cafile=str(cert))
    settings = {"VITRINE_TLS_CERT": str(cert), "VITRINE_TLS_KEY": str(key)}
    with running_service(tmp_path, "live", context, **settings) as (_, port):
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        for name in ("localhost", "127.0.0.1"):
            with opener.open(f"https://{name}:{port}/v2/health/live") as answer:
                assert answer.status == 200


def test_the_private_key_is_its_owners(pair):
    assert stat.S_IMODE(pair[1].stat().st_mode) == 0o600


@pytest.mark.parametrize("missing", ["VITRINE_TLS_CERT", "VITRINE_TLS_KEY"])
def test_half_a_pair_is_refused(pair, missing):
    both = {"VITRINE_TLS_CERT": str(pair[0]), "VITRINE_TLS_KEY": str(pair[1])}
    both.pop(missing)
    with pytest.raises(SettingsError, match="must be set together"):
        from_environ(both)


def test_a_key_of_another_certificate_is_refused(pair, tmp_path):
    certificate.write(tmp_path, ["localhost"])
    with pytest.raises(SettingsError, match="must be PEM files of a certificate and its key"):
        from_environ(
            {"VITRINE_TLS_CERT": str(pair[0]), "VITRINE_TLS_KEY": str(tmp_path / "key.pem")}
        )
