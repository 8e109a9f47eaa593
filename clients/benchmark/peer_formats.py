"""A scenario in the format of other servers, which take an image as a file of a form, or in base64."""

import base64
import json
from typing import Any

from clients.load.scenario import JSON, Scenario, of_json

FORM_TYPE = "multipart/form-data; boundary=vitrine-benchmark"
FORM_HEAD = (
    "--vitrine-benchmark\r\nContent-Type: {type}\r\n"
    'Content-Disposition: form-data; name="image"; filename="image.png"\r\n\r\n'
)
FORM_END = b"\r\n--vitrine-benchmark--\r\n"


def as_form(scenario: Scenario) -> Scenario:
    """LitServe: the image as a file of a form."""
    body = FORM_HEAD.format(type=scenario.content_type).encode() + scenario.body + FORM_END
    return scenario._replace(body=body, content_type=FORM_TYPE)


def as_form_of_several(scenario: Scenario) -> Scenario:
    """BentoML, whose batches are lists: the same, answered by a list of one answer."""
    return as_form(scenario)._replace(is_right=lambda body: scenario.is_right(body.strip()[1:-1]))


def as_inference(scenario: Scenario) -> Scenario:
    """MLServer: the image in base64 in a request of the Open Inference Protocol, its answer as a text."""
    image = {
        "name": "image",
        "shape": [1, 1],
        "datatype": "BYTES",
        "parameters": {"content_type": "base64"},
        "data": [base64.b64encode(scenario.body).decode()],
    }
    body = json.dumps({"inputs": [image]}).encode()

    def is_right(answer: Any) -> bool:
        (text,) = answer["outputs"][0]["data"]
        return scenario.is_right(text.encode())

    return scenario._replace(body=body, content_type=JSON, is_right=of_json(is_right))
