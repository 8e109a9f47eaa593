"""How the routes of image classes appear in the OpenAPI document, and the shapes of their answers."""

from typing import Any

from pydantic import BaseModel, Field

from service.openapi.common import (
    MODEL_CHOICE,
    NORMALIZE,
    PICTURE_BODY,
    PREDICTION_ERRORS,
    RETURN_INPUT,
    query,
)
from service.openapi.schemas import ModelName, SeenInput


class Label(BaseModel):
    """One class of a picture, named as `decode_predictions` of Keras names it."""

    class_name: str = Field(examples=["n02123045"], description="WordNet id, where there is one")
    class_description: str = Field(examples=["tabby"])
    score: float = Field(examples=[0.61])


class LabelAnswer(BaseModel):
    """For each picture its best labels, best first."""

    model: ModelName
    predictions: list[list[Label]]
    inputs: list[SeenInput] | None = Field(None, description="with return=input")


class FeaturesAnswer(BaseModel):
    """For each picture what the network without its top makes of it."""

    model: ModelName
    predictions: list[list[Label]] | None = Field(None, description="with top=")
    features: list[list[float]] = Field(examples=[[[0.0, 0.31, 1.7]]])


class FashionPrediction(BaseModel):
    """One picture's answer."""

    label: str = Field(examples=["Ankle boot"])
    label_index: int = Field(examples=[9])
    scores: list[float] = Field(description="probabilities of dense, decision values of svm")
    head: str | None = Field(None, examples=["dense"], description="absent with ?model=")
    input: SeenInput | None = Field(None, description="with return=input")


class FashionPair(BaseModel):
    """The answers of both heads."""

    svm: FashionPrediction
    dense: FashionPrediction
    agree: bool = Field(examples=[True])
    input: SeenInput | None = Field(None, description="with return=input")


class FashionAnswer(BaseModel):
    """Predictions in the order of the pictures; pairs with head=both."""

    model: ModelName
    predictions: list[FashionPrediction | FashionPair]


def _top(description: str) -> dict[str, Any]:
    return query("top", description, {"type": "integer", "minimum": 1})


FIT = {
    **NORMALIZE,
    "description": "auto: fit any picture; off: take one of the right size as it is",
}
LABEL: dict[str, Any] = {
    "response_model": LabelAnswer,
    "responses": PREDICTION_ERRORS,
    "openapi_extra": {
        "requestBody": PICTURE_BODY,
        "parameters": [
            _top("how many labels, up to the model's classes; absent: 5"),
            RETURN_INPUT,
            FIT,
            *MODEL_CHOICE,
        ],
    },
}
FEATURES: dict[str, Any] = {
    "response_model": FeaturesAnswer,
    "responses": PREDICTION_ERRORS,
    "openapi_extra": {
        "requestBody": PICTURE_BODY,
        "parameters": [_top("also so many labels, of the same run"), FIT, *MODEL_CHOICE],
    },
}
CLASSIFY_FASHION: dict[str, Any] = {
    "response_model": FashionAnswer,
    "responses": PREDICTION_ERRORS,
    "openapi_extra": {
        "requestBody": PICTURE_BODY,
        "parameters": [
            query(
                "head",
                "the replaced last layers, the support vector machine on features, or both",
                {"type": "string", "enum": ["dense", "svm", "both"], "default": "dense"},
            ),
            RETURN_INPUT,
            FIT,
            *MODEL_CHOICE,
        ],
    },
}
