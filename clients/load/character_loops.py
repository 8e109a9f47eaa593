"""`python -m clients.load.character_loops`: how fast two other ways write, with a network of LSTM(128).

The course's notebook calls `model.predict` for every character, on a window of 40 one-hot characters;
the other way is a loop in NumPy that carries the state. The weights are random: what they say costs
nothing. Prints one line of JSON; with `--on-demand` one for every line on standard input.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np

SYMBOLS, UNITS, WINDOW = 65, 128, 40
NOTEBOOK_CHARACTERS, NUMPY_CHARACTERS = 40, 4_000
DIVERSITY = 0.5

Write = Callable[[int], object]  # so many characters


def notebook() -> Write:
    """As the notebook writes: the whole window anew for each character."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    model = keras.Sequential(
        [
            keras.Input((WINDOW, SYMBOLS)),
            keras.layers.LSTM(UNITS),
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


def numpy_loop() -> Write:
    """A loop in NumPy, one step for each character."""
    generator = np.random.default_rng(0)
    kernel, recurrent, head = (
        generator.normal(0, 0.1, shape).astype("float32")
        for shape in ((SYMBOLS, 4 * UNITS), (UNITS, 4 * UNITS), (UNITS, SYMBOLS))
    )

    def write(characters: int) -> list[int]:
        text, h, c = [0], np.zeros(UNITS, "float32"), np.zeros(UNITS, "float32")
        for _ in range(characters):
            gates = kernel[text[-1]] + h @ recurrent
            i, f, o = (sigmoid(gates[start * UNITS : (start + 1) * UNITS]) for start in (0, 1, 3))
            c = f * c + i * np.tanh(gates[2 * UNITS : 3 * UNITS])
            h = o * np.tanh(c)
            text.append(sample(h @ head, generator))
        return text

    return write


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
    """Time both once, or once for every line read."""
    parser = argparse.ArgumentParser(
        prog="python -m clients.load.character_loops", description=__doc__
    )
    parser.add_argument("--on-demand", action="store_true", help="once per line of standard input")
    options = parser.parse_args(arguments)
    ways = {
        "notebook": (notebook(), NOTEBOOK_CHARACTERS),
        "numpy": (numpy_loop(), NUMPY_CHARACTERS),
    }
    for write, _ in ways.values():
        write(3)
    for _ in sys.stdin if options.on_demand else [""]:
        rates = {name: characters_per_s(*way) for name, way in ways.items()}
        print(json.dumps(rates), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
