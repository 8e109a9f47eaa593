"""`python -m clients.benchmark.decode_only_server PORT`: the benchmark's baseline, a service without a model.

A typical plain FastAPI endpoint: body → Pillow → grey 28×28 array → a made-up answer in
the format of the digits route. The ratio to it measures the rest of the service: normalization, batching, the
network, outlier score, headers.
"""

import io
import sys
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from PIL import Image

from clients.benchmark.peer_servers.signature import best, decode_photo

SIDE = 28
MADE_UP_LABELS = [["n", "made-up"]] * 1000


def create_app() -> FastAPI:
    """The baseline: the digits route, and the readiness the benchmark waits for."""
    app = FastAPI()

    @app.get("/v2/health/ready")
    async def ready() -> dict[str, bool]:
        return {"ready": True}

    @app.post("/v1/digits/classify")
    async def classify(request: Request) -> dict[str, Any]:
        return made_up_answer(decode(await request.body()))

    @app.post("/v1/fashion/classify")
    async def clothing(request: Request) -> dict[str, Any]:
        return made_up_answer(decode(await request.body()))

    @app.post("/v1/images/label")
    async def photo(request: Request) -> dict[str, Any]:
        scores = np.resize(decode_photo(await request.body()), 1000) / 255.0
        return {"predictions": [best(scores, MADE_UP_LABELS)]}

    return app


def decode(body: bytes) -> np.ndarray:
    """An image's bytes → uint8 [28, 28]."""
    with Image.open(io.BytesIO(body)) as opened:
        grey = opened.convert("L")
    if grey.size != (SIDE, SIDE):
        grey = grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(grey)


def made_up_answer(image: np.ndarray) -> dict[str, Any]:
    """An answer that depends on the image, uint8 [28, 28], as little as the shape allows."""
    rest = float(image[0, 0]) / 2**20
    probabilities = [rest] * 10
    probabilities[7] = 1.0 - 9 * rest
    prediction = {"digit": 7, "probability": probabilities[7], "probabilities": probabilities}
    return {"model": {"name": "made-up", "version": 1}, "predictions": [prediction]}


if __name__ == "__main__":
    uvicorn.run(
        create_app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="auto",  # uvloop wherever it exists
        http="httptools",
        access_log=False,
        log_level="warning",
    )
