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


class SampleAnswer(BaseModel):
    """Pictures and the latent vectors they came from."""

    model: ModelName
    random_seed: int = Field(examples=[7], description="the same one gives the same bytes again")
    images: list[str] = Field(examples=[["data:image/png;base64,iVBORw0KGgo="]])
    latents: list[list[float]] = Field(examples=[[[0.3, -1.2]]])


class Encoding(BaseModel):
    """Where a picture lies: a normal distribution over the latent space."""

    z_mean: list[float] = Field(examples=[[0.3, -1.2]])
    z_log_var: list[float] = Field(examples=[[-3.1, -2.8]])
    kl: float = Field(examples=[12.3], description="nats from the standard normal distribution")
    input: SeenInput | None = Field(None, description="with return=input")


class EncodeAnswer(BaseModel):
    """Encodings in the order of the pictures."""

    model: ModelName
    encodings: list[Encoding]


class ImagesAnswer(BaseModel):
    """Pictures in the order of the latent vectors."""

    model: ModelName
    images: list[str] = Field(examples=[["data:image/png;base64,iVBORw0KGgo="]])


class Reconstruction(BaseModel):
    """A picture after the bottleneck; the losses are in nats."""

    image: str = Field(examples=["data:image/png;base64,iVBORw0KGgo="])
    z: list[float] = Field(examples=[[0.3, -1.2]])
    noise: list[float] = Field(examples=[[0.0, 0.0]], description="0 without a random_seed")
    reconstruction_loss: float = Field(examples=[78.1])
    kl: float = Field(examples=[24.0])
    anomaly_score: float = Field(examples=[102.1], description="the sum of both losses")
    input: SeenInput | None = Field(None, description="with return=input")


class ReconstructAnswer(BaseModel):
    """Reconstructions in the order of the pictures."""

    model: ModelName
    random_seed: int | None = Field(None, examples=[3])
    reconstructions: list[Reconstruction]


class InterpolateAnswer(BaseModel):
    """What lies on the way, from one end to the other."""

    model: ModelName
    images: list[str] = Field(examples=[["data:image/png;base64,iVBORw0KGgo="]])
    latents: list[list[float]] = Field(examples=[[[0.3, -1.2]]])


class NotedCharacter(BaseModel):
    """How likely the model found one character, at diversity 1 whatever it was drawn with."""

    character: str = Field(examples=["e"])
    logprob: float = Field(examples=[-0.31])
    top: dict[str, float] = Field({}, examples=[{"e": -0.31, "a": -2.2}])


class GeneratedText(BaseModel):
    """One continuation of the seed."""

    text: str = Field(examples=["the king is not so much,"])
    diversity: float = Field(examples=[0.5])
    finish_reason: str = Field(examples=["length"], description="length or stop")
    continuation: str = Field(
        examples=["AQ4c0f"], description="send it to go on from here; it needs no seed"
    )
    logprobs: list[NotedCharacter] | None = Field(None, description="with logprobs: 1 to 5")


class GenerateAnswer(BaseModel):
    """Generations ordered by diversity, then by number."""

    model: ModelName
    random_seed: int = Field(examples=[42])
    generations: list[GeneratedText]
    replaced: list[str] | None = Field(
        None, description='with unknown: "replace": the characters a space stands in for'
    )


class ScoredCharacter(BaseModel):
    """One character of the text."""

    character: str = Field(examples=["a"])
    logprob: float = Field(examples=[-0.3])


class ScoreAnswer(BaseModel):
    """How likely the model finds a text that begins where texts begin."""

    model: ModelName
    nats_per_character: float = Field(examples=[1.46])
    bits_per_character: float = Field(examples=[2.1])
    characters: list[ScoredCharacter]
    replaced: list[str] | None = None


class CompletionLogprobs(BaseModel):
    """OpenAI's four lists, one entry a character."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]] | None
    text_offset: list[int]


class CompletionChoice(BaseModel):
    """One text."""

    index: int = Field(examples=[0])
    text: str = Field(examples=["the king is not so much,"])
    logprobs: CompletionLogprobs | None = None
    finish_reason: str = Field(examples=["length"])


class CompletionUsage(BaseModel):
    """Characters, under the names that OpenAI's clients read."""

    prompt_tokens: int = Field(examples=[15])
    completion_tokens: int = Field(examples=[24])
    total_tokens: int = Field(examples=[39])


class CompletionAnswer(BaseModel):
    """OpenAI's text completion; `random_seed` is the number that gives the same text again."""

    id: str = Field(examples=["cmpl-4be7b4a3f5a54d0cbd5a7a0f5b1f2c11"])
    object: str = "text_completion"
    created: int = Field(examples=[1790000000])
    model: str = Field(examples=["text"])
    system_fingerprint: str = Field(examples=["text/1"], description="model and version")
    random_seed: int = Field(examples=[42])
    choices: list[CompletionChoice]
    usage: CompletionUsage


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
