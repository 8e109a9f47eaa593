"""The functions of a text model for the service: prefill, read, generate and score, with their inputs."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from training.text.sampling import Controls

Outputs = dict[str, Any]

IDS = tf.TensorSpec([None, None], tf.int32)
LENGTHS = tf.TensorSpec([None], tf.int32)


def input_specs(state_size: int) -> dict[str, dict[str, tf.TensorSpec]]:
    """The inputs of each function, by name; a state has `state_size` values."""
    state = tf.TensorSpec([None, state_size], tf.float32)
    vector = tf.TensorSpec([None], tf.float32)
    inputs = {
        "prefill": {"token_ids": IDS, "lengths": LENGTHS},
        "read": {"state": state, "token_ids": IDS, "lengths": LENGTHS},
        "generate": {
            "state": state,
            "uniforms": tf.TensorSpec([None, None], tf.float32),
            "lengths": LENGTHS,
            "temperature": vector,
            "top_k": LENGTHS,
            "top_p": vector,
        },
        "score": {"token_ids": IDS},
    }
    return {
        name: {key: tf.TensorSpec(spec.shape, spec.dtype, key) for key, spec in specs.items()}
        for name, specs in inputs.items()
    }


def text_functions(
    initial_state: Callable[[Any], Any],
    read_text: Callable[[Any, Any, Any], Outputs],
    generate_text: Callable[[Any, Any, Any, Controls], Outputs],
) -> dict[str, Any]:
    """The four functions, compiled.

    Args:
        initial_state: number of rows → state [B, S] before the first character.
        read_text: state, token ids int32 [B, T] and lengths int32 [B] → state, logprobs [B, T].
        generate_text: state, uniforms float32 [B, T], lengths and controls → as `model.generate`.
    """

    def prefill(token_ids: Any, lengths: Any) -> Outputs:
        state = initial_state(tf.shape(token_ids)[0])
        return {"state": read_text(state, token_ids, lengths)["state"]}

    def read(state: Any, token_ids: Any, lengths: Any) -> Outputs:
        return read_text(state, token_ids, lengths)

    def generate(
        state: Any, uniforms: Any, lengths: Any, temperature: Any, top_k: Any, top_p: Any
    ) -> Outputs:  # fmt: skip
        return generate_text(state, uniforms, lengths, Controls(temperature, top_k, top_p))

    def score(token_ids: Any) -> Outputs:
        rows, width = tf.shape(token_ids)[0], tf.shape(token_ids)[1]
        whole = read_text(initial_state(rows), token_ids, tf.fill([rows], width))
        return {"logprobs": whole["logprobs"]}

    return {f.__name__: compiled(f) for f in (prefill, read, generate, score)}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function of tensors with XLA: one kernel per step instead of a dozen."""
    return tf.function(function, jit_compile=True, autograph=False)
