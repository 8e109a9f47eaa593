"""A student's file is handed in over HTTP, with the admin key only, and answers at once."""

import io
import socket
import zipfile

import httpx
import pytest

from tests.fakes import write_version
from tests.running import ROOT, running_service

pytestmark = pytest.mark.tensorflow
KEY = {"Authorization": "Bearer teacher"}
SEVEN = (ROOT / "docs" / "seven.png").read_bytes()


@pytest.fixture(scope="module")
def student_file(tmp_path_factory):
    """A small network, saved by Keras."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    path = tmp_path_factory.mktemp("student") / "mine.keras"
    model.save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    write_version(folder, "digits-taken")
    return folder


@pytest.fixture(scope="module")
def client(folder):
    settings = {"VITRINE_UPLOADS": "1", "VITRINE_ADMIN_KEY": "teacher"}
    with (
        running_service(folder, "live", **settings) as (_, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=1000) as client,
    ):
        yield client


def hand_in(client, name, file, **changes):
    options = {"task": "digits", "input_range": "0..1"}
    return client.post(
        f"/v1/models/{name}", **{"params": options, "content": file, "headers": KEY} | changes
    )


def test_a_model_that_was_handed_in_answers(client, student_file):
    answer = hand_in(client, "mine", student_file)

    assert answer.status_code == 200, answer.text
    assert answer.json() == {"model": {"name": "mine", "version": 1}, "task": "classify_digit"}
    digit = client.post("/v1/digits/classify?model=mine", content=SEVEN)
    assert digit.status_code == 200
    assert digit.json()["model"] == {"name": "mine", "version": 1}
    assert "mine" in client.get("/v1/models").json()["models"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer student"}])
def test_only_the_admin_key_hands_in(client, student_file, headers):
    answer = hand_in(client, "other", student_file, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def hostile():
    """A .keras file whose configuration is not one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", '{"module": "os", "class_name": "system", "config": {}}')
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", b"")
    return file.getvalue()


def test_what_cannot_be_imported_is_refused_with_a_sentence_and_leaves_nothing(
    client, folder, student_file
):
    before = sorted(path.name for path in folder.iterdir())
    cases = {
        "digits-taken": student_file,
        "a b": student_file,
        "no-model": SEVEN,
        "half": student_file[: len(student_file) // 2],
        "hostile": hostile(),
    }
    for name, file in cases.items():
        answer = hand_in(client, name, file)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_value"), answer.text
        assert str(folder) not in answer.text
    assert hand_in(client, "x", student_file, params={"corpus": "/etc"}).status_code == 422
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client, folder):
    before = sorted(path.name for path in folder.iterdir())
    answer = hand_in(client, "large", b"0" * (2**24 + 1))

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large"), answer.text
    assert sorted(path.name for path in folder.iterdir()) == before


def test_an_upload_that_breaks_off_half_way_leaves_nothing_and_the_others_are_answered(
    client, folder, student_file
):
    before = sorted(path.name for path in folder.iterdir())
    address = client.base_url
    head = (
        "POST /v1/models/broken?task=digits&input_range=0..1 HTTP/1.1\r\n"
        f"Host: {address.host}:{address.port}\r\nAuthorization: {KEY['Authorization']}\r\n"
        f"Content-Length: {len(student_file)}\r\n\r\n"
    )
    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(head.encode() + student_file[: len(student_file) // 2])

        assert client.post("/v1/digits/classify?model=mine", content=SEVEN).is_success

    assert client.get("/v1/models").is_success
    assert sorted(path.name for path in folder.iterdir()) == before
    assert "broken" not in client.get("/v1/models").json()["models"]


def test_without_the_setting_nobody_hands_in(folder, student_file):
    with (
        running_service(folder, "live", VITRINE_ADMIN_KEY="teacher") as (_, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=120) as client,
    ):
        answer = hand_in(client, "other", student_file)

    assert (answer.status_code, answer.json()["code"]) == (403, "management_disabled")
