"""`python -m clients.robustness.soak.plain_app MODELS PORT`: a typical plain FastAPI app.

The digit model's graph with the defaults of FastAPI, Pydantic, Pillow and uvicorn. The comparison
shows what the service adds.
"""

import base64
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import uvicorn
from fastapi import FastAPI, Request
from PIL import Image
from pydantic import BaseModel

EXAMPLE = {"requestBody": {"content": {"application/json": {"example": {"images": [""]}}}}}
SAMPLE = {"requestBody": {"content": {"application/json": {"example": {"n": 1}}}}}


class Sample(BaseModel):
    """What a sample is drawn from."""

    n: int = 1
    random_seed: int = 0
    scale: float = 1.0


def create_app(session: ort.InferenceSession) -> FastAPI:
    """Two routes and the health checks."""
    app = FastAPI()

    @app.get("/v2/health/{state}")
    async def health(state: str) -> dict[str, bool]:
        return {state: True}

    @app.post("/v1/digits/classify", openapi_extra=EXAMPLE)
    async def classify(request: Request) -> dict[str, Any]:
        images = np.stack([_decode(content) for content in await _files(request)])
        (rows,) = session.run(["serving_default/probabilities"], {"images": images})
        return {"predictions": [{"digit": int(row.argmax())} for row in rows]}

    @app.post("/v1/vae/sample", openapi_extra=SAMPLE)
    def sample(body: Sample) -> dict[str, Any]:
        draw = np.random.default_rng(body.random_seed)
        return {"latents": (draw.standard_normal((body.n, 20)) * body.scale).tolist()}

    return app


async def _files(request: Request) -> list[bytes]:
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("multipart/"):
        form = await request.form()
        return [await file.read() for file in form.values() if not isinstance(file, str)]
    if content_type.startswith("application/json"):
        return [base64.b64decode(image) for image in (await request.json())["images"]]
    return [await request.body()]


def _decode(content: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(content)).convert("L").resize((28, 28))
    return np.asarray(image)[:, :, None]


if __name__ == "__main__":
    folder = next(Path(sys.argv[1], "digits").glob("*/assets.extra/onnx"))
    uvicorn.run(
        create_app(ort.InferenceSession(folder / "images.onnx")),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        access_log=False,
    )
