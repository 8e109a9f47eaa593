"""The demo page at `/`, its files under `/page/`, `/docs` and `/openapi.json`. Nothing is loaded from other hosts.

Files are read once, at the start, and compressed on the first request. A path of a
request never becomes a path on disk.
"""

import gzip
import hashlib
from functools import cache, cached_property
from pathlib import Path

import fastapi_offline
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.responses import is_unchanged, json_answer, prefers, to_json
from service.asgi.routing import RawRouter
from service.codecs.content_encoding import choose_encoding
from service.errors import RouteNotFound
from service.routes.page_content import only_sections, questions_of, without_answers
from service.settings import Settings

WEB = Path(__file__).parents[2] / "clients" / "web"
DOCS = Path(__file__).parents[2] / "docs"
# Documents shown on the page.
SHOWN_DOCS = ("course.md", "beta-sweep.png", "seven.png", "trousers.png")
# Independent of the system's table: Windows may map .js to text/plain, which browsers do not run.
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".png": "image/png",
}
SWAGGER = Path(fastapi_offline.__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
)
HEADERS = {
    "Content-Security-Policy": POLICY + "'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
DOCS_HTML = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Vitrine: the API</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="docs"></div><script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script></body></html>"""
DOCS_START = """SwaggerUIBundle({url: "openapi.json", dom_id: "#docs", deepLinking: true,
  validatorUrl: null, tryItOutEnabled: true});"""


class StaticFile:
    """One file in memory, plain and compressed, each answered with its ETag."""

    def __init__(self, content: bytes, name: str) -> None:
        self._etag = hashlib.sha256(content).hexdigest()[:32]
        self._plain = content, {"ETag": f'"{self._etag}"'}
        self._type = TYPES[Path(name).suffix]

    @cached_property
    def _gzip(self) -> tuple[bytes, dict[str, str]]:
        headers = {"ETag": f'"{self._etag}-gzip"', "Content-Encoding": "gzip"}
        return gzip.compress(self._plain[0], mtime=0), headers

    def answer(self, request: Request, vary: str = "Accept-Encoding") -> Response:
        """The file in an encoding that the caller accepts, or 304 if the caller has it."""
        encoding = choose_encoding(request.headers.get("accept-encoding", ""))
        content, own = self._gzip if encoding == "gzip" else self._plain
        headers = {**HEADERS, "Vary": vary, **own}
        if is_unchanged(request, own["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(content, 200, headers, self._type)


def make_router(settings: Settings) -> RawRouter:
    """Read the files, remove hidden parts according to the settings, and create their routes."""
    router = RawRouter(include_in_schema=False)
    shown = [DOCS / name for name in SHOWN_DOCS]
    page = {path.name: _read(path) for path in (*WEB.iterdir(), *shown) if path.is_file()}
    page |= _adapted(settings)
    docs = {name: _read(SWAGGER / name) for name in ("swagger-ui.css", "swagger-ui-bundle.js")}
    docs["start.js"] = StaticFile(DOCS_START.encode(), "start.js")
    ancestors = ["'self'" if one == "self" else one for one in settings.frame_ancestors]
    policy = POLICY + (" ".join(ancestors) or "'none'")
    docs_page = StaticFile(DOCS_HTML.encode(), "docs.html")

    @router.get("/")
    async def root(request: Request) -> Response:
        """Send browsers the page, other clients a status."""
        if prefers(request, "text/html"):
            answer = page["index.html"].answer(request, "Accept, Accept-Encoding")
            answer.headers["Content-Security-Policy"] = policy
            return answer
        return json_answer({"status": "alive"}, headers={"Vary": "Accept"})

    @router.get("/page/{file}")
    async def page_file(request: Request) -> Response:
        return _pick(page, request)

    @router.get("/docs")
    async def docs_root(request: Request) -> Response:
        return docs_page.answer(request)

    @router.get("/docs/{file}")
    async def docs_file(request: Request) -> Response:
        return _pick(docs, request)

    rendered: list[StaticFile] = []

    @router.get("/openapi.json")
    async def document(request: Request) -> Response:
        """The document of the API, rendered once: it holds the event loop for 10 ms."""
        if not rendered:
            rendered.append(StaticFile(to_json(request.app.openapi()), "openapi.json"))
        return rendered[0].answer(request)

    return router


def _adapted(settings: Settings) -> dict[str, StaticFile]:
    """The page's HTML and the course, without hidden parts."""
    html = (WEB / "index.html").read_text(encoding="utf-8")
    course = (DOCS / "course.md").read_text(encoding="utf-8")
    if settings.answers == "hidden":
        html, course = without_answers(html), questions_of(course)
    html = only_sections(html, settings.sections)
    return {
        "index.html": StaticFile(html.encode(), "index.html"),
        "course.md": StaticFile(course.encode(), "course.md"),
    }


@cache
def _read(path: Path) -> StaticFile:
    """The file's content, read once per process."""
    return StaticFile(path.read_bytes(), path.name)


def _pick(files: dict[str, StaticFile], request: Request) -> Response:
    file = files.get(request.path_params["file"])
    if file is None:
        raise RouteNotFound(f"the page has no file {request.path_params['file'][:64]!r}")
    return file.answer(request)
