"""The OpenAPI document: tags, operation ids and security schemes."""

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
OPEN_TAG = "health"  # these routes need no key, /metrics aside


def tags() -> list[dict[str, Any]]:
    """Every tag with its description, in the order of the document."""
    return [{"name": name, "description": text} for name, text in TAGS.items()]


def operation_id(route: APIRoute) -> str:
    """Such as `gan_sample_png`: the tag and the function's name."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


def secured(document: dict[str, Any]) -> dict[str, Any]:
    """Add the security schemes: either header, or none if no keys are configured."""
    document.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
    document["security"] = [{"bearer": []}, {"api_key": []}, {}]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if OPEN_TAG in operation.get("tags", ()) and path != "/metrics":
                operation["security"] = []
    return document
