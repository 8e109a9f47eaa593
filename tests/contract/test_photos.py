"""The service resizes photos as TensorFlow does, so that a network sees what it was trained on."""

import numpy as np
import pytest

from service.preprocessing.photo import fit_photo

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("size", [(256, 341), (500, 375), (97, 64), (224, 300), (1, 30)])
def test_a_resized_photo_is_that_of_tensorflow_rounded(size):
    import tensorflow as tf

    pixels = np.random.default_rng(3).integers(0, 256, (*size, 3), np.uint8)
    side = max(1, int(0.875 * min(size)))
    top, left = ((length - side + 1) // 2 for length in size)
    cut = pixels[top : top + side, left : left + side].astype(np.float32)
    expected = tf.image.resize(cut, (224, 224), "bilinear").numpy()

    found = fit_photo(pixels, (224, 224, 3), 0.875).image

    assert np.abs(found - expected).max() <= 0.501
