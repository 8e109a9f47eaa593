"""One call of a task route that takes many runs: admitted by how long all of them will take."""

from service.engine import Arrays
from service.routes.prediction import Call
from service.scheduling.projection_queue import Job


class LongCall(Call):
    """A request of many runs, between which other requests get their turn."""

    def expect(self, rows: int, steps: int) -> None:
        """Say before entering how many rows each run has, and how many steps all of them make."""
        self._job = Job(rows, steps, self.deadline)

    def __enter__(self) -> "LongCall":
        backlog = self.servable.backlog
        backlog.join(self._job)
        try:
            super().__enter__()
        except BaseException:
            backlog.leave(self._job)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.servable.backlog.leave(self._job)
        super().__exit__(*error)

    async def advance(self, signature: str, inputs: Arrays, steps: int) -> Arrays:
        """Run a signature once, which makes so many of the expected steps; return its outputs."""
        batched = await self.predict(signature, inputs)
        self.servable.backlog.note(self._job, steps, batched.run_seconds)
        return batched.outputs
