"""The text model's ONNX graphs: what TensorFlow gives, and the same bytes whatever shares the batch."""

import numpy as np
import onnxruntime as ort
import pytest

tf = pytest.importorskip("tensorflow")

from tests.training.text.test_model import VOCABULARY, make, random_row  # noqa: E402
from training.export import onnx_graphs as export  # noqa: E402
from training.text import model as text_model  # noqa: E402
from training.text import signatures as text_signatures  # noqa: E402

pytestmark = pytest.mark.tensorflow
STEPS = 24


@pytest.fixture(scope="module")
def both():
    """Call a signature in ONNX and in TensorFlow: two dictionaries of outputs."""
    model = make()
    net = text_model.network(model, VOCABULARY)
    signatures = text_signatures.signatures(model, {"vocabulary": list(VOCABULARY)})
    sessions = {}
    for name in signatures:
        graph = text_signatures.onnx_graph(net, name)
        export.check(graph)
        sessions[name] = ort.InferenceSession(graph.SerializeToString())

    def call(name, **given):
        session = sessions[name]
        names = [output.name.removeprefix(f"{name}/") for output in session.get_outputs()]
        found = dict(zip(names, session.run(None, given), strict=True))
        outputs = signatures[name].function(
            *(tf.constant(given[k]) for k in signatures[name].inputs)
        )
        return found, {key: value.numpy() for key, value in outputs.items()}

    return call


def rows(rng, count):
    drawn = [random_row(rng, STEPS) for _ in range(count)]
    return {name: np.stack([row[name] for row in drawn]) for name in drawn[0]}


def test_reading_gives_what_tensorflow_gives(both):
    rng = np.random.default_rng(1)
    ids = rng.integers(0, len(VOCABULARY), (4, STEPS)).astype(np.int32)
    lengths = np.array([STEPS, 0, 1, STEPS // 2], np.int32)
    state = rng.normal(size=(4, 160)).astype(np.float32) / 2

    for name, given in {
        "prefill": {"token_ids": ids, "lengths": lengths},
        "read": {"state": state, "token_ids": ids, "lengths": lengths},
        "score": {"token_ids": ids},
    }.items():
        found, expected = both(name, **given)
        assert found.keys() == expected.keys()
        for key in expected:
            np.testing.assert_allclose(found[key], expected[key], atol=1e-4, err_msg=key)


def test_generating_draws_what_tensorflow_draws_under_every_control(both):
    rng = np.random.default_rng(2)
    same = 0
    for _ in range(5):
        found, expected = both("generate", **rows(rng, 8))
        for row in range(8):
            if np.array_equal(found["token_ids"][row], expected["token_ids"][row]):
                same += 1
                for key in ("logprobs", "top_logprobs", "state"):
                    np.testing.assert_allclose(found[key][row], expected[key][row], atol=1e-3)

    assert same >= 38  # of 40: a draw at the edge of rounding may fall either way


def test_a_row_gives_the_same_bytes_in_any_batch_and_beside_any_filter(both):
    rng = np.random.default_rng(3)
    mine = rows(rng, 1) | {"lengths": np.full(1, STEPS, np.int32)}
    mine |= {"top_k": np.zeros(1, np.int32), "top_p": np.ones(1, np.float32)}
    alone = None
    for count in (2, 4, 8):
        others = rows(rng, count - 1)
        others["top_k"][:] = 3  # the filters are computed, for the others
        batch = {name: np.concatenate([others[name], mine[name]]) for name in mine}
        found, _ = both("generate", **batch)
        last = {name: array[-1].tobytes() for name, array in found.items()}
        alone = alone or last
        assert last == alone
    found, _ = both("generate", **{name: np.repeat(a, 2, axis=0) for name, a in mine.items()})
    assert {name: array[-1].tobytes() for name, array in found.items()} == alone


def test_no_characters_are_generated_where_every_length_is_zero(both):
    given = rows(np.random.default_rng(3), 2) | {"lengths": np.zeros(2, np.int32)}
    onnx, tensorflow = both("generate", **given)

    assert {name: array.shape for name, array in onnx.items()} == {
        name: array.shape for name, array in tensorflow.items()
    }
    np.testing.assert_array_equal(onnx["state"], given["state"])
