"""From the released weights to an answer over HTTP: what training exports, the service serves."""

import asyncio
import base64
import io
import json
import re

import httpx
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from clients.robustness.soak.server_process import copy_models
from service.runtime.manifest import read_manifest
from service.runtime.version_files import check_files
from tests.contract.pages import ROOT, blocks, follow, follow_commands
from tests.running import running_service
from tests.waiting import until
from training.__main__ import main as training
from training.data.mnist import synthetic_digits
from vitrine_command import PARTS

pytestmark = pytest.mark.tensorflow
SEVEN = ROOT / "docs" / "seven.png"


@pytest.fixture(scope="module")
def client(service):
    with httpx.Client(base_url=service, trust_env=False, timeout=120) as client:
        yield client


def classify(client, content, query="", **options):
    response = client.post(f"/v1/digits/classify{query}", content=content, **options)
    assert response.status_code == 200, response.text
    return response.json()["predictions"]


def encoded(image, image_format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def test_the_exported_directories_are_what_their_manifests_say(models):
    for name in ("digits", "digits-course"):
        manifest = read_manifest(models / name / "1")
        check_files(models / name / "1", manifest)
        assert manifest.task == "classify_digit"


def test_the_image_of_the_readme_is_a_seven(client):
    [prediction] = classify(client, SEVEN.read_bytes())

    assert prediction["digit"] == 7
    assert prediction["probability"] > 0.9
    assert not prediction["outlier"]


def test_a_photo_like_jpeg_on_uneven_paper_is_a_seven(client):
    ink = np.asarray(Image.open(SEVEN).convert("L").resize((600, 600)), float)
    y, x = np.mgrid[0:600, 0:600] / 600
    noise = np.random.default_rng(1).normal(0, 4, (600, 600))
    photo = np.clip(ink * (0.65 + 0.2 * x - 0.1 * y) + 10 + noise, 0, 255).astype(np.uint8)
    colour = np.stack([photo, photo * 0.97, photo * 0.9], axis=-1).astype(np.uint8)

    assert classify(client, encoded(Image.fromarray(colour), "JPEG", quality=70))[0]["digit"] == 7


def test_light_ink_on_dark_and_colour_are_sevens(client):
    grey = Image.open(SEVEN).convert("L")
    inverted = encoded(ImageOps.invert(grey))
    blue = encoded(ImageOps.colorize(grey, "navy", "ivory"), "WEBP", quality=90)

    assert [classify(client, image)[0]["digit"] for image in (inverted, blue)] == [7, 7]


def test_a_canvas_data_uri_with_transparency_is_a_seven(client):
    canvas = Image.new("RGBA", (400, 400))
    strokes = [(120, 90), (290, 90), (190, 320)]
    ImageDraw.Draw(canvas).line(strokes, fill=(0, 0, 0, 255), width=26, joint="curve")
    uri = "data:image/png;base64," + base64.b64encode(encoded(canvas)).decode()

    assert classify(client, json.dumps({"image": uri}))[0]["digit"] == 7


def test_over_http_the_numbers_are_those_of_the_graph(client, models):
    import tensorflow as tf

    images = synthetic_digits(80, seed=5).images
    signature = tf.saved_model.load(str(models / "digits" / "1")).signatures["serving_default"]
    expected = signature(images=tf.constant(images))["probabilities"].numpy()
    found = []
    for part in (images[:64], images[64:]):
        files = [encoded(Image.fromarray(image[..., 0])) for image in part]
        body = {"images": [base64.b64encode(file).decode() for file in files]}
        found += classify(client, json.dumps(body), "?normalize=off")

    np.testing.assert_allclose([p["probabilities"] for p in found], expected, atol=1e-5)


def test_an_image_gets_the_same_answer_alone_and_in_company(client):
    images = synthetic_digits(33, seed=6).images
    files = [encoded(Image.fromarray(image[..., 0])) for image in images]
    alone = classify(client, files[0])[0]["probabilities"]
    body = {"images": [base64.b64encode(file).decode() for file in files]}
    together = classify(client, json.dumps(body))[0]["probabilities"]

    np.testing.assert_allclose(alone, together, atol=1e-6)


@pytest.mark.parametrize("path", ["/", "/v1/models", "/v1/models/digits", "/v2/health/ready"])
def test_head_answers_what_get_answers_without_a_body(client, path):
    get, head = client.get(path), client.head(path)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))


def test_activations_show_the_course_networks_maps_before_and_after_pooling(client):
    response = client.post("/v1/digits/activations?model=digits-course", content=SEVEN.read_bytes())
    layers = {layer["name"]: layer["shape"] for layer in response.json()["layers"]}

    assert layers == {
        "conv1": [24, 24, 20],
        "pool1": [12, 12, 20],
        "conv2": [8, 8, 40],
        "pool2": [4, 4, 40],
        "dense1": [1000],
        "dense2": [1000],
        "logits": [10],
    }
    assert next(iter(layers)) == "conv1"


def test_the_card_over_http_has_metrics_with_intervals_and_the_layer_table(client):
    card = client.get("/v1/models/digits/card").json()

    low, high = card["metrics"]["test_accuracy"]["interval_95"]
    assert low < card["metrics"]["test_accuracy"]["value"] < high
    assert card["parameters"] == sum(row["parameters"] for row in card["layers"])
    assert card["release"].startswith("sha256:")


def test_a_model_that_is_exported_while_the_service_runs_answers(models, tmp_path):
    copy_models(models, tmp_path, "digits")
    with running_service(tmp_path) as (_, port):
        assert training(["export", "digits", "--models", str(tmp_path)]) == 0

        def is_switched():
            url = f"http://127.0.0.1:{port}/v1/digits/classify"
            response = httpx.post(url, content=SEVEN.read_bytes(), trust_env=False, timeout=120)
            assert response.status_code == 200
            return response.headers["x-model"] == "digits/2"

        asyncio.run(until(is_switched))


def commands(page, beginning):
    """The lines of a page's shell blocks that begin so, each a block of its own."""
    return [
        block._replace(text=f"{line}\n")
        for block in blocks(ROOT / page, "sh")
        for line in block.text.splitlines()
        if line.startswith(beginning)
    ]


def test_the_curl_lines_of_the_docs_run_as_they_stand(service, tmp_path):
    pages = ("README.md", "docs/api.md", "docs/course.md")
    # What a whole block shows is compared where blocks are run whole.
    lines = [line._replace(shown=None) for page in pages for line in commands(page, "curl ")]
    assert len(lines) >= 5
    answers = follow("sh", lines, tmp_path, service)
    for (place, line, _), answer in zip(lines, answers, strict=True):
        if written := re.search(r" -o (\S+)", line):
            assert (tmp_path / written[1]).read_bytes().startswith(b"\x89PNG"), place
        elif answer.startswith("data: "):
            assert answer.endswith("data: [DONE]"), place
        else:
            found = json.loads(answer)
            assert found.get("model") or "28" in found["error"] or "blank" in found["error"], place


def test_the_describe_commands_of_the_course_run_as_they_stand(tmp_path):
    asked = commands("docs/course.md", "vitrine describe")
    follow_commands(asked, tmp_path)

    assert len(asked) == 10


def test_the_client_commands_of_the_course_run_as_they_stand(service, tmp_path):
    [client] = PARTS["use a running service"]
    asked = commands("docs/course.md", tuple(f"vitrine {name} " for name in client.commands))
    answers = follow("sh", asked, tmp_path, service)

    assert len(answers) == 7
    assert all(len(answer) > 30 for answer in answers)
