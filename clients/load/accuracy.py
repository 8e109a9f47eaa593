"""`python -m clients.load.accuracy FOLDER`: posts MNIST's 10,000 test digits and counts right answers.

What the model card promises, measured from outside: every digit travels as a PNG file through the
whole service. FOLDER holds t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, gzipped or not.
"""

import argparse
import gzip
import sys
from pathlib import Path

import numpy as np

from clients.python import Vitrine

BATCH = 50


def read_values(folder: Path, name: str, header_bytes: int) -> np.ndarray:
    """The bytes of an IDX file after its header, uint8 [count]."""
    plain, zipped = folder / name, folder / f"{name}.gz"
    content = plain.read_bytes() if plain.is_file() else gzip.decompress(zipped.read_bytes())
    return np.frombuffer(content, np.uint8, offset=header_bytes)


def count_right(vitrine: Vitrine, images: np.ndarray, labels: np.ndarray, model: str | None) -> int:
    """How many of uint8 [count, 28, 28] are answered with their label; shows progress."""
    right = 0
    for start in range(0, len(images), BATCH):
        part = list(images[start : start + BATCH])
        answer = vitrine.classify_digits(part, model=model)
        digits = [prediction.digit for prediction in answer.predictions]
        right += int((np.array(digits) == labels[start : start + BATCH]).sum())
        done = start + len(part)
        print(f"\r{done} posted, {right} right, {right / done:.2%}", end="", flush=True)
    print()
    return right


def main(arguments: list[str]) -> int:
    """Print the share of right answers; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m clients.load.accuracy", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", help="default: VITRINE_URL, else http://127.0.0.1:8000")
    parser.add_argument("--model", help="default: the route's own")
    options = parser.parse_args(arguments)
    images = read_values(options.folder, "t10k-images-idx3-ubyte", 16).reshape(-1, 28, 28)
    labels = read_values(options.folder, "t10k-labels-idx1-ubyte", 8)
    with Vitrine(options.url) as vitrine:
        count_right(vitrine, images, labels, options.model)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
