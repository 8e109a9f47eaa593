"""The chart of the discriminator's accuracy."""

import base64
import io

import numpy as np
from PIL import Image

from training.gan import accuracy_chart


def pixels(uri):
    return np.asarray(
        Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")
    ).astype(int)


def rows_of(picture, colour, columns):
    """The height in the picture, 0..1 as the axis has it, of what is drawn in a colour there."""
    wanted = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)])
    area = picture[accuracy_chart.TOP :, columns]
    rows = np.flatnonzero((np.abs(area - wanted).sum(axis=2) < 60).any(axis=1))
    return 1 - rows / (accuracy_chart.HEIGHT - accuracy_chart.TOP - accuracy_chart.BOTTOM)


def test_each_accuracy_stands_at_its_height():
    picture = pixels(accuracy_chart.draw([0.9, 0.9, 0.9], [0.2, 0.2, 0.2]))

    assert picture.shape == (accuracy_chart.HEIGHT, accuracy_chart.WIDTH, 3)
    inside = slice(100, 300)
    assert abs(rows_of(picture, accuracy_chart.REAL, inside) - 0.9).max() < 0.02
    assert abs(rows_of(picture, accuracy_chart.GENERATED, inside) - 0.2).max() < 0.02


def test_the_perfect_generators_line_is_at_a_half():
    picture = pixels(accuracy_chart.draw([0.9] * 4, [0.8] * 4))

    heights = rows_of(picture, accuracy_chart.GREY, slice(100, 300))

    assert abs(heights[heights > 0.1] - 0.5).max() < 0.02


def test_one_epoch_is_drawn_too():
    picture = pixels(accuracy_chart.draw([0.7], [0.6]))

    assert len(rows_of(picture, accuracy_chart.REAL, slice(accuracy_chart.LEFT, 60)))
