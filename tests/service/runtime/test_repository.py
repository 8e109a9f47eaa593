"""The models folder is the truth: what appears is loaded, what fails changes nothing."""

import asyncio
import shutil

import pytest

from service.errors import ModelNotFound, NotReady, VersionNotFound
from service.metrics import Metrics
from service.runtime.model import load_model
from service.runtime.repository import ModelRepository
from service.runtime.servable import Servable
from service.scheduling.admission import Admission
from tests.fakes import FakeEngine, write_version

pytestmark = pytest.mark.anyio


@pytest.fixture
async def start(tmp_path):
    started = []

    async def factory(poll_seconds=0.01):
        metrics = Metrics()

        def load(directory, report):
            model = load_model(directory, lambda *_: FakeEngine(), report)
            return Servable(model, Admission(10), metrics)

        repository = ModelRepository(tmp_path, load, metrics, poll_seconds)
        started.append(repository)
        await repository.start()
        return repository

    yield factory
    for repository in started:
        await repository.stop()


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def version_of(repository, name="digits"):
    try:
        return repository.resolve(name).manifest.version
    except (NotReady, ModelNotFound):
        return None


async def test_a_version_on_disk_becomes_ready(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    assert repository.not_ready() == ["digits/1: loading"]

    await until(lambda: not repository.not_ready())

    assert version_of(repository) == 1


async def test_a_newer_version_takes_over_and_the_older_can_still_be_asked_for(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    write_version(tmp_path, version=2)

    await until(lambda: version_of(repository) == 2)

    assert repository.resolve("digits", 1).manifest.version == 1


async def test_a_broken_newer_version_leaves_the_older_answering_and_says_why(tmp_path, start):
    write_version(tmp_path)
    broken = write_version(tmp_path, version=2)
    (broken / "saved_model.pb").write_bytes(b"half a copy")
    repository = await start()

    await until(lambda: repository.versions("digits")[1].error)

    assert version_of(repository) == 1
    assert "sha256 differs" in repository.versions("digits")[1].error
    assert not repository.not_ready()


async def test_a_repaired_version_is_loaded_without_a_restart(tmp_path, start):
    directory = write_version(tmp_path)
    whole = (directory / "saved_model.pb").read_bytes()
    (directory / "saved_model.pb").write_bytes(b"half a copy")
    repository = await start()
    await until(lambda: repository.versions("digits")[0].error)
    (directory / "saved_model.pb").write_bytes(whole)

    await until(lambda: version_of(repository) == 1)


async def test_models_load_independently(tmp_path, start):
    broken = write_version(tmp_path, name="broken")
    (broken / "assets.extra" / "manifest.json").unlink()
    write_version(tmp_path)
    repository = await start()

    await until(lambda: version_of(repository) == 1)
    await until(lambda: "manifest.json is missing" in str(repository.not_ready()))


async def test_a_vanished_version_is_unloaded(tmp_path, start):
    write_version(tmp_path)
    write_version(tmp_path, version=2)
    repository = await start()
    await until(lambda: version_of(repository) == 2)
    shutil.rmtree(tmp_path / "digits" / "2")

    await until(lambda: version_of(repository) == 1)

    with pytest.raises(VersionNotFound, match=r"digits has no version 2; there are 1\."):
        repository.resolve("digits", 2)


async def test_a_models_folder_out_of_reach_changes_nothing(tmp_path, start):
    root = tmp_path
    write_version(root)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    root.rename(root.with_name("away"))
    try:
        await asyncio.sleep(0.05)
        assert version_of(repository) == 1
    finally:
        root.with_name("away").rename(root)


@pytest.mark.parametrize("folder", ["abc", "01", "1_0", "٣", "+7", " 7", "-1"])
async def test_a_folder_that_is_no_version_number_is_ignored(tmp_path, start, folder):
    write_version(tmp_path)
    shutil.copytree(tmp_path / "digits" / "1", tmp_path / "digits" / folder)
    repository = await start()
    await until(lambda: version_of(repository) == 1)

    assert [version.number for version in repository.versions("digits")] == [1]


async def test_version_0_is_a_version(tmp_path, start):
    write_version(tmp_path, version=0)
    repository = await start()

    await until(lambda: version_of(repository) == 0)


async def test_unknown_names_and_labels_say_what_there_is(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)

    with pytest.raises(ModelNotFound, match="no model 'cats'; there are digits"):
        repository.resolve("cats")
    with pytest.raises(VersionNotFound, match="no version label 'stable'"):
        repository.resolve("digits", label="stable")


async def test_a_request_in_flight_finishes_on_the_version_it_started_on(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    servable = repository.resolve("digits")
    shutil.rmtree(tmp_path / "digits")
    await until(lambda: version_of(repository) is None)
    import numpy as np

    answer = await servable.predict(
        "serving_default",
        {"images": np.zeros((1, 28, 28, 1), np.uint8)},
        asyncio.get_running_loop().time() + 5,
    )

    assert answer.outputs["probabilities"].argmax() == 0
