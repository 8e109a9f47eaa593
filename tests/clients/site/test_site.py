"""`vitrine site`: what it writes without a model's help, and what it refuses in a sentence."""

import json

import numpy as np
import onnx
import pytest

from clients.site.__main__ import main
from clients.site.page_files import RUNTIME_FILES, RUNTIME_VERSION, write_page
from service.routes import page as served


@pytest.fixture
def runtime(tmp_path):
    """A stand-in for the npm package: its files are copied, not run."""
    package = tmp_path / "onnxruntime-web"
    (package / "dist").mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"version": RUNTIME_VERSION}))
    for name in RUNTIME_FILES:
        (package / "dist" / name).write_bytes(b"a file of the runtime")
    return package


@pytest.fixture
def models(tmp_path):
    """One model of one graph, in two versions."""
    for version in (2, 10):
        extra = tmp_path / "models" / "double" / str(version) / "assets.extra"
        (extra / "onnx").mkdir(parents=True)
        signature = {"inputs": {"x": "float32 [B,3]"}, "outputs": {"y": "float32 [B,3]"}}
        manifest = {
            "name": "double",
            "version": version,
            "task": "classify_image",
            "framework": "tensorflow",
            "signatures": {
                "serving_default": signature,
                "project": {"inputs": {"w": "float32 [B,1]"}, "outputs": {}},
            },
            "max_batch_size": 8,
            "card": "card.json",
        }
        (extra / "manifest.json").write_text(json.dumps(manifest))
        (extra / "card.json").write_text(json.dumps({"summary": "doubles"}))
        x = np.arange(15, dtype=np.float32).reshape(5, 3)
        arrays = {"serving_default/inputs/x": x, "serving_default/outputs/y": 2 * x}
        np.savez(extra / "golden.npz", **arrays)
        graph = onnx.helper.make_graph([], "empty", [], [])
        onnx.save(onnx.helper.make_model(graph), extra / "onnx" / "x.onnx")
    (tmp_path / "models" / "no-graph" / "1").mkdir(parents=True)
    return tmp_path / "models"


def write(tmp_path, models, runtime, *more):
    return main(
        ["-o", str(tmp_path / "public"), "--models", str(models), "--runtime", str(runtime), *more]
    )


def test_the_site_holds_every_file_that_the_service_serves_for_the_page(tmp_path):
    write_page(tmp_path)

    names = {path.name for path in served.WEB.iterdir() if path.is_file()} - {"index.html"}
    assert names | set(served.SHOWN_DOCS) == {
        path.name for path in (tmp_path / "page").iterdir() if path.is_file()
    }


def test_the_page_is_told_that_it_has_no_service_and_may_ask_nobody_else(tmp_path):
    write_page(tmp_path)

    html = (tmp_path / "index.html").read_text()
    assert '<html lang="en" data-local>' in html
    assert "connect-src 'self' data: blob:;" in html
    assert 'href="docs"' not in html


def test_the_newest_version_is_written_with_one_graph_two_golden_rows_and_its_card(
    tmp_path, models, runtime
):
    assert write(tmp_path, models, runtime) == 0

    folder = tmp_path / "public" / "models"
    listed = json.loads((folder / "index.json").read_text())
    described = json.loads((folder / "double" / "model.json").read_text())
    card = json.loads((folder / "double" / "card.json").read_text())
    assert [(each["id"], each["versions"]) for each in listed["data"]] == [("double", [10])]
    assert list(described["signatures"]) == ["serving_default"]
    assert card["model"] == {"name": "double", "version": 10}
    assert sorted(path.name for path in (folder / "double").iterdir()) == [
        "card.json",
        "golden.bin",
        "model.json",
        "x.onnx",
    ]
    y = described["golden"]["serving_default"]["outputs"]["y"]
    content = np.frombuffer(
        (folder / "double" / "golden.bin").read_bytes(), y["dtype"], 6, y["offset"]
    )
    assert content.tolist() == [0, 2, 4, 6, 8, 10]


def test_writing_again_leaves_nothing_of_an_earlier_version(tmp_path, models, runtime):
    write(tmp_path, models, runtime)
    left = tmp_path / "public" / "models" / "double" / "left.onnx"
    left.write_bytes(b"")

    assert write(tmp_path, models, runtime) == 0
    assert not left.exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--model", "missing"], "missing in"),
        (["--model", "no-graph"], "no-graph in"),
        (
            ["--runtime", "/nowhere"],
            f"must be the npm package onnxruntime-web {RUNTIME_VERSION}, got none",
        ),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(tmp_path, models, runtime, more, message, capsys):
    assert write(tmp_path, models, runtime, *more) == 1

    assert message in capsys.readouterr().err
