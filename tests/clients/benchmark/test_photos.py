"""What the photos' part of the benchmark measures, and what it makes of it."""

import json

import pytest

from clients.benchmark import photos
from clients.benchmark.http_vs_raw import ModelRow
from clients.load.measurement import Measurement


def row(number, p50_ms, raw_ms, model="labels"):
    alone, together = Measurement(30.0, p50_ms, 9.0, 1, 0), Measurement(40.0, 99.0, 99.0, 0, 2)
    return ModelRow(number, model, alone, together, raw_ms)


def manifest(models, name, task, height):
    folder = models / name / "1" / "assets.extra"
    folder.mkdir(parents=True)
    content = {"task": task, "input": {"height": height}}
    (folder / "manifest.json").write_text(json.dumps(content))


def test_every_network_that_names_photos_is_measured_the_released_one_first(tmp_path):
    manifest(tmp_path, "labels", "classify_image", 224)
    manifest(tmp_path, "densenet", "classify_image", 224)
    manifest(tmp_path, "fashion-svm", "classify_image", 28)
    manifest(tmp_path, "digits", "classify_digit", 28)
    (tmp_path / "ready").write_text("a file is no model")
    (tmp_path / "empty").mkdir()

    assert photos.photo_networks(tmp_path) == ["labels", "densenet"]


def test_without_such_a_network_photos_are_left_out(tmp_path):
    said = []

    assert photos.measure(tmp_path, 1, 1, said.append) == []
    assert "holds no network that names photos" in said[0]


def test_the_line_tells_time_ratio_rate_and_errors():
    *_, line = photos.table([row(0, 30.0, 25.0), row(1, 40.0, 25.0)])

    assert line == (
        "| labels | 35.0 (30.0-40.0) | 25.0 (25.0-25.0) | 1.40 (1.20-1.60) | 40.0 (40.0-40.0) | 6 | – |"
    )


@pytest.mark.parametrize(("p50_ms", "is_met"), [(32.0, True), (33.0, False)])
def test_the_verdict_is_about_the_released_network(p50_ms, is_met):
    rows = [row(0, p50_ms, 25.0), row(0, 99.0, 25.0, model="densenet")]
    (goal,) = photos.goals(rows)

    assert goal.is_met is is_met
    assert goal.text.startswith("labels: one photo, × raw call: 1.")
    assert photos.goals(rows[1:]) == []


def test_the_rate_of_eight_is_compared_with_the_raw_engine_on_all_processors():
    rows = [
        row(number, 10.0, 8.0)._replace(raw_per_s=raw) for number, raw in ((0, 40.0), (1, 50.0))
    ]

    *_, goal = photos.goals(rows)

    assert "8 connections, × raw engine: 0.90 (0.80-1.00)" in goal.text
    assert goal.is_met
    assert photos.table(rows)[-1].endswith("| 0.90 (0.80-1.00) |")
