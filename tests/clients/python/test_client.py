import asyncio

import httpx
import pytest

from vitrine_client import (
    AsyncVitrine,
    InvalidImage,
    ModelVersion,
    Overloaded,
    Retries,
    ServiceError,
    UnexpectedAnswer,
    Vitrine,
)


@pytest.fixture
def waits():
    return []


@pytest.fixture
def vitrine(service, waits):
    transport = service.transport
    with Vitrine("http://service.test/prefix", transport=transport, sleep=waits.append) as client:
        yield client


def test_an_answer_becomes_typed_values(vitrine):
    answer = vitrine.digits.classify(b"image")

    assert answer.model == ModelVersion("digits", 3)
    assert str(answer.model) == "digits/3"
    assert answer.predictions[0].digit == 7
    assert answer.predictions[0].probabilities[5] == 0.25
    assert not answer.predictions[0].outlier
    assert b'"new":1' in answer.body


def test_one_image_travels_as_the_body_itself(vitrine, service):
    vitrine.digits.classify(b"image")

    assert service.requests[0].content == b"image"
    assert service.requests[0].url.path == "/prefix/v1/digits/classify"


def test_several_images_travel_as_a_form_in_their_order(vitrine, service):
    service.predictions = 2

    answer = vitrine.digits.classify([b"first", b"second"])

    body = service.requests[0].content
    assert len(answer.predictions) == 2
    assert service.requests[0].headers["Content-Type"].startswith("multipart/form-data")
    assert 0 < body.index(b"first") < body.index(b"second")


def test_model_and_normalize_become_the_query(vitrine, service):
    vitrine.digits.classify(b"image", model="digits-course", normalize="off")
    vitrine.digits.classify(b"image")

    first, second = (dict(request.url.params) for request in service.requests)
    assert first == {"model": "digits-course", "normalize": "off"}
    assert second == {}


def test_the_key_comes_from_the_environment_and_stays_out_of_repr(environment, service):
    environment.setenv("VITRINE_API_KEY", "secret")
    with Vitrine("http://me:hidden@service.test", transport=service.transport) as vitrine:
        vitrine.digits.classify(b"image")

        assert service.requests[0].headers["X-API-Key"] == "secret"
        assert "secret" not in repr(vitrine)
        assert "hidden" not in repr(vitrine)


def test_the_address_comes_from_the_environment(environment, service):
    environment.setenv("VITRINE_URL", "http://elsewhere.test:81")
    with Vitrine(transport=service.transport) as vitrine:
        vitrine.digits.classify(b"image")

    assert service.requests[0].url.host == "elsewhere.test"


def test_this_machine_is_asked_where_nothing_is_said():
    with Vitrine() as vitrine:
        assert vitrine.url == "http://127.0.0.1:8000"


def test_an_address_that_is_given_goes_before_the_environments(environment):
    environment.setenv("VITRINE_URL", "http://elsewhere.test:81")
    with Vitrine("https://service.test/prefix/") as vitrine:
        assert vitrine.url == "https://service.test/prefix/"


def test_a_shed_request_is_repeated_after_the_wait_that_was_asked_for(
    vitrine, service, waits, refusal
):
    service.replies = [
        refusal(429, "overloaded", {"Retry-After": "2"}),
        refusal(503, "not_ready", {"Retry-After": "3"}),
    ]

    assert vitrine.digits.classify(b"image").predictions[0].digit == 7
    assert waits == [2, 3]
    assert [request.content for request in service.requests] == [b"image"] * 3


def test_several_images_are_repeated_whole(vitrine, service, refusal):
    service.replies = [refusal(429, "overloaded", {"Retry-After": "0"})]
    service.predictions = 2

    vitrine.digits.classify([b"first", b"second"])

    assert all(b"second" in request.content for request in service.requests)


def test_retries_end(vitrine, service, waits, refusal):
    service.replies = [refusal(429, "overloaded", {"Retry-After": "1"}) for _ in range(9)]

    with pytest.raises(Overloaded):
        vitrine.digits.classify(b"image")
    assert len(service.requests) == Retries().attempts
    assert len(waits) == Retries().attempts - 1


def test_a_refused_image_is_not_sent_again(vitrine, service, refusal):
    service.replies = [refusal(422, "invalid_image", error="the image is blank: draw a digit")]

    with pytest.raises(InvalidImage, match="the image is blank: draw a digit") as caught:
        vitrine.digits.classify(b"image")
    assert (caught.value.status, caught.value.code) == (422, "invalid_image")
    assert caught.value.request_id == "r1"
    assert len(service.requests) == 1


def test_a_code_from_the_future_is_still_a_service_error(vitrine, service, refusal):
    service.replies = [refusal(418, "teapot")]

    with pytest.raises(ServiceError) as caught:
        vitrine.digits.classify(b"image")
    assert type(caught.value) is ServiceError
    assert caught.value.code == "teapot"


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        httpx.Response(200, html="<h1>Welcome</h1>"),
        httpx.Response(200, json={"model": {"name": "digits", "version": 1}}),
        httpx.Response(200, json=[]),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(500, json="no"),
    ],
    ids=["gateway", "website", "half an answer", "list", "other error shape", "text"],
)
def test_what_is_no_vitrine_service_is_named_so(vitrine, service, reply):
    service.replies = [reply]

    with pytest.raises(UnexpectedAnswer, match="is no Vitrine service"):
        vitrine.digits.classify(b"image")


def test_a_prediction_for_each_image_or_none_at_all(vitrine, service):
    service.predictions = 3

    with pytest.raises(UnexpectedAnswer, match="2 images were sent, 3 answers received"):
        vitrine.digits.classify([b"first", b"second"])


def test_the_plain_face_works_inside_a_running_loop(service):
    async def notebook_cell():
        with Vitrine("http://service.test", transport=service.transport) as vitrine:
            return vitrine.digits.classify(b"image")

    assert asyncio.run(notebook_cell()).predictions[0].digit == 7


def test_the_asynchronous_core_answers_the_same(service):
    async def ask():
        async with AsyncVitrine("http://service.test", transport=service.transport) as vitrine:
            return await vitrine.digits.classify(b"image")

    assert asyncio.run(ask()).predictions[0].digit == 7


def test_closing_twice_does_no_harm(service):
    vitrine = Vitrine("http://service.test", transport=service.transport)
    vitrine.close()
    vitrine.close()

    with pytest.raises(RuntimeError, match="closed"):
        vitrine.digits.classify(b"image")
