"""Pretrained networks: the fixtures pin every detail of EfficientNet-Lite0; other families answer by name."""

import collections
import pickle
import struct

import keras
import numpy as np
import pytest

from training.__main__ import main
from training.pretrained import backbone, efficientnet_lite
from training.pretrained.torch_weights import MAGIC, PROTOCOL, read_tensors

pytestmark = pytest.mark.tensorflow


def image(side):
    """An image made of sines, float32 [1, side, side, 3]; nothing has to be downloaded or decoded."""
    row, column = np.arange(side)[:, None], np.arange(side)[None]
    channels = [127 + 100 * np.sin(0.05 * (row + 1) * (c + 1) + 0.07 * column) for c in range(3)]
    return np.stack(channels, -1)[None].astype(np.float32)


FIXTURES = {
    224: (
        {418: 0.14481, 506: 0.13963, 584: 0.05090, 772: 0.04836, 782: 0.02918},
        20.83241,
        0.179019,
    ),
    96: ({418: 0.96752, 696: 0.00662}, 42.93596, 0.458418),
}


@pytest.mark.parametrize("side", FIXTURES)
def test_lite0_gives_what_the_original_gives(side):
    expected, norm, mean = FIXTURES[side]
    model = backbone.make(input_shape=(side, side, 3))
    both = keras.Model(model.input, [model.output, model.get_layer("avg_pool").output])

    probabilities, features = both(backbone.preprocess(backbone.LITE0, image(side)))

    found = probabilities.numpy()[0]
    assert list(np.argsort(-found)[: len(expected)]) == list(expected)
    np.testing.assert_allclose(found[list(expected)], list(expected.values()), atol=1e-4)
    assert np.linalg.norm(features) == pytest.approx(norm, abs=1e-4)
    assert np.mean(features) == pytest.approx(mean, abs=1e-4)


def test_lite0_has_as_many_parameters_as_the_original():
    model = backbone.make(weights="none")
    assert model.count_params() == 4_694_024
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 4_652_008


@pytest.mark.parametrize("arch", [backbone.LITE0, "MobileNetV2"])
@pytest.mark.parametrize(("pooling", "rank"), [(None, 4), ("avg", 2), ("max", 2)])
def test_without_its_top_a_network_gives_features(arch, pooling, rank):
    model = backbone.make(
        arch, include_top=False, weights="none", input_shape=(64, 64, 3), pooling=pooling
    )
    assert len(model.output_shape) == rank
    assert model.output_shape[-1] == 1280


def test_a_network_can_have_other_classes():
    assert backbone.make(weights="none", classes=7).output_shape == (None, 7)
    with pytest.raises(ValueError, match="must be 1000 for the ImageNet weights, got 7"):
        backbone.make(classes=7)


@pytest.mark.parametrize(
    ("arch", "white"),
    [
        (backbone.LITE0, 1.0),
        ("MobileNetV2", 1.0),
        ("EfficientNetB0", 255.0),
        ("DenseNet121", 2.2489),
    ],
)
def test_every_family_has_its_own_scale(arch, white):
    pixels = np.full((1, 2, 2, 3), 255, np.uint8)
    assert backbone.preprocess(arch, pixels).numpy()[0, 0, 0, 0] == pytest.approx(white, abs=1e-4)


def test_caffe_networks_get_blue_first():
    red = np.array([[[[255, 0, 0]]]], np.uint8)
    found = backbone.preprocess("VGG16", red).numpy()[0, 0, 0]
    np.testing.assert_allclose(found, [-103.939, -116.779, 255 - 123.68], atol=1e-3)


def test_unknown_networks_weights_and_poolings_are_named():
    with pytest.raises(ValueError, match=r"must be one of EfficientNetLite0, .*, got 'LeNet'"):
        backbone.make("LeNet")
    with pytest.raises(ValueError, match=r"got nowhere\.h5"):
        backbone.make(weights="nowhere.h5")
    with pytest.raises(ValueError, match="avg, max or none"):
        backbone.make(weights="none", include_top=False, pooling="median")


SMALL = {"input_shape": (32, 32, 3), "classes": 3}
OPTIONS = ["--input-shape", "32x32x3", "--classes", "3"]


@pytest.fixture(scope="module", params=[backbone.LITE0, "MobileNetV2"])
def saved(request, tmp_path_factory):
    """A network with random weights, and the file they were saved to."""
    model = backbone.make(request.param, weights="none", **SMALL)
    file = tmp_path_factory.mktemp("saved") / "mine.weights.h5"
    model.save_weights(file)
    return request.param, model, file


def test_weights_of_a_file_come_back(saved):
    arch, model, file = saved
    again = backbone.make(arch, weights=str(file), **SMALL)

    for mine, read in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, read)


def test_describe_reads_a_file_of_weights(saved, capsys):
    arch, model, file = saved

    assert main(["describe", "labels", "--arch", arch, "--weights", str(file), *OPTIONS]) == 0
    printed = capsys.readouterr().out
    assert f"{arch}, weights {file}" in printed
    assert f"{model.count_params():,}" in printed


def test_a_file_of_another_network_or_of_nothing_is_refused(saved, tmp_path, capsys):
    arch, _, file = saved
    half, text = tmp_path / "half.weights.h5", tmp_path / "notes.txt"
    half.write_bytes(file.read_bytes()[:5000])
    text.write_text("no weights")
    other = "MobileNetV2" if arch == backbone.LITE0 else backbone.LITE0
    for name, path, options in (
        (arch, file, [*OPTIONS[:2], "--classes", "5"]),
        (other, file, OPTIONS),
        (arch, half, OPTIONS),
        (arch, text, OPTIONS),
    ):
        assert main(["describe", "labels", "--arch", name, "--weights", str(path), *options]) == 1
        assert f"{name} cannot be made with the weights of {path}" in capsys.readouterr().err


def test_what_a_file_lacks_is_not_left_random(tmp_path):
    body = backbone.make("MobileNetV2", weights="none", include_top=False, **SMALL)
    body.save_weights(tmp_path / "body.weights.h5")

    with pytest.raises(ValueError, match="with the same top"):
        backbone.make("MobileNetV2", weights=str(tmp_path / "body.weights.h5"), **SMALL)


def test_weights_that_cannot_be_downloaded_have_a_way_out(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    command = "describe labels --arch MobileNetV2 --weights imagenet --input-shape 96x96x3"

    assert main(command.split()) == 1
    assert (
        "Where there is no network, give a file of its weights, or none" in capsys.readouterr().err
    )


def write_weights(path, content, storages=b""):
    parts = [MAGIC, PROTOCOL, {}, content, ["0"]]
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in parts) + storages)
    return path


class Evil:
    def __reduce__(self):
        return print, ("this ran",)


def test_weights_that_name_a_function_are_refused_and_nothing_runs(tmp_path, capsys):
    path = write_weights(tmp_path / "evil.pth", collections.OrderedDict(a=Evil()))
    with pytest.raises(ValueError, match="which is no tensor"):
        read_tensors(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x02", b"PK\x03\x04 a newer file", struct.pack("<q", 7)]
)
def test_other_files_are_no_weights(tmp_path, content):
    path = tmp_path / "some.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="no weights file"):
        read_tensors(path)


def test_a_cut_off_file_is_no_weights(tmp_path):
    path = tmp_path / "half.pth"
    path.write_bytes(efficientnet_lite.package_file().read_bytes()[:1_000_000])
    with pytest.raises(ValueError, match="no weights file"):
        read_tensors(path)
    with pytest.raises(ValueError, match="cannot be read"):
        read_tensors(tmp_path / "nothing.pth")
