"""The chart: what is drawn where, seen in its pixels."""

import io

import numpy as np
import pytest
from PIL import Image, ImageColor

from clients.load.chart import COLOURS, draw, linear, logarithmic
from tests.clients.load.steps import queue_step, step

QUEUE = [queue_step(rate, capacity=100) for rate in (10, 30, 50, 70, 90)]


def pixels(png):
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def how_many(image, colour):
    return int((np.abs(image - ImageColor.getrgb(colour)).sum(axis=2) < 40).sum())


def test_each_scenario_has_a_row_and_each_target_its_colour():
    one = pixels(draw({"digit": {"http://a": QUEUE}}))
    two = pixels(
        draw({"digit": {"http://a": QUEUE, "http://b": QUEUE}, "ten": {"http://a": QUEUE}})
    )

    assert two.shape[1] == one.shape[1]
    assert two.shape[0] - one.shape[0] > 150
    assert how_many(one, COLOURS[0]) > 300
    assert how_many(one, COLOURS[1]) == 0
    assert how_many(two, COLOURS[1]) > 300


def test_the_knee_is_a_line_from_bottom_to_top():
    with_knee = pixels(draw({"digit": {"http://a": QUEUE}}))
    without = pixels(draw({"digit": {"http://a": QUEUE[:3]}}))

    def tallest_column(image):
        return (np.abs(image - ImageColor.getrgb(COLOURS[0])).sum(axis=2) < 200).sum(axis=0).max()

    assert tallest_column(with_knee) > 60
    assert tallest_column(without) < 40


def test_a_chart_of_failures_only_is_still_a_picture():
    failed = step(10, right_per_s=0, p50_ms=None)
    assert pixels(draw({"digit": {"http://a": [failed]}})).shape[0] > 100


def test_many_scenarios_stay_a_small_file():
    assert len(draw({f"scenario {i}": {"http://a": QUEUE} for i in range(8)})) < 60_000


@pytest.mark.parametrize(
    ("largest", "top"), [(1, 1), (9.3, 10), (720, 800), (1100, 1500), (0.3, 0.3)]
)
def test_a_linear_axis_ends_at_a_round_number(largest, top):
    scale = linear(largest)
    assert scale.ticks[-1] == pytest.approx(top)
    assert scale.place(scale.ticks[-1]) == 1
    assert scale.place(0) == 0


def test_a_logarithmic_axis_has_whole_powers_of_ten():
    scale = logarithmic(2, 350)
    assert scale.ticks == (1, 10, 100, 1000)
    assert scale.place(10) == pytest.approx(1 / 3)
