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


_BY_CODE: dict[str, type["ServiceError"]] = {}


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

    def __init_subclass__(cls, code: str = "") -> None:
        """code: that the service answers with."""
        cls.default_code = code or cls.default_code
        _BY_CODE.setdefault(cls.default_code, cls)


class InvalidRequest(ServiceError, code="invalid_input"):
    """The caller can fix the request."""


class InvalidJSON(InvalidRequest, code="invalid_json"):
    """The body is not valid JSON."""


class InvalidValue(InvalidRequest, code="invalid_value"):
    """A field or query value is out of range or of the wrong kind."""


class InvalidImage(InvalidRequest, code="invalid_image"):
    """An image of an accepted format cannot be used."""


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
    """The headers have more bytes than allowed."""


class MalformedRequest(InvalidRequest, code="invalid_request"):
    """The request is not valid HTTP, or not a valid form."""


class OriginRefused(InvalidRequest, code="origin_refused"):
    """A page of an origin that the service does not allow sent the request."""


class RequestTimeout(ServiceError, code="request_timeout"):
    """The service did not receive the whole request in time."""


class Unauthorized(ServiceError, code="unauthorized"):
    """The request carried no key that the service knows."""


class Forbidden(ServiceError, code="forbidden"):
    """The key does not allow it."""


class ManagementDisabled(Forbidden, code="management_disabled"):
    """The service has no admin key, so its models cannot be managed."""


class ReadOnly(Forbidden, code="read_only"):
    """The serving configuration cannot be written."""


class PreconditionFailed(ServiceError, code="precondition_failed"):
    """`If-Match` is not the current ETag."""


class NotFound(ServiceError, code="not_found"):
    """The resource does not exist."""


class RouteNotFound(NotFound, code="route_not_found"):
    """No route has this path."""


class ModelNotFound(NotFound, code="model_not_found"):
    """No model of that name, or not one of the route's task."""


class VersionNotFound(NotFound, code="version_not_found"):
    """The model has no such version or version label."""


class MethodNotAllowed(ServiceError, code="method_not_allowed"):
    """The path exists, the method does not."""


class Overloaded(ServiceError, code="overloaded"):
    """The service was still busy when the retries were used up."""


class NotReady(ServiceError, code="not_ready"):
    """The service was still not ready when the retries were used up."""


class DeadlineExceeded(ServiceError, code="deadline_exceeded"):
    """The deadline passed."""


class InternalError(ServiceError, code="internal_error"):
    """A fault of the service or of a model."""


def service_error(message: str, *, status: int, code: str, request_id: str) -> ServiceError:
    """The exception class of an error code (`ServiceError` for an unknown one)."""
    kind = _BY_CODE.get(code, ServiceError)
    return kind(message, status=status, code=code, request_id=request_id)
