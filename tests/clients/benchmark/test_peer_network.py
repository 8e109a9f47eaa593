"""What the other servers do alike."""

import numpy as np

from clients.benchmark.peer_servers import network
from clients.load.scenario import scenarios


def test_an_image_of_any_size_becomes_28_by_28():
    for name in ("digit", "drawing"):
        image = network.decode(scenarios()[name].body)
        assert (image.shape, image.dtype) == ((28, 28, 1), np.uint8)


def test_the_answer_passes_as_that_of_the_service():
    probabilities = np.zeros(10, np.float32)
    probabilities[7] = 1
    assert network.answer(probabilities)["predictions"][0]["digit"] == 7
