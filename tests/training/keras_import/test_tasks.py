"""Import by task: what a student or a team has becomes a model of the section it belongs to."""

import json
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from service.runtime.manifest import read_manifest
from service.runtime.version_files import check_files
from training.keras_import import importer
from training.keras_import.opened_network import golden_images
from training.keras_import.options import ImportOptions
from training.keras_import.saved_model_graph import read_graph

pytestmark = pytest.mark.tensorflow
PLAY = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n"
CHARACTERS = sorted(set(PLAY))


def imported(folder, model, name="mine.keras", **options):
    path = folder / name
    model.save(path)
    return importer.import_model(ImportOptions(path, "mine", **options), folder / "models")


def run(version, signature="serving_default", **inputs):
    function = tf.saved_model.load(str(version)).signatures[signature]
    outputs = function(**{name: tf.constant(array) for name, array in inputs.items()})
    return {name: output.numpy() for name, output in outputs.items()}


def course_digits(start, activation="softmax"):
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            *start,
            keras.layers.Conv2D(4, 5, activation="relu", name="conv1"),
            keras.layers.MaxPooling2D(2, name="pool1"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(16, activation="relu", name="dense1"),
            keras.layers.Dense(10, activation=activation, name="out"),
        ]
    )


STARTS = {
    "28x28x1": lambda: [keras.Input((28, 28, 1))],
    "28x28": lambda: [keras.Input((28, 28)), keras.layers.Reshape((28, 28, 1))],
    "784": lambda: [keras.Input((784,)), keras.layers.Reshape((28, 28, 1))],
}


@pytest.mark.parametrize("start", STARTS)
def test_a_network_of_digits_answers_with_its_own_layers(tmp_path, start):
    model = course_digits(STARTS[start]())
    images = np.random.default_rng(1).integers(0, 256, (3, 28, 28, 1), np.uint8)

    version = imported(tmp_path, model, task="digits", input_range="0..1")

    manifest = read_manifest(version)
    check_files(version, manifest)
    assert manifest.task == "classify_digit"
    given = (images / np.float32(255)).reshape(3, *model.input_shape[1:])
    outputs = run(version, images=images)
    np.testing.assert_allclose(outputs["probabilities"], model.predict(given, verbose=0), atol=1e-5)
    assert set(run(version, "activations", images=images)) == {"conv1", "pool1", "dense1", "out"}


def test_only_ten_outputs_of_28_pixels_are_digits(tmp_path):
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )

    with pytest.raises(ValueError, match="must take 28×28×1 images and give ten values"):
        imported(tmp_path, model, task="digits", input_range="0..1")


def test_a_tabular_network_keeps_its_input_and_output(tmp_path):
    model = keras.Sequential(
        [keras.Input((5,), name="features"), keras.layers.Dense(1, name="churn")]
    )
    rows = np.random.default_rng(1).standard_normal((3, 5)).astype(np.float32)

    version = imported(tmp_path, model)

    manifest = read_manifest(version)
    assert manifest.task == "tensors"
    assert manifest.signatures["serving_default"].inputs == {"features": "float32 [B,5]"}
    [output] = run(version, features=rows).values()
    np.testing.assert_allclose(output, model.predict(rows, verbose=0), atol=1e-5)


