"""`python -m clients.benchmark.peer_servers.mlserver_server PORT`: MLServer, one process, batches of up to 32."""

import asyncio
import json
import sys

import numpy as np
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import StringCodec
from mlserver.codecs.base64 import Base64Codec
from mlserver.types import InferenceRequest, InferenceResponse

from clients.benchmark.peer_servers.network import answer, decode, load


class Digit(MLModel):
    """Decodes, predicts and answers."""

    async def load(self) -> bool:
        """Load the network."""
        self._predict = load()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Images in base64, of several requests → an answer for each, as JSON."""
        images = [decode(image) for image in Base64Codec.decode_input(payload.inputs[0])]
        answers = [json.dumps(answer(row)) for row in self._predict(np.stack(images))]
        return InferenceResponse(
            model_name=self.name, outputs=[StringCodec.encode_output("answers", answers)]
        )


async def _serve(port: int) -> None:
    server = MLServer(
        Settings(
            host="127.0.0.1",
            http_port=port,
            grpc_port=0,
            metrics_endpoint=None,
            debug=False,
            parallel_workers=0,
        )
    )
    model = ModelSettings(
        name="digit", implementation=Digit, max_batch_size=32, max_batch_time=0.003
    )
    await server.start([model])


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
