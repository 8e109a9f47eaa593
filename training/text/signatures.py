"""The signatures of an exported character model: prefill, read, generate, score.

In TensorFlow they are compiled with XLA (recorded in the manifest) and run only at the largest batch size;
in ONNX they run at the manifest's batch sizes. A row's values never depend on the other rows.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.job import Arrays, Signature
from training.text import model as text_model
from training.text import onnx_generation, onnx_reading
from training.text.functions import input_specs, text_functions
from training.text.model import Network
from training.text.onnx_network import Weights

# Rows per call. A single row uses another matrix kernel, and its last bits differ.
# A character at 32 rows costs 0.23 (text-course) and 0.34 (text) of one at 2 rows, and a new sequence waits
# for at most 40 ms.
BATCH_SIZES = (2, 4, 8, 16, 32)
GOLDEN_ROWS = 4
MOST_STEPS = 256
GOLDEN_CHARACTERS, GOLDEN_MARGIN = 8, 0.1
LOGPROB, STATE = {"logprobs": 2e-3}, {"state": 2e-3}  # far above the differences between processors
TOLERANCES = {
    "prefill": STATE,
    "read": LOGPROB | STATE,
    "generate": LOGPROB | STATE,
    "score": LOGPROB,
}
ONNX = {
    "prefill": onnx_reading.prefill,
    "read": onnx_reading.read,
    "score": onnx_reading.score,
    "generate": onnx_generation.generate,
}


def steps(net: Network) -> int:
    """Characters per call: about 5 to 20 ms of work, and a power of two."""
    weights = sum(int(np.prod(w.shape)) for layer in net.layers for w in layer)
    return int(2 ** np.clip(np.round(np.log2(1.2e8 / weights)), 3, np.log2(MOST_STEPS)))


def manifest_fields(model: keras.Model, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """The additional manifest fields of text models."""
    net = text_model.network(model, "".join(calibration["vocabulary"]))
    return text_fields("".join(calibration["vocabulary"]), BATCH_SIZES, steps(net))


def text_fields(vocabulary: str, batch_sizes: Sequence[int], steps: int) -> dict[str, Any]:
    """The manifest fields of every text model."""
    return {
        "vocabulary": list(vocabulary),
        "batch_sizes": list(batch_sizes),
        "max_batch_size": max(batch_sizes),
        "steps": steps,
        "compiled": True,
    }


def signatures(model: keras.Model, calibration: Mapping[str, Any]) -> dict[str, Signature]:
    """Return the four signatures, each with its golden inputs."""
    net = text_model.network(model, "".join(calibration["vocabulary"]))
    net = text_model.calibrated(net, calibration)
    functions = text_functions(
        partial(text_model.initial_state, net),
        partial(text_model.read, net),
        partial(text_model.generate, net),
    )
    golden = _golden(net, functions)
    specs = input_specs(2 * len(net.layers) * net.units)
    return {
        name: Signature(
            functions[name],
            specs[name],
            tolerance,
            golden[name],
            partial(onnx_graph, net, name),
        )
        for name, tolerance in TOLERANCES.items()
    }


def onnx_graph(net: Network, signature: str) -> Any:
    """The ONNX model of a signature."""
    return ONNX[signature](Weights(net))


def _golden(net: Network, functions: Mapping[str, Any]) -> dict[str, Arrays]:
    """Inputs with the same outputs on other processors: given characters, and likeliest ones.

    Likeliest characters are generated only while they are clearly the likeliest, so that rounding
    cannot change the text.
    """
    golden = golden_text(net.symbols, steps(net), 2 * len(net.layers) * net.units)
    state = functions["prefill"](*map(tf.constant, golden["prefill"].values()))["state"].numpy()
    greedy = {**golden["generate"], "state": state}
    greedy["lengths"] = np.full(GOLDEN_ROWS, GOLDEN_CHARACTERS, np.int32)
    written = functions["generate"](*map(tf.constant, greedy.values()))["top_logprobs"].numpy()
    clear = (written[..., 0] - written[..., 1])[:, :GOLDEN_CHARACTERS] > GOLDEN_MARGIN
    greedy["lengths"] = np.cumprod(clear, axis=1).sum(axis=1).astype(np.int32)
    lengths = golden["prefill"]["lengths"][::-1].copy()
    read = {**golden["read"], "state": state, "lengths": lengths}
    return {**golden, "read": read, "generate": greedy}


def golden_text(symbols: int, width: int, state_size: int) -> dict[str, Arrays]:
    """Inputs of each function with given characters, from states of zeros; none are generated."""
    rows, columns = np.mgrid[:GOLDEN_ROWS, :width]
    ids = ((7 * rows + (3 + rows) * columns) % symbols).astype(np.int32)
    state = np.zeros((GOLDEN_ROWS, state_size), np.float32)
    text = {"token_ids": ids, "lengths": np.array([width, 0, 1, width // 2], np.int32)}
    return {
        "prefill": text,
        "read": {"state": state, **text},
        "generate": {
            "state": state,
            "uniforms": np.zeros((GOLDEN_ROWS, width), np.float32),
            "lengths": np.zeros(GOLDEN_ROWS, np.int32),
            "temperature": np.zeros(GOLDEN_ROWS, np.float32),
            "top_k": np.zeros(GOLDEN_ROWS, np.int32),
            "top_p": np.ones(GOLDEN_ROWS, np.float32),
        },
        "score": {"token_ids": ids},
    }
