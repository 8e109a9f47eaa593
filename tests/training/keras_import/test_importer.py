"""A finished Keras model becomes a served directory, or a sentence that says why it cannot."""

import json
import zipfile

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from service.runtime.manifest import read_manifest
from service.runtime.version_files import check_files
from training.__main__ import main
from training.export.release import RELEASED, is_exported, read
from training.keras_import import archive_check, importer
from training.keras_import.artefact import digest
from training.keras_import.options import ImportOptions

pytestmark = pytest.mark.tensorflow
SHAPE = (12, 10, 3)


def network(shape=SHAPE, classes=3, activation="softmax"):
    keras.utils.set_random_seed(5)
    return keras.Sequential(
        [
            keras.layers.Input(shape),
            keras.layers.Conv2D(4, 3, strides=2, use_bias=False, name="conv"),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(classes, activation=activation, kernel_initializer="normal"),
        ]
    )


def write_labels(folder, text="rose\ntulip\ndaisy\n"):
    path = folder / "labels.txt"
    path.write_text(text)
    return path


def saved(folder, model, name="flowers.keras"):
    model.save(folder / name)
    return folder / name


def imported(folder, path, labels="rose\ntulip\ndaisy\n", input_range="0..1", **options):
    wanted = ImportOptions(
        path, "flowers", labels=write_labels(folder, labels), input_range=input_range, **options
    )
    return importer.import_model(wanted, folder / "models")


def answers(version, images, signature="serving_default"):
    function = tf.saved_model.load(str(version)).signatures[signature]
    [output] = function(images=tf.constant(images)).values()
    return output.numpy()


def random_images(rows, shape=SHAPE):
    return np.random.default_rng(rows).integers(0, 256, (rows, *shape), np.uint8)


def refusal(folder, path, **options):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - every test looks at the message
        imported(folder, path, **options)
    assert not list(folder.glob("models/*/[0-9]*"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("input_range", "scaled"),
    [
        ("0..255", lambda pixels: pixels),
        ("0..1", lambda pixels: pixels / 255),
        ("-1..1", lambda pixels: pixels / 127.5 - 1),
        ("DenseNet121", lambda pixels: keras.applications.densenet.preprocess_input(pixels)),
        ("VGG16", lambda pixels: keras.applications.vgg16.preprocess_input(pixels)),
    ],
)
def test_the_served_directory_gives_what_predict_gives(tmp_path, input_range, scaled):
    model = network()

    version = imported(tmp_path, saved(tmp_path, model), input_range=input_range)

    for images in (random_images(1), random_images(7)):
        expected = model.predict(scaled(images.astype(np.float32)), verbose=0)
        np.testing.assert_allclose(answers(version, images), expected, atol=1e-5)


def write_h5(folder, model):
    return saved(folder, model, "flowers.h5")


def write_directory(folder, model):
    model.export(folder / "flowers", verbose=False)
    return folder / "flowers"


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_a_network_that_keras_quantized_is_imported(tmp_path):
    model = network()
    images = random_images(4)
    model.quantize("int8")

    version = imported(tmp_path, saved(tmp_path, model))

    expected = model.predict(images / np.float32(255), verbose=0)
    np.testing.assert_allclose(answers(version, images), expected, atol=1e-3)


@pytest.mark.parametrize("write", [write_h5, write_directory])
def test_an_h5_file_and_a_saved_model_directory_do_as_well(tmp_path, write):
    model, images = network(), random_images(5)

    version = imported(tmp_path, write(tmp_path, model))

    expected = model.predict(images / np.float32(255), verbose=0)
    np.testing.assert_allclose(answers(version, images), expected, atol=1e-5)


def test_logits_get_a_softmax_and_that_is_said(tmp_path, capsys):
    model, images = network(activation=None), random_images(3)

    version = imported(tmp_path, saved(tmp_path, model))

    logits = model.predict(images / np.float32(255), verbose=0)
    np.testing.assert_allclose(answers(version, images), tf.nn.softmax(logits), atol=1e-5)
    assert "logits; a softmax is added" in capsys.readouterr().out


@pytest.mark.parametrize("activation", ["sigmoid", None])
def test_one_number_is_the_second_of_two_labels(tmp_path, activation):
    model, images = network(classes=1, activation=activation), random_images(3)

    version = imported(tmp_path, saved(tmp_path, model), labels="cat\ndog\n")

    number = model.predict(images / np.float32(255), verbose=0)
    dog = number if activation else tf.sigmoid(number).numpy()
    np.testing.assert_allclose(answers(version, images), np.hstack([1 - dog, dog]), atol=1e-5)


def test_a_grey_model_takes_images_of_one_channel(tmp_path):
    version = imported(tmp_path, saved(tmp_path, network((28, 28, 1))))

    assert answers(version, random_images(2, (28, 28, 1))).shape == (2, 3)
    assert read_manifest(version).input.channels == 1


def test_a_model_with_a_free_size_is_served_at_the_size_that_is_said(tmp_path):
    path = saved(tmp_path, network((None, None, 3)))

    assert "--image-shape 180x180x3" in refusal(tmp_path, path)
    version = imported(tmp_path, path, image_shape=(20, 30, 3))
    assert answers(version, random_images(2, (20, 30, 3))).shape == (2, 3)


def test_features_are_what_goes_into_the_last_layer(tmp_path):
    model, images = network(), random_images(4)
    version = imported(tmp_path, saved(tmp_path, model))

    inside = keras.Model(model.inputs[0], model.layers[-2].output)
    expected = inside.predict(images / np.float32(255), verbose=0)
    np.testing.assert_allclose(answers(version, images, "features"), expected, atol=1e-5)


@pytest.mark.parametrize(("units", "classes"), [(3, 3), (1, 2)])
def test_a_network_that_ends_in_global_pooling_has_class_activation_maps(tmp_path, units, classes):
    model = network(classes=units, activation="softmax" if units > 1 else "sigmoid")
    text = "".join(f"label {number}\n" for number in range(classes))
    version = imported(tmp_path, saved(tmp_path, model), labels=text)
    images = random_images(2)

    loaded = tf.saved_model.load(str(version)).signatures["classify_and_explain"]
    found = {name: each.numpy() for name, each in loaded(images=tf.constant(images)).items()}
    expected = answers(version, images)
    bias = model.layers[-1].get_weights()[1]

    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)
    logits = found["heatmaps"].mean(axis=(1, 2))
    if units > 1:
        exact = np.log(expected / expected[:, :1])
        np.testing.assert_allclose((logits + bias) - (logits + bias)[:, :1], exact, atol=1e-4)
    else:
        exact = np.log(expected[:, 1] / expected[:, 0])
        np.testing.assert_allclose(logits[:, 1] + bias[0], exact, atol=1e-4)


