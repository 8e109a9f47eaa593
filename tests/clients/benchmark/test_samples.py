"""What the samples' part of the benchmark makes of what was measured."""

from clients.benchmark import samples
from clients.benchmark.http_vs_raw import ModelRow
from clients.load.measurement import Measurement


def row(number, p50_ms, raw_ms, errors=0, model="vae"):
    alone = Measurement(100.0, p50_ms, 9.0, errors, 0)
    return ModelRow(number, model, alone, Measurement(200.0, 150.0, 300.0, 0, 1), raw_ms)


def test_the_line_tells_time_ratio_rate_and_errors():
    *_, line = samples.table([row(0, 8.0, 4.0), row(1, 12.0, 4.0, errors=2)])

    assert line == (
        "| vae | 10.00 (8.00-12.00) | 4.00 (4.00-4.00) | 2.50 (2.00-3.00) | 200 (200-200) | 4 |"
    )


def test_each_model_has_its_own_line_and_verdict():
    rows = [row(0, 8.0, 4.0), row(0, 20.0, 4.0, model="gan")]

    assert [line.split()[1] for line in samples.table(rows)[2:]] == ["vae", "gan"]
    assert [goal.is_met for goal in samples.goals(rows)] == [True, False]


def test_the_verdict_is_on_the_median():
    assert samples.goals([row(0, 8.0, 4.0), row(1, 14.0, 4.0), row(2, 99.0, 4.0)])[0].is_met
    assert not samples.goals([row(0, 16.0, 4.0)])[0].is_met
    assert samples.goals([]) == []


def test_without_the_model_samples_are_left_out(tmp_path):
    said = []

    assert samples.measure(tmp_path, 1, 1, said.append) == []
    assert ["export vae" in said[0], "export gan" in said[1]] == [True, True]
