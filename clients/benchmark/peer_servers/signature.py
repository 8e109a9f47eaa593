"""`python -m clients.benchmark.peer_servers.signature PORT`: FastAPI with one TensorFlow call per request.

Typical endpoints for the existing models of VITRINE_MODELS: image file → Pillow → a call
of the SavedModel → JSON or a PNG. No batches, no queue, no checks.
"""

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI, Request, Response
from PIL import Image

from clients.benchmark.engines import Predict, load_tensorflow, newest_version
from clients.benchmark.peer_servers.network import answer, decode

SIDE, BEFORE_CROP = 224, 256
TOP = 5


def create_app(models: Path) -> FastAPI:
    """An endpoint for each model that is there."""
    app = FastAPI()
    for name, add in ENDPOINTS.items():
        if (models / name).is_dir():
            directory = newest_version(models, name)
            manifest = json.loads((directory / "assets.extra/manifest.json").read_text())
            add(app, load_tensorflow(directory), manifest)
    return app


def _digits(app: FastAPI, signatures: dict[str, Predict], _: dict[str, Any]) -> None:
    @app.post("/predict")
    async def classify(request: Request) -> dict[str, Any]:
        images = decode(await request.body())[None]
        return answer(signatures["serving_default"]({"images": images})["probabilities"][0])


def _photos(app: FastAPI, signatures: dict[str, Predict], manifest: dict[str, Any]) -> None:
    @app.post("/photo")
    async def label(request: Request) -> dict[str, Any]:
        photo = decode_photo(await request.body())
        scores = signatures["serving_default"]({"images": photo[None]})
        return {"predictions": [best(scores["probabilities"][0], manifest["labels"])]}


def _clothing(app: FastAPI, signatures: dict[str, Predict], manifest: dict[str, Any]) -> None:
    @app.post("/clothing")
    async def classify(request: Request) -> dict[str, Any]:
        images = decode(await request.body())[None]
        scores = signatures["serving_default"]({"images": images})["scores"]
        label = int(scores[0].argmax())
        name = manifest["labels"][label][1]
        return {
            "predictions": [{"label": name, "label_index": label, "scores": scores[0].tolist()}]
        }


def _vae(app: FastAPI, signatures: dict[str, Predict], _: dict[str, Any]) -> None:
    @app.get("/vae")
    async def sample() -> Response:
        z = np.random.default_rng(7).standard_normal((16, 20), np.float32)
        return Response(_grid(signatures["decode"]({"z": z})["images"]), media_type="image/png")


def _gan(app: FastAPI, signatures: dict[str, Predict], _: dict[str, Any]) -> None:
    @app.get("/gan")
    async def sample() -> Response:
        z = np.random.default_rng(7).standard_normal((16, 64), np.float32)
        digits, truncation = np.arange(16, dtype=np.int32) % 10, np.ones(16, np.float32)
        drawn = signatures["sample"]({"z": z, "digit": digits, "truncation": truncation})
        return Response(_grid(drawn["images"]), media_type="image/png")


def _text(app: FastAPI, signatures: dict[str, Predict], manifest: dict[str, Any]) -> None:
    vocabulary, steps = manifest["vocabulary"], int(manifest["steps"])

    @app.post("/text")
    async def generate(request: Request) -> dict[str, Any]:
        asked = await request.json()
        ids = np.array([[vocabulary.index(character) for character in asked["seed"]]], np.int32)
        length = np.array([ids.size], np.int32)
        padded = np.pad(ids, ((0, 0), (0, steps - ids.size)))
        state = signatures["prefill"]({"token_ids": padded, "lengths": length})["state"]
        drawn = np.random.default_rng(asked["random_seed"]).random((1, asked["length"]), np.float32)
        found: list[int] = []
        while len(found) < asked["length"]:
            part = drawn[:, len(found) : len(found) + steps]
            given = {
                "state": state,
                "uniforms": np.pad(part, ((0, 0), (0, steps - part.size))),
                "lengths": np.array([part.size], np.int32),
                "temperature": np.array([asked["diversity"]], np.float32),
                "top_k": np.zeros(1, np.int32),
                "top_p": np.ones(1, np.float32),
            }
            outputs = signatures["generate"](given)
            state = outputs["state"]
            found += outputs["token_ids"][0, : part.size].tolist()
        return {"generations": [{"text": "".join(vocabulary[index] for index in found)}]}


ENDPOINTS: dict[str, Callable[[FastAPI, dict[str, Predict], dict[str, Any]], None]] = {
    "digits-course": _digits,
    "labels": _photos,
    "fashion-dense": _clothing,
    "text": _text,
    "vae": _vae,
    "gan": _gan,
}


def decode_photo(body: bytes) -> np.ndarray:
    """A photo's bytes → uint8 [224, 224, 3]: the short side to 256, then the middle."""
    with Image.open(io.BytesIO(body)) as image:
        photo = image.convert("RGB")
    scale = BEFORE_CROP / min(photo.size)
    width, height = (round(side * scale) for side in photo.size)
    photo = photo.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - SIDE) // 2, (height - SIDE) // 2
    return np.asarray(photo.crop((left, top, left + SIDE, top + SIDE)))


def best(scores: np.ndarray, labels: list[list[str]]) -> list[dict[str, Any]]:
    """The five best labels of scores [N]."""
    return [
        {
            "class_name": labels[i][0],
            "class_description": labels[i][1],
            "score": float(scores[i]),
        }
        for i in np.argsort(-scores)[:TOP]
    ]


def _grid(images: np.ndarray) -> bytes:
    rows = images.reshape(4, 4, 28, 28).transpose(0, 2, 1, 3).reshape(112, 112)
    content = io.BytesIO()
    Image.fromarray(rows).save(content, "PNG")
    return content.getvalue()


if __name__ == "__main__":
    folder = Path(os.environ.get("VITRINE_MODELS", "models"))
    port = int(sys.argv[1])
    uvicorn.run(
        create_app(folder), host="127.0.0.1", port=port, access_log=False, log_level="warning"
    )
