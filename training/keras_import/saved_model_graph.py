"""Reads the graph of a SavedModel without running any of it."""

from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from training.export.operations import check_operations


def read_graph(path: Path) -> Any:
    """The MetaGraphDef of a SavedModel directory whose operations the service allows.

    Raises:
        ValueError: there is none, it is damaged, or it does more than compute.
    """
    message = saved_model_pb2.SavedModel()
    try:
        message.ParseFromString((path / "saved_model.pb").read_bytes())
    except FileNotFoundError:
        raise ValueError(
            f"{path} must be a SavedModel, got a folder without saved_model.pb; model.export('folder') writes one"
        ) from None
    except DecodeError:
        raise ValueError(
            f"{path}/saved_model.pb must be a SavedModel, got a damaged file"
        ) from None
    if not message.meta_graphs:
        raise ValueError(f"{path}/saved_model.pb must have a graph, got none")
    check_operations(path, path)
    return message.meta_graphs[0]
