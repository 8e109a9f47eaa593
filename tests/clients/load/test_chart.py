"""The chart of a load test."""

import io

from PIL import Image

from clients.load.chart import draw
from tests.clients.load.steps import queue_step, step

QUEUE = [queue_step(rate, capacity=100) for rate in (10, 30, 50, 70, 90)]


def size(png):
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return image.size


def test_each_scenario_has_a_row():
    one = size(draw({"digit": {"http://a": QUEUE}}))
    two = size(draw({"digit": {"http://a": QUEUE, "http://b": QUEUE}, "ten": {"http://a": QUEUE}}))

    assert two == (one[0], 2 * one[1])


def test_the_knee_and_each_target_are_drawn():
    charts = [
        {"digit": {"http://a": QUEUE}},
        {"digit": {"http://a": QUEUE[:3]}},
        {"digit": {"http://a": QUEUE, "http://b": QUEUE[:3]}},
    ]

    assert len({draw(chart) for chart in charts}) == 3


def test_a_chart_of_failures_only_is_still_drawn():
    failed = step(10, right_per_s=0, p50_ms=None)

    assert size(draw({"digit": {"http://a": [failed]}}))[1] > 100
