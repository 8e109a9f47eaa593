"""`python -m clients.benchmark.peer_servers.mosec_server --port PORT`: mosec, two workers, batches of up to 32."""

from typing import Any

import numpy as np
from mosec import Server, Worker

from clients.benchmark.peer_servers.network import answer, decode, load


class Digit(Worker):
    """Decodes, predicts and answers."""

    def __init__(self) -> None:
        super().__init__()
        self._predict = load()

    def deserialize(self, data: bytes) -> np.ndarray:
        """An image's bytes → uint8 [28, 28, 1]."""
        return decode(data)

    def forward(self, data: list[np.ndarray]) -> list[dict[str, Any]]:
        """A batch → answers."""
        return [answer(row) for row in self._predict(np.stack(data))]


if __name__ == "__main__":
    server = Server()
    server.append_worker(Digit, num=2, max_batch_size=32, max_wait_time=3)
    server.run()
