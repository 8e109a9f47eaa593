"""Character models: a network of LSTM layers, and its functions as a graph.

The state is one float32 tensor [B, S], S = 2·layers·units: h and c of the first layer, then of the
next. It is the state after the characters read so far; the next character has the distribution
softmax(head(h of the last layer)). A new text begins after the start character, a newline.

Every function keeps the rows of a batch independent of each other.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import keras
import tensorflow as tf

from training.job import JobConfig
from training.text import lstm, sampling
from training.text.functions import compiled
from training.text.sampling import Controls

TASK = "generate_text"
AUTO = "auto"
State = tuple[tuple[Any, Any], ...]  # h and c [B, U] of each layer


@dataclass(frozen=True)
class CharacterConfig(JobConfig):
    """The numbers of a character model's recipe."""

    vocabulary: str = ""  # the characters by id; set from the text
    layers: int = 1
    units: int = 128
    window: int = 128  # characters per training step; the state is carried to the next
    dropout: float = 0.0  # between layers, and before the head
    weight_drop: float = 0.0  # dropout of the recurrent weights (Merity et al., 2017)
    weight_decay: float = 0.01  # of kernels
    clip: float = 1.0  # largest norm of all gradients together
    warmup: int = 200  # steps until the full learning rate; then a cosine down to a hundredth
    ema: float = 0.999  # the released weights are a running mean
    patience: int = 5  # epochs without a better validation loss before it stops
    precision: str = AUTO  # precision of products in training: float32, bfloat16, or auto

    def __post_init__(self) -> None:
        """Refuse an unknown precision with a ValueError."""
        if self.precision not in (AUTO, *lstm.PRECISIONS):
            raise ValueError(
                f"precision must be {AUTO}, {' or '.join(lstm.PRECISIONS)}, got {self.precision!r}"
            )

    def resolve(self, started: Mapping[str, Any]) -> Self:
        """Decide the precision once: that of the resumed training, otherwise the processor's."""
        if self.precision != AUTO:
            return self
        precision = started.get("precision") or lstm.precision_for(lstm.cpu_flags())
        return dataclasses.replace(self, precision=precision)


class Network(NamedTuple):
    """The weights of a character model, by their part."""

    layers: tuple[lstm.Layer, ...]
    head: Any  # float32 [U, V]
    bias: Any  # float32 [V]
    start: int  # id of the character before a fresh text

    @property
    def units(self) -> int:
        """Width of a layer."""
        return int(self.head.shape[0])

    @property
    def symbols(self) -> int:
        """Size of the vocabulary."""
        return int(self.head.shape[1])

    def logits(self, state: State) -> Any:
        """Unnormalized log-probabilities [B, V] of the character after a state."""
        return logits_of(self, state[-1][0])

    def step(self, token_ids: Any, state: State) -> State:
        """Read one character [B] per row."""
        after, below = [], None
        for layer, (h, c) in zip(self.layers, state, strict=True):
            if below is None:
                gates = tf.gather(layer.kernel, token_ids)
            else:
                gates = tf.matmul(below, layer.kernel)
            h, c, _ = lstm.cell(gates + layer.bias + tf.matmul(h, layer.recurrent_kernel), c)
            after.append((h, c))
            below = h
        return tuple(after)


def build_model(config: CharacterConfig) -> keras.Model:
    """Map int32 ids [B, T] to logits [B, T, V], from a state of zeros. Keras' own layers."""
    symbols = len(config.vocabulary)
    inputs = keras.Input((None,), dtype="int32", name="token_ids")
    x = keras.layers.CategoryEncoding(symbols, output_mode="one_hot", name="one_hot")(inputs)
    for number in range(1, config.layers + 1):
        x = keras.layers.LSTM(config.units, return_sequences=True, name=f"lstm{number}")(x)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout, name=f"dropout{number}")(x)
    return keras.Model(inputs, keras.layers.Dense(symbols, name="logits")(x), name="characters")


def network(model: keras.Model, vocabulary: str) -> Network:
    """Return the weights (`tf.Variable`s) of a model made by `build_model`."""
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.LSTM)]
    head = model.get_layer("logits")
    return Network(
        tuple(lstm.Layer(*(w.value for w in layer.trainable_weights)) for layer in layers),
        head.kernel.value,
        head.bias.value,
        start_id(vocabulary),
    )


def calibrated(net: Network, calibration: Mapping[str, Any]) -> Network:
    """Return the network whose logits are divided by the calibration's temperature, if it has one."""
    temperature = calibration.get("temperature", 1.0)
    return net._replace(head=net.head / temperature, bias=net.bias / temperature)


