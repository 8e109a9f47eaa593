"""A function over arrays of any length, a number of rows at a time."""

import numpy as np
import pytest

from training.evaluation import batches
from training.evaluation.batches import in_batches

pytestmark = pytest.mark.tensorflow
X = np.arange(7, dtype=np.float32)


def test_outputs_are_those_of_all_rows_whatever_their_structure():
    sizes = []

    def outputs(x, y):
        sizes.append(len(x))
        return {"sum": x + y, "pair": (x, 2 * y)}

    found = in_batches(outputs, X, 10 * X, rows=3)

    assert sizes == [3, 3, 1]
    np.testing.assert_array_equal(found["sum"], 11 * X)
    np.testing.assert_array_equal(found["pair"][1], 20 * X)


def test_a_long_run_tells_its_progress(capsys, monkeypatch):
    monkeypatch.setattr(batches, "REPORTED", 2)

    in_batches(np.square, X, rows=2, progress="squares")

    assert capsys.readouterr().err == "squares: 4 of 7\nsquares: 7 of 7\n"
