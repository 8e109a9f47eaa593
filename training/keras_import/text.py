"""A character model → task generate_text: made stateful with the same weights.

The course's model reads a window of 40 characters again for each generated character. The service
carries the state instead, which costs a fortieth. For the first 40 characters the models are the same;
afterwards the stateful one also remembers characters that have left the window.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from training.export import saved_model
from training.export.layer_table import layer_table
from training.job import Arrays, Signature
from training.keras_import import recurrent
from training.keras_import.network import load_model
from training.keras_import.options import ImportOptions, card, digest, say
from training.keras_import.recurrent import RecurrentNetwork
from training.keras_import.vocabulary_file import read_vocabulary
from training.text import model as text_model
from training.text.sampling import Controls

TASK = "generate_text"
BATCH, STEPS = 4, 32  # rows per call, and characters generated per call
CHECKED = 40  # characters on which the stateful graph must agree with the model's own predict
AGREEMENT = 1e-4
LOGPROB, STATE = {"logprobs": 2e-3}, {"state": 2e-3}
NOTE = (
    "The state is carried on from character to character: on the first window it agrees with the "
    "model's own predict (largest difference {difference:.1e}); beyond it the model still knows what a "
    "sliding window of {window} characters would have forgotten."
)


def import_text(options: ImportOptions, models: Path) -> Path:
    """Write the next version of a character model; ValueError if it cannot be served."""
    if not options.path.is_file():
        raise ValueError(f"{options.path} must be a .keras or .h5 file to be imported as text")
    model = load_model(options.path)
    net = RecurrentNetwork(options.path, model)
    vocabulary = read_vocabulary(options, net.symbols)
    say(
        f"{options.path}: {net.symbols} characters, {len(net.recurrent)} recurrent layers; "
        f"{model.count_params():,} parameters"
    )
    difference = _compare(options.path, model, net)
    say(
        f"stateful: the largest difference from predict on {CHECKED} characters is {difference:.1e}"
    )
    say("writing the SavedModel, and its golden outputs")
    note = NOTE.format(difference=difference, window=net.window or CHECKED)
    return saved_model.write(
        saved_model.Artefact(
            task=TASK,
            input={},
            labels=[],
            signatures=_signatures(net),
            golden_inputs={},
            tracked=model.variables,
            fields={
                "vocabulary": list(vocabulary),
                "batch_sizes": [BATCH],
                "max_batch_size": BATCH,
                "steps": STEPS,
                "compiled": True,
            },
            card={
                **card(options, TASK, note, {"window": str(net.window)}),
                "parameters": model.count_params(),
                "layers": layer_table(model),
            },
            origin="adopted",
            digest=digest(options.path),
        ),
        models,
        options.name,
    )


def _compare(path: Path, model: Any, net: RecurrentNetwork) -> float:
    """The largest difference between `predict` and the stateful graph after a window of characters."""
    width = net.window or CHECKED
    ids = np.random.default_rng(7).integers(0, net.symbols, (3, width)).astype(np.int32)
    given: Any = ids if net.takes_ids else np.eye(net.symbols, dtype=np.float32)[ids]
    expected = np.asarray(model(tf.constant(given), training=False), np.float32)
    expected = expected[:, -1] if expected.ndim == 3 else expected
    state = recurrent.read(
        net, tf.zeros((3, net.state_size)), tf.constant(ids), tf.fill([3], width)
    )["state"]
    logits = net.logits(state)
    found = np.asarray(tf.nn.softmax(logits) if net.gives_softmax else logits)
    difference = float(np.max(np.abs(found - expected)))
    if not difference <= AGREEMENT:
        raise ValueError(
            f"{path} must give the same outputs when its state is carried on, got a difference of "
            f"{difference:.1e} on {width} characters; import it as --task tensors"
        )
    return difference


def _signatures(net: RecurrentNetwork) -> dict[str, Signature]:
    """The signatures of every text model: `prefill`, `read`, `generate` and `score`."""
    ids, lengths = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)
    state = tf.TensorSpec([None, net.state_size], tf.float32)
    vector = tf.TensorSpec([None], tf.float32)
    functions, golden = _functions(net), _golden(net)
    specs: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
        "prefill": ({"token_ids": ids, "lengths": lengths}, STATE),
        "read": ({"state": state, "token_ids": ids, "lengths": lengths}, LOGPROB | STATE),
        "generate": (
            {
                "state": state,
                "uniforms": tf.TensorSpec([None, None], tf.float32),
                "lengths": lengths,
                "temperature": vector,
                "top_k": lengths,
                "top_p": vector,
            },
            STATE,
        ),
        "score": ({"token_ids": ids}, LOGPROB),
    }
    return {
        name: Signature(
            functions[name],
            {key: tf.TensorSpec(spec.shape, spec.dtype, key) for key, spec in inputs.items()},
            tolerance,
            golden[name],
        )
        for name, (inputs, tolerance) in specs.items()
    }


def _functions(net: RecurrentNetwork) -> dict[str, Any]:
    def empty(token_ids: Any) -> Any:
        return tf.zeros([tf.shape(token_ids)[0], net.state_size])

    def prefill(token_ids: Any, lengths: Any) -> dict[str, Any]:
        return {"state": recurrent.read(net, empty(token_ids), token_ids, lengths)["state"]}

    def read(state: Any, token_ids: Any, lengths: Any) -> dict[str, Any]:
        return recurrent.read(net, state, token_ids, lengths)

    def generate(
        state: Any, uniforms: Any, lengths: Any, temperature: Any, top_k: Any, top_p: Any
    ) -> dict[str, Any]:  # fmt: skip
        controls = Controls(temperature, top_k, top_p)
        return recurrent.generate(net, state, uniforms, lengths, controls)

    def score(token_ids: Any) -> dict[str, Any]:
        rows, width = tf.shape(token_ids)[0], tf.shape(token_ids)[1]
        whole = recurrent.read(net, empty(token_ids), token_ids, tf.fill([rows], width))
        return {"logprobs": whole["logprobs"]}

    return {f.__name__: text_model.compiled(f) for f in (prefill, read, generate, score)}


def _golden(net: RecurrentNetwork) -> Mapping[str, Arrays]:
    """Golden inputs with characters to read; none are generated, because rounding could change one."""
    rows, columns = np.mgrid[:BATCH, :STEPS]
    ids = ((7 * rows + (3 + rows) * columns) % net.symbols).astype(np.int32)
    lengths = np.array([STEPS, 0, 1, STEPS // 2], np.int32)
    state = np.zeros((BATCH, net.state_size), np.float32)
    return {
        "prefill": {"token_ids": ids, "lengths": lengths},
        "read": {"state": state, "token_ids": ids, "lengths": lengths},
        "generate": {
            "state": state,
            "uniforms": np.zeros((BATCH, STEPS), np.float32),
            "lengths": np.zeros(BATCH, np.int32),
            "temperature": np.zeros(BATCH, np.float32),
            "top_k": np.zeros(BATCH, np.int32),
            "top_p": np.ones(BATCH, np.float32),
        },
        "score": {"token_ids": ids},
    }