def test_the_manifest_is_as_the_contract_says(tmp_path):
    version = imported(
        tmp_path, saved(tmp_path, network()), labels="n01\trose\nn02\ttulip\nn03\tx\n"
    )
    manifest = read_manifest(version)
    check_files(version, manifest)

    written = json.loads((version / "assets.extra" / "manifest.json").read_text())
    assert manifest.task == "classify_image"
    assert manifest.labels == [("n01", "rose"), ("n02", "tulip"), ("n03", "x")]
    assert manifest.signatures["serving_default"].inputs == {"images": "uint8 [B,12,10,3]"}
    assert manifest.signatures["serving_default"].outputs == {"probabilities": "float32 [B,3]"}
    assert written["input"] == {
        "height": 12,
        "width": 10,
        "channels": 3,
        "resize": "bilinear",
        "crop": 1.0,
    }


def test_the_card_has_the_layers_the_memory_and_the_digest(tmp_path):
    model = network()
    version = imported(tmp_path, saved(tmp_path, model))
    card = json.loads((version / "assets.extra" / "card.json").read_text())

    assert card["parameters"] == sum(row["parameters"] for row in card["layers"])
    assert card["layers"][0]["formula"] == "(3·3·3)·4 = 108; size (12 − 3 + 2·0)/2 + 1 = 5"
    assert card["memory"]["weights_bytes"] == 4 * model.count_params()
    assert card["memory"]["largest_batch"] >= 1
    assert card["digest"] == digest(tmp_path / "flowers.keras")


def test_adopting_again_writes_the_next_version_and_no_release_replaces_it(tmp_path):
    path = saved(tmp_path, network())

    assert [imported(tmp_path, path).name for _ in range(2)] == ["1", "2"]
    released = read(RELEASED / "digits")
    assert is_exported(released, tmp_path / "models", "flowers")


def test_a_name_of_another_task_is_refused(tmp_path):
    extra = tmp_path / "models" / "flowers" / "1" / "assets.extra"
    extra.mkdir(parents=True)
    (extra / "manifest.json").write_text('{"task": "classify_digit"}')
    wanted = ImportOptions(
        tmp_path / "x.keras", "flowers", labels=write_labels(tmp_path), input_range="0..1"
    )

    with pytest.raises(
        ValueError, match=r"a model of task classify_image, got .* of task classify_digit"
    ):
        importer.import_model(wanted, tmp_path / "models")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("rose\ntulip\n", "must have 3 labels"),
        ("rose\ntulip\n", "got 2; write one label"),
        ("", "got an empty file"),
        ("rose\n\ndaisy\n", "an empty line 2"),
        ("rose\ntulip\nrose\n", "'rose' on line 1 and on line 3"),
    ],
)
def test_wrong_labels_are_refused(tmp_path, labels, message):
    assert message in refusal(tmp_path, saved(tmp_path, network()), labels=labels)


