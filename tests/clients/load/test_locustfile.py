"""The locustfile, with a stand-in for locust, which tests must not need."""

import importlib.util
import sys
import types
from pathlib import Path

import pytest

from clients.load.scenario import MIX, scenarios

LOCUSTFILE = Path(__file__).parents[3] / "clients/load/locustfile.py"


class Response:
    def __init__(self, status_code, content):
        self.status_code, self.content, self.failures = status_code, content, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def failure(self, reason):
        self.failures.append(reason)


class Client:
    """Gives one answer to everything and keeps what it was asked."""

    def __init__(self, response):
        self.response, self.asked = response, []

    def request(self, method, path, **more):
        self.asked.append((method, path, more))
        return self.response


@pytest.fixture
def locustfile(monkeypatch):
    stand_in = types.SimpleNamespace(
        HttpUser=object, task=lambda task: task, between=lambda least, most: (least, most)
    )
    monkeypatch.setitem(sys.modules, "locust", stand_in)

    def load(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        spec = importlib.util.spec_from_file_location("locustfile_under_test", LOCUSTFILE)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def ask(module, response, times=1):
    visitor = module.Visitor()
    visitor.client = Client(response)
    for _ in range(times):
        visitor.ask()
    return visitor.client.asked


def test_it_sends_the_requests_of_the_scenarios(locustfile):
    asked = ask(locustfile(), Response(429, b""), times=300)

    every = scenarios()
    assert {more["name"] for _, _, more in asked} == set(MIX)
    for method, path, more in asked:
        scenario = every[more["name"]]
        assert (method, path, more["data"]) == (scenario.method, scenario.path, scenario.body)
        assert more["headers"] == {"Content-Type": scenario.content_type}


def test_it_asks_only_what_it_is_told(locustfile):
    asked = ask(locustfile(LOAD_SCENARIOS="ten"), Response(429, b""), times=20)

    assert {more["name"] for _, _, more in asked} == {"ten"}


def test_a_wrong_answer_is_a_failure_and_a_refusal_is_left_to_locust(locustfile):
    module = locustfile(LOAD_SCENARIOS="digit")
    wrong, refused = Response(200, b"{}"), Response(429, b"{}")
    ask(module, wrong)
    ask(module, refused)

    assert wrong.failures == ["wrong answer"]
    assert not refused.failures
