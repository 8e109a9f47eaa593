"""Errors have one form: `<field> must be <what>, got <what>`, one sentence, no period, with what to do where it helps.

(/v1/models/{m}:predict and /v2/models/{m}/infer keep the words of the protocols that they speak.)
"""

import json
import re

import pytest

pytestmark = pytest.mark.anyio
FORM = re.compile(r"^\S.* must (be|have|hold|show|match|fit|end) .+, got .*[^.]$", re.DOTALL)
DIGITS, TEXT = "/v1/digits/classify", "/v1/text/generate"
BAD_DIGITS = [
    ("an unknown setting", f"{DIGITS}?normalize=x", None, {}),
    ("two of a setting", f"{DIGITS}?return=pixels", None, {}),
    ("an unknown model", f"{DIGITS}?model=nothing", None, {}),
    ("an unknown version", f"{DIGITS}?version=9", None, {}),
    ("a version that is no number", f"{DIGITS}?version=x", None, {}),
    ("an unknown version label", f"{DIGITS}?version_label=stable", None, {}),
    ("a timeout that is no number", DIGITS, None, {"X-Timeout-Ms": "soon"}),
    ("a size that passes unchanged", f"{DIGITS}?normalize=off", "large", {}),
    ("a number for an image", DIGITS, {"image": 7}, {}),
    ("a bare list", DIGITS, [1, 2], {}),
    ("no image", DIGITS, {}, {}),
    ("two images", DIGITS, {"image": "x", "instances": []}, {}),
    ("no base64", DIGITS, {"image": "no base64"}, {}),
    ("fractions", DIGITS, {"instances": [[[0.1, 0.9]]]}, {}),
    ("an empty list", DIGITS, {"images": []}, {}),
    ("a single image of rows", DIGITS, {"instances": [[1, 2], [3, 4]]}, {}),
    ("too many images", DIGITS, {"images": ["x"] * 65}, {}),
]
BAD_TEXTS = [
    ("seed", 7),
    ("diversity", "hot"),
    ("diversity", -1),
    ("diversity", []),
    ("length", 0),
    ("length", "long"),
    ("length", 10**9),
    ("random_seed", -1),
    ("top_k", 0),
    ("top_p", 2),
    ("n", 0),
    ("stop", 7),
    ("stop", [""]),
    ("logprobs", 99),
    ("stream", "yes"),
    ("unknown", "drop"),
    ("seed", "a€"),
    ("continuation", "AAAA"),
    ("continuation", "A" * 400),
]


def message(response, *statuses):
    assert response.status_code in statuses, response.text
    return response.json()["error"]


@pytest.mark.parametrize(
    ("url", "body", "headers"), [case[1:] for case in BAD_DIGITS], ids=[c[0] for c in BAD_DIGITS]
)
async def test_an_error_about_an_image_says_what_must_be_and_what_was_given(
    shared_client, png, url, body, headers
):
    content = {"large": png(size=(30, 30))}.get(body) if isinstance(body, str) else None
    content = content or (png() if body is None else json.dumps(body).encode())
    response = await shared_client.post(url, content=content, headers=headers)

    assert FORM.match(message(response, 400, 404, 413, 422))


@pytest.mark.parametrize(("field", "value"), BAD_TEXTS)
async def test_an_error_about_a_prompt_names_the_field_and_what_was_given(
    shared_texts, field, value
):
    seed = {} if field == "continuation" else {"seed": "ab"}
    response = await shared_texts.post(TEXT, json={**seed, field: value})

    error = message(response, 422)
    assert FORM.match(error)
    assert field in error.split(" must ")[0]


@pytest.mark.parametrize(
    ("method", "url", "content"),
    [
        ("GET", "/nowhere", b""),
        ("DELETE", DIGITS, b""),
        ("POST", DIGITS, b""),
        ("POST", DIGITS, b"no image"),
        ("POST", TEXT, b"{"),
        ("POST", "/v1/images/label", b""),
    ],
)
async def test_errors_of_paths_methods_and_bodies_have_the_form_in_one_sentence(
    shared_client, method, url, content
):
    response = await shared_client.request(method, url, content=content)

    error = message(response, 400, 404, 405, 415, 422)
    assert FORM.match(error)
    assert ". " not in error
