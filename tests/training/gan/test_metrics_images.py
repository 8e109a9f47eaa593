"""The chart of the discriminator's accuracy."""

import base64
import io

import numpy as np
from PIL import Image

from training.gan import accuracy_chart


def height_of(colour, uri):
    """How far down the image, 0..1, what is drawn in a colour stands on average."""
    from matplotlib.colors import to_rgb

    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")
    distances = np.abs(np.asarray(image) / 255 - to_rgb(colour)).sum(axis=2)
    rows, _ = np.nonzero(distances[:, 50:250] < 0.2)  # beside the legend
    assert rows.size
    return rows.mean() / image.height


def test_the_higher_accuracy_is_drawn_higher():
    high, low = [0.9] * 4, [0.2] * 4
    expected = accuracy_chart.draw(high, low)
    swapped = accuracy_chart.draw(low, high)

    assert height_of("C0", expected) < height_of("C1", expected)
    assert height_of("C0", swapped) > height_of("C1", swapped)


def test_one_epoch_is_drawn_too():
    assert accuracy_chart.draw([0.7], [0.6]) != accuracy_chart.draw([0.5], [0.6])
