"""The soak's runner: steps, what is kept of them, and the table."""

import json
import random

from clients.robustness.soak import __main__ as soak
from clients.robustness.soak.goals import Goal
from clients.robustness.soak.hostile_requests import mutated


def goal(steps, wrong=0):
    async def work(step):
        steps.append((step.start, step.count))
        return {"wrong": wrong, "most_ms": 10.0 - step.start}

    return Goal(
        "G0", "nothing goes wrong", "tries", 25, 5, 10, work,
        lambda tally: tally["wrong"] == 0, lambda tally: f"{tally['most_ms']:.0f} ms",
    )  # fmt: skip


def test_a_run_goes_on_where_the_last_one_ended(tmp_path, monkeypatch, capsys):
    steps, state = [], tmp_path / "state.json"
    state.write_text(json.dumps({"G0": {"done": 10, "wrong": 0, "most_ms": 3}}))
    monkeypatch.setattr(soak, "GOALS", (goal(steps),))

    assert soak.main(["--state", str(state)]) == 0

    assert steps == [(10, 10), (20, 5)]
    assert json.loads(state.read_text())["G0"] == {"done": 25, "wrong": 0, "most_ms": 3}
    assert "| G0 | nothing goes wrong | 25 of 25 tries | 3 ms | yes |" in capsys.readouterr().out


def test_a_goal_that_is_not_reached_is_the_exit_status(tmp_path, monkeypatch):
    monkeypatch.setattr(soak, "GOALS", (goal([], wrong=1),))

    assert soak.main(["--short", "--state", str(tmp_path / "state.json")]) == 1


def test_mutated_bodies_differ_and_can_be_made_again():
    example = {"n": 4, "latents": [[0.0] * 20], "from": {"random_seed": 3}}

    bodies = [mutated(example, random.Random(seed)) for seed in range(200)]

    assert bodies == [mutated(example, random.Random(seed)) for seed in range(200)]
    assert len(set(bodies)) > 100
