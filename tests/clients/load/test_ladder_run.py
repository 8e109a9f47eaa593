"""A whole run against small servers: what is left out, what is compared, what is written."""

import json

import pytest

from clients.load.__main__ import main, write
from clients.load.ladder import MOST_SEARCHED
from clients.load.ladder_run import RunPlan, measure_all
from tests.clients.load.serving import SEVEN, answer_bytes, serving_digits
from tests.clients.load.steps import step

pytestmark = pytest.mark.anyio
RIGHT = answer_bytes(200, SEVEN)


class Heard:
    """Keeps what a run tells."""

    def __init__(self):
        self.sentences, self.scenarios = [], []

    def step(self, name, rate, tally):
        pass

    def sentence(self, text):
        self.sentences.append(text)

    def scenario(self, name, by_url):
        self.scenarios.append(name)


def always(answer):
    async def give(number):
        return answer

    return give


async def run(targets, names, rates=(40.0, 80.0)):
    heard = Heard()
    plan = RunPlan(targets, 0.1, 3, rates, 16, heard)
    return await measure_all(plan, names), heard


async def test_a_scenario_is_measured_at_each_rate():
    async with serving_digits(always(RIGHT)) as target:
        measured, heard = await run([target], ["digit"])

    (steps,) = measured["digit"].values()
    assert [one.rate for one in steps] == [40, 80]
    assert all(one.asked == 20 for one in steps)
    assert heard.scenarios == ["digit"]
    assert not heard.sentences


async def test_what_is_not_served_is_left_out_with_a_sentence():
    missing = answer_bytes(404, b'{"error": "no", "code": "model_not_found"}')
    async with serving_digits(always(missing)) as target:
        measured, heard = await run([target], ["digit"])

    assert measured == {}
    assert heard.sentences == [f"digit: left out, {target.url} serves no model for it"]


async def test_a_service_that_wants_a_key_is_left_out_with_its_reason():
    locked = answer_bytes(401, b'{"error": "key", "code": "unauthorized"}')
    async with serving_digits(always(locked)) as target:
        _, heard = await run([target], ["digit"])

    assert heard.sentences == [f"digit: left out, {target.url} answered 401 unauthorized"]


async def test_two_services_take_the_same_rates():
    async with serving_digits(always(RIGHT)) as one, serving_digits(always(RIGHT)) as other:
        measured, _ = await run([one, other], ["digit"])

    assert list(measured["digit"]) == [one.url, other.url]
    assert [[s.rate for s in steps] for steps in measured["digit"].values()] == [[40, 80]] * 2


async def test_a_service_that_one_of_them_lacks_is_left_out_for_all():
    missing = answer_bytes(404, b"{}")
    async with serving_digits(always(RIGHT)) as one, serving_digits(always(missing)) as other:
        measured, heard = await run([one, other], ["digit"])

    assert measured == {}
    assert heard.sentences == [f"digit: left out, {other.url} serves no model for it"]


async def test_without_rates_the_ladder_finds_its_own():
    async with serving_digits(always(RIGHT)) as target:
        measured, _ = await run([target], ["digit"], rates=None)

    (steps,) = measured["digit"].values()
    assert [one.rate for one in steps] == sorted(one.rate for one in steps)
    assert 1 <= len(steps) <= 3 + MOST_SEARCHED


def test_the_record_is_strict_json_and_the_chart_a_png(tmp_path):
    steps = [step(10), step(20, right_per_s=0, p50_ms=None, refusals={"429 overloaded": 20})]
    write(tmp_path / "out", {"digit": {"http://a": steps}})

    record = json.loads((tmp_path / "out/load.json").read_text(), parse_constant=pytest.fail)
    summary = record["scenarios"]["digit"]["http://a"]
    assert (summary["knee_per_s"], summary["most_right_per_s"]) == (10, 10)
    assert summary["steps"][1]["refusals"] == {"429 overloaded": 20}
    assert record["machine"]["cores"]
    assert (tmp_path / "out/load.png").read_bytes().startswith(b"\x89PNG")


def test_a_service_that_is_away_is_one_sentence_and_status_1(capsys):
    assert main(["--url", "http://127.0.0.1:1", "--scenario", "digit"]) == 1
    assert "is the service running?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--rates", "10,0"),
        ("--rates", "many"),
        ("--seconds", "0"),
        ("--seconds", "nan"),
    ],
)
def test_a_run_without_bounds_is_refused(option, value, capsys):
    with pytest.raises(SystemExit):
        main([option, value])
    assert "must be from" in capsys.readouterr().err
