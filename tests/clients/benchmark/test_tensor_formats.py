import pytest

from clients.benchmark import tensor_formats


def test_every_form_of_the_same_tensors_is_answered_and_measured(served, capsys, monkeypatch):
    monkeypatch.setenv("VITRINE_URL", served.url)
    monkeypatch.setattr(tensor_formats, "SECONDS", 0.01)

    assert tensor_formats.main(["digits"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line[:10].strip() for line in lines] == ["binary", "infer JSON", "predict"]
    assert lines[0].endswith("1.0 × binary")


def test_a_model_that_is_not_there_is_an_error(served, monkeypatch):
    monkeypatch.setenv("VITRINE_URL", served.url)

    with pytest.raises(SystemExit, match="unknown model"):
        tensor_formats.main(["nobody"])
