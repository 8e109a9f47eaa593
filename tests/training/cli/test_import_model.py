"""`vitrine import` refuses what it can before it loads TensorFlow."""

import contextlib
import io
import zipfile

import pytest

from training.__main__ import main
from training.cli import import_model


def archive(config):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as entries:
        entries.writestr("config.json", config)
        entries.writestr("metadata.json", "{}")
        entries.writestr("model.weights.h5", b"")
    return file.getvalue()


FOREIGN = archive('{"module": "os", "class_name": "system", "config": {}}')
HALF = FOREIGN[: len(FOREIGN) // 2]
VALID = archive("{}")


@pytest.fixture
def loaded(monkeypatch):
    """What importing loaded, in place of TensorFlow."""
    loaded = []
    monkeypatch.setattr(import_model, "import_keras", lambda: loaded.append("tensorflow"))
    return loaded


@pytest.mark.parametrize(
    ("file", "content", "name", "reason"),
    [
        ("mine.keras", FOREIGN, "mine", "must need no code outside Keras"),
        ("mine.keras", HALF, "mine", "is damaged or not a .keras file"),
        ("mine.h5", FOREIGN, "mine", "is damaged or not an HDF5 file"),
        ("mine.keras", VALID, "a b", "got 'a b'"),
    ],
)
def test_a_wrong_file_or_name_is_refused_without_tensorflow(
    tmp_path, loaded, file, content, name, reason
):
    path = tmp_path / file
    path.write_bytes(content)
    models = tmp_path / "models"

    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        status = main(["import", str(path), "--name", name, "--models", str(models)])

    assert (status, loaded) == (2, [])
    assert reason in errors.getvalue()
    assert not models.exists()
