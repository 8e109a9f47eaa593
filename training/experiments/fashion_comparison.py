"""Compare clothing classifiers in one run: `python -m training.experiments.fashion_comparison --data-dir FOLDER`.

Trains and evaluates the classifiers that are not released, measures the time of each for one image, and prints
a table. Features are kept in the working directory, and a stopped training of the small network resumes.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.data import labelled_images
from training.experiments import fashion_classifiers
from training.experiments.fashion_classifiers import Candidate
from training.export import release

ROUNDS = 40  # timed calls per candidate


def compare(found: Sequence[Candidate], images: np.ndarray) -> list[dict[str, Any]]:
    """One row per candidate: accuracy, training time, and milliseconds for one image of `images`."""
    return [
        {
            "way": candidate.name,
            "pretrained_network": candidate.network,
            "trained_on": candidate.train_images,
            "test_accuracy": candidate.accuracy,
            "training_seconds": round(candidate.seconds, 1),
            "kilobytes": round(2 * candidate.numbers / 1000, 1),
            "milliseconds_a_picture": milliseconds,
        }
        for candidate, milliseconds in zip(found, _milliseconds(found, images), strict=True)
    ]


def _milliseconds(found: Sequence[Candidate], images: np.ndarray) -> list[float]:
    """The median for one image; the candidates alternate, so that noise affects all of them."""
    for candidate in found:
        candidate.answer(images[:1])  # traces and warms up
    took = np.zeros((ROUNDS, len(found)))
    for turn in range(ROUNDS):
        image = images[turn % len(images)][np.newaxis]
        for number, candidate in enumerate(found):
            started = time.perf_counter()
            candidate.answer(image)
            took[turn, number] = 1000 * (time.perf_counter() - started)
    return [round(float(median), 2) for median in np.median(took, axis=0)]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = [
        "| way | pretrained network | trained on | test accuracy (95 % interval) | training | size "
        "| one image |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        value, (low, high) = (row["test_accuracy"][key] for key in ("value", "interval_95"))
        lines.append(
            f"| {row['way']} | {row['pretrained_network']} | {row['trained_on']:,} "
            f"| {100 * value:.2f} % ({100 * low:.2f} to {100 * high:.2f}) | {row['training_seconds']:,.0f} s "
            f"| {row['kilobytes']:,.0f} kB | {row['milliseconds_a_picture']:.1f} ms |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Run the comparison; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m training.experiments.fashion_comparison", description=__doc__
    )
    parser.add_argument(
        "--data-dir", type=Path, help="folder with Fashion-MNIST (IDX, gzip or not)"
    )
    parser.add_argument("--workdir", type=Path, default=Path("runs/fashion-comparison"))
    parser.add_argument("--card", type=Path, action="append", default=[],
                        help="card.json to write the table into; may be repeated")  # fmt: skip
    options = parser.parse_args(arguments)
    try:
        splits = labelled_images.load(fashion_classifiers.DENSE, options.data_dir)
        if splits.labels != labelled_images.FASHION_LABELS:
            raise ValueError(f"{options.data_dir} does not contain Fashion-MNIST")
        for card in options.card:
            card.stat()  # a missing one is an error before the trainings
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    keras.utils.set_random_seed(1)
    options.workdir.mkdir(parents=True, exist_ok=True)
    found = []
    for candidate in fashion_classifiers.train_all(splits, options.workdir):
        print(
            f"{candidate.name}: {candidate.seconds:.0f} s, {candidate.accuracy['value']:.2%}",
            file=sys.stderr,
        )
        found.append(candidate)
    rows = compare(found, splits.test.images)
    rows.sort(key=lambda row: row["test_accuracy"]["value"])
    print(table(rows))
    for card in options.card:
        release.annotate(card, {"comparison": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
