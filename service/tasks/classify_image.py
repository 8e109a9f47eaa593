"""Image classification: images → network input, network outputs → labels."""

from typing import Any

import numpy as np

from service.codecs.image import OpenedImage
from service.codecs.request_images import naming_image
from service.engine import Arrays
from service.errors import InvalidValue
from service.preprocessing.clothing import normalize_clothing
from service.preprocessing.digit import SIDE, PreparedImage, take_as_it_is
from service.preprocessing.photo import fit_photo, needed_side
from service.runtime.manifest import InputSpec, Manifest
from service.schemas.images import DEFAULT_TOP
from service.tasks.prepared_images import OUTLIER, check_finite

TASK = "classify_image"
# When decoded at a scale with just the needed pixels, 51 of 60 photos kept the label of TensorFlow's
# pipeline; with twice as many per side 57 did; at full scale 144 of 150 others.
JPEG_MARGIN = 2
PREDICT = "serving_default"
FEATURES = "features"
BOTH = "features_and_probabilities"  # one run for both


def is_drawing(spec: InputSpec) -> bool:
    """Whether the network takes 28 × 28 grey pixels, like Fashion-MNIST."""
    return (spec.height, spec.width, spec.channels) == (SIDE, SIDE, 1)


def decode(
    images: list[OpenedImage], *, manifest: Manifest, normalize: bool
) -> list[PreparedImage]:
    """Decode each image into the form the manifest's `input` describes, uint8 [B, H, W, C]."""
    assert manifest.input  # read_manifest refuses a classifier without
    prepared = []
    for number, image in enumerate(images, 1):
        with naming_image(number, len(images)):
            prepared.append(_into_form(image, manifest.input, normalize=normalize))
    return prepared


def _into_form(image: OpenedImage, spec: InputSpec, *, normalize: bool) -> PreparedImage:
    if is_drawing(spec):
        return normalize_clothing(image.decode(grey=True), normalize=normalize)
    shape, grey = (spec.height, spec.width, spec.channels), spec.channels == 1
    if not normalize:
        return take_as_it_is(image.decode(grey=grey), shape)
    at_least = JPEG_MARGIN * needed_side(spec.height, spec.width, spec.crop)
    return fit_photo(image.decode(at_least, grey=grey), shape, spec.crop)


def check_drawing(manifest: Manifest) -> None:
    """Raise InvalidValue if a model does not take 28 × 28 grey pixels."""
    spec = manifest.input
    if spec and not is_drawing(spec):
        raise InvalidValue(
            f"model must take 28 × 28 drawings on this route, got {manifest.name}, which takes photos of "
            f"{spec.width} × {spec.height} pixels: post to /v1/images/label?model={manifest.name}"
        )


def check_top(top: int | None, classes: int) -> int:
    """The number of labels, by default 5; InvalidValue if the model has fewer classes."""
    if top is not None and not 1 <= top <= classes:
        raise InvalidValue(
            f"top must be a whole number from 1 to {classes}, the number of classes, got {top}"
        )
    return min(DEFAULT_TOP, classes) if top is None else top


def scores_of(outputs: Arrays) -> np.ndarray:
    """One score per class, [B, N]: probabilities or decision values.

    InvalidImage names an image for which they are not finite.
    """
    scores: np.ndarray = outputs["probabilities" if "probabilities" in outputs else "scores"]
    return check_finite(scores)


def label(manifest: Manifest, index: int, score: Any) -> dict[str, Any]:
    """One class, in the format of Keras' `decode_predictions`."""
    name, description = manifest.labels[index]
    return {"class_name": name, "class_description": description, "score": score}


def features(
    outputs: Arrays, manifest: Manifest, top: int
) -> list[tuple[np.ndarray, list[dict[str, Any]]]]:
    """The features of each image, and its labels if the outputs contain probabilities."""
    rows = check_finite(outputs["features"])
    named = labels(outputs, manifest, top) if len(outputs) > 1 else [[] for _ in rows]
    return list(zip(rows, named, strict=True))


def labels(outputs: Arrays, manifest: Manifest, top: int) -> list[list[dict[str, Any]]]:
    """The best `top` labels of each image, in the order of Keras' `decode_predictions`.

    Equal scores are ordered by the same unstable sort as in Keras.
    """
    return [
        [label(manifest, index, row[index]) for index in row.argsort()[-top:][::-1]]
        for row in scores_of(outputs)
    ]


def predictions(outputs: Arrays, manifest: Manifest, head: str | None) -> list[dict[str, Any]]:
    """One prediction per image: its label and the scores of all classes.

    head: the head that computed them, omitted if None.
    """
    scores = scores_of(outputs)
    rows: list[dict[str, Any]] = [
        {"label": manifest.labels[index][1], "label_index": index, "scores": row}
        for row, index in zip(scores, scores.argmax(axis=1).tolist(), strict=True)
    ]
    if head:
        rows = [{**row, "head": head} for row in rows]
    if "outlier_score" in outputs:
        found = outputs["outlier_score"].tolist()
        rows = [
            {**row, "outlier": score > OUTLIER, "outlier_score": score}
            for row, score in zip(rows, found, strict=True)
        ]
    return rows


def side_by_side(svm: list[dict[str, Any]], dense: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The predictions of two heads for the same images, and whether they agree."""
    return [
        {"svm": one, "dense": other, "agree": one["label_index"] == other["label_index"]}
        for one, other in zip(svm, dense, strict=True)
    ]
