"""The images of a form that is all in memory: multipart/form-data or urlencoded.

A part is an image if its bytes are one, or base64 of one, whatever its headers say; a part that
says it is a file is taken for one too, so that its content can be named in an error.
"""

import re
from urllib.parse import parse_qsl

from python_multipart.multipart import MultipartParser, parse_options_header

from service.codecs.sniffing import is_base64_image, picture_format
from service.errors import InvalidRequest, InvalidValue, TooManyImages

_MAX_FIELDS = 256
_EXTENDED_NAME = re.compile(rb";\s*filename\*\s*=\s*([^;]+)", re.IGNORECASE)  # RFC 5987


class _Files:
    """Collects what the parser calls out."""

    def __init__(self, max_files: int) -> None:
        self.files: list[bytes | str] = []
        self.parts = 0
        self.is_complete = False
        self._max_files = max_files
        self._headers: dict[bytes, bytes] = {}
        self._name = b""
        self._value = b""
        self._is_file = False
        self._file_name = b""
        self._pieces: list[bytes] = []

    def begin_part(self) -> None:
        self.parts += 1
        if self.parts > self._max_files + _MAX_FIELDS:
            raise InvalidRequest(f"a form may have at most {_MAX_FIELDS} fields besides its files")
        self._headers, self._pieces = {}, []
        self._name = self._value = b""

    def add_name(self, body: bytes, start: int, end: int) -> None:
        self._name += body[start:end]

    def add_value(self, body: bytes, start: int, end: int) -> None:
        self._value += body[start:end]

    def end_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def end_headers(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"")
        _, options = parse_options_header(disposition)
        extended = _EXTENDED_NAME.search(disposition)  # the parser leaves out filename*=
        self._file_name = options.get(b"filename") or (extended[1] if extended else b"")
        content_type = self._headers.get(b"content-type", b"").lower()
        self._is_file = bool(self._file_name) or content_type.startswith(b"image/")

    def add_content(self, body: bytes, start: int, end: int) -> None:
        self._pieces.append(body[start:end])

    def end_part(self) -> None:
        content = b"".join(self._pieces)
        if is_base64_image(content):
            self.files.append(content.decode("latin-1"))
        # A browser sends a file field that was left empty as an empty file without a name.
        elif picture_format(content) or (self._is_file and (content or self._file_name)):
            self.files.append(content)
        else:
            return
        if len(self.files) > self._max_files:
            raise TooManyImages(f"at most {self._max_files} images a request, got more")

    def end(self) -> None:
        self.is_complete = True


def read_files(body: bytes, content_type: str, max_files: int) -> list[bytes | str]:
    """Read the images of a multipart form, whatever their fields are called, in order.

    Returns:
        The bytes of each file, or the text of a part that is base64 or a data URI.

    Raises:
        InvalidRequest: the form is malformed or ends too early.
        InvalidValue: it holds no file.
        TooManyImages: it holds more than `max_files`.
    """
    collected = _Files(max_files)
    try:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise InvalidRequest(
                "the Content-Type of a form must be multipart/form-data with a boundary: let the "
                "HTTP library set this header"
            )
        _parser(collected, boundary).write(body)
    except InvalidRequest:
        raise
    except Exception as error:
        raise InvalidRequest("the form is not valid multipart/form-data") from error
    if not collected.is_complete:
        raise InvalidRequest("the form ends before its closing boundary: was it cut off?")
    if not collected.files:
        raise InvalidValue(
            f"the form has {collected.parts} fields but no file: send one, as curl -F image=@d.png"
        )
    return collected.files


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
            f"a form may have at most {_MAX_FIELDS} fields besides its images"
        ) from error
    images: list[bytes | str] = [
        value for _, value in fields if is_base64_image(value.encode("utf-8", "replace"))
    ]
    if not images:
        raise InvalidValue(
            f"the form has {len(fields)} fields but no image: send a data URI, or a file, as "
            "curl -F image=@d.png"
        )
    return images


def _parser(collected: _Files, boundary: bytes) -> MultipartParser:
    return MultipartParser(
        boundary,
        {
            "on_part_begin": collected.begin_part,
            "on_header_field": collected.add_name,
            "on_header_value": collected.add_value,
            "on_header_end": collected.end_header,
            "on_headers_finished": collected.end_headers,
            "on_part_data": collected.add_content,
            "on_part_end": collected.end_part,
            "on_end": collected.end,
        },
    )
