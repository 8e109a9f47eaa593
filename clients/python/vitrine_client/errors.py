"""The errors of the client, and of the service by their codes.

VitrineError
├─ InvalidSetting            an address or a key is invalid
├─ UnreadableImage           an image could not be read by the client; nothing was sent
├─ Unreachable               no connection: nothing listens there, or it broke
├─ TimedOut                  no answer within the client's own timeout
├─ UnexpectedAnswer          the answer is not one of the service
└─ ServiceError              the service refused: `status`, `code`, `request_id`
   ├─ InvalidRequest
   │  ├─ InvalidJSON
   │  ├─ InvalidValue
   │  ├─ InvalidImage        truncated, corrupt, blank, or several digits
   │  ├─ UnsupportedImage    not an image format that is accepted
   │  ├─ TooLarge
   │  │  ├─ BodyTooLarge
   │  │  ├─ ImageTooLarge
   │  │  ├─ TooManyImages
   │  │  └─ HeadersTooLarge
   │  ├─ MalformedRequest    not a valid HTTP, form or protocol request
   │  └─ OriginRefused       a page of another origin sent the request
   ├─ RequestTimeout         the request did not arrive in time
   ├─ Unauthorized           an API key is missing or wrong
   ├─ Forbidden
   │  ├─ ManagementDisabled  the service has no admin key
   │  └─ ReadOnly            the serving configuration cannot be written
   ├─ PreconditionFailed     `If-Match` is not the current ETag
   ├─ NotFound
   │  ├─ RouteNotFound
   │  ├─ ModelNotFound
   │  └─ VersionNotFound
   ├─ MethodNotAllowed
   ├─ Overloaded             still busy after the retries
   ├─ NotReady               still loading after the retries
   ├─ DeadlineExceeded       the deadline passed
   └─ InternalError
"""

from collections.abc import Iterator


class VitrineError(Exception):
    """Base class; `str(error)` is one sentence."""


class InvalidSetting(VitrineError):
    """The address or the key is invalid."""


class UnreadableImage(VitrineError):
    """An image could not be read before anything was sent."""


class Unreachable(VitrineError):
    """There is no connection to the service."""


class TimedOut(VitrineError):
    """The answer did not arrive within the client's timeout."""


class UnexpectedAnswer(VitrineError):
    """The answer is not one of a Vitrine service."""


class ServiceError(VitrineError):
    """The service answered with an error.

    Args:
        message: The service's message.
        status: The HTTP status; 0 for an error event of a stream, or for one of several images.
        code: The error code, for programs.
        request_id: Identifies the request in the service's log.
    """

    default_code = ""

    def __init__(
        self, message: str, *, status: int = 0, code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or self.default_code
        self.request_id = request_id


class InvalidRequest(ServiceError):
    """The caller can fix the request."""

    default_code = "invalid_input"


class InvalidJSON(InvalidRequest):
    """The body is not valid JSON."""

    default_code = "invalid_json"


class InvalidValue(InvalidRequest):
    """A field or query value is out of range or of the wrong kind."""

    default_code = "invalid_value"


class InvalidImage(InvalidRequest):
    """An image of an accepted format cannot be used."""

    default_code = "invalid_image"


class UnsupportedImage(InvalidRequest):
    """The bytes are not an image of an accepted format."""

    default_code = "unsupported_image"


class TooLarge(InvalidRequest):
    """A limit is exceeded."""

    default_code = "too_large"


class BodyTooLarge(TooLarge):
    """The body has more bytes than allowed."""

    default_code = "body_too_large"


class ImageTooLarge(TooLarge):
    """The images of a request have more pixels than allowed."""

    default_code = "image_too_large"


class TooManyImages(TooLarge):
    """A request has more images than allowed."""

    default_code = "too_many_images"


class HeadersTooLarge(TooLarge):
    """The headers have more bytes than allowed."""

    default_code = "headers_too_large"


class MalformedRequest(InvalidRequest):
    """The request is not valid HTTP, or not a valid form."""

    default_code = "invalid_request"


class OriginRefused(InvalidRequest):
    """A page of an origin that the service does not allow sent the request."""

    default_code = "origin_refused"


class RequestTimeout(ServiceError):
    """The service did not receive the whole request in time."""

    default_code = "request_timeout"


class Unauthorized(ServiceError):
    """The request carried no key that the service knows."""

    default_code = "unauthorized"


class Forbidden(ServiceError):
    """The key does not allow it."""

    default_code = "forbidden"


class ManagementDisabled(Forbidden):
    """The service has no admin key, so its models cannot be managed."""

    default_code = "management_disabled"


class ReadOnly(Forbidden):
    """The serving configuration cannot be written."""

    default_code = "read_only"


class PreconditionFailed(ServiceError):
    """`If-Match` is not the current ETag."""

    default_code = "precondition_failed"


class NotFound(ServiceError):
    """The resource does not exist."""

    default_code = "not_found"


class RouteNotFound(NotFound):
    """No route has this path."""

    default_code = "route_not_found"


class ModelNotFound(NotFound):
    """No model of that name, or not one of the route's task."""

    default_code = "model_not_found"


class VersionNotFound(NotFound):
    """The model has no such version or version label."""

    default_code = "version_not_found"


class MethodNotAllowed(ServiceError):
    """The path exists, the method does not."""

    default_code = "method_not_allowed"


class Overloaded(ServiceError):
    """The service was still busy when the retries were used up."""

    default_code = "overloaded"


class NotReady(ServiceError):
    """The service was still not ready when the retries were used up."""

    default_code = "not_ready"


class DeadlineExceeded(ServiceError):
    """The deadline passed."""

    default_code = "deadline_exceeded"


class InternalError(ServiceError):
    """A fault of the service or of a model."""

    default_code = "internal_error"


def service_error(message: str, *, status: int, code: str, request_id: str) -> ServiceError:
    """The exception class of an error code (`ServiceError` for an unknown one)."""
    kinds = {kind.default_code: kind for kind in _family(ServiceError)}
    kind = kinds.get(code, ServiceError)
    return kind(message, status=status, code=code, request_id=request_id)


def _family(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)
