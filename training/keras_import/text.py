"""A character model → task generate_text: made stateful with the same weights.

The course's model reads a window of 40 characters again for each generated character. The service
carries the state instead, which costs a fortieth. For the first 40 characters the models are the same;
afterwards the stateful one also remembers characters that have left the window.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from training.export.layer_table import layer_table
from training.export.saved_model import Artefact
from training.job import Signature
from training.keras_import import recurrent
from training.keras_import.artefact import card, write
from training.keras_import.network import load_model
from training.keras_import.options import ImportOptions, say
from training.keras_import.recurrent import RecurrentNetwork
from training.keras_import.vocabulary_file import read_vocabulary
from training.text import signatures
from training.text.functions import input_specs, text_functions
from training.text.model import TASK
from training.text.signatures import golden_text, text_fields

BATCH, STEPS = 4, 32  # rows per call, and characters generated per call
CHECKED = 40  # characters on which the stateful graph must agree with the model's own predict
AGREEMENT = 1e-4
# No character is generated for the golden outputs, because rounding could change one.
TOLERANCES = {**signatures.TOLERANCES, "generate": signatures.STATE}
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
    note = NOTE.format(difference=difference, window=net.window or CHECKED)
    artefact = Artefact(
        task=TASK,
        signatures=_signatures(net),
        tracked=model.variables,
        fields=text_fields(vocabulary, [BATCH], STEPS),
        card={
            **card(options, TASK, note, {"window": str(net.window)}),
            "parameters": model.count_params(),
            "layers": layer_table(model),
        },
    )
    return write(artefact, options, models)


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
    """The signatures of every text model."""
    functions = text_functions(
        lambda rows: tf.zeros([rows, net.state_size]),
        partial(recurrent.read, net),
        partial(recurrent.generate, net),
    )
    golden = golden_text(net.symbols, STEPS, net.state_size)
    specs = input_specs(net.state_size)
    return {
        name: Signature(functions[name], specs[name], tolerance, golden[name])
        for name, tolerance in TOLERANCES.items()
    }
