"""The data sets of the report: MNIST's and Fashion-MNIST's test images, UCI's digits."""

import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clients.robustness.drawings import Pixels


class Digits(NamedTuple):
    """Images of digits and which they show."""

    images: Pixels  # [N, side, side], light on black
    labels: NDArray[np.int64]  # [N]

    def first(self, count: int) -> "Digits":
        """At most `count` of them."""
        return Digits(self.images[:count], self.labels[:count])


def mnist_test(folder: Path) -> Digits:
    """The 10,000 test digits, 28 × 28, from IDX files, gzipped or not."""
    labels = _values(folder, "t10k-labels-idx1-ubyte", 8).astype(np.int64)
    return Digits(idx_images(folder), labels)


def idx_images(folder: Path) -> Pixels:
    """The test images of MNIST or of a data set in its form, uint8 [N, 28, 28]."""
    values: Pixels = _values(folder, "t10k-images-idx3-ubyte", 16)
    return values.reshape(-1, 28, 28)


def uci_digits() -> Digits:
    """Scikit-learn's 1,797 digits of 8 × 8 cells with 17 greys, with two empty cells around them.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998 (its test
    part): other people, another country and another scanner than MNIST's.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    cells = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    return Digits(np.pad(cells, ((0, 0), (2, 2), (2, 2))), bunch.target.astype(np.int64))


def _values(folder: Path, name: str, header_bytes: int) -> NDArray[np.uint8]:
    """The bytes of an IDX file after its header, uint8 [count]."""
    plain, zipped = folder / name, folder / f"{name}.gz"
    content = plain.read_bytes() if plain.is_file() else gzip.decompress(zipped.read_bytes())
    return np.frombuffer(content, np.uint8, offset=header_bytes)
