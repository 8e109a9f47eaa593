"""The models folder is the truth: what appears is loaded, what fails changes nothing."""

import asyncio
import json
import os
import shutil

import numpy as np
import pytest

from service.errors import (
    InvalidRequest,
    ModelNotFound,
    NotReady,
    PreconditionFailed,
    VersionNotFound,
)
from service.metrics import Metrics, render
from service.processes.peers import Peers
from service.runtime import management
from service.runtime.model import load_model
from service.runtime.repository import ModelRepository
from service.runtime.servable import Servable
from service.runtime.serving_config import ServingConfig
from service.scheduling.admission import Admission
from tests.fakes import FakeEngine, every, write_version
from tests.waiting import until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def start(tmp_path):
    started = []

    async def factory(poll_seconds=0.01, root=tmp_path):
        metrics = Metrics()

        def load(directory):
            model = load_model(directory, every(FakeEngine()))
            return Servable(model, Admission(10), metrics)

        repository = ModelRepository(root, load, metrics, poll_seconds)
        repository.metrics = metrics
        repository.alone = Peers()
        management.join(repository, repository.alone)
        started.append(repository)
        await repository.start()
        return repository

    yield factory
    for repository in started:
        await repository.stop()


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


async def test_a_newer_version_takes_over_and_the_older_is_served_no_more(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    write_version(tmp_path, version=2)

    await until(lambda: version_of(repository) == 2)

    with pytest.raises(VersionNotFound, match="version must be a served version of digits, got 1"):
        repository.resolve("digits", 1)
    assert [v.state for v in repository.versions("digits")] == ["END", "AVAILABLE"]


async def test_a_broken_newer_version_leaves_the_older_answering_and_says_why(tmp_path, start):
    write_version(tmp_path)
    broken = write_version(tmp_path, version=2)
    (broken / "saved_model.pb").write_bytes(b"half a copy")
    repository = await start()

    await until(lambda: repository.versions("digits")[1].error and version_of(repository))

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
    assert not repository.not_ready()


async def test_models_load_independently(tmp_path, start):
    broken = write_version(tmp_path, name="broken")
    (broken / "assets.extra" / "manifest.json").write_text("{")
    write_version(tmp_path)
    repository = await start()

    await until(lambda: version_of(repository) == 1)
    await until(lambda: "manifest.json" in repository.versions("broken")[0].error)
    assert not repository.not_ready()  # it is not whole


async def test_a_vanished_version_is_unloaded(tmp_path, start):
    write_version(tmp_path)
    write_version(tmp_path, version=2)
    repository = await start()
    await until(lambda: version_of(repository) == 2)
    shutil.rmtree(tmp_path / "digits" / "2")

    await until(lambda: version_of(repository) == 1)

    with pytest.raises(VersionNotFound, match="version of digits, got 2"):
        repository.resolve("digits", 2)
    assert [version.number for version in repository.versions("digits")] == [1]


async def test_a_models_folder_out_of_reach_changes_nothing(tmp_path, start):
    root = tmp_path
    write_version(root)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    root.rename(root.with_name("away"))
    try:
        await repository.scan()
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
    assert [version.number for version in repository.versions("digits")] == [0]


async def test_unknown_names_and_labels_say_what_there_is(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)

    with pytest.raises(
        ModelNotFound, match="model must be one that GET /v1/models lists, got 'cats'"
    ):
        repository.resolve("cats")
    with pytest.raises(
        VersionNotFound, match="version_label must be a label of digits, got 'stable'"
    ):
        repository.resolve("digits", label="stable")


async def test_a_request_in_flight_finishes_on_the_version_it_started_on(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    servable = repository.resolve("digits")
    write_version(tmp_path, version=2)
    await until(lambda: version_of(repository) == 2)

    answer = await servable.batcher("serving_default", 1).submit(
        {"images": np.zeros((1, 28, 28, 1), np.uint8)},
        asyncio.get_running_loop().time() + 5,
    )

    assert answer.outputs["probabilities"].argmax() == 0


def serve(root, name="digits", **config):
    """Write a serving.json as an operator does: beside it first, then in its place."""
    file = root / name / "serving.json"
    file.with_suffix(".new").write_text(json.dumps(config))
    file.with_suffix(".new").replace(file)


def numbers_ready(repository, name="digits"):
    return [v.number for v in repository.versions(name) if v.is_ready]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"latest": 1}, [3]),
        ({"latest": 2}, [2, 3]),
        ("all", [1, 2, 3]),
        ([1, 3], [1, 3]),
        ([1], [1]),
    ],
)
async def test_serving_json_says_which_versions_answer(tmp_path, start, versions, expected):
    for number in (1, 2, 3):
        write_version(tmp_path, version=number)
    serve(tmp_path, versions=versions)
    repository = await start()

    await until(lambda: numbers_ready(repository) == expected)

    assert version_of(repository) == expected[-1]


