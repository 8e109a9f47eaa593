"""The service's settings, read from environment variables."""

import importlib.util
import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

PREFIX = "VITRINE_"
Model = TypeVar("Model", bound=BaseModel)


class SettingsError(Exception):
    """A setting has a value that cannot be used; the message names it."""


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = tuple(part.strip() for part in value.split(",") if part.strip())
    if value and not parts:  # keys that are none would leave the service open
        raise ValueError("must have at least one value, separated by commas")
    return parts


def _check_origin(origin: str) -> str:
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("must list origins such as https://example.org")
    return origin


def _check_file(file: Path) -> Path:
    if not file.is_file():
        raise ValueError("must be an existing file")
    return file


CommaSeparated = BeforeValidator(_split)
File = Annotated[Path, AfterValidator(_check_file)]
Origin = Annotated[str, AfterValidator(_check_origin)]
Section = Literal["digits", "text", "labels", "vae", "gan", "models", "course"]


class Settings(BaseModel):
    """All settings with their defaults. Each field is the environment variable VITRINE_<NAME>."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0: any free port")
    models: Path = Field(Path("models"), description="folder of model versions")
    workers: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = Field(
        1, description="worker processes; auto: one for each processor (not on Windows)"
    )
    engine: Literal["auto", "onnx", "tensorflow"] = Field(
        "auto", description="engine that runs the models; auto: the engine named in each manifest"
    )
    allowed_operations: Annotated[tuple[str, ...], CommaSeparated] = Field(
        (),
        description="TensorFlow operations, separated by commas, that a model may use besides those "
        "that only compute",
    )
    api_keys: Annotated[tuple[SecretStr, ...], CommaSeparated] = Field(
        (),
        description="keys, separated by commas; if set, all routes except health and the page require one",
    )
    api_keys_file: File | None = Field(
        None, description="file of further keys, one per line; read again when it changes"
    )
    admin_key: SecretStr | None = Field(
        None,
        min_length=1,
        description="key for the management routes; none: they answer 403",
    )
    admin_key_file: File | None = Field(
        None, description="file that contains the admin key; read again when it changes"
    )
    rate_limit: float = Field(
        0, ge=0, description="requests per second for each API key; 0: no limit"
    )
    serving_dir: Path | None = Field(
        None,
        description="folder of the serving configurations, <model>.json; none: serving.json in each "
        "model's folder",
    )
    tls_cert: Path | None = Field(
        None, description="certificate (PEM): serve HTTPS; needs VITRINE_TLS_KEY"
    )
    tls_key: Path | None = Field(None, description="the certificate's private key (PEM)")
    uploads: bool = Field(
        False, description="1: clients with the admin key may upload Keras models"
    )
    answers: Literal["shown", "hidden"] = Field(
        "shown",
        description="answers to the page's questions; hidden: the page does not contain them",
    )
    sections: Annotated[tuple[Section, ...], CommaSeparated] = Field(
        (), description="sections of the page, separated by commas; none: all"
    )
    cors_origins: Annotated[tuple[Origin, ...], CommaSeparated] = Field(
        (),
        description="exact origins whose pages may call the service, separated by commas (no *)",
    )
    frame_ancestors: Annotated[tuple[Origin | Literal["self"], ...], CommaSeparated] = Field(
        (),
        description="origins, separated by commas, that may show the page in a frame, such as a "
        "notebook's; self: the page's own; none: no frames",
    )
    max_body_bytes: int = Field(16 * 2**20, ge=1024, description="maximum size of a request body")
    max_image_pixels: int = Field(
        25_000_000, ge=784, description="maximum pixels of all images of a request"
    )
    max_json_values: int = Field(1_000_000, ge=1000, description="maximum values in a JSON body")
    max_images: int = Field(64, ge=1, description="maximum images per request")
    queue_size: int = Field(256, ge=1, description="maximum queued requests per model")
    timeout_ms: int = Field(30_000, ge=1, description="deadline of a request without X-Timeout-Ms")
    max_bytes_in_flight: int = Field(
        0,
        ge=0,
        description="bodies, decoded images and unread answers together; 0: a quarter of the memory "
        "the process may use, at most 1 GiB",
    )
    receive_seconds: float = Field(
        10.0,
        gt=0,
        description="timeout for a request's head, then between reads of its body or its answer",
    )
    receive_total_seconds: float = Field(
        120.0, gt=0, description="timeout for receiving a whole request, and for sending an answer"
    )
    poll_seconds: float = Field(
        1.0, ge=0, description="interval between checks of the models folder; 0: only at the start"
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)
    ] = Field("info", description="debug (also every request), info, warning, error")
    otlp_endpoint: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="collector that traces are sent to, such as http://127.0.0.1:4318 (OTLP over HTTP; "
        "needs the extra tracing); none: no tracing",
    )
    root_path: Annotated[str, BeforeValidator(lambda path: str(path).rstrip("/"))] = Field(
        "", pattern=r"^(/[^/\s]+)*$", description="path under which a proxy publishes the service"
    )
    forwarded_allow_ips: str = Field(
        "", description="proxies whose X-Forwarded-* headers are trusted, separated by commas"
    )
    keep_alive_seconds: int = Field(
        5,
        ge=1,
        description="idle connections are closed after this time; use 65 behind a load balancer",
    )
    drain_seconds: float = Field(
        1.0,
        ge=0,
        description="time after SIGTERM during which requests are still accepted while not ready",
    )

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

    @field_validator("otlp_endpoint")
    @classmethod
    def _check_tracing(cls, endpoint: str) -> str:
        if endpoint and not _is_installed(
            "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"
        ):
            raise ValueError("needs pip install '.[tracing]'")
        return endpoint


def _is_installed(*modules: str) -> bool:
    try:
        return all(importlib.util.find_spec(module) for module in modules)
    except ModuleNotFoundError:  # of a package around it
        return False


def from_environ(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read VITRINE_* from `environ`; raise SettingsError for an unknown variable or an invalid value."""
    # VITRINE_URL is the clients'
    return read_settings(Settings, PREFIX, {k: v for k, v in environ.items() if k != "VITRINE_URL"})


def read_settings(model: type[Model], prefix: str, environ: Mapping[str, str]) -> Model:
    """The settings whose variables begin with `prefix`; SettingsError as above."""
    given = {
        name.removeprefix(prefix).lower(): value
        for name, value in environ.items()
        if name.startswith(prefix)
    }
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:  # an error of several settings
            raise SettingsError(first["msg"].removeprefix("Value error, ")) from None
        name = prefix + str(first["loc"][0]).upper()
        if first["type"] == "extra_forbidden":
            raise SettingsError(f"{name} is not a setting; --help lists the settings") from None
        shown = "" if "KEY" in name else f", got {first['input']!r}"
        must = re.sub(r"^(Input|String|Value) should", "must", first["msg"])
        must = re.sub(r"(, unable to parse| after validation).*", "", must)
        raise SettingsError(f"{name} {must.removeprefix('Value error, ')}{shown}") from None


def settings_table(model: type[BaseModel] = Settings, prefix: str = PREFIX) -> str:
    """One line per setting: variable, default, meaning."""
    width = len(prefix) + max(map(len, model.model_fields))
    return "\n".join(
        f"  {prefix + name.upper():<{width}} {_shown(field.default):<10} {field.description}"
        for name, field in model.model_fields.items()
    )


def _shown(default: object) -> str:
    """A default as it would be set in the environment; "none" if it would be empty."""
    if default in ((), "", None):
        return "none"
    return f"{default:g}" if isinstance(default, bool | float) else str(default)
