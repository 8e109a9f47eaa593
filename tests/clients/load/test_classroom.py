"""The scenario `class`: every student's requests are counted, by what came back."""

import asyncio
import io

from PIL import Image

from clients.load import classroom
from clients.load.target import Target
from tests.clients.python.serving import serving, until_ready, write_all_models


def test_a_class_draws_and_is_counted(tmp_path):
    write_all_models(tmp_path)
    drawing = classroom.activities()["drawing"]
    scenario = drawing.scenario._replace(is_right=lambda body: b"probabilities" in body)
    with serving(tmp_path) as running:
        until_ready(running)
        host, port = running.url.removeprefix("http://").split(":")
        groups = [(classroom.Activity(scenario, 0.2), 3), (classroom.Activity(scenario, 10.0), 2)]
        often, seldom = asyncio.run(classroom._take_turns(Target(host, int(port), ""), groups, 1.0))

    assert len(often.latencies_s) > len(seldom.latencies_s) == 2
    assert (often.refused, often.failed) == (0, {})
    assert often.cell().endswith(f"ms, 0 of {len(often.latencies_s)} refused")


def test_refusals_and_failures_are_told_apart():
    result = classroom.Result()
    activity = classroom.activities()["photos"]
    for status, body in ((429, b""), (500, b""), (200, b"{}")):
        classroom._count(result, activity, status, body, 0.1)

    assert result.cell() == "–, 1 of 3 refused, 1 answered 500, 1 wrong answer"


def test_the_chart_shows_each_activity_and_what_was_not_answered():
    quick = classroom.Result([0.01, 0.02])
    results = [quick, classroom.Result([0.5], refused=2), classroom.Result()]
    rows = [classroom.Row("drawing", results), classroom.Row("photos", [quick] * 3)]
    image = Image.open(io.BytesIO(classroom.draw(rows)))

    assert image.format == "PNG"
    assert image.width >= 600
    assert results[1].note() == "2 not answered"
    assert classroom.table(rows)[2] == (
        "| drawing | 20 ms, 0 of 2 refused | 500 ms, 2 of 3 refused | –, 0 of 0 refused |"
    )
