"""`/v1/images/explain` and `/v1/digits/explain`: heat maps of a classifier."""

import itertools
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.responses import prefers
from service.asgi.routing import RawRouter
from service.codecs.image_writing import encode_photo_png, tile
from service.image_files.raster import Pixels
from service.preprocessing.digit import PreparedImage
from service.routes.long_prediction import LongPrediction
from service.routes.prediction import PNG, choose_model
from service.schemas import explain as schemas
from service.schemas.explain import ExplainQuery
from service.tasks import classify_digit, classify_image, explain
from service.tasks.explain import Explanation, Fields
from service.tasks.prepared_images import network_input, sliced

Classes = tuple[int, int | None]  # the number of best classes, or one class
Explained = tuple[Pixels, list[Explanation]]  # an image and its classes
DIGITS = [(str(digit), str(digit)) for digit in range(10)]
OFF_LOOP = 17  # any number of overlays is encoded on another thread

router = RawRouter()


@router.post("/v1/images/explain", **schemas.IMAGES, tags=["images"])
async def explain_images(request: Request) -> Response:
    """Show heat maps for the best classes of each image, or for one class."""
    query = read_query(request, ExplainQuery)
    servable = choose_model(request, classify_image.TASK, "labels")
    call, manifest = LongPrediction(request, servable, query.on_error), servable.manifest
    fields = partial(classify_image.label, manifest)
    prepared = await call.prepare(partial(classify_image.decode, manifest=manifest), query)
    return await _explain(call, request, query, (prepared, manifest.labels, fields))


@router.post("/v1/digits/explain", **schemas.DIGITS, tags=["digits"])
async def explain_digits(request: Request) -> Response:
    """Show heat maps for the likeliest digits of each image, or for one digit."""
    query = read_query(request, ExplainQuery)
    servable = choose_model(request, classify_digit.TASK, "digits")
    call = LongPrediction(request, servable, query.on_error)

    def fields(index: int, score: Any) -> dict[str, Any]:
        return {"digit": index, "probability": score}

    prepared = await call.prepare(classify_digit.decode, query)
    return await _explain(call, request, query, (prepared, DIGITS, fields))


async def _explain(
    call: LongPrediction,
    request: Request,
    query: ExplainQuery,
    asked: tuple[list[PreparedImage], list[tuple[str, str]], Fields],
) -> Response:
    """Run and answer; asked: the images, the class ids and labels, and their fields."""
    prepared, labels, fields = asked
    count = len(prepared)
    method = explain.check_method(query.method, call.servable.manifest)
    top, class_index = explain.check_classes(query.top, query.class_, labels, count)
    found: list[Explained] = []

    async def work() -> list[Explained]:
        seek = _occlude if method == explain.OCCLUSION else _activate
        return await seek(call, prepared, (top, class_index))

    if count:
        shape = prepared[0].image.shape
        call.expect(*_cost(call, (count, *shape), method))
        found = await call.run_until_disconnect(work)
    if prefers(request, PNG):
        if not found:
            raise call.report.first_failure()
        overlays = [partial(explain.overlay, image, rows[0].heatmap) for image, rows in found]
        png = await call.encode(
            OFF_LOOP, lambda: encode_photo_png(tile(np.stack([draw() for draw in overlays])))
        )
        return Response(png, 200, call.headers(), PNG)
    rows = await call.encode(OFF_LOOP, lambda: explain.encode(found, method, fields))
    shown = await call.shown_inputs(query, OFF_LOOP)
    return call.answer(lambda: {"explanations": call.report.fill(rows)} | shown)


def _cost(call: LongPrediction, shape: tuple[int, ...], method: str) -> tuple[str, int, int]:
    """The signature, rows per run, and number of runs, for images [B, H, W, C]."""
    if method == explain.CAM:
        size = min(shape[0], _limit(call, explain.SIGNATURE))
        return explain.SIGNATURE, size, -(-shape[0] // size)
    size = _window_rows(call)
    rows, columns = explain.grid_of(*shape[1:3])
    return "serving_default", size, shape[0] * -(-rows * columns // size)


async def _activate(
    call: LongPrediction, prepared: list[PreparedImage], classes: Classes
) -> list[Explained]:
    """Class activation maps from one run for a batch of images."""
    images = network_input(prepared)["images"]
    size = min(len(images), _limit(call, explain.SIGNATURE))
    batches = [
        await call.advance(explain.SIGNATURE, {"images": images[start : start + size]}, 1)
        for start in range(0, len(images), size)
    ]
    outputs = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}

    def explained(rows: slice) -> Iterator[Explained]:
        scores = classify_image.scores_of(sliced(outputs, rows))
        chosen = explain.choose_classes(scores, *classes)
        parts = zip(images[rows], scores, outputs["heatmaps"][rows], chosen, strict=True)
        for image, row, maps, indices in parts:
            yield image, [explain.explanation(i, row, maps[..., i]) for i in indices]

    return call.report.keep(explained)


async def _classify(
    call: LongPrediction, prepared: list[PreparedImage], classes: Classes
) -> list[tuple[Pixels, Any, list[int]]]:
    """Each remaining image with its scores and the classes to explain."""
    outputs = await call.predict_images("serving_default", prepared)

    def classified(rows: slice) -> Iterable[tuple[Pixels, Any, list[int]]]:
        scores = classify_image.scores_of(sliced(outputs, rows))
        images = [one.image for one in prepared[rows]]
        return zip(images, scores, explain.choose_classes(scores, *classes), strict=True)

    return call.report.keep(classified)


def _limit(call: LongPrediction, signature: str) -> int:
    return call.servable.manifest.batch_limit(signature)


def _window_rows(call: LongPrediction) -> int:
    """A quarter of the largest batch, so that other requests do not wait long: two photos, 16 drawings."""
    return max(1, min(16, _limit(call, "serving_default") // 4))


async def _occlude(
    call: LongPrediction, prepared: list[PreparedImage], classes: Classes
) -> list[Explained]:
    """The decrease of each class' score when a window is occluded; all classes from one pass."""
    found: list[Explained] = []
    for image, row, indices in await _classify(call, prepared, classes):
        shape, falls = explain.grid_of(*image.shape[:2]), []
        windows = explain.occluded(image, is_drawing=image.shape == (28, 28, 1))
        while batch := list(itertools.islice(windows, _window_rows(call))):
            outputs = await call.advance("serving_default", {"images": np.stack(batch)}, 1)
            falls.append(row[indices] - classify_image.scores_of(outputs)[:, indices])
        maps = np.concatenate(falls).T.reshape(len(indices), *shape)
        pairs = zip(indices, maps, strict=True)
        found.append((image, [explain.explanation(index, row, raw) for index, raw in pairs]))
    return found
