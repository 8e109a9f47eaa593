"""The page's files and the runtime's, for a static host."""

import json
import shutil
from pathlib import Path

from clients.site.model_files import SiteError

ROOT = Path(__file__).parents[2]
WEB, DOCS = ROOT / "clients" / "web", ROOT / "docs"
# What the page shows of the documents.
SHOWN_DOCS = ("course.md", "beta-sweep.png", "seven.png", "trousers.png")
RUNTIME_VERSION = "1.30.0"
# Module of the npm package → its name here: some static hosts do not know .mjs.
RUNTIME_FILES = {
    "ort.wasm.min.mjs": "ort.wasm.min.js",
    "ort-wasm-simd-threaded.mjs": "ort-wasm-simd-threaded.js",
    "ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
}
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self' data: blob:; base-uri 'none'; form-action 'none'"
)
CHANGES = {  # of index.html, each exactly once
    '<html lang="en">': '<html lang="en" data-local>',
    '<meta charset="utf-8">': '<meta charset="utf-8">\n  '
    f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
    '\n      <a href="docs" class="api">The API</a>': "",
    'This page works with JavaScript; the API at <a href="docs">docs</a> works without it.': (
        "This page works with JavaScript."
    ),
}


def write_page(output: Path) -> None:
    """Copy the page and state in it that it has no service."""
    page = output / "page"
    shutil.copytree(WEB, page, dirs_exist_ok=True, ignore=shutil.ignore_patterns("index.html"))
    for source in (DOCS / name for name in SHOWN_DOCS):
        if source.is_file():  # an installed wheel has no documents
            shutil.copyfile(source, page / source.name)
    html = (WEB / "index.html").read_text()
    for before, after in CHANGES.items():
        if html.count(before) != 1:
            raise SiteError(f"index.html must hold {before!r} once, got {html.count(before)}")
        html = html.replace(before, after)
    (output / "index.html").write_text(html)


def write_runtime(output: Path, package: Path) -> None:
    """Copy ONNX Runtime for browsers; SiteError if it is not there or of another version."""
    try:
        version = json.loads((package / "package.json").read_text())["version"]
    except (OSError, ValueError, KeyError):
        version = "none"
    if version != RUNTIME_VERSION:
        raise SiteError(
            f"{package} must be the npm package onnxruntime-web {RUNTIME_VERSION}, got {version}: "
            f"npm install onnxruntime-web@{RUNTIME_VERSION}, or set its folder with --runtime"
        )
    target = output / "runtime"
    target.mkdir(exist_ok=True)
    for source, name in RUNTIME_FILES.items():
        shutil.copyfile(package / "dist" / source, target / name)
