"""The output of wrk 4.1.0 as it printed it, and the script we give it."""

import pytest

from clients.benchmark.wrk import parse_output, scenario_url, write_script
from clients.load.scenario import scenarios
from clients.load.target import Target

CLEAN = """\
Running 2s test @ http://127.0.0.1:8791/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   126.24us  117.09us   4.04ms   98.82%
    Req/Sec   237.22k     6.74k  245.70k    66.67%
  Latency Distribution
     50%  115.00us
     75%  147.00us
     90%  172.00us
     99%  254.00us
  493654 requests in 2.10s, 81.45MB read
Requests/sec: 235057.44
Transfer/sec:     38.78MB
"""
FAILING = """\
Running 1s test @ http://127.0.0.1:8794/v1/digits/classify
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     4.20ms    3.95ms  40.73ms   96.86%
    Req/Sec     0.87k   109.38     0.91k    90.00%
  Latency Distribution
     50%    3.54ms
     75%    3.60ms
     90%    3.65ms
     99%   30.10ms
  864 requests in 1.00s, 146.81KB read
  Socket errors: connect 0, read 864, write 2, timeout 1
  Non-2xx or 3xx responses: 863
Requests/sec:    863.66
Transfer/sec:    146.76KB
"""


def test_a_clean_run_is_read():
    assert parse_output(CLEAN) == pytest.approx((235057.44, 0.115, 0.254, 0, 0))


def test_errors_of_every_kind_are_summed():
    assert parse_output(FAILING) == pytest.approx((863.66, 3.54, 30.1, 863, 867))


def test_seconds_and_minutes_become_milliseconds():
    slow = CLEAN.replace("115.00us", "1.50s").replace("254.00us", "2.00m")
    assert parse_output(slow)[1:3] == (1500.0, 120_000.0)


def test_output_that_is_none_of_wrk_is_refused_and_shown():
    with pytest.raises(ValueError, match="unable to connect"):
        parse_output("unable to connect to 127.0.0.1:1 Connection refused")


def test_the_script_spells_every_byte_of_the_body(tmp_path):
    digit = scenarios()["digit"]
    lines = write_script(digit, tmp_path).read_text().splitlines()
    assert lines[:2] == [
        'wrk.method = "POST"',
        'wrk.headers["Content-Type"] = "image/png"',
    ]
    spelled = lines[2].removeprefix('wrk.body = "').removesuffix('"')
    assert bytes(int(number) for number in spelled.split("\\")[1:]) == digit.body


def test_the_url_keeps_the_prefix_of_a_proxy():
    url = scenario_url(scenarios()["digit"], Target("127.0.0.1", 80, "/vitrine"))
    assert url == "http://127.0.0.1:80/vitrine/v1/digits/classify"
