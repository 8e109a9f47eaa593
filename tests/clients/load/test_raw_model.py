"""The raw model's timing, with a stand-in for the model."""

import numpy as np
import pytest

from clients.load import raw_model


def test_the_highest_version_is_the_newest(tmp_path):
    for name in ("9", "10", "2", ".tmp-1", "notes"):
        (tmp_path / "digits" / name).mkdir(parents=True)
    (tmp_path / "digits" / "11").write_text("a file is no version")
    assert raw_model.newest_version(tmp_path).name == "10"


def test_a_folder_without_the_model_is_refused_in_one_sentence(tmp_path, capsys):
    assert raw_model.main([str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'digits'} holds no version")


@pytest.mark.parametrize("batch_size", ["1", "8", "32"])
def test_every_batch_size_is_called_with_pictures_and_timed(batch_size):
    seen = set()

    def predict(images):
        seen.add((images.shape, images.dtype))
        return {}

    timing = raw_model.time_calls(predict, raw_model.CALLS, raw_model.pictures)[batch_size]
    assert ((int(batch_size), 28, 28, 1), np.dtype(np.uint8)) in seen
    assert 0 < timing["median_ms"] <= timing["p99_ms"]


def test_the_decoder_is_called_with_latent_vectors():
    seen = []

    timings = raw_model.time_calls(lambda z: seen.append(z) or {}, {16: 2}, raw_model.latents)

    assert list(timings) == ["16"]
    assert {(z.shape, z.dtype) for z in seen} == {((16, 20), np.dtype(np.float32))}
