"""Several models are exported at a time; one that fails does not stop the others."""

import os
from pathlib import Path

import pytest

from training.cli import parallel


def export(name, models):
    """Fails for one name; the version directory says which process made it."""
    if name == "broken":
        raise ValueError("its weights are missing")
    return Path(models) / name / str(os.getpid())


@pytest.mark.parametrize("cores", [1, 2], ids=["one after the other", "two at a time"])
def test_each_model_is_reported_and_a_failure_is_one_line(tmp_path, monkeypatch, capsys, cores):
    monkeypatch.setattr(parallel.os, "cpu_count", lambda: cores)
    failed = parallel.run_each(export, ["digits", "broken", "gan"], tmp_path)
    printed = capsys.readouterr()

    assert failed == 1
    assert printed.err == "broken: not exported: its weights are missing\n"
    lines = sorted(printed.out.splitlines())
    assert [line.rpartition(" (")[0].split("/")[-2] for line in lines] == ["digits", "gan"]
    assert lines[0].endswith("of 3)")
    inside = str(os.getpid()) in printed.out
    assert inside == (cores == 1)