def functional(inputs=1, outputs=1, shape=SHAPE):
    pixels = [keras.Input(shape) for _ in range(inputs)]
    flat = keras.layers.Flatten()(keras.layers.Add()(pixels) if inputs > 1 else pixels[0])
    classes = [keras.layers.Dense(3, activation="softmax")(flat) for _ in range(outputs)]
    return keras.Model(pixels if inputs > 1 else pixels[0], classes if outputs > 1 else classes[0])


def segmentation():
    return keras.Sequential([keras.layers.Input(SHAPE), keras.layers.Conv2D(3, 1)])


def broken():
    model = network()
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: functional(inputs=2), "must have one input to be an image classifier, got 2"),
        (lambda: functional(outputs=2), "must have one output to be an image classifier, got 2"),
        (lambda: functional(shape=(8,)), "must take a batch of images"),
        (
            lambda: functional(shape=(3, 16, 16)),
            "1 or 3 channels, got [free, 3, 16, 16]; channels must be last",
        ),
        (segmentation, "must give [2, classes] for 2 images, got"),
        (broken, "must give finite values, got NaN or infinity for 4 of 4"),
        (lambda: network(activation="sigmoid"), "a sigmoid for each of 3 classes"),
        (lambda: network(activation="hard_sigmoid"), "--outputs must be probabilities or logits"),
    ],
)
def test_a_model_that_cannot_be_served_is_refused(tmp_path, make, message):
    assert message in refusal(tmp_path, saved(tmp_path, make()))


def test_what_is_said_of_the_outputs_is_checked(tmp_path):
    path = saved(tmp_path, network(activation=None))

    assert "--outputs must be omitted" in refusal(tmp_path, path, outputs="probabilities")


@pytest.mark.parametrize(
    ("input_range", "message"),
    [("0..2", "got '0..2'"), ("MobilNetV2", "did you mean MobileNetV2")],
)
def test_an_unknown_range_is_refused(tmp_path, input_range, message):
    path = saved(tmp_path, network())

    assert message in refusal(tmp_path, path, input_range=input_range)


def test_a_model_that_takes_whole_numbers_takes_no_other_range(tmp_path):
    model = keras.Sequential([keras.layers.Input(SHAPE, dtype="uint8"), *functional().layers[1:]])
    path = saved(tmp_path, model)

    assert "must be 0..255 for a network that takes uint8" in refusal(
        tmp_path, path, input_range="-1..1"
    )
    assert imported(tmp_path, path, input_range="0..255").name == "1"


def test_another_size_than_the_models_own_is_refused(tmp_path):
    path = saved(tmp_path, network())

    assert ", got 9x9x3" in refusal(tmp_path, path, image_shape=(9, 9, 3))


def test_a_lambda_layer_is_refused_and_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = keras.Sequential([keras.layers.Input(SHAPE), keras.layers.Flatten()])
    touch = lambda x: (__import__("pathlib").Path("was-run").touch(), x)[1]  # noqa: E731
    model.add(keras.layers.Lambda(touch, name="mine"))
    path = saved(tmp_path, model)
    trace = tmp_path / "was-run"
    assert trace.exists()
    trace.unlink()

    assert "got a Lambda layer called 'mine'" in refusal(tmp_path, path)
    assert not trace.exists()


