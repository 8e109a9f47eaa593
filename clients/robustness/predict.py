"""Sends a case's images to a running service, several requests at a time."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from clients.robustness.cases import Case
from vitrine_client import AsyncVitrine, DigitPrediction, InvalidImage

BATCH = 50
IN_FLIGHT = 4


class Answers(NamedTuple):
    """The answers for each of N images; NaN and False where the service refused."""

    probabilities: NDArray[np.float64]  # [N, 10]
    scores: NDArray[np.float64]  # [N]
    is_outlier: NDArray[np.bool_]  # [N]
    is_refused: NDArray[np.bool_]  # [N]

    @classmethod
    def gathered(cls, predictions: Sequence[DigitPrediction | None]) -> Self:
        """Predictions, None for a refusal → arrays."""
        nothing = (np.nan,) * 10
        return cls(
            np.array([nothing if p is None else p.probabilities for p in predictions]),
            np.array([np.nan if p is None else p.outlier_score for p in predictions]),
            np.array([p is not None and p.outlier for p in predictions]),
            np.array([p is None for p in predictions]),
        )

    def is_right(self, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Where the likeliest digit is the label; a refusal is wrong."""
        return np.asarray(~self.is_refused & (self.probabilities.argmax(axis=1) == labels))


async def ask(
    vitrine: AsyncVitrine, case: Case, model: str | None, show: Callable[[int], None]
) -> Answers:
    """Post every image of the case.

    Args:
        vitrine: The service.
        case: The images to draw and send.
        model: Another model than the route's own.
        show: Called with the number of answers received.

    Raises:
        VitrineError: The service is unreachable, or refuses the request for another reason than an image.
    """
    starts = iter(range(0, len(case.source), BATCH))
    parts: dict[int, list[DigitPrediction | None]] = {}

    async def work() -> None:
        for start in starts:  # shared by all workers
            images = await asyncio.to_thread(case.images, start, start + BATCH)
            parts[start] = await _classified(vitrine, images, case, model)
            show(len(images))

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return Answers.gathered([prediction for start in sorted(parts) for prediction in parts[start]])


async def _classified(
    vitrine: AsyncVitrine, images: list[Any], case: Case, model: str | None
) -> list[DigitPrediction | None]:
    """One prediction per image; a refused request is split into halves and sent again."""
    try:
        answer = await vitrine.digits.classify(images, model=model, normalize=case.normalize)
    except InvalidImage:
        if len(images) == 1:
            return [None]
        middle = len(images) // 2
        return [
            *await _classified(vitrine, images[:middle], case, model),
            *await _classified(vitrine, images[middle:], case, model),
        ]
    return list(answer.predictions)
