"""How the GAN routes appear in the OpenAPI document."""

from typing import Any

from service.openapi import gan_schemas as schemas
from service.openapi.common import (
    ENCODED,
    MODEL_CHOICE,
    NORMALIZE,
    PICTURE_BODY,
    PREDICTION_ERRORS,
    RETURN_INPUT,
    json_body,
    query,
)
from service.openapi.vae import COUNT, MANY_ERRORS, ONLY_GRID, PICTURE_ERRORS, SEED, WITH_GRID
from service.tasks import gan_points, latent_points, projection
from service.tasks import generate_image as limits

DIGIT = {"type": "integer", "minimum": 0, "description": "absent: drawn from the random seed"}
TRUNCATION = {
    "type": "number",
    "minimum": 0,
    "maximum": gan_points.MAX_TRUNCATION,
    "default": gan_points.DEFAULT_TRUNCATION,
    "description": "0: the digit's most typical picture; 1: as varied as the model can",
}
POINT: dict[str, Any] = {
    "description": 'a picture, a w, {"random_seed": 3, "digit": 4} or {"z": […], "digit": 4}',
    "oneOf": [
        ENCODED,
        {"type": "array", "description": "a latent vector, or rows of pixels", "items": {}},
        {"type": "object"},
    ],
}
STRENGTH = {"type": "number", "minimum": -limits.MAX_STRENGTH, "maximum": limits.MAX_STRENGTH}
NUMBER_OF_STEPS = {
    "type": "integer",
    "minimum": latent_points.MIN_STEPS,
    "maximum": latent_points.MAX_STEPS,
    "default": latent_points.DEFAULT_STEPS,
}


def _choice(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(words), "default": words[0]}


SAMPLE: dict[str, Any] = {
    "response_model": schemas.GanSampleAnswer,
    "responses": MANY_ERRORS | WITH_GRID,
    "openapi_extra": {
        "requestBody": json_body(
            {"n": COUNT, "random_seed": SEED, "digit": DIGIT, "truncation": TRUNCATION},
            {"n": 4, "random_seed": 7, "digit": 3},
        ),
        "parameters": MODEL_CHOICE,
    },
}
SAMPLE_PNG: dict[str, Any] = {
    "responses": PICTURE_ERRORS | ONLY_GRID,
    "openapi_extra": {
        "parameters": [
            query("random_seed", "absent: another picture each time", SEED),
            query("n", "how many", COUNT),
            query("digit", "which digit", DIGIT),
            query("truncation", "how typical", TRUNCATION),
            *MODEL_CHOICE,
        ],
    },
}
INTERPOLATE: dict[str, Any] = {
    "response_model": schemas.GanWayAnswer,
    "responses": PREDICTION_ERRORS | WITH_GRID,
    "openapi_extra": {
        "requestBody": json_body(
            {
                "from": POINT,
                "to": POINT,
                "steps": NUMBER_OF_STEPS,
                "path": _choice(*latent_points.PATHS),
                "space": _choice("w", "z"),
            },
            {"from": {"random_seed": 3, "digit": 4}, "to": {"random_seed": 8, "digit": 9}},
            "from",
            "to",
        ),
        "parameters": [NORMALIZE, *MODEL_CHOICE],
    },
}
MIX: dict[str, Any] = {
    "response_model": schemas.GanWayAnswer,
    "responses": PREDICTION_ERRORS | WITH_GRID,
    "openapi_extra": {
        "requestBody": json_body(
            {"coarse": POINT, "fine": POINT},
            {"coarse": {"random_seed": 3, "digit": 4}, "fine": {"random_seed": 8, "digit": 4}},
            "coarse",
            "fine",
        ),
        "parameters": [NORMALIZE, *MODEL_CHOICE],
    },
}
EDIT: dict[str, Any] = {
    "response_model": schemas.GanWayAnswer,
    "responses": PREDICTION_ERRORS | WITH_GRID,
    "openapi_extra": {
        "requestBody": json_body(
            {
                "latent": POINT,
                "image": ENCODED,
                "direction": {"type": "string", "description": "see /v1/gan/directions"},
                "strength": {
                    "description": "in sigmas; a list gives a picture for each",
                    "oneOf": [
                        STRENGTH,
                        {"type": "array", "items": STRENGTH, "maxItems": limits.MAX_STRENGTHS},
                    ],
                },
            },
            {"latent": {"random_seed": 3}, "direction": "thickness", "strength": [-2, 0, 2]},
            "direction",
            "strength",
        ),
        "parameters": [NORMALIZE, *MODEL_CHOICE],
    },
}
DIRECTIONS: dict[str, Any] = {
    "response_model": schemas.DirectionsAnswer,
    "responses": PICTURE_ERRORS,
    "openapi_extra": {"parameters": MODEL_CHOICE},
}
DISCRIMINATE: dict[str, Any] = {
    "response_model": schemas.DiscriminateAnswer,
    "responses": PREDICTION_ERRORS,
    "openapi_extra": {
        "requestBody": PICTURE_BODY,
        "parameters": [RETURN_INPUT, NORMALIZE, *MODEL_CHOICE],
    },
}
PROJECT: dict[str, Any] = {
    "response_model": schemas.ProjectAnswer,
    "responses": PREDICTION_ERRORS | WITH_GRID,
    "openapi_extra": {
        "requestBody": PICTURE_BODY,
        "parameters": [
            query(
                "steps",
                "of gradient descent",
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": projection.MAX_STEPS,
                    "default": projection.DEFAULT_STEPS,
                },
            ),
            query("loss", "what is made small", _choice(*projection.LOSSES)),
            query("start", "where to begin", _choice(*projection.STARTS)),
            query("stream", "events while it is sought", {"type": "boolean"}),
            RETURN_INPUT,
            NORMALIZE,
            *MODEL_CHOICE,
        ],
    },
}
