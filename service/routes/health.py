"""`/v2/health/*` and `/metrics`: for probes and dashboards; no model is ever touched."""

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from service.asgi.responses import error_answer, json_answer
from service.asgi.routing import DirectRouter
from service.asgi.state import state_of
from service.errors import NotReady
from service.schemas import models as schemas

router = DirectRouter(tags=["health"])


@router.get("/v2/health/live", **schemas.LIVE)
async def live(request: Request) -> Response:
    """Say that the process answers."""
    return json_answer({"live": True, "ready": not _why_not_ready(request)})


@router.get("/v2/health/ready", **schemas.READY)
async def ready(request: Request) -> Response:
    """Say whether every model has a version that answers."""
    if why := _why_not_ready(request):
        error = NotReady(f"not ready: {why}")
        return error_answer(error, request.scope["request_id"], live=True, ready=False)
    return json_answer({"live": True, "ready": True})


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Give counters and histograms in Prometheus' text format."""
    return Response(state_of(request)["metrics"].render(), media_type=CONTENT_TYPE_LATEST)


def _why_not_ready(request: Request) -> str:
    state = state_of(request)
    if state["lifecycle"].is_draining:
        return "the service is stopping"
    return "; ".join(state["repository"].not_ready())
