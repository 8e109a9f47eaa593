import re

from vitrine_client import errors


def test_the_drawing_shows_every_error_and_no_other():
    drawn = re.findall(r"^[│├└─ ]*([A-Z]\w+)", errors.__doc__.split("\n\n", 1)[1], re.MULTILINE)
    defined = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.VitrineError)
    ]

    assert drawn == defined


def test_no_two_errors_share_a_code():
    kinds = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.ServiceError)
    ]

    assert len({kind.default_code for kind in kinds}) == len(kinds)
    for kind in kinds:
        error = errors.service_error("", status=0, code=kind.default_code, request_id="")
        assert type(error) is kind
