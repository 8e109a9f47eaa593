"""The soak's runner: steps, what is kept of them, and the table."""

import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients.robustness.soak import __main__ as soak
from clients.robustness.soak import all_goals
from clients.robustness.soak.cores import on_core
from clients.robustness.soak.goals import Goal
from clients.robustness.soak.hostile_json import mutated

ROOT = Path(__file__).parents[3]


def goal(steps, wrong=0):
    async def work(step):
        steps.append((step.serve.__name__, step.start, step.count))
        return {"wrong": wrong, "most_ms": 10.0 - step.start}

    return Goal(
        "G0", "nothing goes wrong", "tries", 25, 5, 10, 3, work, lambda tally: f"{tally['most_ms']:.0f} ms"
    )  # fmt: skip


@pytest.fixture
def run(monkeypatch, tmp_path):
    def run(goals, *options):
        monkeypatch.setattr(soak, "GOALS", goals)
        return soak.main(["--state", str(tmp_path), *options])

    return run


def test_a_run_goes_on_where_the_last_one_ended(run, tmp_path, capsys):
    steps, file = [], tmp_path / "G0-vitrine.json"
    file.write_text(json.dumps({"done": 10, "wrong": 0, "most_ms": 3, "seconds": 60}))

    assert run((goal(steps),)) == 0

    assert steps == [("vitrine", 10, 10), ("vitrine", 20, 5), ("plain_app", 0, 3)]
    kept = json.loads(file.read_text())
    assert kept.pop("seconds") == pytest.approx(60, abs=10)
    assert kept == {"done": 25, "wrong": 0, "most_ms": 3}
    row = "| G0 | nothing goes wrong | 25 of 25 tries in 60 s | 3 ms | yes | 3 tries: 10 ms |"
    assert row in capsys.readouterr().out


def test_a_goal_that_is_not_reached_is_the_exit_status(run):
    assert run((goal([], wrong=1),), "--short") == 1


def test_the_table_of_what_is_done_runs_nothing(run, capsys):
    steps = []

    assert run((goal(steps),), "--table") == 1

    assert steps == []
    assert "| G0 | nothing goes wrong | 0 of 25 tries |" in capsys.readouterr().out


def test_goals_that_the_tests_show_name_tests_that_exist():
    for tests in all_goals.SHOWN_BY_TESTS.values():
        for test in tests.split(", "):
            file, _, name = test.partition("::")
            assert f"def {name}" in (ROOT / file).read_text()


def test_mutated_bodies_differ_and_can_be_made_again():
    example = {"n": 4, "latents": [[0.0] * 20], "from": {"random_seed": 3}}

    bodies = [mutated(example, random.Random(seed)) for seed in range(200)]

    assert bodies == [mutated(example, random.Random(seed)) for seed in range(200)]
    assert len(set(bodies)) > 100


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs two cores and a system that can choose between them",
)
def test_the_clients_of_an_overload_have_another_core_than_the_server():
    def core_of_the_clients():
        with on_core(-1):
            return os.sched_getaffinity(0)

    before = os.sched_getaffinity(0)
    with on_core(0):
        servers = os.sched_getaffinity(0)
        clients = ThreadPoolExecutor().submit(core_of_the_clients).result()

    assert len(servers) == len(clients) == 1
    assert servers != clients
    assert os.sched_getaffinity(0) == before
