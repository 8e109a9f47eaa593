"""Digits: pictures → the network's input, its outputs → the answer. Knows no HTTP and no model."""

from functools import partial
from typing import Any

import numpy as np

from service.codecs.image import data_uri, encode_png, tile
from service.engine import Arrays
from service.preprocessing.digit import normalize_digit
from service.tasks import prepared_images
from service.tasks.prepared_images import PreparedImages, check_finite, describe_input

TASK = "classify_digit"
OUTLIER = 0.5  # the graph scales its score so that more than this is "probably no digit"


decode = partial(prepared_images.decode, preprocess=normalize_digit)


def encode(outputs: Arrays, decoded: PreparedImages, *, with_input: bool) -> list[dict[str, Any]]:
    """One prediction a picture: probabilities [B, 10] and outlier_score [B] in words."""
    probabilities = check_finite(outputs["probabilities"])
    scores = outputs["outlier_score"].tolist()
    digits = probabilities.argmax(axis=1).tolist()
    predictions = []
    for row, digit, score, canvas in zip(
        probabilities, digits, scores, decoded.canvases, strict=True
    ):
        prediction = {
            "digit": digit,
            "probability": row[digit],
            "probabilities": row,
            "outlier": score > OUTLIER,
            "outlier_score": score,
        }
        if with_input:
            prediction["input"] = describe_input(canvas)
        predictions.append(prediction)
    return predictions


def encode_layers(outputs: Arrays, order: list[str]) -> list[dict[str, Any]]:
    """What each layer sees of one picture: maps [1, H, W, C] as one tiled picture, vectors as values."""
    layers = []
    for name in order:
        output = outputs[name][0]
        layer: dict[str, Any] = {"name": name, "shape": list(output.shape)}
        if output.ndim == 3:
            layer["image"] = data_uri(encode_png(tile(_to_grey(output))))
        else:
            layer["values"] = output
        layers.append(layer)
    return layers


def _to_grey(maps: np.ndarray) -> np.ndarray:
    """[H, W, C] → uint8 [C, H, W], each map on its own scale: black is its lowest value, white its highest."""
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    span = np.where(high > low, high - low, 1)
    grey: np.ndarray = ((maps - low) * (255 / span)).astype(np.uint8)
    return grey.transpose(2, 0, 1)