def rewritten(path, change, add=()):
    """The same archive with another config.json, and more entries."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(entries["config.json"])
    change(config)
    entries["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**entries, **dict(add)}.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("module", "class_name", "registered_name"),
    [
        ("os", "system", None),
        ("builtins", "eval", None),
        ("subprocess", "Popen", "Popen"),
        ("keras.utils", "get_file", None),
        ("keras.src.saving.saving_lib", "load_model", None),
        (None, "Mine", "Custom>Mine"),
        ("keras.layers", "Dense", "Custom>Dense"),
        ("keras.layers", "TFSMLayer", None),
    ],
)
def test_classes_that_are_not_keras_layers_are_refused(
    tmp_path, module, class_name, registered_name
):
    def change(config):
        config["config"]["layers"][1] |= {
            "module": module,
            "class_name": class_name,
            "registered_name": registered_name,
        }

    message = refusal(tmp_path, rewritten(saved(tmp_path, network()), change))
    assert "code" in message


def test_a_vocabulary_in_another_file_is_not_read(tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\n")
    words = keras.Input((), dtype="string")
    lookup = keras.layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot", name="lookup")
    path = saved(tmp_path, keras.Model(words, keras.layers.Dense(2)(lookup(words))))

    def change(config):
        for layer in config["config"]["layers"]:
            if layer["name"] == "lookup":
                layer["config"]["vocabulary"] = str(tmp_path / "words.txt")

    assert "got a reference to another file" in refusal(tmp_path, rewritten(path, change))


def test_a_function_that_is_no_activation_is_refused(tmp_path):
    def change(config):
        config["config"]["layers"][-1]["config"]["activation"] = {
            "module": "keras.utils",
            "class_name": "function",
            "config": "get_file",
            "registered_name": "get_file",
        }

    assert "keras.utils" in refusal(tmp_path, rewritten(saved(tmp_path, network()), change))


def test_an_archive_that_swells_up_is_not_unpacked(tmp_path):
    swollen = [("assets/zeros", bytes(archive_check.SMALL + 1))]
    path = rewritten(saved(tmp_path, network()), lambda config: None, swollen)

    assert "Keras compresses nothing that much" in refusal(tmp_path, path)


def test_an_encrypted_entry_is_refused(tmp_path):
    path = rewritten(saved(tmp_path, network()), lambda config: None)
    content = bytearray(path.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(header)
        while start >= 0:
            content[start + flags] |= 1
            start = content.find(header, start + 4)
    path.write_bytes(content)

    assert "is damaged" in refusal(tmp_path, path)


@pytest.mark.nightly  # TensorFlow waits ten seconds for memory to become free
def test_a_network_that_no_memory_holds_is_refused(tmp_path):
    def change(config):
        config["config"]["layers"][-1]["config"]["units"] = 10**13

    sentence = refusal(tmp_path, rewritten(saved(tmp_path, network()), change))
    assert "cannot load" in sentence
    assert "{{" not in sentence  # names of TensorFlow's functions
    assert "/job:" not in sentence


def test_a_damaged_file_is_refused(tmp_path):
    whole = saved(tmp_path, network()).read_bytes()
    for name in ("cut.keras", "cut.h5"):
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])

        assert "is damaged" in refusal(tmp_path, tmp_path / name)


def test_an_h5_file_that_links_elsewhere_or_holds_weights_alone_is_refused(tmp_path):
    model = network()
    linked = saved(tmp_path, model, "linked.h5")
    with h5py.File(linked, "a") as file:
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
    model.save_weights(tmp_path / "only.weights.h5")

    assert "a link to somewhere else" in refusal(tmp_path, linked)
    assert "got weights alone" in refusal(tmp_path, tmp_path / "only.weights.h5")


class Pair(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4, 3])] * 2)
    def both(self, first, second):
        return {"sum": first + second}


class Reader(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4, 3])])
    def read(self, images):
        return {"text": tf.strings.length(tf.io.read_file("/etc/passwd")) + tf.zeros((), tf.int32)}


def test_a_saved_model_without_a_usable_signature_names_those_it_has(tmp_path):
    module = Pair()
    tf.saved_model.save(module, str(tmp_path / "m"), {"both": module.both})

    assert "got both (2 in, 1 out)" in refusal(tmp_path, tmp_path / "m")


def test_a_saved_model_that_reads_files_is_not_loaded(tmp_path):
    module = Reader()
    tf.saved_model.save(module, str(tmp_path / "m"), {"serving_default": module.read})

    assert "only compute, got ReadFile" in refusal(tmp_path, tmp_path / "m")


def test_a_directory_that_is_no_saved_model_is_refused(tmp_path):
    (tmp_path / "m").mkdir()
    assert "must be a SavedModel, got a folder" in refusal(tmp_path, tmp_path / "m")
    (tmp_path / "m" / "saved_model.pb").write_bytes(b"\xff" * 50)
    assert "got a damaged file" in refusal(tmp_path, tmp_path / "m")


def test_on_the_command_line_a_refusal_is_one_sentence_and_status_2(tmp_path, capsys):
    path = saved(tmp_path, network())
    labels = write_labels(tmp_path, "rose\n")
    command = ["import", str(path), "--name", "flowers", "--labels", str(labels)]
    models = ["--models", str(tmp_path / "models")]

    assert main([*command, *models, "--input-range", "-1..1"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    write_labels(tmp_path)
    assert main([*command, *models, "--input-range", "-1..1"]) == 0
    assert "/v1/images/label?model=flowers" in capsys.readouterr().out
    assert main([*command, *models, "--input-range", "0..1", "--name", "../x"]) == 2
