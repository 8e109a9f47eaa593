"""Digits: images → network input, network outputs → answer."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from service.codecs.image_writing import data_uri, encode_png, tile
from service.engine import Arrays
from service.errors import InvalidValue
from service.preprocessing.digit import normalize_digit
from service.runtime.filters import LayerFilter
from service.tasks import prepared_images
from service.tasks.prepared_images import OUTLIER, check_finite

TASK = "classify_digit"

decode = partial(prepared_images.decode, preprocess=normalize_digit)


def encode(outputs: Arrays) -> list[dict[str, Any]]:
    """One prediction per image, from probabilities [B, 10] and outlier_score [B]."""
    probabilities = check_finite(outputs["probabilities"])
    scores = outputs["outlier_score"].tolist()
    digits = probabilities.argmax(axis=1).tolist()
    return [
        {
            "digit": digit,
            "probability": row[digit],
            "probabilities": row,
            "outlier": score > OUTLIER,
            "outlier_score": score,
        }
        for row, digit, score in zip(probabilities, digits, scores, strict=True)
    ]


def encode_layers(outputs: Arrays, order: list[str]) -> list[dict[str, Any]]:
    """The activations of one image: maps [1, H, W, C] as one tiled image, vectors as values."""
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


def choose_layer(filters: Mapping[str, LayerFilter], layer: str, model: str) -> LayerFilter:
    """Return the layer's filters; InvalidValue lists the model's layers."""
    if not filters:
        raise InvalidValue(
            f"model must have filters in its export, which imported models lack, got {model}"
        )
    if layer not in filters:
        raise InvalidValue(f"layer must be one of {', '.join(filters)}, got {layer[:40]!r}")
    return filters[layer]


def encode_filter(
    outputs: Arrays, images: np.ndarray, layer: str, index: int, found: LayerFilter
) -> dict[str, Any]:
    """The computation of feature map `index` of a layer; images: the model's input, uint8 [1, H, W, 1]."""
    maps = outputs[layer][0]
    if index >= maps.shape[2]:
        raise InvalidValue(
            f"map must be a whole number from 0 to {maps.shape[2] - 1} for {layer}, got {index}"
        )
    low, high = found.range
    inputs = low + images[0] * np.float32((high - low) / 255)
    if found.below in outputs:
        inputs = outputs[found.below][0]
    kernel, bias = None, None
    if found.kernel is not None and found.bias is not None:
        kernel, bias = np.ascontiguousarray(found.kernel[..., index]), found.bias[index]
    else:
        inputs = np.ascontiguousarray(inputs[..., index : index + 1])
    return {
        "layer": layer,
        "map": index,
        **found.model_dump(include={"kind", "below", "size", "strides", "padding", "relu"}),
        "kernel": kernel,
        "bias": bias,
        "inputs": inputs,
        "values": np.ascontiguousarray(maps[..., index]),
    }


def _to_grey(maps: np.ndarray) -> np.ndarray:
    """[H, W, C] → uint8 [C, H, W], each map scaled from its minimum (black) to its maximum (white)."""
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    span = np.where(high > low, high - low, 1)
    grey: np.ndarray = ((maps - low) * (255 / span)).astype(np.uint8)
    return grey.transpose(2, 0, 1)
