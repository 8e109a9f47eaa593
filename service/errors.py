"""The errors of requests, by their meaning.

VitrineError
├─ InvalidRequest
│  ├─ InvalidJSON            the body cannot be parsed
│  ├─ InvalidValue           parsed, but out of range or of the wrong kind
│  ├─ InvalidImage           an image is truncated, corrupt, blank, or shows several digits
│  ├─ UnsupportedImage       not an accepted image format
│  ├─ TooLarge
│  │  ├─ BodyTooLarge
│  │  ├─ ImageTooLarge       more pixels than allowed
│  │  ├─ TooManyImages
│  │  └─ HeadersTooLarge     the head of a request, or its trailers
│  ├─ MalformedRequest       not valid HTTP
│  └─ OriginRefused          a page of another origin may not call the service
├─ RequestTimeout            the request did not arrive in time
├─ Unauthorized              an API key is missing or wrong
├─ Forbidden
│  ├─ ManagementDisabled     no admin key is configured
│  └─ ReadOnly               the state that a request changes cannot be written
├─ PreconditionFailed        If-Match is not the current ETag
├─ NotFound
│  ├─ RouteNotFound
│  ├─ ModelNotFound
│  └─ VersionNotFound
├─ MethodNotAllowed
├─ Overloaded                the queue is full, or the deadline cannot be met
├─ NotReady                  a model is loading, or the service is starting or draining
├─ DeadlineExceeded
└─ InternalError             a fault of the service; the log has the cause under the request id

Each message is one sentence for the caller: the expected and the given value.
"""


class VitrineError(Exception):
    """Base class; `str(error)` is the message, `code` is for programs."""

    code = "internal_error"

    def __init_subclass__(cls, code: str = "") -> None:
        """code: of the class; default: that of its base."""
        cls.code = code or cls.code


class InvalidRequest(VitrineError, code="invalid_input"):
    """The caller can fix the request."""


class InvalidJSON(InvalidRequest, code="invalid_json"):
    """The body is not valid JSON."""


class InvalidValue(InvalidRequest, code="invalid_value"):
    """A field or query value is out of range or of the wrong kind."""


class InvalidImage(InvalidRequest, code="invalid_image"):
    """An image of an accepted format cannot be used."""

    pieces = 0  # chunks and segments that were counted before


class UnsupportedImage(InvalidRequest, code="unsupported_image"):
    """The bytes are not an image of an accepted format."""


class TooLarge(InvalidRequest, code="too_large"):
    """A limit is exceeded."""


class BodyTooLarge(TooLarge, code="body_too_large"):
    """The body has more bytes than allowed."""


class ImageTooLarge(TooLarge, code="image_too_large"):
    """The images of a request have more pixels than allowed."""


class TooManyImages(TooLarge, code="too_many_images"):
    """A request has more images than allowed."""


class HeadersTooLarge(TooLarge, code="headers_too_large"):
    """The headers of a request, or its trailers, have more bytes than allowed."""


class MalformedRequest(InvalidRequest, code="invalid_request"):
    """The bytes are not an HTTP request, or an ambiguous one."""

    def __init__(
        self, message: str = "the request must be valid HTTP/1.1, got something else"
    ) -> None:
        super().__init__(message)


class OriginRefused(InvalidRequest, code="origin_refused"):
    """A page of another origin, not listed in the settings, sent the request."""


class RequestTimeout(VitrineError, code="request_timeout"):
    """The request, or the next part of its body, did not arrive in time."""

    def __init__(self) -> None:
        super().__init__("the request must arrive in time: send it again, faster")


class Unauthorized(VitrineError, code="unauthorized"):
    """The request has no valid key."""


class Forbidden(VitrineError, code="forbidden"):
    """The operation is disabled, whatever the key."""


class ManagementDisabled(Forbidden, code="management_disabled"):
    """No admin key is configured."""


class ReadOnly(Forbidden, code="read_only"):
    """The state that the request changes cannot be written."""


class PreconditionFailed(VitrineError, code="precondition_failed"):
    """The resource was changed since the caller read it."""


class NotFound(VitrineError, code="not_found"):
    """The resource does not exist."""


class RouteNotFound(NotFound, code="route_not_found"):
    """No route has this path."""


class ModelNotFound(NotFound, code="model_not_found"):
    """No model of that name, or not one of the route's task."""


class VersionNotFound(NotFound, code="version_not_found"):
    """The model has no such version or version label."""


class MethodNotAllowed(VitrineError, code="method_not_allowed"):
    """The path exists, the method does not."""

    def __init__(self, path: str, allowed: list[str], method: str) -> None:
        super().__init__(
            f"the method of {path!r} must be {' or '.join(allowed)}, got {method[:20]!r}"
        )
        self.allowed = allowed


class Overloaded(VitrineError, code="overloaded"):
    """Refused immediately, so that accepted requests are answered in time."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class QueueRefusal(Overloaded):
    """A queue is full, or the work before a request takes too long; requests as large are refused as well."""


class NotReady(VitrineError, code="not_ready"):
    """Not available yet; retry later."""

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DeadlineExceeded(VitrineError, code="deadline_exceeded"):
    """The deadline passed before the answer was ready."""


class InternalError(VitrineError):
    """A fault of the service or of a model."""
