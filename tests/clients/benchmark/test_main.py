"""The order of the benchmark's rounds and its record; nothing is started."""

import contextlib
import json
from types import SimpleNamespace

import pytest

from clients.benchmark import __main__, rounds
from clients.benchmark.contestants import DIGITS, decode_only, ours
from clients.load.measurement import Measurement


def test_every_cell_is_measured_at_one_server_and_at_once_at_the_next(monkeypatch):
    asked, said, turns = [], [], iter("ab")

    def measure(scenario, target, connections, seconds):
        asked.append((scenario.name, target, connections, seconds))
        return Measurement(1.0, 1.0, 1.0, 0, 0)

    def start(stack, one):
        usage = {"processor_seconds": 0.0, "pss_mib": 1.0, "ready_s": 1.0}
        return stack.enter_context(
            contextlib.nullcontext(SimpleNamespace(target=one.name, **usage))
        )

    monkeypatch.setattr(rounds, "measure_closed_loop", measure)
    monkeypatch.setattr(rounds, "check_answer", lambda *_: None)
    monkeypatch.setattr(rounds, "start", start)
    two = [ours(DIGITS), decode_only(DIGITS)]
    rows = list(rounds.take_turns(two, 2, 3, said.append, lambda: next(turns)))

    asked = [one for one in asked if one[3] == 3]  # without the warm-up
    assert [(name, connections) for name, _, connections, _ in asked[:12:2]] == [
        (name, connections) for connections in (1, 32, 128) for name in ("digit", "drawing")
    ]
    assert [target for _, target, *_ in asked] == ["vitrine", "decode-only"] * 12
    assert [row.server for row in rows] == ["vitrine", "decode-only"] * 12
    assert [(row.round, row.raw) for row in rows[::12]] == [(0, "a"), (1, "b")]
    assert len(said) == 2 + 24


def test_the_record_has_each_part_that_was_measured(tmp_path):
    __main__.write_record(tmp_path / "bench", {"machine": {"cores": 2}}, {"samples": []})

    record = json.loads((tmp_path / "bench" / "latest.json").read_text(encoding="utf-8"))
    assert record == {"machine": {"cores": 2}, "samples": {"measurements": [], "goals": []}}


@pytest.mark.parametrize("option", ["--rounds", "--seconds"])
def test_a_run_of_nothing_is_refused(option, capsys):
    with pytest.raises(SystemExit):
        __main__.main([option, "0"])
    assert "must be a whole number from 1" in capsys.readouterr().err


def test_without_a_model_it_says_so_before_it_starts_anything(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("VITRINE_MODELS", str(tmp_path))
    monkeypatch.setattr(__main__, "stop_on_sigterm", lambda: None)  # pytest keeps its own
    assert __main__.main(["--output", str(tmp_path / "bench")]) == 1
    assert "has no version of the model" in capsys.readouterr().err
    assert not (tmp_path / "bench").exists()
