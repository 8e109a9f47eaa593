"""The short form of every goal of the soak, against the exported models; figures are left to `make soak`."""

import pytest

from clients.robustness.soak.all_goals import GOALS
from clients.robustness.soak.goals import Step
from clients.robustness.soak.server_process import plain_app, vitrine

pytestmark = pytest.mark.tensorflow
SHORT = [pytest.param(goal, id=goal.key) for goal in GOALS if goal.short]
BREAKS_A_PLAIN_APP = [pytest.param(goal, id=goal.key) for goal in GOALS if goal.key in ("G1", "G4")]


@pytest.mark.parametrize("goal", SHORT)
def test_nothing_goes_wrong(goal, models):
    tally = goal.run(Step(models, 0, goal.short, vitrine))

    assert tally["wrong"] == 0, goal.describe(tally)


@pytest.mark.nightly
@pytest.mark.parametrize("goal", BREAKS_A_PLAIN_APP)
def test_the_same_work_breaks_a_plain_app(goal, models):
    tally = goal.run(Step(models, 0, goal.plain, plain_app))

    assert tally["wrong"] > 0, goal.describe(tally)
