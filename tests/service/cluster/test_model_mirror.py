"""A models folder in an object store, copied to where the service looks."""

import json

import pytest

from service.runtime.manifest import ManifestError
from tests.fakes import write_version

fsspec = pytest.importorskip("fsspec")
ModelMirror = pytest.importorskip("service.cluster.model_mirror").ModelMirror


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    """The address of an empty store, and its file system."""
    folder = tmp_path / "store" if request.param == "file" else "/bucket"
    files, root = fsspec.url_to_fs(f"{request.param}://{folder}")
    files.makedirs(root, exist_ok=True)
    yield f"{request.param}://{folder}", files
    files.rm(root, recursive=True)


@pytest.fixture
def exported(tmp_path):
    """A local models folder with digits/1, and what uploads it."""
    write_version(tmp_path / "exported", "digits", 1)

    def upload(store):
        url, files = store
        files.put(f"{tmp_path}/exported/", f"{fsspec.url_to_fs(url)[1]}/", recursive=True)

    return tmp_path / "exported", upload


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_the_store_holds_is_copied_and_kept_up(store, exported, tmp_path):
    folder, upload = exported
    mirror = ModelMirror(store[0], tmp_path / "local")
    upload(store)
    mirror.synchronize()
    assert contents(tmp_path / "local") == contents(folder)

    write_version(folder, "digits", 2)
    (folder / "digits" / "serving.json").write_text('{"versions": [1]}')
    upload(store)
    mirror.synchronize()
    assert contents(tmp_path / "local") == contents(folder)


def test_an_unchanged_version_is_left_alone(store, exported, tmp_path):
    _, upload = exported
    upload(store)
    mirror = ModelMirror(store[0], tmp_path / "local")
    mirror.synchronize()
    before = (tmp_path / "local/digits/1").stat().st_ino
    mirror.synchronize()

    assert (tmp_path / "local/digits/1").stat().st_ino == before


def test_what_leaves_the_store_leaves_the_folder(store, exported, tmp_path):
    _, upload = exported
    upload(store)
    mirror = ModelMirror(store[0], tmp_path / "local")
    mirror.synchronize()
    url, files = store
    files.rm(f"{fsspec.url_to_fs(url)[1]}/digits/1", recursive=True)
    mirror.synchronize()

    assert contents(tmp_path / "local") == {}


def test_an_upload_that_is_under_way_is_not_copied(store, exported, tmp_path):
    folder, upload = exported
    graph = folder / "digits/1/saved_model.pb"
    whole = graph.read_bytes()
    manifest = folder / "digits/1/assets.extra/manifest.json"
    assert "saved_model.pb" in json.loads(manifest.read_text())["files"]
    graph.write_bytes(whole[:-1])
    upload(store)
    mirror = ModelMirror(store[0], tmp_path / "local")
    mirror.synchronize()
    assert contents(tmp_path / "local") == {}
    with pytest.raises(ManifestError):
        mirror.fetch_version("digits", "1")

    graph.write_bytes(whole)
    upload(store)
    mirror.synchronize()
    assert contents(tmp_path / "local") == contents(folder)
