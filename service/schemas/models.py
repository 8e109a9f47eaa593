"""Answers about models and about the service's health."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from service.schemas.base import QueryValues
from service.schemas.common import BINARY, Answer, ModelName, VersionQuery
from service.schemas.openapi import described, query_parameters

ImportOption = Annotated[str, Field(pattern=r"^[A-Za-z0-9.,_-]{1,40}$")]


class ListedModel(BaseModel):
    """One model, in OpenAI's format with additional fields."""

    id: str = Field(examples=["digits"])
    object: str = "model"
    created: int = Field(examples=[0])
    owned_by: str = "vitrine"
    task: str | None = Field(examples=["classify_digit"])
    versions: list[int] = Field(examples=[[1]])
    ready: bool


class ModelList(BaseModel):
    """The list of models in OpenAI's and KServe's formats."""

    object: str = "list"
    data: list[ListedModel]
    models: list[str] = Field(examples=[["digits", "digits-course"]])


class VersionError(BaseModel):
    """The reason why a version cannot be used."""

    error_code: str = Field(examples=["OK"])
    error_message: str = Field(examples=[""])


class VersionStatus(BaseModel):
    """The state of one version, in TensorFlow Serving's format."""

    version: str = Field(examples=["1"])
    state: str = Field(examples=["AVAILABLE"])
    status: VersionError


class SignatureEngine(BaseModel):
    """The engine of a signature."""

    model_config = ConfigDict(extra="allow")

    engine: str = Field(examples=["onnx"], description="onnx or tensorflow")
    largest_difference: dict[str, float] = Field(
        default_factory=dict,
        examples=[{"probabilities": 3e-7}],
        description="output → difference of ONNX Runtime from TensorFlow, measured at export",
    )
    unready: str | None = Field(
        None, description="the reason why the signature cannot run now; absent: it can run"
    )


class ModelStatus(BaseModel):
    """Readiness in KServe's format and status in TensorFlow Serving's format."""

    name: str = Field(examples=["digits"])
    ready: bool
    task: str | None = Field(examples=["classify_digit"])
    engines: dict[str, SignatureEngine] = Field(
        description="signature → its engine, in the newest ready version"
    )
    model_version_status: list[VersionStatus]


class Health(BaseModel):
    """Live: the process answers. Ready: every model has a ready version."""

    live: bool
    ready: bool


class LayerRow(BaseModel):
    """One layer of the network."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(examples=["conv1"])
    type: str = Field(examples=["Conv2D"])
    shape: list[int | None] = Field(examples=[[24, 24, 20]], description="shape of one output")
    parameters: int = Field(examples=[520])


class ModelCard(BaseModel):
    """The model card: training data, configuration and measured metrics."""

    model_config = ConfigDict(extra="allow")

    model: ModelName
    task: str = Field(examples=["classify_digit"])
    framework: str = Field(examples=["tensorflow 2.21.0"])
    signatures: dict[str, Any]
    max_batch_size: Any = Field(examples=[64])
    digest: str | None = Field(examples=["sha256:4be7b4a3"])
    release: Any = None
    summary: str = ""
    description: str = ""
    data: dict[str, Any] = Field({}, description="source, and number of examples of each split")
    configuration: dict[str, Any] = {}
    metrics: dict[str, Any] = Field({}, description="each with its uncertainty")
    layers: list[LayerRow] = []


class Uploaded(Answer):
    """An uploaded model that is now served."""

    task: str


class UploadQuery(QueryValues):
    """Options of `vitrine import`."""

    model_config = ConfigDict(extra="forbid")

    task: ImportOption | None = Field(None, description="as `vitrine import --task`")
    input_range: ImportOption | None = Field(None, description="such as 0..1")
    image_shape: ImportOption | None = Field(None, description="such as 28x28x1")
    outputs: ImportOption | None = Field(None, description="probabilities or logits")


LIST = described(ModelList, errors=(401,))
STATUS = described(ModelStatus, errors=(401, 404))
CARD = described(ModelCard, errors=(401, 404, 422, 503), parameters=query_parameters(VersionQuery))
LIVE = described(Health)
READY = described(Health, errors=(503,))
METRICS = described({"text/plain": {"schema": {"type": "string"}}}, errors=(401,))
UPLOAD = described(
    Uploaded,
    body={
        "required": True,
        "description": "a `.keras` or `.h5` file",
        "content": {"application/octet-stream": {"schema": BINARY}},
    },
    errors=(401, 403, 413, 422, 429),
    parameters=query_parameters(UploadQuery),
)
