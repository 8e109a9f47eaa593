"""Finds the Keras model in a folder written by MLflow."""

from pathlib import Path

_PLACES = ("data/model.keras", "data/model.h5", "model.keras", "data/model")


def find_model(path: Path) -> Path:
    """The model inside an MLflow folder; any other path is returned as it is.

    Raises:
        ValueError: the folder is MLflow's and holds no Keras model.
    """
    if not (path / "MLmodel").is_file():
        return path
    for place in _PLACES:
        if (path / place).exists():
            return path / place
    raise ValueError(
        f"{path} must be an MLflow folder of a Keras model (data/model.keras), got one without; log the "
        "model with mlflow.keras.log_model"
    )
