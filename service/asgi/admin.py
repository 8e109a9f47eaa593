"""Access checks: management needs the admin key, details of failures need any key."""

from starlette.requests import Request

from service.asgi.state import state_of
from service.errors import ManagementDisabled, Unauthorized
from service.runtime.version import Version


def require_admin(request: Request) -> None:
    """Raise Unauthorized without the admin key, ManagementDisabled if none is configured."""
    settings = state_of(request)["settings"]
    if settings.admin_key is None and settings.admin_key_file is None:
        raise ManagementDisabled(
            "VITRINE_ADMIN_KEY must be set to change what is served, got no key: start the service with one"
        )
    if not request.scope.get("is_admin"):
        raise Unauthorized(
            "the request must have the admin key, got none or another: send it as "
            "'Authorization: Bearer KEY' or 'X-API-Key: KEY'"
        )


def reason_for(request: Request, version: Version) -> str:
    """Why a version is not ready; the engine's message is only for clients with a key."""
    if request.scope.get("has_key") and version.detail:
        return version.detail
    return version.error
