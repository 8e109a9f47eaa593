"""A few digits drawn here, and a service that is none; no data set, no network."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vitrine_client import DigitPrediction, DigitsAnswer, InvalidImage, ModelVersion


def ring(width=3):
    """A nought, 20 high and 14 wide, light on black, uint8 [28, 28]."""
    image = Image.new("L", (28, 28))
    ImageDraw.Draw(image).ellipse((7, 4, 20, 23), outline=255, width=width)
    return np.asarray(image)


def bar():
    """A one, 20 high and 3 wide."""
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 13:16] = 255
    return image


@pytest.fixture
def digits():
    """Noughts and ones in turn, uint8 [12, 28, 28]."""
    return np.stack([ring(), bar()] * 6)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def prediction(digit, score=0.1, probability=0.91):
    probabilities = np.full(10, (1 - probability) / 9)
    probabilities[digit] = probability
    return DigitPrediction(digit, probability, tuple(probabilities), score > 1, score)


class FakeVitrine:
    """Answers each image as `answer` says; None refuses the whole request, as the service does."""

    def __init__(self, answer=lambda image: prediction(0)):
        self.answer = answer
        self.calls = []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    @property
    def digits(self):
        return self

    async def classify(self, images, *, model=None, normalize="auto"):
        self.calls.append((len(images), model, normalize))
        predictions = tuple(self.answer(image) for image in images)
        if None in predictions:
            raise InvalidImage("the image is blank", status=422)
        return DigitsAnswer(ModelVersion("digits", 3), predictions)


@pytest.fixture
def fake_vitrine():
    return FakeVitrine


@pytest.fixture(name="prediction")
def prediction_factory():
    return prediction
