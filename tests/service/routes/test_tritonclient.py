"""The reference client of the Open Inference Protocol, as its users call it, on a real socket."""

import asyncio

import numpy as np
import pytest

from tests.fakes import FakeEngine, write_version
from tests.service.apps import on_a_socket, patient

pytestmark = pytest.mark.anyio


@pytest.fixture
async def address(tmp_path):
    write_version(tmp_path)
    async with on_a_socket(patient(tmp_path, port=0), FakeEngine()) as client:
        yield f"{client.base_url.host}:{client.base_url.port}"


def image_input(module, digit, *, binary):
    images = np.zeros((1, 784), np.uint8)
    images[0, :digit] = 255
    images = images.reshape(1, 28, 28, 1)
    tensor = module.InferInput("images", list(images.shape), "UINT8")
    tensor.set_data_from_numpy(images, binary_data=binary)
    return tensor


def use_sync_client(address):
    """What a user's script does; returns what it saw."""
    triton = pytest.importorskip("tritonclient.http")
    with triton.InferenceServerClient(address) as client:
        seen = [client.is_server_live(), client.is_server_ready(), client.is_model_ready("digits")]
        for binary in (True, False):
            for compression in (None, "gzip", "deflate"):
                result = client.infer(
                    "digits",
                    [image_input(triton, 6, binary=binary)],
                    outputs=[triton.InferRequestedOutput("probabilities", binary_data=binary)],
                    request_id="7",
                    request_compression_algorithm=compression,
                    response_compression_algorithm=compression,
                )
                seen.append(int(result.as_numpy("probabilities").argmax()))
                assert result.get_response()["id"] == "7"
                large = client.infer(
                    "digits",
                    [image_input(triton, 6, binary=binary)],
                    parameters={"signature_name": "activations"},
                    response_compression_algorithm=compression,
                )
                assert large.as_numpy("conv1").sum() == 6 * 255 * 2
        everything = client.infer(
            "digits", [image_input(triton, 3, binary=True)], model_version="1"
        )
        assert everything.as_numpy("outlier_score").tolist() == [0.0]
        top = client.infer(
            "digits",
            [image_input(triton, 9, binary=True)],
            outputs=[triton.InferRequestedOutput("probabilities", class_count=2)],
        )
        seen.append(top.as_numpy("probabilities").tolist())
        assert client.get_server_metadata()["name"] == "vitrine"
        assert client.get_model_metadata("digits")["inputs"][0]["name"] == "images"
        assert client.get_model_config("digits")["max_batch_size"] == 8
        assert client.get_model_repository_index()[0]["state"] == "READY"
        statistics = client.get_inference_statistics("digits")["model_stats"]
        assert statistics[0]["inference_count"] == 14
        with pytest.raises(
            triton.InferenceServerException, match="unknown model: 'x' is not found"
        ):
            client.get_model_metadata("x")
        with pytest.raises(triton.InferenceServerException, match="expected 1 inputs but got 0"):
            client.infer("digits", [])
        return seen


async def test_the_sync_client_gets_what_it_asks_for(address):
    seen = await asyncio.to_thread(use_sync_client, address)

    assert seen == [True, True, True, 6, 6, 6, 6, 6, 6, [[b"1.000000:9:9", b"0.000000:0:0"]]]


async def test_the_async_client_gets_what_it_asks_for(address):
    triton = pytest.importorskip("tritonclient.http.aio")
    async with triton.InferenceServerClient(address) as client:
        assert await client.is_server_live()
        assert await client.is_model_ready("digits", "1")
        for binary in (True, False):
            tensor = image_input(triton, 4, binary=binary)
            result = await client.infer("digits", [tensor])
            assert result.as_numpy("probabilities").argmax() == 4
        assert (await client.get_server_metadata())["name"] == "vitrine"
        assert (await client.get_model_repository_index())[0]["name"] == "digits"
        with pytest.raises(triton.InferenceServerException, match="version 9 is not found"):
            await client.infer("digits", [tensor], model_version="9")
