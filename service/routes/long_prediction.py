"""One call of a task route with many runs, admitted by their estimated total duration."""

from typing import Self

from service.engine import Arrays
from service.routes.prediction import Prediction
from service.scheduling.job_queue import Job


class JobPrediction(Prediction):
    """A request that is a job in the model's queue; `expect` of a subclass creates the job."""

    _job: Job

    def __enter__(self) -> Self:
        self.servable.jobs.join(self._job)
        try:
            self._enter(0.0, 0.0)
        except BaseException:
            self.servable.jobs.leave(self._job)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.servable.jobs.leave(self._job)
        super().__exit__(*error)


class LongPrediction(JobPrediction):
    """A request of many runs; other requests may run between them."""

    def expect(self, signature: str, rows: int, steps: int) -> None:
        """Set the rows of each run and the total number of steps, before decoding.

        Raises Overloaded at once if they would be late.
        """
        self._signature = signature
        self._steps_left = steps
        self._job = Job(rows, lambda: self._steps_left, self.deadline, self._cost)
        self.servable.jobs.check(self._job)

    def _cost(self, rows: int) -> float:
        """Seconds per step; more rows than fit in a run need several runs."""
        return self.servable.batcher(self._signature, rows).estimate(rows)

    async def advance(self, signature: str, inputs: Arrays, steps: int) -> Arrays:
        """Run a signature once for a number of the expected steps; return its outputs."""
        await self.servable.jobs.turn(self._job)
        outputs = await self.predict(signature, inputs, steps)
        self._steps_left = max(0, self._steps_left - steps)
        self.servable.jobs.advanced()
        return outputs
