"""What a loaded model holds: its variables, and what the card says of them."""

from typing import Any, NamedTuple

import numpy as np

from training.export.layer_table import LayerRow, layer_table


class Contents(NamedTuple):
    """Of a Keras model or of a signature of a SavedModel."""

    tracked: Any  # what holds the variables
    parameters: int
    weight_bytes: int
    layers: list[LayerRow]  # empty: not known

    def card(self) -> dict[str, Any]:
        """The card's fields."""
        return {
            "parameters": self.parameters,
            "memory": {"weights_bytes": self.weight_bytes},
            "layers": self.layers,
        }


def of_keras(model: Any) -> Contents:
    """Its variables, and the hash tables of its StringLookup, IntegerLookup and TextVectorization layers."""
    tables = [one.lookup_table for one in model._flatten_layers() if hasattr(one, "lookup_table")]
    return Contents(
        [*model.variables, *tables],
        model.count_params(),
        sum(w.dtype.itemsize * w.size for w in model.get_weights()),
        layer_table(model),
    )


def of_saved_model(loaded: Any, function: Any) -> Contents:
    """The variables that one of its signatures reads."""
    variables = {id(variable): variable for variable in function.variables}.values()
    return Contents(
        loaded,
        sum(int(np.prod(v.shape)) for v in variables),
        sum(int(np.prod(v.shape)) * v.dtype.size for v in variables),
        [],
    )
