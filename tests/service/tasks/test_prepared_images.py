"""What a model gives for an image has to be finite."""

import numpy as np
import pytest

from service.errors import InvalidImage
from service.tasks.classify_digit import encode
from service.tasks.classify_image import scores_of


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_image_with_scores_that_are_not_finite_is_named(bad):
    scores = np.full((3, 10), 0.1, np.float32)
    scores[1, 4] = bad

    with pytest.raises(
        InvalidImage, match=r"^image 2: the model must give finite numbers, got NaN"
    ):
        scores_of({"probabilities": scores})
    with pytest.raises(InvalidImage, match=r"^image 2: "):
        encode({"probabilities": scores, "outlier_score": np.zeros(3)})


def test_finite_scores_pass():
    scores = np.full((1, 10), 0.1, np.float32)

    assert scores_of({"probabilities": scores}) is scores
