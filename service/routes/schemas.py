"""The shapes of answers, for the OpenAPI document only: answers are built as plain data."""

from pydantic import BaseModel, Field

PROBABILITIES = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9998, 0.0, 0.0002]


class Problem(BaseModel):
    """Every error, on every route."""

    error: str = Field(examples=["image 3: the picture is blank; draw a digit on it"])
    code: str = Field(examples=["invalid_image"])
    request_id: str = Field(examples=["4be7b4a3f5a54d0cbd5a7a0f5b1f2c11"])


class ModelName(BaseModel):
    """Which model version answered."""

    name: str = Field(examples=["digits"])
    version: int = Field(examples=[1])


class SeenInput(BaseModel):
    """The picture the model saw."""

    image: str = Field(examples=["data:image/png;base64,iVBORw0KGgo="])
    steps: list[str] = Field(examples=[["inverted", "cropped", "centred"]])


class DigitPrediction(BaseModel):
    """One picture's answer."""

    digit: int = Field(examples=[7])
    probability: float = Field(examples=[0.9998])
    probabilities: list[float] = Field(min_length=10, max_length=10, examples=[PROBABILITIES])
    outlier: bool = Field(examples=[False], description="this is probably no digit")
    outlier_score: float = Field(
        examples=[0.02], description="0 to 1; an outlier has more than 0.5"
    )
    input: SeenInput | None = Field(None, description="with return=input")


class DigitAnswer(BaseModel):
    """Predictions in the order of the pictures."""

    model: ModelName
    predictions: list[DigitPrediction]


class Layer(BaseModel):
    """What one layer sees: tiled maps, or values where it has no maps."""

    name: str = Field(examples=["conv1"])
    shape: list[int] = Field(examples=[[24, 24, 20]])
    image: str | None = Field(None, examples=["data:image/png;base64,iVBORw0KGgo="])
    values: list[float] | None = None


class ActivationsAnswer(BaseModel):
    """Every layer, from the first convolution on."""

    model: ModelName
    layers: list[Layer]


class ListedModel(BaseModel):
    """One model, as OpenAI's clients read it, and a little more."""

    id: str = Field(examples=["digits"])
    object: str = "model"
    created: int = Field(examples=[0])
    owned_by: str = "vitrine"
    task: str | None = Field(examples=["classify_digit"])
    versions: list[int] = Field(examples=[[1]])
    ready: bool


class ModelList(BaseModel):
    """OpenAI's list and KServe's list in one."""

    object: str = "list"
    data: list[ListedModel]
    models: list[str] = Field(examples=[["digits", "digits-course"]])


class VersionError(BaseModel):
    """Why a version cannot be used."""

    error_code: str = Field(examples=["OK"])
    error_message: str = Field(examples=[""])


class VersionStatus(BaseModel):
    """One version, as TensorFlow Serving says it."""

    version: str = Field(examples=["1"])
    state: str = Field(examples=["AVAILABLE"])
    status: VersionError


class ModelStatus(BaseModel):
    """KServe's readiness and TensorFlow Serving's status in one."""

    name: str = Field(examples=["digits"])
    ready: bool
    task: str | None = Field(examples=["classify_digit"])
    model_version_status: list[VersionStatus]


class Health(BaseModel):
    """Live: the process answers. Ready: every model has a version that answers."""

    live: bool
    ready: bool
