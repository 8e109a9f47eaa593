"""Where load may go."""

import pytest

from clients.load.__main__ import main
from clients.load.scenario import request_bytes, scenarios
from clients.load.target import parse_target


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:8000", ("127.0.0.1", 8000, "")),
        ("http://localhost/", ("localhost", 80, "")),
        ("http://[::1]:9/vitrine/", ("::1", 9, "/vitrine")),
        ("http://127.8.9.10:81", ("127.8.9.10", 81, "")),
    ],
)
def test_this_machine_may_be_loaded(url, target):
    assert parse_target(url) == (*target, "")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "http://192.0.2.1:8000",
        "http://0.0.0.0:8000",
        "http://localhost.example.org",
        "http://127.0.0.1@example.org",
        "http://127.0.0.1.example.org",
    ],
)
def test_another_machine_is_refused_unless_allowed(url):
    with pytest.raises(ValueError, match="--allow-remote"):
        parse_target(url)
    assert parse_target(url, allow_remote=True).port in (80, 8000)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1", "127.0.0.1:8000", "http://", "http://127.0.0.1:x", "http://[::1"]
)
def test_what_is_no_plain_http_url_is_refused(url):
    with pytest.raises(ValueError, match=r"such as http://127\.0\.0\.1:8000"):
        parse_target(url)


def test_ipv6_addresses_keep_their_brackets():
    assert parse_target("http://[::1]:9/x").url == "http://[::1]:9/x"


def test_the_program_refuses_another_machine_in_one_sentence(capsys):
    assert main(["--url", "http://192.0.2.1:8000"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "error: 192.0.2.1 is not this machine; test only your own servers, with --allow-remote\n"
    )


def test_the_url_of_the_environment_is_used_and_checked_too(capsys, monkeypatch):
    monkeypatch.setenv("VITRINE_URL", "http://192.0.2.2")
    assert main([]) == 1
    assert "192.0.2.2 is not this machine" in capsys.readouterr().err


def test_a_key_is_shown_with_every_request():
    target = parse_target("http://127.0.0.1:9", key="secret")
    assert b"\r\nAuthorization: Bearer secret\r\n" in request_bytes(scenarios()["digit"], target)
    assert b"Authorization" not in request_bytes(scenarios()["digit"], target._replace(key=""))


@pytest.mark.parametrize("key", ["two words", "a\r\nX-Evil: 1", "schlüssel"])
def test_a_key_that_no_header_can_hold_is_refused(key):
    with pytest.raises(ValueError, match="visible ASCII"):
        parse_target("http://127.0.0.1:9", key=key)
