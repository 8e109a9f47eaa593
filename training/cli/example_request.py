"""A request to try a new model with."""

REQUESTS = {  # task → route, and the body as an option of curl
    "classify_digit": ("digits/classify", "--data-binary @docs/seven.png"),
    "autoencode_image": ("vae/reconstruct", "--data-binary @docs/seven.png"),
    "generate_image": ("gan/sample", """-d '{"n": 4, "digit": 3}'"""),
    "classify_image": ("images/label", "--data-binary @photo.jpg"),
    "generate_text": ("text/generate", """-d '{"seed": "What is ", "diversity": 0.5}'"""),
}


def example_request(task: str, name: str) -> str:
    """A command that asks the model `name` on this machine's service."""
    url = "http://127.0.0.1:8000/v1"
    if task not in REQUESTS:
        return f"curl {url}/models/{name}/metadata"
    route, body = REQUESTS[task]
    return f"curl {body} '{url}/{route}?model={name}'"
