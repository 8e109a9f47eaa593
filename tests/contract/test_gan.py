"""From the released GAN to answers over HTTP: every route is asked, and answers what the graph computes."""

import base64
import io
import json

import httpx
import numpy as np
import pytest
from PIL import Image

from service.codecs import latents
from service.runtime.manifest import read_manifest
from service.runtime.version_files import check_files
from training.data.mnist import synthetic_digits

pytestmark = pytest.mark.tensorflow
POINT, OTHER = {"random_seed": 3, "digit": 4}, {"random_seed": 8, "digit": 9}


@pytest.fixture(scope="module")
def version(models):
    return models / "gan" / "1"


@pytest.fixture(scope="module")
def client(service):
    with httpx.Client(base_url=f"{service}/v1/gan", trust_env=False, timeout=900) as client:
        yield client


@pytest.fixture(scope="module")
def manifest(version):
    return read_manifest(version)


@pytest.fixture(scope="module")
def graph(version):
    """Runs a signature of the SavedModel itself."""
    import tensorflow as tf

    signatures = tf.saved_model.load(str(version)).signatures

    def run(name, **inputs):
        given = {key: tf.constant(value) for key, value in inputs.items()}
        return {key: value.numpy() for key, value in signatures[name](**given).items()}

    return run


@pytest.fixture(scope="module")
def digit():
    """An image as the network takes it, uint8 [1, 28, 28, 1], and its file."""
    images = synthetic_digits(1, seed=3).images
    return images, png(images[0])


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0]).save(buffer, "PNG")
    return buffer.getvalue()


def answered(response):
    assert response.status_code == 200, response.text
    assert response.headers["x-model"] == "gan/1"
    return response.json()


def decoded_images(uris):
    files = [base64.b64decode(uri.removeprefix("data:image/png;base64,")) for uri in uris]
    return np.stack([np.asarray(Image.open(io.BytesIO(file)))[..., None] for file in files])


def assert_same(uris, images):
    """Grey for grey, but for the last bit, which depends on how many run together."""
    assert np.abs(decoded_images(uris).astype(int) - images).max() <= 1


def sample_inputs(graph, manifest, *points):
    z = np.concatenate(
        [latents.draw(point["random_seed"], 1, manifest.latents.z) for point in points]
    )
    digits = np.array([point["digit"] for point in points], np.int32)
    return {"z": z, "digit": digits, "truncation": np.full(len(points), 0.7, np.float32)}


def places(graph, manifest, *points):
    """The w [N, W] of points, by the graph."""
    return graph("sample", **sample_inputs(graph, manifest, *points))["w"]


def test_the_exported_directory_is_what_its_manifest_says(version, manifest):
    check_files(version, manifest)

    assert manifest.task == "generate_image"
    assert {"sample", "synthesize", "encode", "discriminate", "project"} == set(manifest.signatures)


def test_samples_are_those_of_the_graph(client, graph, manifest):
    answer = answered(client.post("/sample", json={"n": 3, "random_seed": 7, "digit": 4}))
    inputs = {
        "z": latents.draw(7, 3, manifest.latents.z),
        "digit": np.full(3, 4, np.int32),
        "truncation": np.full(3, 0.7, np.float32),
    }
    expected = graph("sample", **inputs)

    assert answer["digits"] == [4, 4, 4]
    np.testing.assert_allclose(answer["z"], inputs["z"], atol=1e-6)
    np.testing.assert_allclose(answer["w"], expected["w"], atol=1e-4)
    assert_same(answer["images"], expected["images"])


def test_an_image_address_is_kept_and_asked_for_only_once(client):
    query = {"n": 4, "random_seed": 7, "version": 1}
    first = client.get("/sample.png", params=query)
    head = client.head("/sample.png", params=query)
    again = client.get(
        "/sample.png", params=query, headers={"If-None-Match": first.headers["etag"]}
    )
    other = client.get("/sample.png", params={**query, "random_seed": 8})
    unnamed = client.get("/sample.png", params={"n": 4})

    assert Image.open(io.BytesIO(first.content)).size == (57, 57)  # two by two, a line between
    assert "immutable" in first.headers["cache-control"]
    assert (head.status_code, head.content) == (200, b"")
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["etag"] == head.headers["etag"] != other.headers["etag"]
    assert unnamed.headers["cache-control"] == "no-store"


