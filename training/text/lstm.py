"""LSTM layers that are faster than Keras' loop, for training and inference.

Weights are those of `keras.layers.LSTM`: kernel [I, 4U], recurrent kernel [U, 4U], bias [4U], gates
in the order input, forget, candidate, output. Time is the first axis everywhere in this module.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

PRECISIONS = {
    "float32": tf.float32,
    "bfloat16": tf.bfloat16,
}  # dtypes of the factors; sums stay float32
CPU_INFO = Path("/proc/cpuinfo")


class Layer(NamedTuple):
    """The weights of one layer."""

    kernel: Any  # float32 [I, 4U]
    recurrent_kernel: Any  # float32 [U, 4U]
    bias: Any  # float32 [4U]


def cell(gates: Any, c: Any) -> tuple[Any, Any, Any]:
    """One step: `gates` [B, 4U] before their nonlinearity, memory `c` [B, U] → h, c, gates after."""
    i, f, g, o = tf.split(gates, 4, axis=1)
    i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
    c = f * c + i * g
    return o * tf.tanh(c), c, tf.concat([i, f, g, o], axis=1)


def cpu_flags() -> frozenset[str]:
    """Return this processor's feature flags, from Linux on x86; empty elsewhere."""
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.is_file() else []
    flags = next((line.partition(":")[2] for line in lines if line.startswith("flags")), "")
    return frozenset(flags.split())


def precision_for(flags: Collection[str]) -> str:
    """Return the faster precision of products: bfloat16 if the processor has instructions for it."""
    return "bfloat16" if {"avx512_bf16", "amx_bf16"} & set(flags) else "float32"


def multiply(left: Any, right: Any, dtype: tf.DType) -> Any:
    """Product of float32 [..., K] and [K, N], its factors rounded to `dtype`; float32 [..., N]."""
    rows = tf.reshape(tf.cast(left, dtype), [-1, right.shape[0]])
    product = tf.cast(tf.matmul(rows, tf.cast(right, dtype)), tf.float32)
    return tf.reshape(product, tf.concat([tf.shape(left)[:-1], [right.shape[1]]], axis=0))


def run(
    inputs: Any, recurrent_kernel: Any, h: Any, c: Any, dtype: tf.DType
) -> tuple[Any, Any, Any]:
    """Run one layer over all steps, differentiably: outputs h [T, B, U], and the last h and c [B, U].

    inputs: float32 [T, B, 4U], the inputs already multiplied by the kernel, bias added, so that the
    loop multiplies only by `recurrent_kernel`. The gradient is written out: backwards through time
    the loop again multiplies once a step, and the kernel's gradient is one large product.
    """

    @tf.custom_gradient
    def differentiable(inputs: Any, kernel: Any, h: Any, c: Any) -> Any:
        hs, cs, gates = _forwards(inputs, kernel, h, c, dtype)

        def gradient(d_hs: Any, d_h: Any, d_c: Any) -> tuple[Any, ...]:
            earlier_c = tf.concat([c[None], cs[:-1]], axis=0)
            d_gates, d_h, d_c = _backwards((gates, cs, earlier_c, d_hs), kernel, d_h, d_c, dtype)
            earlier_h = tf.concat([h[None], hs[:-1]], axis=0)
            d_kernel = tf.matmul(
                tf.cast(tf.reshape(earlier_h, [-1, earlier_h.shape[-1]]), dtype),
                tf.cast(tf.reshape(d_gates, [-1, d_gates.shape[-1]]), dtype),
                transpose_a=True,
            )
            return d_gates, tf.cast(d_kernel, tf.float32), d_h, d_c

        return (hs, hs[-1], cs[-1]), gradient

    return differentiable(inputs, tf.convert_to_tensor(recurrent_kernel), h, c)


def _forwards(inputs: Any, kernel: Any, h: Any, c: Any, dtype: tf.DType) -> tuple[Any, Any, Any]:
    """All h and c [T, B, U] and all gates [T, B, 4U]."""
    steps = tf.shape(inputs)[0]
    kernel = tf.cast(kernel, dtype)

    def step(t: Any, h: Any, c: Any, hs: Any, cs: Any, gates: Any) -> tuple[Any, ...]:
        recurrent = tf.cast(tf.matmul(tf.cast(h, dtype), kernel), tf.float32)
        h, c, gate = cell(inputs[t] + recurrent, c)
        return t + 1, h, c, hs.write(t, h), cs.write(t, c), gates.write(t, gate)

    arrays = [tf.TensorArray(tf.float32, steps, element_shape=x.shape) for x in (h, c, inputs[0])]
    *_, hs, cs, gates = tf.while_loop(lambda t, *_: t < steps, step, (0, h, c, *arrays))
    return hs.stack(), cs.stack(), gates.stack()


def _backwards(
    seen: tuple[Any, Any, Any, Any], kernel: Any, d_h: Any, d_c: Any, dtype: tf.DType
) -> tuple[Any, Any, Any]:
    """Gradients of the gates before their nonlinearity [T, B, 4U], and of the first h and c."""
    gates, cs, earlier_c, d_hs = seen
    steps = tf.shape(gates)[0]
    kernel = tf.cast(tf.transpose(kernel), dtype)

    def step(t: Any, d_h: Any, d_c: Any, d_gates: Any) -> tuple[Any, ...]:
        i, f, g, o = tf.split(gates[t], 4, axis=1)
        squashed = tf.tanh(cs[t])
        d_h += d_hs[t]
        d_c += d_h * o * (1 - squashed * squashed)
        d_input, d_forget = d_c * g * i * (1 - i), d_c * earlier_c[t] * f * (1 - f)
        d_candidate, d_output = d_c * i * (1 - g * g), d_h * squashed * o * (1 - o)
        d_gate = tf.concat([d_input, d_forget, d_candidate, d_output], axis=1)
        d_h = tf.cast(tf.matmul(tf.cast(d_gate, dtype), kernel), tf.float32)
        return t - 1, d_h, d_c * f, d_gates.write(t, d_gate)

    array = tf.TensorArray(tf.float32, steps, element_shape=gates.shape[1:])
    _, d_h, d_c, d_gates = tf.while_loop(lambda t, *_: t >= 0, step, (steps - 1, d_h, d_c, array))
    return d_gates.stack(), d_h, d_c
