"""The comparison with other servers: who takes part, the tables and the verdict; nothing is started."""

import base64
import json
import sys

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from clients.benchmark import contestants, decode_only_server, peers
from clients.benchmark.peer_servers import network, signature
from clients.benchmark.rounds import Row
from clients.load.measurement import Measurement
from clients.load.scenario import scenarios
from service.codecs.multipart import read_files


def row(server, rate, p50_ms=1.0, number=0, connections=1):
    measured = Measurement(rate, p50_ms, 9.0, 0, 0)
    is_peer = server.startswith("mosec")
    return Row(number, server, is_peer, "28×28", connections, measured, 1.5, 300.0, 0.4)


def test_without_another_interpreter_no_peer_takes_part(tmp_path):
    (tmp_path / "digits-course" / "3").mkdir(parents=True)
    names = [one.name for one in contestants.contestants(tmp_path, [])]
    assert names == ["vitrine, 1 worker", "vitrine, 2 workers", "signature", "decode-only"]
    assert next(one.name for one in contestants.contestants(tmp_path, [])) == "vitrine, 1 worker"


def test_a_peer_takes_part_where_its_interpreter_has_it(tmp_path, monkeypatch):
    (tmp_path / "digits-course" / "3").mkdir(parents=True)
    peer = contestants.Peer(("onnx",), ("-m", "json"))
    monkeypatch.setattr(contestants, "PEERS", {"json": peer, "no_such_server": peer})
    found = [one for one in contestants.contestants(tmp_path, [sys.executable]) if one.is_peer]
    assert [one.name for one in found] == ["json (onnx)"]
    assert found[0].environ["BENCHMARK_MODEL"].endswith("3")


def test_ratios_are_of_neighbours_in_a_round():
    rows = [
        row(server, rate * (number + 1), number=number)
        for number in (0, 1)
        for server, rate in (("vitrine, 1 worker", 300), ("signature", 100), ("mosec (onnx)", 200))
    ]
    line = peers.table(rows)[2]
    assert line.startswith(
        "| 28×28 | 1 | vitrine, 1 worker | 3.00 (3.00-3.00) | 1.50 (1.50-1.50) |"
    )
    assert peers.table(rows)[-1] == "| mosec (onnx) | 1.5 | 300 |"


def test_a_server_that_answers_nothing_in_a_round_has_no_ratio_there():
    rows = [
        row(server, rate, number=number)
        for number, rates in enumerate(((300, 100, 200), (300, 0, 200), (300, 0, 0)))
        for server, rate in zip(
            ("vitrine, 1 worker", "signature", "mosec (onnx)"), rates, strict=True
        )
    ]

    line = peers.table(rows)[2]
    assert line.startswith(
        "| 28×28 | 1 | vitrine, 1 worker | 3.00 (3.00-3.00) | 1.50 (1.50-1.50) |"
    )
    peers.goals(rows)
    assert "| – |" in peers.table(rows[3:])[2]


def test_the_verdict_compares_the_better_of_our_layouts_with_the_best_peer():
    rows = [
        row("vitrine, 1 worker", 100, 0.5),
        row("vitrine, 2 workers", 300, 0.7),
        row("signature", 100, 1.0),
        row("mosec (onnx)", 200),
        row("mosec (tensorflow)", 270),
    ]
    rate, p50 = peers.goals(rows)
    assert (rate.is_met, p50.is_met) == (False, False)
    assert "× mosec (tensorflow): 1.11 (1.11-1.11)" in rate.text
    assert "× signature: 0.70 (0.70-0.70)" in p50.text


def test_a_server_of_forms_is_sent_the_same_image_as_a_file():
    every = scenarios()
    paths = {"28×28": "/predict"}
    adapt = contestants.PEERS["litserve"].adapt
    litserve = contestants.Contestant("litserve", lambda _: [], paths, {}, adapt)
    asked = litserve.asked("28×28", every)
    assert read_files(asked.body, asked.content_type, 2) == [every["digit"].body]
    assert asked.path == "/predict"


def test_other_servers_may_take_a_drawing_for_any_digit():
    one = json.dumps(network.answer(np.eye(10)[1])).encode()
    ours, others = contestants.ours(["280×280"]), contestants.decode_only(["280×280"])

    assert not ours.asked("280×280", scenarios()).is_right(one)
    assert others.asked("280×280", scenarios()).is_right(one)
    assert not others.asked("280×280", scenarios()).is_right(b"{}")


@pytest.mark.parametrize(
    ("name", "wrap"),
    [
        ("mosec", lambda answer: answer),
        ("bentoml", lambda answer: [answer]),
        ("mlserver", lambda answer: {"outputs": [{"data": [json.dumps(answer)]}]}),
    ],
)
def test_answers_of_each_server_are_checked_for_the_digit(name, wrap):
    asked = contestants.PEERS[name].adapt(scenarios()["digit"])
    assert asked.is_right(json.dumps(wrap(network.answer(np.eye(10)[7]))).encode())
    assert not asked.is_right(json.dumps(wrap(network.answer(np.eye(10)[1]))).encode())
    assert not asked.is_right(b"busy")


def test_mlserver_is_sent_the_image_in_base64():
    digit = scenarios()["digit"]
    (image,) = json.loads(contestants.PEERS["mlserver"].adapt(digit).body)["inputs"]

    assert base64.b64decode(image["data"][0]) == digit.body
    assert (image["datatype"], image["parameters"]) == ("BYTES", {"content_type": "base64"})


def test_each_server_is_asked_for_the_jobs_it_does(tmp_path):
    for name in ("digits-course", "labels", "vae"):
        (tmp_path / name / "1").mkdir(parents=True)
    paths = {one.name: one.paths for one in contestants.contestants(tmp_path, [])}
    assert list(paths["vitrine, 1 worker"]) == ["28×28", "280×280", "photo", "vae"]
    assert paths["vitrine, 1 worker"]["280×280"] == "/v1/digits/classify?model=digits-course"
    assert paths["signature"].keys() == paths["vitrine, 1 worker"].keys()
    assert list(paths["decode-only"]) == ["28×28", "280×280", "photo"]


def test_the_chart_has_a_panel_for_each_job(tmp_path):
    rows = [
        row(server, rate, connections=connections)._replace(job=job)
        for job in ("28×28", "photo", "vae")
        for connections in (1, 32)
        for server, rate in (("vitrine, 1 worker", 300), ("signature", 100))
    ]
    peers.write_chart(rows, tmp_path / "peers.png")
    with Image.open(tmp_path / "peers.png") as chart:
        assert chart.width > 900
        assert chart.height < 400


def test_a_plain_endpoint_and_one_without_a_network_answer_with_five_labels():
    photo = scenarios()["photo"]
    labels = [[f"n{i}", f"label {i}"] for i in range(1000)]
    pixels = signature.decode_photo(photo.body)
    assert (pixels.shape, pixels.dtype) == ((224, 224, 3), "uint8")
    found = signature.best(np.arange(1000) / 1000, labels)
    assert photo.is_right(json.dumps({"predictions": [found]}).encode())
    with TestClient(decode_only_server.create_app()) as client:
        assert photo.is_right(client.post("/v1/images/label", content=photo.body).content)
