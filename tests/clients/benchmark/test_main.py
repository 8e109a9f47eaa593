"""The order of the benchmark's rounds and its record; nothing is started, a fake driver measures."""

import json
import math

import pytest

from clients.benchmark import __main__, digits
from clients.benchmark.comparison import RawCall, Row
from clients.load.measurement import Measurement
from clients.load.target import Target

TARGETS = {"service": Target("127.0.0.1", 1, ""), "baseline": Target("127.0.0.1", 2, "")}


def test_every_cell_is_measured_at_the_service_and_at_once_at_the_baseline():
    asked, said = [], []

    def driver(scenario, target, connections, seconds):
        asked.append((scenario.name, target.port, connections, seconds))
        return Measurement(1.0, 1.0, 1.0, 0, 0)

    rows = list(digits.one_round(driver, TARGETS, 4, 2, said.append))
    assert [(name, connections) for name, _, connections, _ in asked[::2]] == [
        (name, connections) for connections in (1, 32, 128) for name in ("digit", "drawing")
    ]
    assert [port for _, port, _, _ in asked] == [1, 2] * 6
    assert [row.server for row in rows] == ["service", "baseline"] * 6
    assert {row.round for row in rows} == {4}
    assert len(said) == 12


def test_the_record_is_strict_json_with_every_measurement(tmp_path):
    rows = [
        Row(0, server, "28×28", connections, Measurement(10.0, math.nan, 2.0, 3, 4))
        for connections in (1, 32)
        for server in ("service", "baseline")
    ]
    raw = [RawCall(0, 2, {"1": {"median_ms": 1.0, "p99_ms": 2.0}})]
    __main__.write_record(tmp_path / "bench", {"machine": {"cores": 2}}, rows, raw)
    text = (tmp_path / "bench" / "latest.json").read_text(encoding="utf-8")
    record = json.loads(text, parse_constant=pytest.fail)
    assert record["machine"] == {"cores": 2}
    assert record["measurements"][0] == {
        "round": 0,
        "server": "service",
        "image": "28×28",
        "connections": 1,
        "requests_per_s": 10.0,
        "p50_ms": None,
        "p99_ms": 2.0,
        "not_2xx": 3,
        "socket_errors": 4,
    }
    assert record["raw_model"][0]["version"] == 2
    assert record["summary"]["ratios"][0]["by_round"] == [1.0]


@pytest.mark.parametrize("option", ["--rounds", "--seconds"])
def test_a_run_of_nothing_is_refused(option, capsys):
    with pytest.raises(SystemExit):
        __main__.main([option, "0"])
    assert "must be a whole number from 1" in capsys.readouterr().err


def test_without_a_model_it_says_so_before_it_starts_anything(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("VITRINE_MODELS", str(tmp_path))
    monkeypatch.setattr(__main__.signal, "signal", lambda *_: None)  # pytest keeps its own
    assert __main__.main(["--output", str(tmp_path / "bench")]) == 1
    assert "has no version of the model" in capsys.readouterr().err
    assert not (tmp_path / "bench").exists()
