"""`python -m clients.benchmark.peer_servers.signature PORT`: FastAPI and one call of the network a request."""

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

from clients.benchmark.peer_servers.network import answer, decode, load


def create_app() -> FastAPI:
    """The endpoint as people write it."""
    app = FastAPI()
    predict = load()

    @app.post("/predict")
    async def classify(request: Request) -> dict[str, Any]:
        return answer(predict(decode(await request.body())[None])[0])

    return app


if __name__ == "__main__":
    uvicorn.run(
        create_app(), host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning"
    )
