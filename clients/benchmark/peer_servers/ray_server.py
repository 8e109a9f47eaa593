"""`python -m clients.benchmark.peer_servers.ray_server PORT`: Ray Serve, two replicas, batches of up to 32."""

import sys
import time
from typing import Any

import numpy as np
import ray
from ray import serve
from starlette.requests import Request

from clients.benchmark.peer_servers.network import answer, decode, load


class Digit:
    """Decodes, predicts and answers."""

    def __init__(self) -> None:
        self._predict = load()

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0.003)
    async def predict(self, images: list[np.ndarray]) -> list[dict[str, Any]]:
        """A batch → answers."""
        return [answer(row) for row in self._predict(np.stack(images))]

    async def __call__(self, request: Request) -> dict[str, Any]:
        """An image's bytes → its answer."""
        found: dict[str, Any] = await self.predict(decode(await request.body()))
        return found


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    deployment: Any = serve.deployment(Digit)
    two = deployment.options(num_replicas=2, max_ongoing_requests=64)
    serve.run(two.bind(), route_prefix="/predict")
    while True:
        time.sleep(60)
