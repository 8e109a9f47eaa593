"""The comparison of ways to classify Fashion-MNIST, on synthetic images."""

import json
import struct
from functools import partial

import numpy as np
import pytest

from training import evaluation
from training.data.mnist import synthetic_digits
from training.experiments import fashion_classifiers, fashion_comparison, small_cnn
from training.experiments.fashion_classifiers import Candidate

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def folder(tmp_path):
    """Fashion-MNIST's four files with synthetic digits in them."""
    for part, count in (("train", 60), ("t10k", 20)):
        images, labels = synthetic_digits(count, seed=count)
        header = struct.pack(">IIII", 0x803, count, 28, 28)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        written = struct.pack(">II", 0x801, count) + labels.astype(np.uint8).tobytes()
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(written)
    return tmp_path


def way(name, answer):
    measured = evaluation.proportion(8, 10)
    return Candidate(name, "none", 100, 1.23, numbers=4_000, accuracy=measured, answer=answer)


def test_the_ways_take_turns_so_that_a_busy_machine_is_busy_for_all():
    asked = []

    def noting(name):
        return way(name, lambda images: asked.append((name, len(images))))

    rows = fashion_comparison.compare([noting("a"), noting("b")], np.zeros((3, 28, 28, 1)))

    warm_up_and_rounds = 1 + fashion_comparison.ROUNDS
    assert asked == [("a", 1), ("b", 1)] * warm_up_and_rounds
    assert [row["way"] for row in rows] == ["a", "b"]
    assert all(row["milliseconds_a_picture"] >= 0 for row in rows)


def test_the_table_has_intervals_and_units():
    [row] = fashion_comparison.compare([way("a", len)], np.zeros((1, 28, 28, 1)))
    table = fashion_comparison.table([row | {"milliseconds_a_picture": 2.34}])

    assert table.splitlines()[-1] == (
        "| a | none | 100 | 80.00 % (49.02 to 94.33) | 1 s | 8 kB | 2.3 ms |"
    )


@pytest.mark.nightly  # half a minute; who compares the ways again runs it, nobody else
def test_it_trains_measures_prints_and_notes_all_ways(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fashion_classifiers, "KERNEL_IMAGES", 40)
    monkeypatch.setattr(small_cnn, "Config", partial(small_cnn.Config, epochs=1))
    card = tmp_path / "card.json"
    card.write_text(json.dumps({"job": "fashion-svm"}))
    arguments = ["--data-dir", folder, "--workdir", tmp_path / "work", "--card", card]

    assert fashion_comparison.main([str(argument) for argument in arguments]) == 0

    noted = json.loads(card.read_text())["comparison"]
    printed = capsys.readouterr().out
    assert len(noted) == 7
    assert sorted(row["trained_on"] for row in noted) == [40, 40, 50, 50, 50, 55_000, 55_000]
    assert all(row["way"] in printed for row in noted)
    accuracies = [row["test_accuracy"] for row in noted]
    assert sorted(accuracies, key=lambda one: one["value"]) == accuracies
    counts = sorted(one["count"] for one in accuracies)
    assert counts == [20] * 5 + [10_000] * 2  # the released ones: as their cards say


@pytest.mark.parametrize("option", ["--data-dir", "--card"])
def test_a_missing_file_is_explained(option, folder, capsys):
    assert fashion_comparison.main(["--data-dir", str(folder), option, "nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().err
