"""How the VAE routes appear in the OpenAPI document."""

from typing import Any

from service.codecs.random_streams import MAX_SEED
from service.openapi import schemas
from service.openapi.common import (
    ENCODED,
    MODEL_CHOICE,
    NORMALIZE,
    PICTURE_BODY,
    PREDICTION_ERRORS,
    RETURN_INPUT,
    json_body,
    problems,
    query,
)
from service.tasks import autoencode_image as limits
from service.tasks import latent_points

SEED: dict[str, Any] = {
    "type": "integer",
    "minimum": 0,
    "maximum": MAX_SEED,
    "description": "the same number gives the same bytes; absent: one is drawn and reported",
}
COUNT: dict[str, Any] = {
    "type": "integer",
    "minimum": 1,
    "maximum": limits.MAX_COUNT,
    "default": limits.DEFAULT_COUNT,
}
SCALE: dict[str, Any] = {
    "type": "number",
    "minimum": 0,
    "maximum": limits.MAX_SCALE,
    "default": 1.0,
    "description": "standard deviation to draw with; 0: the middle of the latent space",
}
VECTOR: dict[str, Any] = {
    "type": "array",
    "description": "a number for each latent dimension",
    "items": {
        "type": "number",
        "minimum": -latent_points.LARGEST,
        "maximum": latent_points.LARGEST,
    },
}
END: dict[str, Any] = {
    "description": 'a picture, a latent vector, or {"random_seed": 3}',
    "oneOf": [
        ENCODED,
        {"type": "array", "description": "a latent vector, or rows of pixels", "items": {}},
        {
            "type": "object",
            "properties": {"random_seed": SEED, "image": ENCODED},
            "maxProperties": 1,
            "additionalProperties": False,
        },
    ],
}
GRID = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
WITH_GRID: dict[int | str, dict[str, Any]] = {
    200: {"description": "JSON; with `Accept: image/png` one picture, a grid.", "content": GRID}
}
MANY_ERRORS = problems(400, 401, 404, 413, 422, 429, 503, 504)
PICTURE_ERRORS = problems(401, 404, 422, 429, 503, 504)
ONLY_GRID: dict[int | str, dict[str, Any]] = {
    200: {"description": "One picture, a grid.", "content": GRID},
    304: {"description": "The picture with the ETag that was sent is still right."},
}

SAMPLE: dict[str, Any] = {
    "response_model": schemas.SampleAnswer,
    "responses": MANY_ERRORS | WITH_GRID,
    "openapi_extra": {
        "requestBody": json_body(
            {"n": COUNT, "random_seed": SEED, "scale": SCALE}, {"n": 4, "random_seed": 7}
        ),
        "parameters": MODEL_CHOICE,
    },
}
ENCODE: dict[str, Any] = {
    "response_model": schemas.EncodeAnswer,
    "responses": PREDICTION_ERRORS,
    "openapi_extra": {
        "requestBody": PICTURE_BODY,
        "parameters": [RETURN_INPUT, NORMALIZE, *MODEL_CHOICE],
    },
}
DECODE: dict[str, Any] = {
    "response_model": schemas.ImagesAnswer,
    "responses": MANY_ERRORS | WITH_GRID,
    "openapi_extra": {
        "requestBody": json_body(
            {
                "latents": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": limits.MAX_COUNT,
                    "items": VECTOR,
                }
            },
            {"latents": [[0.0] * 20]},
            "latents",
        ),
        "parameters": MODEL_CHOICE,
    },
}
RECONSTRUCT: dict[str, Any] = {
    "response_model": schemas.ReconstructAnswer,
    "responses": PREDICTION_ERRORS | WITH_GRID,
    "openapi_extra": {
        "requestBody": PICTURE_BODY,
        "parameters": [
            query("random_seed", "draw z instead of taking the mean", SEED),
            RETURN_INPUT,
            NORMALIZE,
            *MODEL_CHOICE,
        ],
    },
}
INTERPOLATE: dict[str, Any] = {
    "response_model": schemas.InterpolateAnswer,
    "responses": PREDICTION_ERRORS | WITH_GRID,
    "openapi_extra": {
        "requestBody": json_body(
            {
                "from": END,
                "to": END,
                "steps": {
                    "type": "integer",
                    "minimum": latent_points.MIN_STEPS,
                    "maximum": latent_points.MAX_STEPS,
                    "default": latent_points.DEFAULT_STEPS,
                },
                "path": {"type": "string", "enum": list(latent_points.PATHS), "default": "lerp"},
            },
            {"from": {"random_seed": 3}, "to": {"random_seed": 8}, "steps": 5},
            "from",
            "to",
        ),
        "parameters": [NORMALIZE, *MODEL_CHOICE],
    },
}
SAMPLE_PNG: dict[str, Any] = {
    "responses": PICTURE_ERRORS | ONLY_GRID,
    "openapi_extra": {
        "parameters": [
            query("random_seed", "absent: another picture each time", SEED),
            query("n", "how many", COUNT),
            *MODEL_CHOICE,
        ],
    },
}
MANIFOLD_PNG: dict[str, Any] = {
    "responses": PICTURE_ERRORS | ONLY_GRID,
    "openapi_extra": {
        "parameters": [
            query(
                "size",
                "pictures across, and down",
                {
                    "type": "integer",
                    "minimum": limits.MIN_SIZE,
                    "maximum": limits.MAX_SIZE,
                    "default": limits.DEFAULT_SIZE,
                },
            ),
            *MODEL_CHOICE,
        ],
    },
}