async def test_a_labelled_version_is_served_too_and_the_file_is_followed(tmp_path, start):
    for number in (1, 2, 3):
        write_version(tmp_path, version=number)
    serve(tmp_path, labels={"stable": 2})
    repository = await start()
    await until(lambda: numbers_ready(repository) == [2, 3])

    assert repository.resolve("digits", label="stable").manifest.version == 2
    serve(tmp_path, labels={"stable": 1})
    await until(lambda: numbers_ready(repository) == [1, 3])
    assert repository.resolve("digits", label="stable").manifest.version == 1


async def test_the_weight_of_the_file_is_the_models_share_of_turns(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    assert repository.weight("digits") == repository.weight("nobody") == 1
    serve(tmp_path, weight=3)

    await until(lambda: repository.weight("digits") == 3)


async def test_a_rollback_to_a_smaller_number_serves_it_before_the_larger_one_goes(tmp_path, start):
    write_version(tmp_path)
    write_version(tmp_path, version=2)
    repository = await start()
    await until(lambda: version_of(repository) == 2)
    serve(tmp_path, versions=[1])

    await until(lambda: version_of(repository) in (1, None))
    assert version_of(repository) == 1


async def test_unloaded_lasts_and_hides_the_model_from_readiness(tmp_path, start):
    write_version(tmp_path)
    serve(tmp_path, unloaded=True)
    repository = await start()
    await repository.scan()
    await repository.settle()

    assert version_of(repository) is None
    assert not repository.not_ready()
    with pytest.raises(ModelNotFound, match="must be loaded"):
        repository.resolve("digits")
    serve(tmp_path)
    await until(lambda: version_of(repository) == 1)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"versions": "some"}', '{"labels": {"a": -1}}', '{"x": 1}', "", "[" * 100_000],
)
async def test_a_faulty_serving_json_leaves_what_was(tmp_path, start, caplog, text):
    write_version(tmp_path)
    write_version(tmp_path, version=2)
    serve(tmp_path, versions="all")
    repository = await start()
    await until(lambda: numbers_ready(repository) == [1, 2])

    (tmp_path / "new.json").write_text(text)
    (tmp_path / "new.json").replace(tmp_path / "digits" / "serving.json")  # never half-written
    await until(lambda: repository.model("digits").config_error)
    await repository.scan()

    assert numbers_ready(repository) == [1, 2]
    faults = [r for r in caplog.records if r.message == "faulty serving configuration"]
    assert len(faults) == 1


