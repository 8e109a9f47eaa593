"""The scenario `class`: every student's requests are counted, by what came back."""

import asyncio
import io
from array import array
from collections import Counter

from PIL import Image

from clients.load import classroom
from clients.load.connection import Answer
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

    refused, total = often.statuses[429], often.statuses.total()  # a busy machine refuses some
    assert total > seldom.statuses.total() == 2
    assert (set(often.statuses) | {429}, often.errors) == ({200, 429}, {})
    assert often.cell().endswith(f"ms, {refused} of {total} refused")


def test_refusals_and_failures_are_told_apart():
    result = classroom.Result()
    photos = classroom.activities()["photos"].scenario
    for status, body in ((429, b""), (500, b""), (200, b"{}")):
        result.count(Answer(status, {}, body), 0.0, photos)

    assert result.cell() == "–, 1 of 3 refused, 1 answered 500, 1 wrong answer"


def test_the_chart_shows_each_activity_and_what_was_not_answered():
    quick = classroom.Result(array("d", [0.01, 0.02]))
    slow = classroom.Result(array("d", [0.5]), Counter({429: 2}))
    results = [quick, slow, classroom.Result()]
    rows = [classroom.Row("drawing", results), classroom.Row("photos", [quick] * 3)]
    image = Image.open(io.BytesIO(classroom.draw(rows)))

    assert image.format == "PNG"
    assert image.width >= 600
    assert results[1].note() == "2 not answered"
    assert classroom.table(rows)[2] == (
        "| drawing | 20 ms, 0 of 2 refused | 500 ms, 2 of 3 refused | –, 0 of 0 refused |"
    )