def test_a_way_leads_from_one_point_to_the_other(client, graph, manifest):
    body = {"from": POINT, "to": OTHER, "steps": 5}
    answer = answered(client.post("/interpolate", json=body))
    ends = places(graph, manifest, POINT, OTHER)

    np.testing.assert_allclose(answer["latents"][0], ends[0], atol=1e-4)
    np.testing.assert_allclose(answer["latents"][2], ends.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(answer["latents"][4], ends[1], atol=1e-4)
    w = np.array(answer["latents"], np.float32)
    assert_same(answer["images"], graph("synthesize", w=w)["images"])


def test_a_way_through_z_is_mapped_point_by_point(client, graph):
    ends = {"from": POINT, "to": {"random_seed": 8, "digit": 4}}
    answer = answered(client.post("/interpolate", json={**ends, "steps": 3, "space": "z"}))
    z = np.array(answer["z"], np.float32)
    mapped = {"digit": np.full(3, 4, np.int32), "truncation": np.full(3, 0.7, np.float32)}

    np.testing.assert_allclose(z[1], (z[0] + z[2]) / 2, atol=1e-5)
    assert_same(answer["images"], graph("sample", z=z, **mapped)["images"])


def test_mixing_takes_the_fine_half_of_the_other(client, graph, manifest):
    answer = answered(client.post("/mix", json={"coarse": POINT, "fine": OTHER}))
    coarse, fine = places(graph, manifest, POINT, OTHER)
    expected = coarse.copy()
    expected[slice(*manifest.latents.fine)] = fine[slice(*manifest.latents.fine)]

    np.testing.assert_allclose(answer["latents"], [expected], atol=1e-4)
    assert_same(answer["images"], graph("synthesize", w=expected[np.newaxis])["images"])


def test_every_direction_is_listed_and_moves_an_image_by_its_sigma(client, graph, manifest):
    listed = answered(client.get("/directions"))["directions"]
    [w] = places(graph, manifest, POINT)

    assert [direction["name"] for direction in listed] == list(manifest.directions)
    for name, direction in manifest.directions.items():
        body = {"latent": POINT, "direction": name, "strength": [-2, 0, 2]}
        answer = answered(client.post("/edit", json=body))
        step = 2 * direction.sigma * np.array(direction.vector)
        np.testing.assert_allclose(answer["latents"], [w - step, w, w + step], atol=1e-3)


def test_an_image_is_encoded_before_it_is_edited(client, graph, digit):
    images, file = digit
    body = {"image": base64.b64encode(file).decode(), "direction": "slant", "strength": 0}
    answer = answered(client.post("/edit", json=body))

    encoded = graph("encode", images=images)["w"]
    np.testing.assert_allclose(answer["latents"], encoded, atol=1e-4)
    assert_same(answer["images"], graph("synthesize", w=encoded)["images"])


def test_the_discriminator_says_what_the_graph_says(client, graph, digit):
    images, file = digit
    answer = answered(client.post("/discriminate", content=file))

    [probability] = graph("discriminate", images=images)["probability_real"]
    assert answer["predictions"] == [{"probability_real": pytest.approx(float(probability), 1e-3)}]


@pytest.mark.parametrize("loss", ["perceptual", "pixel"])
def test_a_projection_goes_the_way_of_the_graph(client, graph, manifest, digit, loss):
    images, file = digit
    query = {"steps": 7, "loss": loss, "start": "mean"}
    answer = answered(client.post("/project", params=query, content=file))
    w = np.array([manifest.w_mean], np.float32)
    counts = {"step": 0, "steps": 7, "total_steps": 7, "loss": ["perceptual", "pixel"].index(loss)}
    whole = graph(
        "project",
        images=images,
        w=w,
        m=np.zeros_like(w),
        v=np.zeros_like(w),
        **{name: np.array([count], np.int32) for name, count in counts.items()},
    )

    np.testing.assert_allclose(answer["latents"], whole["w"], atol=1e-3)
    np.testing.assert_allclose(answer["losses"], whole["losses"], rtol=1e-2)
    assert_same(answer["images"], whole["images"])
    error = ((images.astype(float) - decoded_images(answer["images"])) ** 2).mean()
    assert answer["psnr"] == [pytest.approx(10 * np.log10(255**2 / error))]


def test_a_streamed_projection_shows_its_way_and_ends_with_the_whole_answer(client, digit):
    query = {"steps": 12, "stream": "true"}
    streamed = client.post("/project", params=query, content=digit[1]).text
    whole = answered(client.post("/project", params={"steps": 12}, content=digit[1]))

    *events, done, rest = streamed.split("\n\n")
    *shown, last = [json.loads(event.removeprefix("data: ")) for event in events]
    assert (done, rest) == ("data: [DONE]", "")
    assert [event["step"] for event in shown] == [0, 5, 10, 12]
    assert shown[-1]["loss"] < shown[0]["loss"]
    assert shown[-1]["image"] == last["images"][0]
    assert last == whole
