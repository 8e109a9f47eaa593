"""Invalid images of a request: they fail it or, with `on_error=report`, are reported in their places.

The valid images are then answered as if they had been sent alone.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from service.codecs.request_images import naming_image
from service.errors import InvalidImage, InvalidRequest
from service.preprocessing.digit import PreparedImage
from service.tasks.prepared_images import NOT_FINITE, describe_input


class ImageReport:
    """The images of one request.

    is_wanted: whether failures are reported; otherwise the first one is raised.
    failures: index of the image, from 0 → error.
    places: indexes of the remaining images, in order.
    prepared: index of the image → the model's input, once it is decoded.
    """

    def __init__(self, *, is_wanted: bool) -> None:
        self.is_wanted = is_wanted
        self.failures: dict[int, InvalidRequest] = {}
        self.places: list[int] = []
        self.prepared: dict[int, PreparedImage] = {}

    def begin(self, opened: int) -> None:
        """Set the number of opened images; `failures` has the others."""
        whole = range(opened + len(self.failures))
        self.places = [n for n in whole if n not in self.failures] if self.failures else list(whole)

    def keep(self, function: Callable[[slice], Iterable[Any]]) -> list[Any]:
        """Apply `function` to the rows of the remaining images; failed ones are removed.

        If failures are reported, each row is computed separately, so that only the failed one fails.
        """
        if not self.is_wanted:
            return list(function(slice(None)))
        kept: list[Any] = []
        places = []
        for row, place in enumerate(self.places):
            try:
                kept += function(slice(row, row + 1))
                places.append(place)
            except InvalidRequest as error:
                self.failures[place] = error
        self.places = places
        return kept

    def rows(self, function: Callable[[slice], Iterable[Any]]) -> list[Any]:
        """The same for an answer, with errors in the places of failed images."""
        return self.fill(self.keep(function))

    def fill(self, rows: Iterable[Any]) -> list[Any]:
        """Rows of the remaining images → one entry for each image of the request."""
        if not self.failures:
            return list(rows)
        found: dict[int, Any] = {
            place: {"error": str(error), "code": error.code}
            for place, error in self.failures.items()
        }
        found |= zip(self.places, rows, strict=True)
        return [found[place] for place in sorted(found)]

    def describe_inputs(self) -> list[dict[str, Any]]:
        """The model's input for each remaining image."""
        return [describe_input(self.prepared[place]) for place in self.places]

    def finite(self, outputs: np.ndarray) -> np.ndarray:
        """Which outputs [N, …] of the remaining images are finite, bool [N]; the other images are removed.

        Raises:
            InvalidImage: one is not, and failures are not reported; names the image.
        """
        is_finite: np.ndarray = np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1)
        lost = [p for p, is_left in zip(self.places, is_finite, strict=True) if not is_left]
        if lost and not self.is_wanted:
            with naming_image(lost[0] + 1, len(self.places) + len(self.failures)):
                raise InvalidImage(NOT_FINITE)
        self.failures |= {place: InvalidImage(NOT_FINITE) for place in lost}
        self.places = [place for place in self.places if place not in self.failures]
        return is_finite

    def first_failure(self) -> InvalidRequest:
        """The first error, for an answer that cannot report several."""
        return self.failures[min(self.failures)]
