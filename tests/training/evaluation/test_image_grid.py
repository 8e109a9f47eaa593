"""Many images in one."""

import numpy as np

from training.evaluation import image_grid


def test_a_grid_is_as_wide_as_its_columns():
    images = np.zeros((6, 28, 28, 1), np.uint8)

    assert image_grid.grid(images, 3).startswith("data:image/png;base64,")
