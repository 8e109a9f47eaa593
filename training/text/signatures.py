"""The signatures of an exported character model: prefill, read, generate, score.

In TensorFlow they are compiled with XLA (recorded in the manifest) and run only at the largest batch size;
in ONNX they run at the manifest's batch sizes. A row's values never depend on the other rows.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.job import Arrays, Signature
from training.text import model as text_model
from training.text import onnx_graphs
from training.text.model import Network
from training.text.sampling import Controls

# Rows per call. A single row uses another matrix kernel, and its last bits differ.
# A character at 32 rows costs 0.23 (text-course) and 0.34 (text) of one at 2 rows, and a new sequence waits
# for at most 40 ms.
BATCH_SIZES = (2, 4, 8, 16, 32)
GOLDEN_ROWS = 4
MOST_STEPS = 256
GOLDEN_CHARACTERS, GOLDEN_MARGIN = 8, 0.1
LOGPROB, STATE = {"logprobs": 2e-3}, {"state": 2e-3}  # far above the differences between processors

IDS = tf.TensorSpec([None, None], tf.int32)
LENGTHS = tf.TensorSpec([None], tf.int32)


def steps(net: Network) -> int:
    """Characters per call: about 5 to 20 ms of work, and a power of two."""
    weights = sum(int(np.prod(w.shape)) for layer in net.layers for w in layer)
    return int(2 ** np.clip(np.round(np.log2(1.2e8 / weights)), 3, np.log2(MOST_STEPS)))


def manifest_fields(model: keras.Model, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """The additional manifest fields of text models."""
    net = text_model.network(model, "".join(calibration["vocabulary"]))
    return {
        "vocabulary": list(calibration["vocabulary"]),
        "batch_sizes": list(BATCH_SIZES),
        "max_batch_size": max(BATCH_SIZES),
        "steps": steps(net),
        "compiled": True,
    }


def signatures(model: keras.Model, calibration: Mapping[str, Any]) -> dict[str, Signature]:
    """Return the four signatures, each with its golden inputs."""
    net = text_model.network(model, "".join(calibration["vocabulary"]))
    state = tf.TensorSpec([None, 2 * len(net.layers) * net.units], tf.float32)
    functions = _functions(net)
    golden = _golden(net, functions)
    named = {
        "prefill": ({"token_ids": IDS, "lengths": LENGTHS}, STATE),
        "read": ({"state": state, "token_ids": IDS, "lengths": LENGTHS}, LOGPROB | STATE),
        "generate": (
            {
                "state": state,
                "uniforms": tf.TensorSpec([None, None], tf.float32),
                "lengths": LENGTHS,
                "temperature": tf.TensorSpec([None], tf.float32),
                "top_k": LENGTHS,
                "top_p": tf.TensorSpec([None], tf.float32),
            },
            LOGPROB | STATE,
        ),
        "score": ({"token_ids": IDS}, LOGPROB),
    }
    return {
        name: Signature(
            functions[name],
            {key: tf.TensorSpec(spec.shape, spec.dtype, key) for key, spec in inputs.items()},
            tolerance,
            golden[name],
            partial(onnx_graphs.make, net, name),
        )
        for name, (inputs, tolerance) in named.items()
    }


def golden_inputs() -> Arrays:
    """Empty: each signature has its own golden inputs."""
    return {}


def _functions(net: Network) -> dict[str, Any]:
    def prefill(token_ids: Any, lengths: Any) -> dict[str, Any]:
        state = text_model.initial_state(net, tf.shape(token_ids)[0])
        return {"state": text_model.read(net, state, token_ids, lengths)["state"]}

    def read(state: Any, token_ids: Any, lengths: Any) -> dict[str, Any]:
        return text_model.read(net, state, token_ids, lengths)

    def generate(
        state: Any, uniforms: Any, lengths: Any, temperature: Any, top_k: Any, top_p: Any
    ) -> dict[str, Any]:  # fmt: skip
        controls = Controls(temperature, top_k, top_p)
        return text_model.generate(net, state, uniforms, lengths, controls)

    def score(token_ids: Any) -> dict[str, Any]:
        rows, width = tf.shape(token_ids)[0], tf.shape(token_ids)[1]
        state = text_model.initial_state(net, rows)
        whole = text_model.read(net, state, token_ids, tf.fill([rows], width))
        return {"logprobs": whole["logprobs"]}

    return {f.__name__: text_model.compiled(f) for f in (prefill, read, generate, score)}


def _golden(net: Network, functions: Mapping[str, Any]) -> dict[str, Arrays]:
    """Inputs with the same outputs on other processors: given characters, and likeliest ones.

    Likeliest characters are generated only while they are clearly the likeliest, so that rounding
    cannot change the text.
    """
    width = steps(net)
    rows, columns = np.mgrid[:GOLDEN_ROWS, :width]
    ids = ((7 * rows + (3 + rows) * columns) % net.symbols).astype(np.int32)
    lengths = np.array([width, 0, 1, width // 2], np.int32)
    state = functions["prefill"](tf.constant(ids), tf.constant(lengths))["state"]
    greedy = {
        "state": state.numpy(),
        "uniforms": np.zeros((GOLDEN_ROWS, width), np.float32),
        "lengths": np.full(GOLDEN_ROWS, GOLDEN_CHARACTERS, np.int32),
        "temperature": np.zeros(GOLDEN_ROWS, np.float32),
        "top_k": np.zeros(GOLDEN_ROWS, np.int32),
        "top_p": np.ones(GOLDEN_ROWS, np.float32),
    }
    written = functions["generate"](*map(tf.constant, greedy.values()))["top_logprobs"].numpy()
    clear = (written[..., 0] - written[..., 1])[:, :GOLDEN_CHARACTERS] > GOLDEN_MARGIN
    greedy["lengths"] = np.cumprod(clear, axis=1).sum(axis=1).astype(np.int32)
    return {
        "prefill": {"token_ids": ids, "lengths": lengths},
        "read": {"state": greedy["state"], "token_ids": ids, "lengths": lengths[::-1].copy()},
        "generate": greedy,
        "score": {"token_ids": ids},
    }
