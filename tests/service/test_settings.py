"""Settings come from the environment, once, and are refused rather than ignored."""

import re
from pathlib import Path

import pytest

from service.settings import Settings, SettingsError, from_environ, settings_table

API = Path(__file__).parents[2] / "docs" / "api.md"


def test_defaults_need_no_environment():
    settings = from_environ({})

    assert (settings.host, settings.port, settings.max_body_bytes) == (
        "127.0.0.1",
        8000,
        16 * 2**20,
    )


def test_values_are_read_and_lists_split():
    settings = from_environ(
        {
            "VITRINE_PORT": "9000",
            "VITRINE_API_KEYS": "one, two",
            "VITRINE_CORS_ORIGINS": "https://example.org,http://localhost:3000",
            "VITRINE_URL": "http://127.0.0.1:9000",
            "PATH": "/bin",
        }
    )

    assert settings.port == 9000
    assert [key.get_secret_value() for key in settings.api_keys] == ["one", "two"]
    assert settings.cors_origins == ("https://example.org", "http://localhost:3000")


def test_keys_are_masked_when_printed():
    assert "sesame" not in repr(from_environ({"VITRINE_API_KEYS": "sesame"}))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("VITRINE_PORT", "http", "VITRINE_PORT must be a valid integer, got 'http'"),
        ("VITRINE_PORT", "70000", "VITRINE_PORT"),
        ("VITRINE_CORS_ORIGINS", "*", "must list origins"),
        ("VITRINE_CORS_ORIGINS", "https://example.org/path", "must list origins"),
        ("VITRINE_LOG_LEVEL", "loud", "'debug', 'info'"),
        ("VITRINE_ROOT_PATH", "vitrine", "VITRINE_ROOT_PATH must match .*, got 'vitrine'"),
        ("VITRINE_WORKERS", "0", "VITRINE_WORKERS"),
        ("VITRINE_WORKERS", "many", "VITRINE_WORKERS"),
        ("VITRINE_OTLP_ENDPOINT", "collector:4318", "VITRINE_OTLP_ENDPOINT"),
        ("VITRINE_ADMIN_KEY", "", "VITRINE_ADMIN_KEY"),
        ("VITRINE_API_KEYS", " , ", "VITRINE_API_KEYS must have at least one value"),
        ("VITRINE_API_KEYS_FILE", "nowhere", "VITRINE_API_KEYS_FILE must be an existing file"),
        ("VITRINE_MODEL", "x", "not a setting"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name, value, message):
    with pytest.raises(SettingsError, match=message):
        from_environ({name: value})


def test_help_and_the_documentation_list_every_setting_with_the_same_default():
    listed = dict(line.split()[:2] for line in settings_table().splitlines())
    rows = re.findall(r"^\| (`VITRINE_[^|]*) \| ([^|]*) \|", API.read_text("utf-8"), re.MULTILINE)
    documented = {}
    for names, defaults in rows:
        known = re.findall(r"`(\w+)`", names)
        values = defaults.split(", ") if ", " in defaults else [defaults] * len(known)
        documented |= dict(zip(known, values, strict=True))

    assert listed.keys() == {f"VITRINE_{name.upper()}" for name in Settings.model_fields}
    assert documented == listed


def test_tracing_without_its_packages_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(SettingsError, match=r"pip install '\.\[tracing\]'"):
        from_environ({"VITRINE_OTLP_ENDPOINT": "http://127.0.0.1:4318"})


@pytest.mark.parametrize(("given", "path"), [("/", ""), ("/a/b/", "/a/b"), ("/a", "/a")])
def test_a_root_path_may_end_with_a_slash(given, path):
    assert from_environ({"VITRINE_ROOT_PATH": given}).root_path == path
