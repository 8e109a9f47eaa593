"""`python -m clients.benchmark.decode_only_server PORT`: the benchmark's baseline, a service without a model.

A typical plain FastAPI endpoint: body → Pillow → grey 28×28 array → a made-up answer in
the format of the digits route. The ratio to it measures the rest of the service: normalization, batching, the
network, outlier score, headers.
"""

import sys
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI, Request

from clients.benchmark.peer_servers.network import answer, decode
from clients.benchmark.peer_servers.signature import best, decode_photo

MADE_UP_LABELS = [["n", "made-up"]] * 1000


def create_app() -> FastAPI:
    """The routes of images."""
    app = FastAPI()

    @app.post("/v1/digits/classify")
    @app.post("/v1/fashion/classify")
    async def classify(request: Request) -> dict[str, Any]:
        return answer(made_up(decode(await request.body())))

    @app.post("/v1/images/label")
    async def photo(request: Request) -> dict[str, Any]:
        scores = np.resize(decode_photo(await request.body()), 1000) / 255.0
        return {"predictions": [best(scores, MADE_UP_LABELS)]}

    return app


def made_up(image: np.ndarray) -> np.ndarray:
    """Probabilities that depend on the image, uint8 [28, 28, 1], as little as possible."""
    probabilities = np.full(10, float(image[0, 0, 0]) / 2**20)
    probabilities[7] = 1.0 - 9 * probabilities[0]
    return probabilities


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
