"""The short form of the soak's goals, against exported models; figures are left to `make soak`."""

import pytest

from clients.robustness.soak import overload
from clients.robustness.soak.all_goals import GOALS
from clients.robustness.soak.goals import Step
from clients.robustness.soak.server_process import copy_models, plain_app, vitrine

pytestmark = pytest.mark.tensorflow
NIGHTLY = ("G5", "G13", "G14", "G16", "G17")  # what other tests look at, too


def short(goal):
    return pytest.param(goal, id=goal.key, marks=[pytest.mark.nightly] * (goal.key in NIGHTLY))


@pytest.fixture(scope="module")
def some(models, tmp_path_factory):
    return copy_models(models, tmp_path_factory.mktemp("some"), "digits", "vae", "gan", "text")


@pytest.fixture(autouse=True)
def short_overload(monkeypatch):
    """One second of ten times the peak, where `make soak` has five of each of four multiples."""
    monkeypatch.setattr(overload, "TIMES", (10,))
    monkeypatch.setitem(overload.SECONDS, "stub", 1.0)


@pytest.mark.parametrize("goal", [short(goal) for goal in GOALS if goal.short])
def test_nothing_goes_wrong(goal, some):
    tally = goal.run(Step(some, 0, goal.short, vitrine))

    assert tally["wrong"] == 0, goal.describe(tally)


@pytest.mark.nightly
@pytest.mark.parametrize("key", ["G1", "G2", "G4"])
def test_the_same_work_breaks_a_plain_app(key, some):
    goal = next(goal for goal in GOALS if goal.key == key)

    tally = goal.run(Step(some, 0, goal.short, plain_app))

    assert tally["wrong"] > 0, goal.describe(tally)
