"""The files of a multipart/form-data body that is all in memory. Knows no picture and no route."""

from python_multipart.multipart import MultipartParser, parse_options_header

from service.errors import InvalidRequest, InvalidValue, TooManyImages

_MAX_FIELDS = 256


class _Files:
    """Collects what the parser calls out; a part with a file name or a picture's type is a file."""

    def __init__(self, max_files: int) -> None:
        self.files: list[bytes] = []
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
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._file_name = options.get(b"filename", b"")
        content_type = self._headers.get(b"content-type", b"").lower()
        self._is_file = b"filename" in options or content_type.startswith(b"image/")

    def add_content(self, body: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._pieces.append(body[start:end])

    def end_part(self) -> None:
        content = b"".join(self._pieces)
        if not self._is_file or not (content or self._file_name):
            return  # a browser sends a file field that was left empty as a nameless, empty file
        self.files.append(content)
        if len(self.files) > self._max_files:
            raise TooManyImages(f"at most {self._max_files} images a request, got more")

    def end(self) -> None:
        self.is_complete = True


def read_files(body: bytes, content_type: str, max_files: int) -> list[bytes]:
    """Read the contents of all file parts, whatever their fields are called, in order.

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