def test_several_inputs_and_outputs_and_free_lengths_are_tensors(tmp_path):
    series, age = (
        keras.Input((None, 2), name="series"),
        keras.Input((1,), dtype="int32", name="age"),
    )
    summed = keras.layers.GlobalAveragePooling1D()(
        keras.layers.LSTM(4, return_sequences=True)(series)
    )
    both = keras.layers.Concatenate()([summed, keras.layers.Embedding(3, 2)(age)[:, 0]])
    model = keras.Model(
        {"series": series, "age": age},
        {"risk": keras.layers.Dense(1)(both), "group": keras.layers.Dense(3)(both)},
    )

    version = imported(tmp_path, model)

    spec = read_manifest(version).signatures["serving_default"]
    assert spec.inputs == {"series": "float32 [B,T,2]", "age": "int32 [B,1]"}
    assert spec.outputs == {"risk": "float32 [B,1]", "group": "float32 [B,3]"}
    given = {"series": np.ones((2, 6, 2), np.float32), "age": np.array([[1], [2]], np.int32)}
    expected = model.predict(given, verbose=0)
    found = run(version, **given)
    for name in ("risk", "group"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


def character_model(kind):
    keras.utils.set_random_seed(4)
    count, layers = len(CHARACTERS), keras.layers
    return keras.Sequential(
        {
            "course": [keras.Input((40, count)), layers.LSTM(12), layers.Dense(count, activation="softmax")],
            "two layers": [
                keras.Input((40, count)), layers.LSTM(12, return_sequences=True), layers.Dropout(0.2),
                layers.LSTM(8), layers.Dense(count), layers.Activation("softmax"),
            ],
            "GRU on token ids": [
                keras.Input((40,), dtype="int32"), layers.Embedding(count, 6), layers.GRU(10),
                layers.Dense(count),
            ],
            "every step": [
                keras.Input((None,), dtype="int32"), layers.Embedding(count, 6),
                layers.LSTM(9, return_sequences=True), layers.Dense(count),
            ],
        }[kind]
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["course", "two layers", "GRU on token ids", "every step"])
def test_a_character_model_continues_as_its_own_predict(tmp_path, kind):
    model = character_model(kind)
    (tmp_path / "play.txt").write_text(PLAY)
    ids = np.random.default_rng(2).integers(0, len(CHARACTERS), (4, 41)).astype(np.int32)

    said = {"corpus": tmp_path / "play.txt"}
    if kind == "course":
        (tmp_path / "chars.json").write_text(json.dumps({c: i for i, c in enumerate(CHARACTERS)}))
        said = {"vocabulary": tmp_path / "chars.json"}

    version = imported(tmp_path, model, **said)

    manifest = read_manifest(version)
    assert manifest.task == "generate_text"
    assert manifest.vocabulary == CHARACTERS
    assert (
        "sliding window"
        in json.loads((version / "assets.extra/card.json").read_text())["description"]
    )
    window = ids[:, :40]
    given = (
        window if len(model.input_shape) == 2 else np.eye(len(CHARACTERS), dtype=np.float32)[window]
    )
    expected = model.predict(given, verbose=0)
    expected = expected[:, -1] if expected.ndim == 3 else expected
    logprobs = (
        np.log(expected)
        if kind in ("course", "two layers")
        else tf.nn.log_softmax(expected).numpy()
    )
    scored = run(version, "score", token_ids=ids)["logprobs"]
    np.testing.assert_allclose(scored[:, 40], logprobs[np.arange(4), ids[:, 40]], atol=1e-4)


def test_a_vocabulary_that_does_not_fit_is_refused(tmp_path):
    model = character_model("course")
    (tmp_path / "short.txt").write_text("abc")

    for option in ("vocabulary", "corpus"):
        with pytest.raises(ValueError, match=r"short\.txt"):
            imported(tmp_path, model, **{option: tmp_path / "short.txt"})


def test_an_encoder_and_a_decoder_are_an_autoencoder(tmp_path):
    encoder = keras.Sequential([keras.Input((784,)), keras.layers.Dense(3)])
    decoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(784, activation="sigmoid")])
    decoder.save(tmp_path / "decoder.keras")
    images = np.random.default_rng(1).integers(0, 256, (2, 28, 28, 1), np.uint8)

    version = imported(tmp_path, encoder, task="autoencoder", decoder=tmp_path / "decoder.keras")

    assert read_manifest(version).task == "autoencode_image"
    z = encoder.predict(images.reshape(2, 784) / np.float32(255), verbose=0)
    encoded = run(version, "encode", images=images)
    np.testing.assert_allclose(encoded["z_mean"], z, atol=1e-5)
    noise = np.zeros((2, 3), np.float32)
    found = run(version, "reconstruct", images=images, noise=noise)["images"]
    expected = decoder.predict(z, verbose=0).reshape(2, 28, 28, 1) * 255
    assert np.abs(found.astype(float) - expected).max() <= 0.51


def test_the_model_inside_an_mlflow_folder_is_imported(tmp_path):
    folder = tmp_path / "run"
    (folder / "data").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors:\n  keras: {}\n")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(folder / "data/model.keras")

    version = importer.import_model(ImportOptions(folder, "mine"), tmp_path / "models")

    assert read_manifest(version).task == "tensors"


def save_function(folder, function, shape=(None, 4)):
    module = tf.Module()
    module.run = tf.function(function, input_signature=[tf.TensorSpec(shape, tf.float32, "x")])
    tf.saved_model.save(module, str(folder), {"serving_default": module.run})
    return folder


def test_a_graph_that_draws_random_numbers_is_refused_and_names_what_differs(tmp_path):
    path = save_function(
        tmp_path / "foreign", lambda x: {"noisy": x + tf.random.normal(tf.shape(x)), "same": x}
    )

    with pytest.raises(ValueError, match="must be deterministic, got two values of noisy"):
        importer.import_model(ImportOptions(path, "mine"), tmp_path / "models")
    assert not list(tmp_path.glob("models/*/[0-9]*"))


def test_dropout_at_inference_is_refused_as_a_label_classifier_too(tmp_path):
    def classify(x):
        kept = tf.nn.dropout(tf.reshape(x, [-1, 12])[:, :2], 0.5)
        return {"probabilities": tf.nn.softmax(kept)}

    path = save_function(tmp_path / "foreign", classify, (None, 2, 2, 3))
    (tmp_path / "labels.txt").write_text("a\nb\n")
    options = ImportOptions(path, "mine", labels=tmp_path / "labels.txt", input_range="0..1")

    with pytest.raises(ValueError, match="must be deterministic, got two values of the last layer"):
        importer.import_model(options, tmp_path / "models")


# Between the golden images' values in the corner.
LIMIT = float(np.median(golden_images((8, 8, 3))[:, 0, 0, 0])) / 255


