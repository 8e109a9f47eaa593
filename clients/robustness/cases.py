"""The cases of the report: sets of images and how they are generated."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clients.robustness import out_of_distribution
from clients.robustness.corruptions import CORRUPTIONS
from clients.robustness.datasets import Digits
from clients.robustness.drawings import CRISP, SMOOTH, VARIATIONS, Pixels, draw
from clients.robustness.photographs import SCENES, photographs
from vitrine_client import Normalize

SEED = 2026
MAX_FOREIGN_IMAGES = 1000  # of those that are drawn at random
PHOTOGRAPHS = 2000  # of all scenes together
MODES: tuple[Normalize, ...] = ("off", "auto")


class Case(NamedTuple):
    """One line of the report."""

    group: str
    name: str
    normalize: Normalize
    source: Sequence[Any] | NDArray[Any]  # one element an image
    draw: Callable[[Any, np.random.Generator], Iterable[Any]]  # some of the source → images
    labels: NDArray[np.int64] | None = None  # None: no digit is shown

    def images(self, start: int, end: int) -> list[Any]:
        """Some of the images; the same each time, and for either way to normalize."""
        name = zlib.crc32(f"{self.group} {self.name}".encode())
        rng = np.random.default_rng([SEED, name, start])
        return list(self.draw(self.source[start:end], rng))


def all_cases(mnist: Digits, uci: Digits, fashion: Pixels | None) -> list[Case]:
    """Every case, in the order of the report."""
    return [
        *(Case("clean", "MNIST test", mode, mnist.images, _as_is, mnist.labels) for mode in MODES),
        *corruption_cases(mnist),
        Case("UCI digits", "smooth", "auto", uci.images, partial(draw, SMOOTH), uci.labels),
        Case("UCI digits", "a pen's edges", "auto", uci.images, partial(draw, CRISP), uci.labels),
        *drawing_cases(mnist),
        *photograph_cases(mnist),
        *out_of_distribution_cases(mnist, fashion),
    ]


def corruption_cases(mnist: Digits) -> list[Case]:
    """Each corruption as the network alone sees it, and as the service does."""
    return [
        Case("corruptions", name, mode, mnist.images, corruption, mnist.labels)
        for mode in MODES
        for name, corruption in CORRUPTIONS.items()
    ]


def drawing_cases(mnist: Digits) -> list[Case]:
    """Each variation of the test digits on the canvas."""
    return [
        Case("drawings", name, "auto", mnist.images, partial(draw, drawing), mnist.labels)
        for name, drawing in VARIATIONS.items()
    ]


def photograph_cases(mnist: Digits) -> list[Case]:
    """Each scene with test digits of its own, in turns, 2,000 together."""
    turns = [slice(first, PHOTOGRAPHS, len(SCENES)) for first in range(len(SCENES))]
    return [
        Case(
            "photographs",
            name,
            "auto",
            mnist.images[turn],
            partial(photographs, scene),
            mnist.labels[turn],
        )
        for (name, scene), turn in zip(SCENES.items(), turns, strict=True)
        if len(mnist.images[turn])
    ]


def out_of_distribution_cases(mnist: Digits, fashion: Pixels | None) -> list[Case]:
    """Images of no digit; without Fashion-MNIST where it was not given."""
    some = range(min(len(mnist.images), MAX_FOREIGN_IMAGES))
    pairs = np.stack([mnist.images, np.roll(mnist.images, 1, axis=0)], axis=1)[: len(some)]
    unlike = out_of_distribution.letters(without_lookalikes=True)
    clothes = (
        ()
        if fashion is None
        else [Case("outliers", "Fashion-MNIST", mode, fashion, _as_is) for mode in MODES]
    )
    return [
        *clothes,
        Case(
            "outliers",
            "letters",
            "auto",
            out_of_distribution.letters(),
            out_of_distribution.draw_letters,
        ),
        Case("outliers", "letters unlike digits", "auto", unlike, out_of_distribution.draw_letters),
        *(Case("outliers", "noise", mode, some, out_of_distribution.draw_noise) for mode in MODES),
        Case("outliers", "scribbles", "auto", some, out_of_distribution.draw_scribbles),
        Case("outliers", "two digits", "auto", pairs, out_of_distribution.draw_two_digits),
        Case(
            "outliers",
            "blank",
            "auto",
            out_of_distribution.blanks(),
            out_of_distribution.draw_blanks,
        ),
    ]


def _as_is(images: Pixels, rng: np.random.Generator) -> list[Pixels]:
    return list(images)
