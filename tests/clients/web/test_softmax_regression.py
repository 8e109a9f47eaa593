"""The page's softmax regression beside scikit-learn's, on the same features and folds."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

MODULE = Path(__file__).parents[3] / "clients/web/softmax_regression.js"
PROGRAM = f"""
import {{ crossValidate, foldsOf }} from {json.dumps(MODULE.as_uri())};
let text = "";
for await (const piece of process.stdin) text += piece;
const {{ vectors, labels, classes }} = JSON.parse(text);
const found = crossValidate(vectors, labels, classes);
console.log(JSON.stringify({{ ...found, foldOf: foldsOf(labels, found.folds) }}));
"""
pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")


@pytest.mark.parametrize(("images", "folds"), [(10, 50), (16, 5)], ids=["left one out", "5 parts"])
def test_the_accuracy_is_that_of_scikit_learn(images, folds):
    """Five classes whose features overlap, so that neither reads all of them."""
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(5)
    labels = np.repeat(np.arange(5), images)
    vectors = (0.35 * random.normal(size=(5, 100))[labels]) + random.normal(size=(len(labels), 100))
    given = {"vectors": vectors.tolist(), "labels": labels.tolist(), "classes": 5}
    finished = subprocess.run(
        ["node", "--input-type=module", "-e", PROGRAM],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(finished.stdout)
    parts = np.array(found["foldOf"])
    expected = np.empty_like(labels)
    for part in range(folds):
        inside = parts == part
        model = LogisticRegression(max_iter=1000).fit(vectors[~inside], labels[~inside])
        expected[inside] = model.predict(vectors[inside])

    accuracy = (expected == labels).mean()
    assert found["folds"] == folds
    assert 0.5 < accuracy < 0.99
    assert abs(found["accuracy"] - accuracy) <= 0.02
