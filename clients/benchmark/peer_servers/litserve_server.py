"""`python -m clients.benchmark.peer_servers.litserve_server PORT`: LitServe, two API servers, batches of up to 32."""

import sys
from typing import Any

import litserve
import numpy as np
from fastapi import Request

from clients.benchmark.peer_servers.network import answer, decode, load


class Digit(litserve.LitAPI):
    """Decodes, predicts and answers."""

    def setup(self, device: str) -> None:
        """Load the network in the worker."""
        self._predict = load()

    def decode_request(self, request: Request) -> np.ndarray:
        """A form with an image, which LitServe has read already → uint8 [28, 28, 1]."""
        return decode(request["image"].file.read())

    def batch(self, inputs: list[np.ndarray]) -> np.ndarray:
        """One array of all."""
        return np.stack(inputs)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Probabilities [B, 10]."""
        return self._predict(x)

    def unbatch(self, output: np.ndarray) -> list[np.ndarray]:
        """A row for each."""
        return list(output)

    def encode_response(self, output: np.ndarray) -> dict[str, Any]:
        """The answer."""
        return answer(output)


if __name__ == "__main__":
    api = Digit(max_batch_size=32, batch_timeout=0.003)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=2,
        generate_client_file=False,
        access_log=False,
    )
