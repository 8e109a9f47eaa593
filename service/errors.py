"""The errors of requests, by their meaning.

VitrineError
├─ InvalidRequest
│  ├─ InvalidJSON            the body cannot be parsed
│  ├─ InvalidValue           parsed, but out of range or of the wrong kind
│  ├─ InvalidImage           an image is truncated, corrupt, blank, or shows several digits
│  ├─ UnsupportedImage       not an accepted image format
│  └─ TooLarge
│     ├─ BodyTooLarge
│     ├─ ImageTooLarge       more pixels than allowed
│     ├─ TooManyImages
│     └─ HeadersTooLarge      the head of a request, or its trailers
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


class InvalidRequest(VitrineError):
    """The caller can fix the request."""

    code = "invalid_input"


class InvalidJSON(InvalidRequest):
    """The body is not valid JSON."""

    code = "invalid_json"


class InvalidValue(InvalidRequest):
    """A field or query value is out of range or of the wrong kind."""

    code = "invalid_value"


class InvalidImage(InvalidRequest):
    """An image of an accepted format cannot be used."""

    code = "invalid_image"
    pieces = 0  # chunks and segments that were counted before


class UnsupportedImage(InvalidRequest):
    """The bytes are not an image of an accepted format."""

    code = "unsupported_image"


class TooLarge(InvalidRequest):
    """A limit is exceeded."""

    code = "too_large"


class BodyTooLarge(TooLarge):
    """The body has more bytes than allowed."""

    code = "body_too_large"


class ImageTooLarge(TooLarge):
    """The images of a request have more pixels than allowed."""

    code = "image_too_large"


class TooManyImages(TooLarge):
    """A request has more images than allowed."""

    code = "too_many_images"


class HeadersTooLarge(TooLarge):
    """The headers of a request, or its trailers, have more bytes than allowed."""

    code = "headers_too_large"


class MalformedRequest(InvalidRequest):
    """The bytes are not an HTTP request, or an ambiguous one."""

    code = "invalid_request"

    def __init__(
        self, message: str = "the request must be valid HTTP/1.1, got something else"
    ) -> None:
        super().__init__(message)


class OriginRefused(InvalidRequest):
    """A page of another origin, not listed in the settings, sent the request."""

    code = "origin_refused"


class RequestTimeout(VitrineError):
    """The request, or the next part of its body, did not arrive in time."""

    code = "request_timeout"

    def __init__(self) -> None:
        super().__init__("the request must arrive in time: send it again, faster")


class Unauthorized(VitrineError):
    """The request has no valid key."""

    code = "unauthorized"


class Forbidden(VitrineError):
    """The operation is disabled, whatever the key."""

    code = "forbidden"


class ManagementDisabled(Forbidden):
    """No admin key is configured."""

    code = "management_disabled"


class ReadOnly(Forbidden):
    """The state that the request changes cannot be written."""

    code = "read_only"


class PreconditionFailed(VitrineError):
    """The resource was changed since the caller read it."""

    code = "precondition_failed"


class NotFound(VitrineError):
    """The resource does not exist."""

    code = "not_found"


class RouteNotFound(NotFound):
    """No route has this path."""

    code = "route_not_found"


class ModelNotFound(NotFound):
    """No model of that name, or not one of the route's task."""

    code = "model_not_found"


class VersionNotFound(NotFound):
    """The model has no such version or version label."""

    code = "version_not_found"


class MethodNotAllowed(VitrineError):
    """The path exists, the method does not."""

    code = "method_not_allowed"


class Overloaded(VitrineError):
    """Refused immediately, so that accepted requests are answered in time."""

    code = "overloaded"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class QueueRefusal(Overloaded):
    """A queue is full, or the work before a request takes too long; requests as large are refused as well."""


class NotReady(VitrineError):
    """Not available yet; retry later."""

    code = "not_ready"

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DeadlineExceeded(VitrineError):
    """The deadline passed before the answer was ready."""

    code = "deadline_exceeded"


class InternalError(VitrineError):
    """A fault of the service or of a model."""
