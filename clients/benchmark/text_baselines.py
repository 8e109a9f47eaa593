"""`python -m clients.benchmark.text_baselines`: how fast two other ways write, with networks of our shapes.

The course's notebook calls `model.predict` for every character, on a window of 40 one-hot characters;
the other way is a loop in NumPy that carries the state. The weights are random: what they say costs
nothing. Prints one line of JSON, {model: {way: characters per second}}; with `--on-demand` one for
every line on standard input.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

SYMBOLS, WINDOW = 65, 40
DIVERSITY = 0.5


class Shape(NamedTuple):
    """A network, and how many characters are enough to time it."""

    layers: int
    units: int
    notebook_characters: int
    numpy_characters: int


NETWORKS = {"text-course": Shape(1, 128, 40, 4_000), "text": Shape(2, 384, 20, 1_000)}
Write = Callable[[int], object]  # so many characters


def notebook(shape: Shape) -> Write:
    """As the notebook writes: the whole window anew for each character."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    model = keras.Sequential(
        [
            keras.Input((WINDOW, SYMBOLS)),
            *(
                keras.layers.LSTM(shape.units, return_sequences=True)
                for _ in range(shape.layers - 1)
            ),
            keras.layers.LSTM(shape.units),
            keras.layers.Dense(SYMBOLS, activation="softmax"),
        ]
    )
    generator = np.random.default_rng(0)

    def write(characters: int) -> list[int]:
        text = list(generator.integers(0, SYMBOLS, WINDOW))
        for _ in range(characters):
            x = np.zeros((1, WINDOW, SYMBOLS))
            x[0, np.arange(WINDOW), text[-WINDOW:]] = 1.0
            probabilities = model.predict(x, verbose=0)[0].astype("float64")
            text.append(sample(np.log(probabilities), generator))
        return text

    return write


def numpy_loop(shape: Shape) -> Write:
    """A loop in NumPy, one step for each character."""
    generator, units = np.random.default_rng(0), shape.units

    def weights(rows: int, columns: int) -> np.ndarray:
        return generator.normal(0, 0.1, (rows, columns)).astype("float32")

    inputs = [SYMBOLS] + [units] * (shape.layers - 1)
    layers = [(weights(size, 4 * units), weights(units, 4 * units)) for size in inputs]
    head = weights(units, SYMBOLS)

    def write(characters: int) -> list[int]:
        text = [0]
        state = [(np.zeros(units, "float32"), np.zeros(units, "float32")) for _ in layers]
        for _ in range(characters):
            below = layers[0][0][text[-1]]
            for number, ((kernel, recurrent), (h, c)) in enumerate(zip(layers, state, strict=True)):
                h, c = cell((below @ kernel if number else below) + h @ recurrent, c)
                state[number] = below, _ = h, c
            text.append(sample(below @ head, generator))
        return text

    return write


def cell(gates: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step of a layer: gates [4U] in Keras' order and memory c [U] → h and c."""
    i, f, g, o = np.split(gates, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Of a vector."""
    result: np.ndarray = 1 / (1 + np.exp(-x))
    return result


def sample(logits: np.ndarray, generator: np.random.Generator) -> int:
    """Logits [V] → the number of a character, drawn at DIVERSITY."""
    weights = np.exp((logits - logits.max()) / DIVERSITY)
    return int(np.searchsorted(np.cumsum(weights), generator.random() * weights.sum()))


def characters_per_s(write: Write, characters: int) -> float:
    """How fast it writes."""
    started = time.perf_counter()
    write(characters)
    return characters / (time.perf_counter() - started)


def main(arguments: list[str]) -> int:
    """Time everything once, or once for every line read."""
    parser = argparse.ArgumentParser(
        prog="python -m clients.benchmark.text_baselines", description=__doc__
    )
    parser.add_argument("--on-demand", action="store_true", help="once per line of standard input")
    options = parser.parse_args(arguments)
    ways = {
        model: {
            "notebook": (notebook(shape), shape.notebook_characters),
            "numpy": (numpy_loop(shape), shape.numpy_characters),
        }
        for model, shape in NETWORKS.items()
    }
    for both in ways.values():
        for write, _ in both.values():
            write(3)
    for _ in sys.stdin if options.on_demand else [""]:
        rates = {
            model: {name: characters_per_s(*way) for name, way in both.items()}
            for model, both in ways.items()
        }
        print(json.dumps(rates), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