def test_nan_for_some_images_is_warned_of(tmp_path, capsys):
    def classify(x):
        corner = x[:, 0, 0, :2]
        return {"probabilities": tf.nn.softmax(tf.math.log(corner[:, :1] - LIMIT) + corner)}

    path = save_function(tmp_path / "foreign", classify, (None, 8, 8, 3))
    (tmp_path / "labels.txt").write_text("a\nb\n")
    options = ImportOptions(path, "mine", labels=tmp_path / "labels.txt", input_range="0..1")

    importer.import_model(options, tmp_path / "models")

    assert "warning:" in (said := capsys.readouterr().out)
    assert "gives NaN or infinity for" in said


def printed(x):
    tf.print(x, output_stream="file:///tmp/vitrine-was-run")
    return {"y": x}


def written(x):
    tf.raw_ops.WriteFile(filename="/tmp/vitrine-was-run", contents="x")
    return {"y": x}


def mapped(x):
    return {
        "y": x + tf.raw_ops.ImmutableConst(dtype=tf.float32, shape=[], memory_region_name="/etc/x")
    }


def saved(x):
    tf.raw_ops.SaveV2(prefix="/tmp/vitrine", tensor_names=["x"], shape_and_slices=[""], tensors=[x])
    return {"y": x}


@pytest.mark.parametrize(
    ("function", "operation"),
    [(printed, "PrintV2"), (written, "WriteFile"), (mapped, "ImmutableConst"), (saved, "SaveV2")],
)
def test_an_operation_that_reaches_out_of_the_graph_is_refused(tmp_path, function, operation):
    path = save_function(tmp_path / "foreign", function)

    with pytest.raises(ValueError, match=rf"that only compute, got .*{operation}"):
        importer.import_model(ImportOptions(path, "mine"), tmp_path / "models")


def test_what_keras_exports_passes_the_list(tmp_path):
    model = course_digits(STARTS["28x28x1"]())
    model.export(tmp_path / "exported", verbose=False)

    graph = read_graph(tmp_path / "exported")

    assert "serve" in graph.meta_info_def.tags
    assert "serving_default" in graph.signature_def


def with_names(x):
    return {"name": tf.gather(tf.constant(["a", "b"]), tf.argmax(x, axis=1) % 2)}


@pytest.mark.parametrize(
    ("function", "dtype"),
    [
        (with_names, "string"),
        (lambda x: {"y": tf.argmax(x, axis=1)}, "int64"),
        (lambda x: {"y": x > 0}, "bool"),
        (lambda x: {"y": tf.cast(x, tf.complex64)}, "complex64"),
    ],
)
def test_labels_need_floating_point_outputs(tmp_path, function, dtype):
    path = save_function(
        tmp_path / "foreign", lambda x: function(tf.reshape(x, [-1, 12])), (None, 2, 2, 3)
    )
    (tmp_path / "labels.txt").write_text("a\nb\n")
    options = ImportOptions(path, "mine", labels=tmp_path / "labels.txt", input_range="0..1")

    with pytest.raises(ValueError, match=f"floating-point probabilities or logits, got {dtype}"):
        importer.import_model(options, tmp_path / "models")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_softmax_in_half_precision_is_normalized(tmp_path, dtype):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 3))
    dense = keras.layers.Dense(40, activation="softmax", dtype=dtype)
    model = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    (tmp_path / "labels.txt").write_text("".join(f"class {n}\n" for n in range(40)))

    version = imported(tmp_path, model, labels=tmp_path / "labels.txt", input_range="0..1")

    images = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 3), np.uint8)
    np.testing.assert_allclose(
        run(version, images=images)["probabilities"].sum(axis=1), 1, atol=1e-5
    )


def older(path, version, change):
    """The same `.keras` file as Keras 2 would have written it."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(entries["config.json"])
    change(config)
    entries["config.json"] = json.dumps(config).encode()
    entries["metadata.json"] = json.dumps({"keras_version": version}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def separable():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.DepthwiseConv2D(3, name="depthwise"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


@pytest.mark.parametrize("name", ["old.keras", "OLD.KERAS"])
def test_a_file_of_keras_2_is_read_without_arguments_that_say_nothing(tmp_path, name):
    model = separable()
    model.save(tmp_path / "new.keras")

    def change(config):
        config["config"]["layers"][1]["config"]["groups"] = 1

    older(tmp_path / "new.keras", "2.15.0", change)
    path = (tmp_path / "new.keras").rename(tmp_path / name)

    version = importer.import_model(ImportOptions(path, "mine"), tmp_path / "models")

    rows = np.ones((2, 8, 8, 3), np.float32)
    [name] = read_manifest(version).signatures["serving_default"].inputs
    [found] = run(version, **{name: rows}).values()
    np.testing.assert_allclose(found, model.predict(rows, verbose=0), atol=1e-5)


def test_what_keras_2_wrote_and_nothing_reads_gives_its_reason(tmp_path):
    model = separable()
    model.save(tmp_path / "old.keras")

    def change(config):
        config["config"]["layers"][1]["config"]["groups"] = 3

    older(tmp_path / "old.keras", "2.15.0", change)

    with pytest.raises(ValueError, match=r"written by Keras 2\.15\.0: .*groups"):
        importer.import_model(ImportOptions(tmp_path / "old.keras", "mine"), tmp_path / "models")
