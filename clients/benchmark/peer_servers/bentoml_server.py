"""`bentoml serve clients.benchmark.peer_servers.bentoml_server:Digit`: BentoML, two workers, batches of up to 32."""

from typing import Any

import bentoml
import numpy as np
from PIL.Image import Image

from clients.benchmark.peer_servers.network import answer, load, prepare


@bentoml.service(workers=2, logging={"access": {"enabled": False}})
class Digit:
    """Decodes, predicts and answers."""

    def __init__(self) -> None:
        self._predict = load()

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=10_000, route="/predict")
    def predict(self, image: list[Image]) -> list[dict[str, Any]]:
        """Images of several forms, decoded by BentoML → their answers."""
        return [answer(row) for row in self._predict(np.stack([prepare(one) for one in image]))]
