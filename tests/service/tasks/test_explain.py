"""The classes, windows, maps and overlays of explanations."""

import numpy as np
import pytest

from service.errors import InvalidValue, TooManyImages
from service.tasks import explain

LABELS = [("n01", "tabby"), ("n02", "0"), ("n03", "lynx")]


def test_a_class_is_named_by_id_label_or_index():
    assert explain.find_class("n03", LABELS) == 2
    assert explain.find_class("tabby", LABELS) == 0
    assert explain.find_class("2", LABELS) == 2


def test_a_label_that_is_a_number_is_a_label_first():
    assert explain.find_class("0", LABELS) == 1


@pytest.mark.parametrize("asked", ["", "cat", "3", "-1", "²"])
def test_an_unknown_class_is_refused_by_name(asked):
    with pytest.raises(InvalidValue, match="class must be an id, a label or an index from 0 to 2"):
        explain.find_class(asked, LABELS)


def test_the_best_classes_come_best_first():
    scores = np.array([[0.1, 0.7, 0.2], [0.5, 0.1, 0.4]])

    assert explain.choose_classes(scores, 2, None) == [[1, 2], [0, 2]]
    assert explain.choose_classes(scores, 2, 0) == [[0], [0]]


def test_too_many_maps_are_refused():
    with pytest.raises(TooManyImages, match="at most 1000 heat maps, got 3 × 400"):
        explain.check_classes(400, None, LABELS * 200, 3)


@pytest.mark.parametrize(
    "size",
    [(224, 224), (28, 28), (300, 100), (1, 1), (5, 500)],
    ids=lambda size: "×".join(map(str, size)),
)
def test_windows_are_a_hundred_at_most_and_cover_every_pixel(size):
    image = np.full((*size, 1), 255, np.uint8)
    windows = list(explain.occluded(image, is_drawing=True))

    assert len(windows) == np.prod(explain.grid_of(*size)) <= 100
    assert (np.stack(windows) == 0).any(axis=0).all()


def test_a_photo_is_covered_with_its_mean_colour():
    image = np.zeros((20, 20, 3), np.uint8)
    image[10:] = (200, 100, 50)
    first = next(explain.occluded(image, is_drawing=False))

    assert first[0, 0].tolist() == [100, 50, 25]
    assert first[19, 19].tolist() == [200, 100, 50]


def test_a_map_ends_at_one_and_knows_nothing_below_zero():
    heat = explain.normalized(np.array([[-3.0, 0.0], [2.0, 4.0]]))

    assert heat.tolist() == [[0, 0], [0.5, 1]]


def test_where_nothing_speaks_for_a_class_the_least_contrary_place_is_the_highest():
    assert explain.normalized(np.array([[-3.0, -1.0]])).tolist() == [[0, 1]]
    assert explain.normalized(np.zeros((2, 2))).tolist() == [[1, 1], [1, 1]]


def test_the_overlay_is_hot_where_the_map_is():
    image = np.full((28, 28, 1), 100, np.uint8)
    mixed = explain.overlay(image, np.array([[0.0, 1.0]]))

    assert mixed.shape == (224, 224, 3)
    assert mixed[100, 0].tolist() == [100, 100, 100]
    assert mixed[100, -1, 0] > 200
