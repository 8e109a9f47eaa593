"""A character model of Keras layers as a stateful graph: reads and generates characters.

Token ids, an embedding or one-hot vectors, layers of LSTM, GRU or simple
cells, dense layers, a softmax. The graph uses the model's own cells and weights, one step at a time. The state
is one tensor [B, S], the states of all cells concatenated, with zeros before the first character.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from training.text import sampling
from training.text.sampling import Controls

RECURRENT = (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN)
INACTIVE = (keras.layers.Dropout, keras.layers.InputLayer)  # at inference


class RecurrentNetwork:
    """The layers of a character model, by function."""

    def __init__(self, path: Path, model: Any) -> None:
        """Sort the layers of a Keras model; ValueError if it is no stack of them."""
        layers = [layer for layer in model.layers if not isinstance(layer, INACTIVE)]
        places = [n for n, layer in enumerate(layers) if isinstance(layer, RECURRENT)]
        if not places or len(model.inputs) != 1 or len(model.outputs) != 1:
            raise ValueError(
                f"{path} must be a stack of LSTM or GRU layers and Dense ones to be imported as text, got "
                f"{', '.join(type(layer).__name__ for layer in layers)}"
            )
        self.front = layers[: places[0]]
        self.recurrent = layers[places[0] : places[-1] + 1]
        self.head = layers[places[-1] + 1 :]
        self._check(path)
        self.takes_ids = len(model.inputs[0].shape) == 2
        self.window = model.inputs[0].shape[1]
        self.symbols = int(model.outputs[0].shape[-1])
        self.sizes = [int(size) for layer in self.recurrent for size in _sizes(layer)]
        self._check_width(path, model)

    def _check(self, path: Path) -> None:
        kinds = (
            (self.front, (keras.layers.Embedding, keras.layers.CategoryEncoding)),
            (self.recurrent, RECURRENT),
            (self.head, (keras.layers.Dense, keras.layers.TimeDistributed, keras.layers.Activation, keras.layers.Softmax, keras.layers.ReLU, keras.layers.LayerNormalization)),
        )  # fmt: skip
        for layers, allowed in kinds:
            for layer in layers:
                if not isinstance(layer, allowed):
                    raise ValueError(
                        f"{path} must have {' or '.join(one.__name__ for one in allowed)} in the place of "
                        f"{layer.name}, got {type(layer).__name__}; import it as --task tensors"
                    )
        if any(getattr(layer, "go_backwards", False) for layer in self.recurrent):
            raise ValueError(
                f"{path} must read forwards to be imported as text, got a layer with go_backwards"
            )

    def _check_width(self, path: Path, model: Any) -> None:
        width = model.inputs[0].shape[-1]
        if not self.takes_ids and (len(model.inputs[0].shape) != 3 or width != self.symbols):
            raise ValueError(
                f"{path} must take one-hot characters [B, T, {self.symbols}] or token ids [B, T], got "
                f"{list(model.inputs[0].shape)}"
            )

    @property
    def state_size(self) -> int:
        """S, values of a state."""
        return sum(self.sizes)

    def step(self, token_ids: Any, state: Any) -> Any:
        """State [B, S] after one more character [B] in every row."""
        x = self._embedded(token_ids)
        parts = tf.split(state, self.sizes, axis=1)
        after: list[Any] = []
        for layer in self.recurrent:
            count = len(_sizes(layer))
            mine, parts = parts[:count], parts[count:]
            x, states = layer.cell(x, mine, training=False)
            after += list(states) if isinstance(states, (list, tuple)) else [states]
        return tf.concat([tf.cast(one, tf.float32) for one in after], axis=1)

    def _embedded(self, token_ids: Any) -> Any:
        if self.takes_ids and self.front:
            return (
                self.front[0](token_ids[:, None])[:, 0]
                if _is_embedding(self.front[0])
                else tf.one_hot(token_ids, self.symbols)
            )
        return tf.one_hot(token_ids, self.symbols)

    def logits(self, state: Any) -> Any:
        """Unnormalized log-probabilities [B, V] of the next character."""
        last = _sizes(self.recurrent[-1])
        x = state[:, self.state_size - sum(last) : self.state_size - sum(last) + last[0]]
        for number, layer in enumerate(self.head):
            inner = layer.layer if isinstance(layer, keras.layers.TimeDistributed) else layer
            is_last = number == len(self.head) - 1
            if is_last and _is_softmax(inner):
                return self._before_softmax(inner, x)
            x = inner(x)
        return tf.cast(x, tf.float32)

    def _before_softmax(self, layer: Any, x: Any) -> Any:
        if not isinstance(layer, keras.layers.Dense):
            return tf.cast(x, tf.float32)
        product = tf.matmul(x, tf.convert_to_tensor(layer.kernel))
        return tf.cast(product + layer.bias if layer.use_bias else product, tf.float32)

    @property
    def gives_softmax(self) -> bool:
        """Whether `predict` gives probabilities."""
        last = self.head[-1] if self.head else None
        inner = last.layer if isinstance(last, keras.layers.TimeDistributed) else last
        return _is_softmax(inner)


def _is_embedding(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Embedding)


def _is_softmax(layer: Any) -> bool:
    activation = getattr(getattr(layer, "activation", None), "__name__", None)
    return isinstance(layer, keras.layers.Softmax) or activation == "softmax"


def _sizes(layer: Any) -> Sequence[int]:
    size = layer.cell.state_size
    return [int(one) for one in size] if isinstance(size, (list, tuple)) else [int(size)]


def read(net: RecurrentNetwork, state: Any, token_ids: Any, lengths: Any) -> dict[str, Any]:
    """Read the first lengths[b] of token_ids[b] (int32 [B, T]) after state [B, S].

    Returns logprobs float32 [B, T], of each character given those before it and 0 beyond a row's
    length, and the state after.
    """
    ids = tf.transpose(token_ids)
    logprobs = tf.TensorArray(tf.float32, tf.shape(ids)[0], element_shape=[None])

    def step(t: Any, state: Any, logprobs: Any) -> tuple[Any, ...]:
        going = t < lengths
        known = tf.nn.log_softmax(net.logits(state))
        chosen = tf.where(going, tf.gather(known, ids[t], axis=1, batch_dims=1), 0.0)
        after = tf.where(going[:, None], net.step(ids[t], state), state)
        return t + 1, after, logprobs.write(t, chosen)

    width = tf.shape(ids)[0]
    _, state, logprobs = tf.while_loop(lambda t, *_: t < width, step, (0, state, logprobs))
    return {"logprobs": tf.transpose(logprobs.stack()), "state": state}


def generate(
    net: RecurrentNetwork, state: Any, uniforms: Any, lengths: Any, controls: Controls
) -> dict[str, Any]:
    """Generate after state [B, S], as `sampling.generate`; `state` is among what is returned."""
    choices, state = sampling.generate(net, state, uniforms, lengths, controls)
    return {**choices, "state": state}
