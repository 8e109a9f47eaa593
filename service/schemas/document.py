"""The whole OpenAPI document: tags, operation ids, and how a request shows its key."""

from typing import Any

from fastapi.routing import APIRoute

TAGS = {
    "digits": "Handwritten digits, from any image a user posts or draws.",
    "text": "Character language models: generate, stream and score text.",
    "images": "ImageNet labels, features, and any image classifier of your own.",
    "fashion": "Fashion-MNIST by transfer learning, two ways.",
    "vae": "Variational autoencoders: sample, encode, decode, reconstruct, interpolate.",
    "gan": "A class-conditional GAN: sample, project, edit, mix, interpolate.",
    "models": "The models that are served, and their cards.",
    "tensorflow_serving": "TensorFlow Serving's REST API: raw tensors of any model.",
    "open_inference": "The Open Inference Protocol v2: raw tensors, JSON or binary.",
    "health": "Liveness, readiness and metrics.",
}
SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "one of VITRINE_API_KEYS; management: VITRINE_ADMIN_KEY",
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
    """Say that a key may be needed: either header, or none where no keys are configured."""
    document.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
    document["security"] = [{"bearer": []}, {"api_key": []}, {}]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if OPEN_TAG in operation.get("tags", ()) and path != "/metrics":
                operation["security"] = []
    return document
