"""SavedModels that bring no manifest, made by TensorFlow and read without it."""

import pytest

from service.runtime.manifest import ManifestError
from service.runtime.saved_model import check_operations, describe, forbidden_operations, main

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")


class Table(tf.Module):
    """Several inputs and outputs, a variable, a table, strings, a ragged and a lone signature."""

    def __init__(self):
        super().__init__()
        self.weights = tf.Variable([[1.0], [2.0]])
        initializer = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2], value_dtype=tf.int64)
        self.table = tf.lookup.StaticHashTable(initializer, -1)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 2], tf.float32, "x"),
            tf.TensorSpec([None], tf.string, "word"),
        ]
    )
    def rows(self, x, word):
        return {"y": x @ self.weights, "number": self.table.lookup(word), "echo": word}

    @tf.function(
        input_signature=[tf.TensorSpec([3], tf.int32, "x"), tf.TensorSpec([], tf.string, "s")]
    )
    def alone(self, x, s):
        return {"sum": tf.reduce_sum(x), "text": tf.strings.join([s, "!"])}


def save(module, directory, **signatures):
    tf.saved_model.save(module, str(directory), signatures=signatures)
    return directory


@pytest.fixture
def table(tmp_path):
    module = Table()
    return save(module, tmp_path / "table" / "7", serving_default=module.rows, alone=module.alone)


def test_the_signatures_are_those_of_the_model(table):
    manifest = describe(table)

    assert (manifest.name, manifest.version, manifest.task) == ("table", 7, "tensors")
    assert manifest.signatures["serving_default"].inputs == {
        "word": "string [B]",
        "x": "float32 [B,2]",
    }
    assert manifest.signatures["serving_default"].outputs == {
        "echo": "string [B]",
        "number": "int64 [B]",
        "y": "float32 [B,1]",
    }
    assert manifest.signatures["alone"].inputs == {"s": "string []", "x": "int32 [3]"}
    assert (manifest.batch_limit("serving_default"), manifest.batch_limit("alone")) == (64, 1)
    check_operations(table)


class Hostile(tf.Module):
    def __init__(self, act):
        super().__init__()
        self.seen = tf.Variable(0.0)
        self.act = act

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def __call__(self, x):
        tf.cond(tf.reduce_any(x > 1), lambda: self.act(self, x), lambda: None)
        return {"y": x}


@pytest.mark.parametrize(
    ("act", "operation"),
    [
        (lambda _, x: tf.print(x, output_stream="file:///tmp/owned"), "PrintV2"),
        (lambda _, x: tf.io.write_file("/tmp/owned", tf.strings.as_string(x[0])), "WriteFile"),
        (lambda _, x: tf.io.read_file("/etc/hostname"), "ReadFile"),
        (lambda _, x: tf.raw_ops.Save(filename="/tmp/o", tensor_names=["x"], data=[x]), "Save"),
        (
            lambda _, x: tf.raw_ops.ImmutableConst(
                dtype=tf.float32, shape=[1], memory_region_name="/etc/hostname"
            ),
            "ImmutableConst",
        ),
        (lambda module, x: module.seen.assign(x[0]), "AssignVariableOp"),
    ],
)
def test_operations_that_do_more_than_compute_are_named(tmp_path, act, operation):
    def run(module, x):
        act(module, x)

    module = Hostile(run)
    directory = save(module, tmp_path / "hostile" / "1", serving_default=module.__call__)

    assert operation in forbidden_operations(directory)
    with pytest.raises(ManifestError, match=operation):
        check_operations(directory)
    check_operations(directory, forbidden_operations(directory))
    assert main([str(directory)]) == 1


def test_what_is_no_saved_model_is_told(tmp_path):
    directory = tmp_path / "odd" / "1"
    directory.mkdir(parents=True)
    for content in (b"", b"\xff" * 40, b"digits 1"):
        (directory / "saved_model.pb").write_bytes(content)
        with pytest.raises(ManifestError, match=r"saved_model\.pb must"):
            describe(directory)


def test_a_model_without_dense_signatures_is_told(tmp_path):
    directory = save(tf.Module(), tmp_path / "bare" / "1")

    with pytest.raises(ManifestError, match="must have a signature"):
        describe(directory)


@pytest.mark.parametrize("dtype", ["complex64", "bfloat16"])
def test_a_model_of_types_that_no_protocol_carries_is_told_which_ones_are(tmp_path, dtype):
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, "x")])
    def cast(x):
        return {"y": tf.cast(x, dtype)}

    module = tf.Module()
    module.cast = cast
    directory = save(module, tmp_path / "odd" / "1", serving_default=cast)

    with pytest.raises(ManifestError) as caught:
        describe(directory)
    offered = str(caught.value).partition(" of ")[2].partition(", got none: cast outputs")[0]
    assert {"float32", "int64", "bool", "string"} <= set(offered.split(", "))
    assert dtype not in offered
