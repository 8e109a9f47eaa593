"""The comparison with other servers: who takes part, the tables and the verdict; nothing is started."""

import sys

import pytest

from clients.benchmark import peers, wrk
from clients.load.measurement import Measurement
from clients.load.scenario import scenarios
from service.codecs.multipart import read_files

WRK = """\
Running 1s test @ http://127.0.0.1:7601/
  Latency Distribution
     50%  250.00us
     75%    1.20ms
     99%    1.02s
  3000 requests in 1.00s, 1.00MB read
  Socket errors: connect 0, read 1, write 0, timeout 2
  Non-2xx or 3xx responses: 7
Requests/sec:   2993.51
"""


def row(server, rate, p50_ms=1.0, number=0, connections=1):
    measured = Measurement(rate, p50_ms, 9.0, 0, 0)
    is_peer = server.startswith("mosec")
    return peers.PeerRow(number, server, is_peer, "28×28", connections, measured, 1.5, 300.0)


def test_what_wrk_prints_is_read_in_milliseconds():
    assert wrk.read(WRK) == Measurement(2993.51, 0.25, 1020.0, 7, 3)


def test_anything_else_is_no_measurement():
    with pytest.raises(ValueError, match="wrk printed something else: unable to connect"):
        wrk.read("unable to connect to 127.0.0.1")


def test_without_another_interpreter_no_peer_takes_part(tmp_path):
    (tmp_path / "digits-course" / "3").mkdir(parents=True)
    names = [one.name for one in peers.contestants(tmp_path, None, 2)]
    assert names == ["vitrine, 1 worker", "vitrine, 2 workers", "signature", "decode-only"]
    assert next(one.name for one in peers.contestants(tmp_path, None, 1)) == "vitrine, 1 worker"


def test_a_peer_takes_part_where_its_interpreter_has_it(tmp_path, monkeypatch):
    (tmp_path / "digits-course" / "3").mkdir(parents=True)
    monkeypatch.setattr(peers, "PACKAGES", {"json": ("onnx",), "no_such_server": ("onnx",)})
    found = [one for one in peers.contestants(tmp_path, sys.executable, 1) if one.is_peer]
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
    assert "1.11 (1.11-1.11) × mosec (tensorflow)" in rate.text
    assert "0.70 (0.70-0.70) × signature" in p50.text


def test_a_server_of_forms_is_sent_the_same_image_as_a_file():
    scenario = scenarios()["digit"]
    litserve = peers.Contestant("litserve (onnx)", lambda _: [], "/predict", {}, takes_form=True)
    asked = litserve.asked(scenario)
    assert read_files(asked.body, asked.content_type, 2) == [scenario.body]
    assert asked.path == "/predict"
