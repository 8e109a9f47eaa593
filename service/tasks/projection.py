"""Projection: finds the latent vectors of images, a few steps at a time."""

from typing import Any

import numpy as np

from service.codecs.latents import Latents
from service.engine import Arrays
from service.image_files.raster import Pixels
from service.schemas.gan import ProjectQuery

LOSSES = ("perceptual", "pixel")  # the signature takes the index in this list
SHOWN_EVERY = 5  # steps
ROW_STEPS = 20  # steps × images per run, so that other requests do not wait long


class Projection:
    """Images uint8 [N, 28, 28, 1] and their current vectors, w [N, W].

    The division into runs depends only on the request, so the same request gives the same bytes.
    """

    def __init__(
        self, targets: Pixels, w: Latents, query: ProjectQuery, rows_of_a_run: int
    ) -> None:
        self._targets = targets
        self._query = query
        self._state = {"w": w, "m": np.zeros_like(w), "v": np.zeros_like(w)}
        self._stride = max(1, min(SHOWN_EVERY, ROW_STEPS // max(1, min(len(w), rows_of_a_run))))
        self.step = 0
        self.images = targets
        self.losses = np.zeros(len(w), np.float32)

    @property
    def is_done(self) -> bool:
        """Whether all steps are done, or no image remains."""
        return self.step == self._query.steps or not len(self._targets)

    @property
    def is_to_be_shown(self) -> bool:
        """Whether a stream has an event for this step."""
        return self.is_done or self.step % SHOWN_EVERY == 0

    def stride(self) -> int:
        """The number of steps of the next run, at most up to the next event."""
        to_shown = SHOWN_EVERY - self.step % SHOWN_EVERY
        return min(self._stride, to_shown, self._query.steps - self.step)

    def inputs(self, steps: int) -> dict[str, np.ndarray]:
        """The signature's inputs for a number of steps; 0 only generates the image of w."""
        rows = len(self._targets)
        numbers = {
            "step": self.step,
            "steps": steps,
            "total_steps": self._query.steps,
            "loss": LOSSES.index(self._query.loss),
        }
        whole = {name: np.full(rows, number, np.int32) for name, number in numbers.items()}
        return {"images": self._targets, **self._state, **whole}

    def keep(self, rows: np.ndarray) -> None:
        """Keep only these images, bool [N]."""
        self._targets = self._targets[rows]
        self._state = {name: array[rows] for name, array in self._state.items()}
        self.images, self.losses = self.images[rows], self.losses[rows]

    def take(self, outputs: Arrays, steps: int) -> None:
        """Store the outputs of a run."""
        self._state = {name: outputs[name] for name in "wmv"}
        self.images, self.losses = outputs["images"], outputs["losses"]
        self.step += steps

    def result(self) -> dict[str, Any]:
        """The answer without its images; the PSNR of identical images is infinite, in JSON null."""
        gap = self._targets.astype(np.float64) - self.images
        error = (gap**2).mean(axis=(1, 2, 3))
        psnr = [float(10 * np.log10(255**2 / e)) if e else None for e in error.tolist()]
        return {"latents": self._state["w"], "losses": self.losses, "psnr": psnr}
