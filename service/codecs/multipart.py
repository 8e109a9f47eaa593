"""The images of a form in memory: multipart/form-data or urlencoded.

A part is an image if its bytes are an image or base64 of one, whatever its headers say. A part declared
as a file is also treated as an image, so that an error can name its content.
"""

import re
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header

from service.codecs.sniffing import image_format, is_base64_image
from service.errors import InvalidRequest, InvalidValue, TooManyImages

_MAX_FIELDS = 256
_MAX_HEAD = 4096  # bytes of a part's headers
_EXTENDED_NAME = re.compile(rb";\s*filename\*\s*=\s*([^;]+)", re.IGNORECASE)  # RFC 5987


def read_files(body: bytes, content_type: str, max_files: int) -> list[bytes | str]:
    """Read the images of a multipart form in order, whatever the names of their fields.

    Returns:
        The bytes of each file, or the text of a part that is base64 or a data URI.

    Raises:
        InvalidRequest: the form is malformed or ends too early.
        InvalidValue: it has no file.
        TooManyImages: it has more than `max_files`.
    """
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise InvalidRequest(
            "the Content-Type of a form must be multipart/form-data with a boundary, got another: let "
            "the HTTP library set this header"
        )
    parts = _split(body, boundary, max_files + _MAX_FIELDS)
    images = [image for part in parts if (image := _image_in(body, *part)) is not None]
    if len(images) > max_files:
        raise TooManyImages(f"a request must have at most {max_files} images, got {len(images)}")
    if not images:
        raise InvalidValue(
            f"the form must have a file, got {len(parts)} fields without one: send one, as curl -F image=@d.png"
        )
    return images


def _split(body: bytes, boundary: bytes, max_parts: int) -> list[tuple[int, int]]:
    """Where the parts between the boundaries (RFC 2046, 5.1.1) start, at their headers, and end."""
    delimiter = b"\r\n--" + boundary
    if body.startswith(delimiter[2:]):
        place = len(delimiter) - 2
    elif (place := body.find(delimiter)) >= 0:  # anything may precede the first boundary
        place += len(delimiter)
    elif body:
        raise _invalid("the body does not contain the boundary of its Content-Type")
    parts: list[tuple[int, int]] = []
    while place >= 0:
        if body.startswith(b"--", place):
            return parts
        next_place = body.find(delimiter, place)
        end = next_place if next_place >= 0 else len(body)
        padding, line_end, _ = body[place : min(end, place + _MAX_HEAD)].partition(b"\r\n")
        if padding.strip(b" \t") or not line_end:
            raise _invalid("a boundary must be on its own line")
        parts.append((place + len(padding) + 2, end))
        if len(parts) > max_parts:
            raise InvalidRequest(
                f"a form must have at most {_MAX_FIELDS} fields besides its files, got more"
            )
        place = next_place + len(delimiter) if next_place >= 0 else -1
    raise InvalidRequest("the form must end with its closing boundary, got one that was cut off")


def _image_in(body: bytes, start: int, end: int) -> bytes | str | None:
    """The content of the part between these places, if it is an image or declared as a file."""
    if body.startswith(b"\r\n", start, end):
        headers, first = {}, start + 2
    else:
        head_end = body.find(b"\r\n\r\n", start, min(end, start + _MAX_HEAD))
        if head_end < 0:
            raise _invalid(
                f"a part must begin with at most {_MAX_HEAD} bytes of headers, then an empty line"
            )
        headers, first = _headers(body[start:head_end]), head_end + 4
    content = body[first:end]
    if is_base64_image(content):
        return content.decode("latin-1")
    disposition = headers.get(b"content-disposition", b"")
    _, options = parse_options_header(disposition)
    extended = _EXTENDED_NAME.search(disposition)  # the parser leaves out filename*=
    file_name = options.get(b"filename") or (extended[1] if extended else b"")
    is_file = bool(file_name) or headers.get(b"content-type", b"").lower().startswith(b"image/")
    # A browser sends a file field that was left empty as an empty file without a name.
    if image_format(content) or (is_file and (content or file_name)):
        return content
    return None


def _invalid(reason: str) -> InvalidRequest:
    return InvalidRequest(f"the form must be valid multipart/form-data, got an error: {reason}")


def _headers(block: bytes) -> dict[bytes, bytes]:
    lines = [line.partition(b":") for line in block.split(b"\r\n")]
    if not all(colon and name.strip() for name, colon, _ in lines):
        raise _invalid("the headers of a part must have the form name: value")
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def read_fields(body: bytes, max_files: int) -> list[bytes | str]:
    """Read the fields of an urlencoded form that are base64 or data URIs of images, in order.

    Raises:
        InvalidRequest: the form has too many fields.
        InvalidValue: no field is an image.
    """
    try:
        fields = parse_qsl(body.decode("latin-1"), max_num_fields=max_files + _MAX_FIELDS)
    except ValueError as error:
        raise InvalidRequest(
            f"a form must have at most {_MAX_FIELDS} fields besides its images, got more"
        ) from error
    images: list[bytes | str] = [
        value for _, value in fields if is_base64_image(value.encode("utf-8", "replace"))
    ]
    if not images:
        raise InvalidValue(
            f"the form must have an image, got {len(fields)} fields without one: send a data URI, or a file, "
            "as curl -F image=@d.png"
        )
    return images
