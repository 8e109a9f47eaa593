"""An upload is imported in a process of its own, whose end does not depend on it."""

import pytest

from service.errors import InvalidValue
from service.processes import model_import

pytestmark = pytest.mark.anyio


async def test_an_import_that_stands_still_is_ended_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(model_import, "STUCK_SECONDS", 0.0)

    with pytest.raises(InvalidValue, match="importing must end within"):
        await model_import.import_model(tmp_path, "mine", b"PK\x03\x04", {"task": "digits"})

    assert not list(tmp_path.iterdir())
