"""`/v1/images/explain` and `/v1/digits/explain`: heat maps of a classifier."""

import itertools
from functools import partial
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.routing import RawRouter
from service.codecs.image_writing import encode_photo_png, tile
from service.image_files.raster import Pixels
from service.routes.long_prediction import LongPrediction
from service.routes.prediction import PNG, choose_model
from service.schemas import explain as schemas
from service.schemas.explain import ExplainQuery
from service.tasks import classify_digit, classify_image, explain
from service.tasks.explain import Explanation, Fields
from service.tasks.prepared_images import PreparedImages, sliced

DIGITS = [(str(digit), str(digit)) for digit in range(10)]
OFF_LOOP = 17  # any number of overlays is encoded on another thread

router = RawRouter()


@router.post("/v1/images/explain", **schemas.IMAGES, tags=["images"])
async def explain_images(request: Request) -> Response:
    """Show heat maps for the best classes of each image, or for one class."""
    query = read_query(request, ExplainQuery)
    servable = choose_model(request, classify_image.TASK, "labels")
    call, manifest = LongPrediction(request, servable, query.on_error), servable.manifest

    def fields(index: int, score: Any) -> dict[str, Any]:
        name, description = manifest.labels[index]
        return {"class_name": name, "class_description": description, "score": score}

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
    asked: tuple[PreparedImages, list[tuple[str, str]], Fields],
) -> Response:
    """Run and answer; asked: the images, the class ids and labels, and their fields."""
    prepared, labels, fields = asked
    count = len(prepared.canvases)
    method = explain.check_method(query.method, call.servable.manifest)
    top, class_index = explain.check_classes(query.top, query.class_, labels, count)
    images: list[Pixels] = []
    found: list[list[Explanation]] = []

    async def work() -> None:
        if _is_one_run(call, method):
            for image, row in await _classify_and_activate(call, prepared, (top, class_index)):
                images.append(image)
                found.append(row)
            return
        outputs = await call.predict_images("serving_default", prepared)
        kept = call.report.keep(
            lambda rows: zip(
                prepared.canvases[rows],
                classify_image.scores_of(sliced(outputs, rows)),
                strict=True,
            )
        )
        if not kept:
            return
        images.extend(canvas.image for canvas, _ in kept)
        scores = np.stack([row for _, row in kept])
        chosen = explain.choose_classes(scores, top, class_index)
        seek = _activate if method == explain.CAM else _occlude
        found.extend(await seek(call, np.stack(images), scores, chosen))

    if count:
        shape = prepared.canvases[0].image.shape
        call.expect(*_cost(call, (count, *shape), method, 1 if class_index is not None else top))
        await call.run_until_disconnect(work)
    if PNG in request.headers.get("accept", ""):
        if not found:
            raise call.report.first_failure()
        firsts = [(image, rows[0].heatmap) for image, rows in zip(images, found, strict=True)]
        png = await call.encode(
            OFF_LOOP,
            lambda: encode_photo_png(tile(np.stack([explain.overlay(*first) for first in firsts]))),
        )
        return Response(png, 200, call.headers(), PNG)
    rows = await call.encode(OFF_LOOP, lambda: explain.encode(found, images, method, fields))
    return call.answer(lambda: {"explanations": call.report.fill(rows)})


def _cost(
    call: LongPrediction, shape: tuple[int, ...], method: str, classes: int
) -> tuple[str, int, int]:
    """The signature, rows per run, and number of runs, for images [B, H, W, C]."""
    if _is_one_run(call, method):
        size = min(shape[0], _limit(call, explain.AT_ONCE))
        return explain.AT_ONCE, size, -(-shape[0] // size)
    if method == explain.CAM:
        size = min(shape[0] * classes, _limit(call, explain.SIGNATURE))
        return explain.SIGNATURE, size, -(-shape[0] * classes // size)
    size = _window_rows(call)
    rows, columns = explain.grid_of(*shape[1:3])
    return "serving_default", size, shape[0] * -(-rows * columns // size)


def _is_one_run(call: LongPrediction, method: str) -> bool:
    """Whether one signature gives scores and maps of all classes; older exports have no such signature."""
    return method == explain.CAM and explain.AT_ONCE in call.servable.manifest.signatures


async def _classify_and_activate(
    call: LongPrediction, prepared: PreparedImages, classes: tuple[int, int | None]
) -> list[tuple[Pixels, list[Explanation]]]:
    """Each image with its class activation maps, from one run for a batch of images."""
    images = prepared.inputs["images"]
    size = min(len(images), _limit(call, explain.AT_ONCE))
    batches = [
        await call.advance(explain.AT_ONCE, {"images": images[start : start + size]}, 1)
        for start in range(0, len(images), size)
    ]
    outputs = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}

    def explained(rows: slice) -> list[tuple[Pixels, list[Explanation]]]:
        scores = classify_image.scores_of(sliced(outputs, rows))
        maps = outputs["heatmaps"][rows]
        chosen = explain.choose_classes(scores, *classes)
        return [
            (
                images[rows][row],
                [
                    Explanation(i, scores[row, i], explain.normalized(maps[row, ..., i]))
                    for i in indices
                ],
            )
            for row, indices in enumerate(chosen)
        ]

    return call.report.keep(explained)


def _limit(call: LongPrediction, signature: str) -> int:
    return call.servable.manifest.batch_limit(signature)


def _window_rows(call: LongPrediction) -> int:
    """A quarter of the largest batch, so that other requests do not wait long: two photos, 16 drawings."""
    return max(1, min(16, _limit(call, "serving_default") // 4))


async def _activate(
    call: LongPrediction, images: Pixels, scores: Any, chosen: list[list[int]]
) -> list[list[Explanation]]:
    """Class activation maps, a batch of (image, class) at a time."""
    pairs = [(row, index) for row, indices in enumerate(chosen) for index in indices]
    size = min(len(pairs), _limit(call, explain.SIGNATURE))
    found: list[list[Explanation]] = [[] for _ in images]
    for start in range(0, len(pairs), size):
        batch = pairs[start : start + size]
        rows = [row for row, _ in batch]
        indices = np.array([index for _, index in batch], np.int32)
        inputs: dict[str, Any] = {"images": images[rows], "class_index": indices}
        heat = (await call.advance(explain.SIGNATURE, inputs, 1))["heatmap"]
        for (row, index), raw in zip(batch, heat, strict=True):
            found[row].append(Explanation(index, scores[row, index], explain.normalized(raw)))
    return found


async def _occlude(
    call: LongPrediction, images: Pixels, scores: Any, chosen: list[list[int]]
) -> list[list[Explanation]]:
    """The decrease of each class' score when a window is occluded; all classes from one pass."""
    is_drawing = images.shape[1:] == (28, 28, 1)
    shape = explain.grid_of(*images.shape[1:3])
    found = []
    for image, row, indices in zip(images, scores, chosen, strict=True):
        falls = []
        windows = explain.occluded(image, is_drawing=is_drawing)
        while batch := list(itertools.islice(windows, _window_rows(call))):
            outputs = await call.advance("serving_default", {"images": np.stack(batch)}, 1)
            falls.append(row[indices] - classify_image.scores_of(outputs)[:, indices])
        maps = np.concatenate(falls)
        found.append(
            [
                Explanation(index, row[index], explain.normalized(maps[:, place].reshape(shape)))
                for place, index in enumerate(indices)
            ]
        )
    return found
