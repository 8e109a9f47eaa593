"""docs/course.ipynb runs from its first cell to its last against a service, and shows what it says."""

import pytest

from tests.running import ROOT

NOTEBOOK = ROOT / "docs" / "course.ipynb"


def shown_by(cells, beginning):
    """The data of the output of the one cell whose code begins so."""
    [cell] = [each for each in cells if each.source.startswith(beginning)]
    return cell.outputs[-1].data


@pytest.mark.tensorflow
def test_the_notebook_runs_and_its_answers_show_themselves(service, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("VITRINE_URL", service)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "clients" / "python"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)

    NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": NOTEBOOK.parent}}
    ).execute()

    cells = notebook.cells
    assert shown_by(cells, "side, filter_side")["text/plain"] == "(76, 28.0)"
    assert shown_by(cells, "(side - filter_side")["text/plain"] == "14.5"
    assert "'conv1': (24, 24, 20)" in shown_by(cells, "layers = ")["text/plain"]
    assert shown_by(cells, "[features]")["text/plain"] == "1280"
    assert "Egyptian_cat" in shown_by(cells, "vitrine.images.label")["text/html"]
    assert "<iframe src=" in shown_by(cells, "show(")["text/html"]
    for beginning in (
        "vitrine.digits.classify",
        "vitrine.gan.sample",
        "vitrine.gan.edit",
        "found = ",
    ):
        assert '<img src="data:image/png;base64,' in shown_by(cells, beginning)["text/html"]


def test_the_notebook_is_stored_without_outputs_and_names_only_files_that_are_there():
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    named = {
        name
        for cell in code
        for name in cell.source.split('"')
        if name.endswith((".png", ".jpg", ".txt"))
    }

    nbformat.validate(notebook)
    assert not any(cell.outputs for cell in code)
    assert len(named) == 4
    assert all((NOTEBOOK.parent / name).is_file() for name in named)
