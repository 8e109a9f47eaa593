"""The OpenAPI document: tags, operation ids, the parameters of paths, and security schemes."""

import re
from typing import Any

from fastapi.routing import APIRoute

TAGS = {
    "digits": "Handwritten digits, from any image or drawing.",
    "text": "Character language models: generate, stream and score text.",
    "images": "ImageNet labels, features, and your own image classifiers.",
    "fashion": "Fashion-MNIST classification, by transfer learning.",
    "vae": "Variational autoencoders: sample, encode, decode, reconstruct, interpolate.",
    "gan": "A class-conditional GAN: sample, project, edit, mix, interpolate.",
    "models": "The served models and their cards.",
    "tensorflow_serving": "TensorFlow Serving's REST API: raw tensors of any model.",
    "open_inference": "The Open Inference Protocol v2: raw tensors, JSON or binary.",
    "health": "Liveness, readiness and metrics.",
}
SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "one of VITRINE_API_KEYS; for management: VITRINE_ADMIN_KEY",
    },
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
PATH_PARAMETERS = {
    "model": "a model's name",
    "version": "a version number",
    "label": "a version label",
}
# What FastAPI says of a route without a model of its answer.
UNKNOWN: dict[str, Any] = {"schema": {}}
OPEN_TAG = "health"  # these routes need no key, /metrics aside


def tags() -> list[dict[str, Any]]:
    """Every tag with its description, in the order of the document."""
    return [{"name": name, "description": text} for name, text in TAGS.items()]


def operation_id(route: APIRoute) -> str:
    """Such as `gan_sample_png`: the tag, the function's name, and how the path chooses a version."""
    by = [f"by_{name}" for name in ("version", "label") if f"{{{name}}}" in route.path]
    return "_".join(map(str, [*route.tags[:1], route.name, *by]))


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Add the parameters of the paths and the security schemes (either header, or none without keys), remove unknown JSON."""
    document.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
    document["security"] = [{"bearer": []}, {"api_key": []}, {}]
    for path, methods in document["paths"].items():
        in_path = [_path_parameter(name) for name in re.findall(r"{(\w+)}", path)]
        for operation in methods.values():
            content = operation["responses"]["200"].get("content", {})
            if len(content) > 1 and content.get("application/json") == UNKNOWN:
                del content["application/json"]
            if in_path:
                operation["parameters"] = [*in_path, *operation.get("parameters", ())]
            if OPEN_TAG in operation.get("tags", ()) and path != "/metrics":
                operation["security"] = []
    return document


def _path_parameter(name: str) -> dict[str, Any]:
    about = {"description": PATH_PARAMETERS[name], "schema": {"type": "string"}}
    return {"name": name, "in": "path", "required": True, **about}
