"""`/v2/health/*` and `/metrics`: for probes and dashboards. They never run a model."""

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.responses import error_answer, json_answer
from service.asgi.routing import RawRouter
from service.asgi.state import state_of
from service.errors import NotReady
from service.metrics import merge, render
from service.processes.peers import METRICS, NOT_READY
from service.schemas import models as schemas

READY_SECONDS = 1.0  # timeout for the workers' answers

router = RawRouter(tags=["health"])


@router.get("/v2/health/live", **schemas.LIVE)
async def live(request: Request) -> Response:
    """Report that the process is alive."""
    return json_answer({"live": True, "ready": not await _why_not_ready(request)})


@router.get("/v2/health/ready", **schemas.READY)
async def ready(request: Request) -> Response:
    """Report whether every model has a ready version."""
    if why := await _why_not_ready(request):
        error = NotReady(f"not ready: {why}")
        return error_answer(error, request.scope["request_id"], live=True, ready=False)
    return json_answer({"live": True, "ready": True})


@router.get("/metrics", **schemas.METRICS)
async def metrics(request: Request) -> Response:
    """Give counters and histograms in Prometheus' text format."""
    answers = await state_of(request)["peers"].ask_all(METRICS)
    return Response(render(merge(answers.answers)), media_type=CONTENT_TYPE_LATEST)


async def _why_not_ready(request: Request) -> str:
    """The reasons of all workers, without duplicates."""
    state = state_of(request)
    if state["lifecycle"].is_draining:
        return "the service is stopping"
    found = await state["peers"].ask_all(NOT_READY, seconds=READY_SECONDS)
    reasons = dict.fromkeys(reason for answer in found.answers for reason in answer)
    return "; ".join([*reasons, *(["a worker does not answer"] if found.failures else [])])