def start_id(vocabulary: str) -> int:
    """Id of the start character: a newline, else a space, else the first one."""
    found = [vocabulary.index(character) for character in "\n " if character in vocabulary]
    return (found or [0])[0]


def split_state(net: Network, state: Any) -> State:
    """[B, S] → ((h, c), …)."""
    parts = tf.split(state, 2 * len(net.layers), axis=1)
    return tuple(zip(parts[::2], parts[1::2], strict=True))


def join_state(state: State) -> Any:
    """((h, c), …) → [B, S]."""
    return tf.concat([part for pair in state for part in pair], axis=1)


def initial_state(net: Network, rows: Any) -> Any:
    """State [B, S] after the start character, the same for every row."""
    state = tuple((tf.zeros([1, net.units]),) * 2 for _ in net.layers)
    return tf.repeat(join_state(net.step(tf.constant([net.start]), state)), rows, axis=0)


def logits_of(net: Network, h: Any) -> Any:
    """Unnormalised log-probabilities [..., V] of the character after a last layer's h [..., U]."""
    return lstm.multiply(h, net.head, tf.float32) + net.bias


def read(net: Network, state: Any, token_ids: Any, lengths: Any) -> dict[str, Any]:
    """Read the first lengths[b] of token_ids[b] (int32 [B, T]) after state [B, S].

    Returns logprobs float32 [B, T], of each character given those before it and 0 beyond a row's
    length, and the state after. Layer by layer: a layer's inputs are multiplied in one product.
    """
    ids = tf.transpose(token_ids)
    pairs = split_state(net, state)
    first = logits_of(net, pairs[-1][0])
    below, after = None, []
    for layer, (h, c) in zip(net.layers, pairs, strict=True):
        if below is None:
            inputs = tf.gather(layer.kernel, ids) + layer.bias
        else:
            inputs = lstm.multiply(below, layer.kernel, tf.float32) + layer.bias
        below, h, c = _read_layer(layer, inputs, (h, c), lengths)
        after.append((h, c))
    logits = tf.concat([first[None], logits_of(net, below)[:-1]], axis=0)
    logprobs = tf.gather(tf.nn.log_softmax(logits), ids, axis=2, batch_dims=2)
    inside = tf.sequence_mask(lengths, tf.shape(token_ids)[1])
    return {
        "logprobs": tf.where(inside, tf.transpose(logprobs), 0.0),
        "state": join_state(tuple(after)),
    }


def _read_layer(
    layer: lstm.Layer, inputs: Any, pair: tuple[Any, Any], lengths: Any
) -> tuple[Any, Any, Any]:
    """All h [T, B, U], zero after the longest row, and each row's h and c after its own length."""
    outputs = tf.TensorArray(tf.float32, tf.shape(inputs)[0], element_shape=pair[0].shape)

    def step(t: Any, h: Any, c: Any, outputs: Any) -> tuple[Any, ...]:
        new_h, new_c, _ = lstm.cell(inputs[t] + tf.matmul(h, layer.recurrent_kernel), c)
        going = (t < lengths)[:, None]
        h, c = tf.where(going, new_h, h), tf.where(going, new_c, c)
        return t + 1, h, c, outputs.write(t, h)

    longest = tf.reduce_max(lengths)
    _, h, c, outputs = tf.while_loop(lambda t, *_: t < longest, step, (0, *pair, outputs))
    return outputs.stack(), h, c


def generate(
    net: Network, state: Any, uniforms: Any, lengths: Any, controls: Controls
) -> dict[str, Any]:
    """Generate after state [B, S], as `sampling.generate`; `state` is among what is returned."""
    choices, pairs = sampling.generate(net, split_state(net, state), uniforms, lengths, controls)
    return {**choices, "state": join_state(pairs)}


def writer(net: Network) -> Any:
    """Return a compiled function that continues prompts, each from the initial state.

    It maps seeds int32 [B, S], uniforms float32 [B, T] and temperature float32 [B] to ids int32 [B, T].
    """

    def write(seeds: Any, uniforms: Any, temperature: Any) -> Any:
        rows, steps = tf.shape(uniforms)[0], tf.shape(uniforms)[1]
        read_to = tf.fill([rows], tf.shape(seeds)[1])
        state = read(net, initial_state(net, rows), seeds, read_to)["state"]
        controls = Controls(temperature, tf.zeros([rows], tf.int32), tf.ones([rows]))
        return generate(net, state, uniforms, tf.fill([rows], steps), controls)["token_ids"]

    return compiled(write)
