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

Each message is one sentence for the caller: what was expected and what was sent.
"""


class VitrineError(Exception):
    """Base of all of them; `str(error)` is the message, `code` the machine's word for it."""

    code = "internal_error"


class InvalidRequest(VitrineError):
    """The caller can fix it by sending something else."""

    code = "invalid_input"


class InvalidJSON(InvalidRequest):
    """The body is not the JSON it has to be."""

    code = "invalid_json"


class InvalidValue(InvalidRequest):
    """A field or query value is out of range or of the wrong kind."""

    code = "invalid_value"


class InvalidImage(InvalidRequest):
    """An image of an accepted format cannot be used."""

    code = "invalid_image"
    pieces = 0  # chunks and segments that were counted before


class UnsupportedImage(InvalidRequest):
    """The bytes are no image of an accepted format."""

    code = "unsupported_image"


class TooLarge(InvalidRequest):
    """Something is over its limit."""

    code = "too_large"


class BodyTooLarge(TooLarge):
    """The body has more bytes than allowed."""

    code = "body_too_large"


class ImageTooLarge(TooLarge):
    """The images of a request have more pixels than allowed."""

    code = "image_too_large"


class TooManyImages(TooLarge):
    """A request holds more images than allowed."""

    code = "too_many_images"


class HeadersTooLarge(TooLarge):
    """The headers of a request, or its trailers, have more bytes than allowed."""

    code = "headers_too_large"


class MalformedRequest(InvalidRequest):
    """The bytes are no HTTP request, or one that servers could understand differently."""

    code = "invalid_request"

    def __init__(
        self, message: str = "the request must be valid HTTP/1.1, got something else"
    ) -> None:
        super().__init__(message)


class OriginRefused(InvalidRequest):
    """A browser asks for a page of another origin, which the settings do not name."""

    code = "origin_refused"


class RequestTimeout(VitrineError):
    """The request, or the next part of its body, did not arrive in time."""

    code = "request_timeout"

    def __init__(self) -> None:
        super().__init__("The request did not arrive in time; send it again, faster.")


class Unauthorized(VitrineError):
    """The request carries no key that the service knows."""

    code = "unauthorized"


class Forbidden(VitrineError):
    """No key would help."""

    code = "forbidden"


class ManagementDisabled(Forbidden):
    """No admin key is configured."""

    code = "management_disabled"


class ReadOnly(Forbidden):
    """The state that the request changes cannot be written."""

    code = "read_only"


class PreconditionFailed(VitrineError):
    """What the caller wants to replace was changed meanwhile."""

    code = "precondition_failed"


class NotFound(VitrineError):
    """What the address names is not there."""

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
    """Refused at once, so that what was accepted is answered in time."""

    code = "overloaded"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class QueueRefusal(Overloaded):
    """A queue is full, or what is ahead in it takes too long; who asks for no less is refused as well."""


class NotReady(VitrineError):
    """It will answer later."""

    code = "not_ready"

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DeadlineExceeded(VitrineError):
    """The answer was not there when the caller's time was over."""

    code = "deadline_exceeded"


class InternalError(VitrineError):
    """A fault of the service or of a model."""
