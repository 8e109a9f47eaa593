"""`/v1/images/explain` and `/v1/digits/explain`: where a classifier looked."""

import itertools
from functools import partial
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.requests import read_query
from service.asgi.routing import RawRouter
from service.codecs.image import encode_png, tile
from service.image_files.raster import Pixels
from service.routes.long_prediction import LongPrediction
from service.routes.prediction import PNG
from service.schemas import explain as schemas
from service.schemas.explain import ExplainQuery
from service.tasks import classify_digit, classify_image, explain
from service.tasks.explain import Explanation, Fields

DIGITS = [(str(digit), str(digit)) for digit in range(10)]
OFF_LOOP = 17  # images so many are encoded on another thread, whatever their number

router = RawRouter()


@router.post("/v1/images/explain", **schemas.IMAGES, tags=["images"])
async def explain_images(request: Request) -> Response:
    """Show where the network looked for the best classes of each image, or for one class."""
    query = read_query(request, ExplainQuery)
    call = LongPrediction(request, classify_image.TASK, "labels")
    manifest = call.servable.manifest
    decode = partial(classify_image.decode, manifest=manifest, normalize=query.normalize == "auto")

    def fields(index: int, score: Any) -> dict[str, Any]:
        name, description = manifest.labels[index]
        return {"class_name": name, "class_description": description, "score": score}

    images = (await call.decode(decode, await call.pictures())).inputs["images"]
    return await _explain(call, request, query, (images, manifest.labels, fields))


@router.post("/v1/digits/explain", **schemas.DIGITS, tags=["digits"])
async def explain_digits(request: Request) -> Response:
    """Show where the network looked for the likeliest digits of each image, or for one digit."""
    query = read_query(request, ExplainQuery)
    call = LongPrediction(request, classify_digit.TASK, "digits")
    decode = partial(classify_digit.decode, normalize=query.normalize == "auto")

    def fields(index: int, score: Any) -> dict[str, Any]:
        return {"digit": index, "probability": score}

    images = (await call.decode(decode, await call.pictures())).inputs["images"]
    return await _explain(call, request, query, (images, DIGITS, fields))


async def _explain(
    call: LongPrediction,
    request: Request,
    query: ExplainQuery,
    prepared: tuple[Pixels, list[tuple[str, str]], Fields],
) -> Response:
    """Run and answer; prepared: the images, the ids and labels of the classes, and their fields."""
    images, labels, fields = prepared
    method = explain.check_method(query.method, call.servable.manifest)
    top, class_index = explain.check_classes(query.top, query.class_, labels, len(images))
    found: list[list[Explanation]] = []

    async def work() -> None:
        if _is_one_run(call, method):
            found.extend(await _classify_and_activate(call, images, (top, class_index)))
            return
        scores = classify_image.scores_of(
            (await call.predict("serving_default", {"images": images})).outputs
        )
        chosen = explain.choose_classes(scores, top, class_index)
        seek = _activate if method == explain.CAM else _occlude
        found.extend(await seek(call, images, scores, chosen))

    call.expect(*_cost(call, images, method, 1 if class_index is not None else top))
    await call.run_until_disconnect(work)
    if PNG in request.headers.get("accept", ""):
        firsts = [(image, rows[0].heatmap) for image, rows in zip(images, found, strict=True)]
        png = await call.encode(
            OFF_LOOP,
            lambda: encode_png(tile(np.stack([explain.overlay(*first) for first in firsts]))),
        )
        return Response(png, 200, call.headers(), PNG)
    rows = await call.encode(OFF_LOOP, lambda: explain.encode(found, images, method, fields))
    return call.answer(lambda: {"explanations": rows})


def _cost(call: LongPrediction, images: Pixels, method: str, classes: int) -> tuple[str, int, int]:
    """The signature, rows of a run, and runs."""
    if _is_one_run(call, method):
        size = min(len(images), _limit(call, explain.AT_ONCE))
        return explain.AT_ONCE, size, -(-len(images) // size)
    if method == explain.CAM:
        size = min(len(images) * classes, _limit(call, explain.SIGNATURE))
        return explain.SIGNATURE, size, -(-len(images) * classes // size)
    size = _window_rows(call)
    rows, columns = explain.grid_of(*images.shape[1:3])
    return "serving_default", size, len(images) * -(-rows * columns // size)


def _is_one_run(call: LongPrediction, method: str) -> bool:
    """Whether one signature gives the scores and the maps of all classes; older exports have none."""
    return method == explain.CAM and explain.AT_ONCE in call.servable.manifest.signatures


async def _classify_and_activate(
    call: LongPrediction, images: Pixels, classes: tuple[int, int | None]
) -> list[list[Explanation]]:
    """Scores and class activation maps, a batch of images at a time."""
    size = min(len(images), _limit(call, explain.AT_ONCE))
    found = []
    for start in range(0, len(images), size):
        outputs = await call.advance(explain.AT_ONCE, {"images": images[start : start + size]}, 1)
        scores, maps = classify_image.scores_of(outputs), outputs["heatmaps"]
        for row, indices in enumerate(explain.choose_classes(scores, *classes)):
            found.append(
                [
                    Explanation(
                        index, scores[row, index], explain.normalized(maps[row, ..., index])
                    )
                    for index in indices
                ]
            )
    return found


def _limit(call: LongPrediction, signature: str) -> int:
    return call.servable.manifest.batch_limit(signature)


def _window_rows(call: LongPrediction) -> int:
    """A quarter of the largest batch, so that others get their turn soon: two photos, 16 drawings."""
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
    """How much the score of each class falls when a window is covered; all classes from one pass."""
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
