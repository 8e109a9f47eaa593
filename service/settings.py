"""The service's settings: frozen values, and the one reader of the environment."""

import importlib.util
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

PREFIX = "VITRINE_"
NOT_YET: tuple[str, ...] = ()  # of the contract, but nothing implements them: refused, not ignored


Section = Literal["digits", "text", "labels", "vae", "gan", "models", "course"]


class SettingsError(Exception):
    """A setting has a value that cannot be used; the message names it."""


class Settings(BaseModel):
    """What can be set, with defaults. Each field is the environment variable VITRINE_<NAME>."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    models: Path = Field(Path("models"), description="folder of model versions")
    workers: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = Field(
        1, description="processes that answer; auto: one for each processor (not on Windows)"
    )
    engine: Literal["auto", "onnx", "tensorflow"] = Field(
        "auto", description="what runs the models; auto: what each manifest says"
    )
    allowed_operations: tuple[str, ...] = Field(
        (),
        description="TensorFlow operations, separated by commas, that a model may use beside those "
        "that only compute",
    )
    api_keys: tuple[SecretStr, ...] = Field(
        (),
        description="keys, separated by commas; with any set, every route but health and the page needs one",
    )
    api_keys_file: Path | None = Field(
        None, description="file of further keys, one a line; read again when it changes"
    )
    admin_key: SecretStr | None = Field(
        None,
        min_length=1,
        description="key for the routes that change what is served; none: they answer 403",
    )
    admin_key_file: Path | None = Field(
        None, description="file that holds the admin key; read again when it changes"
    )
    rate_limit: float = Field(
        0, ge=0, description="requests a second for each API key; 0: no limit"
    )
    serving_dir: Path | None = Field(
        None,
        description="folder of <model>.json, what is served of each model; none: "
        "serving.json in the model's own folder",
    )
    tls_cert: Path | None = Field(
        None, description="certificate (PEM): the service answers on https; needs VITRINE_TLS_KEY"
    )
    tls_key: Path | None = Field(None, description="the certificate's private key (PEM)")
    uploads: bool = Field(
        False, description="1: whoever has the admin key may hand in Keras models"
    )
    answers: Literal["shown", "hidden"] = Field(
        "shown", description="of the page's questions; hidden: they are not sent"
    )
    sections: tuple[Section, ...] = Field(
        (), description="of the page, separated by commas; none: all of them"
    )
    cors_origins: tuple[str, ...] = Field(
        (),
        description="origins, separated by commas, whose pages may call the service (exact, no *)",
    )
    frame_ancestors: tuple[str, ...] = Field(
        (),
        description="origins, separated by commas, that may show the page in a frame, such as a "
        "notebook's; self: the page's own; none: nobody",
    )
    max_body_bytes: int = Field(16 * 2**20, ge=1024, description="largest request body")
    max_image_pixels: int = Field(
        25_000_000, ge=784, description="most pixels of all images of a request"
    )
    max_json_values: int = Field(1_000_000, ge=1000, description="most values of a JSON body")
    max_images: int = Field(64, ge=1, description="most images of a request")
    queue_size: int = Field(256, ge=1, description="requests that may wait, per model")
    timeout_ms: int = Field(30_000, ge=1, description="deadline of a request without X-Timeout-Ms")
    max_bytes_in_flight: int = Field(
        0,
        ge=0,
        description="bodies, decoded images and unread answers together; 0: a quarter of the memory "
        "the process may use, at most 1 GiB",
    )
    receive_seconds: float = Field(
        10.0, gt=0, description="for a request's head, then between reads of its body or its answer"
    )
    receive_total_seconds: float = Field(
        120.0, gt=0, description="for a whole request to come, and for an answer to be read"
    )
    poll_seconds: float = Field(
        1.0, ge=0, description="how often the models folder is looked at; 0: only at the start"
    )
    log_level: str = Field("info", description="debug (also every request), info, warning, error")
    otlp_endpoint: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="collector that traces are sent to, such as http://127.0.0.1:4318 (OTLP over HTTP; "
        "needs the extra tracing); none: nothing is traced",
    )
    root_path: str = Field("", description="path below which a proxy shows the service")
    forwarded_allow_ips: str = Field(
        "", description="proxies whose X-Forwarded-* headers are believed, separated by commas"
    )
    keep_alive_seconds: int = Field(
        5, ge=1, description="idle connections are closed after this; 65 behind a balancer"
    )
    drain_seconds: float = Field(
        1.0, ge=0, description="how long a stopping service still takes requests while not ready"
    )

    @field_validator(
        "allowed_operations",
        "api_keys",
        "cors_origins",
        "frame_ancestors",
        "sections",
        mode="before",
    )
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("api_keys_file", "admin_key_file")
    @classmethod
    def _check_readable(cls, file: Path | None) -> Path | None:
        if file is not None and not file.is_file():
            raise ValueError("it must be a file that is there")
        return file

    @model_validator(mode="after")
    def _check_certificate(self) -> "Settings":
        if not self.tls_cert and not self.tls_key:
            return self
        if not self.tls_cert or not self.tls_key:
            raise ValueError("VITRINE_TLS_CERT and VITRINE_TLS_KEY must be set together")
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                self.tls_cert, self.tls_key, password=""
            )
        except (OSError, ValueError):
            raise ValueError(
                "VITRINE_TLS_CERT and VITRINE_TLS_KEY must be PEM files of a certificate and its key, "
                f"got {str(self.tls_cert)!r} and {str(self.tls_key)!r}; `vitrine certificate` makes a pair"
            ) from None
        return self

    @field_validator("cors_origins", "frame_ancestors")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for origin in origins:
            if origin == "self" and info.field_name == "frame_ancestors":
                continue
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                raise ValueError(f"{origin!r} is not an origin such as https://example.org")
        return origins

    @field_validator("otlp_endpoint")
    @classmethod
    def _check_tracing(cls, endpoint: str) -> str:
        if endpoint and not _is_installed(
            "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"
        ):
            raise ValueError("it needs pip install '.[tracing]'")
        return endpoint

    @field_validator("log_level")
    @classmethod
    def _check_level(cls, level: str) -> str:
        if level.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("it is one of debug, info, warning, error")
        return level.lower()


def _is_installed(*modules: str) -> bool:
    try:
        return all(importlib.util.find_spec(module) for module in modules)
    except ModuleNotFoundError:  # of a package around it
        return False


def from_environ(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read VITRINE_* from `environ`; an unknown or unusable one is a SettingsError, never ignored."""
    for name in NOT_YET:
        if name in environ:
            raise SettingsError(f"{name} is set, but this build cannot do that yet; unset it")
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name != "VITRINE_URL"  # VITRINE_URL is the clients'
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:  # several settings that do not go together
            raise SettingsError(first["msg"].removeprefix("Value error, ")) from None
        name = PREFIX + str(first["loc"][0]).upper()
        if first["type"] == "extra_forbidden":
            raise SettingsError(f"{name} is no setting; --help lists them") from None
        shown = "" if "KEY" in name else f" (it is {first['input']!r})"
        raise SettingsError(f"{name}: {first['msg']}{shown}") from None
