"""How the page's files travel: compressed for those who take it, and once."""

import gzip
import re

import pytest

from service.asgi.application import VitrineApp
from service.routes.page import WEB
from service.settings import Settings, SettingsError, from_environ
from tests.fakes import FakeEngine, write_version
from tests.service.apps import in_process, on_a_socket

pytestmark = pytest.mark.anyio


async def raw(client, path, **headers):
    """Status, headers and bytes as they were sent: httpx would uncompress them."""
    async with client.stream("GET", path, headers=headers) as response:
        return response, b"".join([part async for part in response.aiter_raw()])


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "deflate, gzip; q=1.0, *;q=0"])
async def test_who_takes_gzip_gets_the_file_compressed(shared_client, accepted):
    response, sent = await raw(shared_client, "/page/text.js", **{"accept-encoding": accepted})

    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "Accept-Encoding"
    assert int(response.headers["content-length"]) == len(sent)
    assert gzip.decompress(sent) == (WEB / "text.js").read_bytes()


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", "gzip; q=0.000", "", "gzipped"])
async def test_who_does_not_gets_it_as_it_is(shared_client, accepted):
    response, sent = await raw(shared_client, "/page/text.js", **{"accept-encoding": accepted})

    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "Accept-Encoding"
    assert sent == (WEB / "text.js").read_bytes()


async def test_each_form_has_its_own_etag(shared_client):
    etags = {}
    for accepted in ("gzip", "identity"):
        response, _ = await raw(shared_client, "/page/text.js", **{"accept-encoding": accepted})
        etags[accepted] = response.headers["etag"]
    answers = [
        await raw(
            shared_client,
            "/page/text.js",
            **{"accept-encoding": accepted, "if-none-match": etags[known]},
        )
        for accepted in etags
        for known in etags
    ]

    assert [response.status_code for response, _ in answers] == [304, 200, 200, 304]


async def test_all_sections_together_are_small_on_the_way(shared_client):
    files = [path.name for path in WEB.iterdir() if path.suffix in (".js", ".css")]
    sent = [
        await raw(shared_client, f"/page/{name}", **{"accept-encoding": "gzip"}) for name in files
    ]

    assert sum(len(content) for _, content in sent) < 70_000


async def test_scripts_are_scripts_whatever_the_system_says(client, monkeypatch):
    monkeypatch.setattr("mimetypes.guess_type", lambda *_, **__: ("text/plain", None))
    types = {
        name: (await client.get(f"/page/{name}")).headers["content-type"].partition(";")[0]
        for name in ("page.js", "style.css", "cat.jpg", "course.md", "seven.png")
    }

    assert types == {
        "page.js": "text/javascript",
        "style.css": "text/css",
        "cat.jpg": "image/jpeg",
        "course.md": "text/markdown",
        "seven.png": "image/png",
    }


async def test_the_course_is_shown_by_the_page(shared_client):
    text = await shared_client.get("/page/course.md")
    image = await shared_client.get("/page/beta-sweep.png")

    assert text.text.startswith("# The course")
    assert image.headers["content-type"] == "image/png"
    assert (await shared_client.get("/page/api.md")).status_code == 404


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ("", "'none'"),
        ("self", "'self'"),
        ("self, http://127.0.0.1:8888", "'self' http://127.0.0.1:8888"),
    ],
)
async def test_nobody_frames_the_page_but_those_who_are_named(given, allowed, tmp_path):
    settings = from_environ({"VITRINE_MODELS": str(tmp_path), "VITRINE_FRAME_ANCESTORS": given})
    async with in_process(settings, FakeEngine(), wait=False) as client:
        framed = await client.get("/", headers={"accept": "text/html"})
        other = await client.get("/docs")

    assert framed.headers["content-security-policy"].endswith(f"; frame-ancestors {allowed}")
    assert other.headers["content-security-policy"].endswith("; frame-ancestors 'none'")


async def test_the_page_names_its_files_relative_to_itself_so_that_it_works_below_a_proxy(
    shared_client,
):
    text = (await shared_client.get("/", headers={"accept": "text/html"})).text

    assert re.findall(r'(?:src|href)="(?!data:|#)([^"]+)"', text)
    assert not re.findall(r'(?:src|href)="(?:/|http)[^"]*"', text)


async def test_the_document_of_the_api_is_rendered_once(client, monkeypatch):
    first = await client.get("/openapi.json", headers={"accept-encoding": "gzip"})
    monkeypatch.setattr(VitrineApp, "openapi", None)  # would fail if it was called
    plain = {"accept-encoding": "identity"}
    again = await client.get("/openapi.json", headers=plain)
    unchanged = {"if-none-match": again.headers["etag"], **plain}

    assert first.headers["content-encoding"] == "gzip"
    assert again.headers["content-type"] == "application/json"
    assert again.json() == first.json()
    assert (await client.get("/openapi.json", headers=unchanged)).status_code == 304


@pytest.mark.parametrize("given", ["http://a/b", "*", "example.org"])
def test_a_frame_ancestor_is_an_origin(given):
    with pytest.raises(SettingsError, match="VITRINE_FRAME_ANCESTORS"):
        from_environ({"VITRINE_FRAME_ANCESTORS": given})


@pytest.mark.parametrize("prefix", ["", "/proxy/8000"])
async def test_the_page_works_below_a_proxys_path_that_is_cut_off_or_passed_on(prefix, tmp_path):
    settings = Settings(models=tmp_path, port=0, root_path="/proxy/8000")
    write_version(tmp_path)
    async with on_a_socket(settings, FakeEngine()) as client:
        page = await client.get(f"{prefix}/", headers={"accept": "text/html"})
        paths = ("/page/page.js", "/v1/models", "/docs", "/openapi.json")
        others = [await client.get(prefix + path) for path in paths]

    assert [answer.status_code for answer in (page, *others)] == [200] * 5
    assert page.headers["content-type"].startswith("text/html")
    assert others[-1].json()["servers"] == [{"url": "/proxy/8000"}]


async def test_a_proxys_path_is_cut_off_as_whole_segments_only(tmp_path):
    settings = Settings(models=tmp_path, port=0, root_path="/v", api_keys="key")
    write_version(tmp_path)
    async with on_a_socket(settings, FakeEngine()) as client:
        answers = [await client.get(f"{at}/v2/health/live") for at in ("", "/v")]

    assert [answer.status_code for answer in answers] == [200, 200]
