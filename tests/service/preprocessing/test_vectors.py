"""The vectors that the page's JavaScript is tested with are what the service computes today."""

import json

import pytest

from service.preprocessing.photo import fit_photo
from tests.service.preprocessing.make_vectors import FILE, FORMS, expected, random_numbers, unpacked

VECTORS = json.loads(FILE.read_text())


@pytest.mark.parametrize("case", VECTORS["drawings"], ids=lambda case: case["name"])
@pytest.mark.parametrize("form", FORMS)
def test_a_drawing_gives_what_is_written_down(form, case):
    image = unpacked(case)

    assert expected(lambda: FORMS[form](image, normalize=True)) == case[form]


@pytest.mark.parametrize("case", VECTORS["photos"], ids=lambda case: case["name"])
def test_a_photo_gives_what_is_written_down(case):
    spec = case["input"]
    shape = spec["height"], spec["width"], spec["channels"]

    assert expected(lambda: fit_photo(unpacked(case), shape, spec["crop"])) == case["photo"]


def test_random_numbers_are_those_that_are_written_down():
    assert random_numbers() == VECTORS["random"]