async def test_the_last_ready_version_outlives_its_folder_until_another_is_ready(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    shutil.rmtree(tmp_path / "digits")
    await repository.scan()
    await repository.settle()

    assert version_of(repository) == 1
    assert not repository.not_ready()
    write_version(tmp_path, version=2)
    await until(lambda: version_of(repository) == 2)
    assert [version.number for version in repository.versions("digits")] == [2]


async def test_a_new_model_in_trouble_is_no_trouble_for_the_service(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: not repository.not_ready())
    (tmp_path / "empty" / "1").mkdir(parents=True)
    partial = write_version(tmp_path, name="partial")
    (partial / "saved_model.pb").write_bytes(b"half a copy")

    await until(lambda: {"empty", "partial"} <= set(repository.names()))
    await until(lambda: repository.versions("partial")[0].error)

    assert not repository.not_ready()
    [empty] = repository.versions("empty")
    assert (empty.state, empty.error) == ("END", "saved_model.pb is missing")


async def test_fifos_sockets_and_unreadable_folders_stop_nothing(tmp_path, start, monkeypatch):
    write_version(tmp_path)
    for place in ("saved_model.pb", "assets.extra/manifest.json"):
        odd = write_version(tmp_path, name=f"odd-{place[0]}")
        (odd / place).unlink()
        os.mkfifo(odd / place)
    (tmp_path / "fifo-config").mkdir()
    os.mkfifo(tmp_path / "fifo-config" / "serving.json")
    write_version(tmp_path, name="closed")
    real = os.scandir

    def scandir(path):
        if "closed" in str(path):
            raise PermissionError(13, "no")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    repository = await start()

    await until(lambda: version_of(repository) == 1)
    for name in ("odd-s", "odd-a"):
        assert "must be a regular file" in repository.versions(name)[0].error
    write_version(tmp_path, version=2)
    await until(lambda: version_of(repository) == 2)


async def test_links_within_the_folder_are_followed_and_others_ignored(tmp_path, start):
    root, outside = tmp_path / "models", tmp_path / "outside"
    write_version(outside, name="stranger")
    write_version(outside, name="secret")
    data = write_version(root, name="digits", version=2)
    data.rename(root / "digits" / "..data")
    (root / "digits" / "2").symlink_to("..data")
    (root / "stranger").symlink_to(outside / "stranger")
    (root / "mixed").mkdir()
    (root / "mixed" / "1").symlink_to(outside / "secret" / "1")
    repository = await start(root=root)

    await until(lambda: version_of(repository) == 2)

    assert repository.names() == ["digits"]


async def test_changed_files_are_loaded_anew_and_a_bad_change_leaves_the_old(tmp_path, start):
    directory = write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    first = repository.resolve("digits")
    shutil.rmtree(directory)
    write_version(tmp_path, max_batch_size=4)
    await until(lambda: repository.resolve("digits") is not first)
    second = repository.resolve("digits")

    (directory / "saved_model.pb").write_bytes(b"half a copy")
    await until(lambda: repository.versions("digits")[0].error)

    assert repository.resolve("digits") is second
    assert repository.versions("digits")[0].state == "AVAILABLE"


async def test_load_by_command_notices_a_change_of_same_size_and_time(tmp_path, start):
    directory = write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    file = directory / "saved_model.pb"
    status = file.stat()
    with file.open("r+b") as opened:
        opened.write(b"D")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    with pytest.raises(InvalidRequest, match="sha256 differs"):
        await management.load(repository, repository.alone, "digits")

    assert version_of(repository) == 1


async def test_a_vanished_version_leaves_no_series_behind(tmp_path, start):
    for number in (1, 2):
        write_version(tmp_path, version=number)
    write_version(tmp_path, name="other")
    repository = await start()
    await until(lambda: version_of(repository) == 2 and version_of(repository, "other") == 1)
    shutil.rmtree(tmp_path / "digits" / "1")
    serve(tmp_path, "other", unloaded=True)
    shutil.rmtree(tmp_path / "other" / "1")
    await until(lambda: repository.names() == ["digits"])
    await until(lambda: len(repository.versions("digits")) == 1)

    text = render(repository.metrics.snapshot()).decode()

    assert 'version="1"' not in text
    assert 'model="other"' not in text


async def test_concurrent_loads_of_one_model_end_with_one_servable(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)

    await asyncio.gather(
        *(management.load(repository, repository.alone, "digits") for _ in range(5))
    )

    assert numbers_ready(repository) == [1]
    assert not repository.model("digits").held


async def test_what_a_change_had_loaded_answers_if_the_worker_that_asked_for_it_ends(
    tmp_path, start
):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    serve(tmp_path, versions=[1])
    write_version(tmp_path, version=2)
    change = management.Change(key="a", name="digits", config=ServingConfig(versions=[2]))

    refused = await repository.alone.ask_all(management.PREPARE, change.model_dump(), 30)
    assert refused.answers == [""]
    assert version_of(repository) == 1  # loaded, but the file does not want it yet
    serve(tmp_path, versions=[2])

    await until(lambda: version_of(repository) == 2)


async def test_an_abandoned_change_leaves_nothing_loaded(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    serve(tmp_path, versions=[1])
    write_version(tmp_path, version=2)
    change = management.Change(key="a", name="digits", config=ServingConfig(versions=[2]))
    await repository.alone.ask_all(management.PREPARE, change.model_dump(), 30)
    second = repository.versions("digits")[1]
    assert second.staged

    await repository.alone.ask_all(management.ABANDON, ["digits", "a"], 30)

    assert not second.staged
    assert not second.servable
    assert not repository.model("digits").held


async def test_two_writers_at_once_one_of_them_is_told(tmp_path, start):
    write_version(tmp_path)
    repository = await start()
    await until(lambda: version_of(repository) == 1)
    tag = repository.model("digits").config.etag
    changes = [ServingConfig(weight=2), ServingConfig(weight=3)]

    results = await asyncio.gather(
        *(
            management.configure(repository, repository.alone, "digits", one, tag)
            for one in changes
        ),
        return_exceptions=True,
    )

    assert [type(result) for result in results].count(PreconditionFailed) == 1
    assert repository.model("digits").config in changes
