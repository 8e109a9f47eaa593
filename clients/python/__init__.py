"""A Python client of the Vitrine service.

from clients.python import Vitrine

with Vitrine() as vitrine:
    print(vitrine.classify_digits("digit.png").predictions[0].digit)
"""

from clients.python.client import AsyncVitrine
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
from clients.python.plain import Vitrine
from clients.python.retries import DEFAULT_RETRIES, Retries
from clients.python.types import (
    Character,
    DigitPrediction,
    DigitsAnswer,
    Generation,
    ModelVersion,
    Normalize,
    Sampling,
    ScoreAnswer,
    TextAnswer,
    TextChunk,
    TextEnd,
    TextEvent,
)

__all__ = [
    "DEFAULT_RETRIES",
    "DEFAULT_TIMEOUT",
    "DEFAULT_URL",
    "AsyncVitrine",
    "BodyTooLarge",
    "Character",
    "DeadlineExceeded",
    "DigitPrediction",
    "DigitsAnswer",
    "Generation",
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
    "Sampling",
    "ScoreAnswer",
    "ServiceError",
    "TextAnswer",
    "TextChunk",
    "TextEnd",
    "TextEvent",
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
