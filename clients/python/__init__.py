"""A Python client of the Vitrine service.

from clients.python import Vitrine

with Vitrine() as vitrine:
    print(vitrine.classify_digits("digit.png").predictions[0].digit)
"""

from clients.python.client import AsyncVitrine, Vitrine
from clients.python.connection import DEFAULT_TIMEOUT, DEFAULT_URL
from clients.python.errors import (
    BodyTooLarge,
    DeadlineExceeded,
    ImageTooLarge,
    InternalError,
    InvalidImage,
    InvalidJSON,
    InvalidRequest,
    InvalidSetting,
    InvalidValue,
    MethodNotAllowed,
    ModelNotFound,
    NotFound,
    NotReady,
    Overloaded,
    RouteNotFound,
    ServiceError,
    TimedOut,
    TooLarge,
    TooManyImages,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
    UnreadablePicture,
    UnsupportedImage,
    VersionNotFound,
    VitrineError,
)
from clients.python.pictures import Picture, Pictures
from clients.python.retries import DEFAULT_RETRIES, Retries
from clients.python.types import DigitPrediction, DigitsAnswer, ModelVersion, Normalize

__all__ = [
    "DEFAULT_RETRIES",
    "DEFAULT_TIMEOUT",
    "DEFAULT_URL",
    "AsyncVitrine",
    "BodyTooLarge",
    "DeadlineExceeded",
    "DigitPrediction",
    "DigitsAnswer",
    "ImageTooLarge",
    "InternalError",
    "InvalidImage",
    "InvalidJSON",
    "InvalidRequest",
    "InvalidSetting",
    "InvalidValue",
    "MethodNotAllowed",
    "ModelNotFound",
    "ModelVersion",
    "Normalize",
    "NotFound",
    "NotReady",
    "Overloaded",
    "Picture",
    "Pictures",
    "Retries",
    "RouteNotFound",
    "ServiceError",
    "TimedOut",
    "TooLarge",
    "TooManyImages",
    "Unauthorized",
    "UnexpectedAnswer",
    "Unreachable",
    "UnreadablePicture",
    "UnsupportedImage",
    "VersionNotFound",
    "Vitrine",
    "VitrineError",
]
