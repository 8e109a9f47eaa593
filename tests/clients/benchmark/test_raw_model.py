"""The raw model's timing, with a stand-in for the model."""

import threading
from pathlib import Path

import numpy as np
import pytest

from clients.benchmark import raw_model
from clients.benchmark.engines import newest_version
from clients.benchmark.raw_model import InputSpec
from tests.service.onnx_versions import write_onnx_version


def test_the_highest_version_is_the_newest(tmp_path):
    for name in ("9", "10", "2", ".tmp-1", "notes"):
        (tmp_path / "digits" / name).mkdir(parents=True)
    (tmp_path / "digits" / "11").write_text("a file is no version")
    assert newest_version(tmp_path).name == "10"


def test_a_folder_without_the_model_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="has no version of the model; `vitrine export digits`"):
        newest_version(tmp_path)


@pytest.mark.parametrize("batch_size", ["1", "8", "32"])
def test_every_batch_size_is_called_with_images_and_timed(batch_size):
    seen = set()

    def predict(given):
        seen.add((given["images"].shape, given["images"].dtype))
        return {}

    inputs = {"images": InputSpec((28, 28, 1), "uint8")}
    timing = raw_model.time_calls(predict, inputs, raw_model.CALLS)[batch_size]
    assert ((int(batch_size), 28, 28, 1), np.dtype(np.uint8)) in seen
    assert 0 < timing["median_ms"] <= timing["p99_ms"]


def test_several_callers_call_at_the_same_time():
    together = threading.Barrier(2)

    calls, seen = raw_model.WARM_UP_CALLS, []

    def counted(given):
        seen.append(given)
        if len(seen) > calls:
            together.wait(120)
        return {}

    raw_model.time_calls(counted, {"x": InputSpec((1,), "float32")}, {1: 3}, callers=2)

    assert len(seen) == calls + 2 * 3


def test_what_a_signature_takes_is_made_up_of_the_right_shapes_and_ranges():
    made = raw_model.make_up(
        {
            "images": InputSpec((32, 32, 3), "uint8"),
            "z": InputSpec((64,), "float32"),
            "digit": InputSpec((), "int32"),
        },
        16,
    )

    assert {name: (array.shape, str(array.dtype)) for name, array in made.items()} == {
        "images": ((16, 32, 32, 3), "uint8"),
        "z": ((16, 64), "float32"),
        "digit": ((16,), "int32"),
    }
    assert made["images"].max() > 200
    assert made["z"].min() < 0
    assert 0 <= made["digit"].min() <= made["digit"].max() <= 9


def test_the_command_names_model_signature_and_batch_sizes():
    *_, models, a, name, b, signature, c, calls, d, threads, e, callers = raw_model.command(
        Path("models"), "vae", "decode", {16: 100, 1: 5}
    )

    assert (models, name, signature, calls) == ("models", "vae", "decode", "16:100,1:5")
    assert (a, b, c) == ("--model", "--signature", "--calls")
    assert (d, threads, e, callers) == ("--threads", "1", "--callers", "1")


def test_the_engine_that_the_manifest_names_is_called(tmp_path):
    directory = write_onnx_version(tmp_path)
    predict, inputs = raw_model.load(directory, "double")

    assert inputs == {"images": InputSpec((28, 28, 1), "uint8")}
    [doubled] = predict({"images": np.full((2, 28, 28, 1), 7, np.uint8)}).values()
    assert (doubled.shape, doubled.max()) == ((2, 28, 28, 1), 14)
