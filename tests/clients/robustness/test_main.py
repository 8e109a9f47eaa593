"""The whole command, on a dozen digits and a service that is none."""

import gzip
import json
import struct

import numpy as np
import pytest
from PIL import Image

from clients.robustness import __main__ as program
from clients.robustness import contact_sheet, out_of_distribution


@pytest.fixture
def folder(tmp_path, digits):
    """IDX files as MNIST comes."""
    images = struct.pack(">4i", 0x803, *digits.shape) + digits.tobytes()
    labels = struct.pack(">2i", 0x801, 12) + (np.arange(12) % 2).astype(np.uint8).tobytes()
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(labels)
    return tmp_path


@pytest.fixture(autouse=True)
def few_letters(monkeypatch):
    monkeypatch.setattr(out_of_distribution, "LETTERS", "AO")
    monkeypatch.setattr(out_of_distribution, "fonts", lambda: [out_of_distribution.PILLOW_FONT])


@pytest.fixture
def service(monkeypatch, fake_vitrine):
    vitrine = fake_vitrine()
    monkeypatch.setattr(program, "AsyncVitrine", lambda url: vitrine)
    return vitrine


def test_the_report_is_printed_and_written_and_put_into_the_card(folder, service, capsys):
    card, file = folder / "card.json", folder / "report.json"
    card.write_text('{"job": "digits"}')
    arguments = ["--images", "12", "--model", "mine", "--card", str(card), "--json", str(file)]
    folders = ["--data-dir", str(folder), "--fashion-dir", str(folder)]
    assert program.main([*arguments, *folders]) == 0

    said = capsys.readouterr()
    report = json.loads(file.read_text())
    assert json.loads(card.read_text()) == {"job": "digits", "robustness": report}
    assert report["model"] == "digits/3"
    assert report["clean"]["auto"]["value"] == 0.5  # every answer is a nought
    assert len(report["corruptions"]["off"]) == len(report["corruptions"]["auto"]) == 16
    assert report["drawings"]["grey paper"]["points_from_clean"] == 0
    assert report["photographs"]["all"]["count"] == 12
    assert report["outliers"]["Fashion-MNIST"]["auroc"] == 0.5
    assert {model for _, model, _ in service.calls} == {"mine"}
    assert max(map(len, said.out.splitlines())) <= 110
    assert "stroke × 2.0" in said.out
    assert "images" in said.err


def test_without_fashion_mnist_it_says_so(folder, service, capsys):
    assert program.main(["--data-dir", str(folder), "--images", "4"]) == 0
    assert "--fashion-dir was not given" in capsys.readouterr().out


def test_the_sheet_is_drawn_without_a_service(folder, monkeypatch):
    monkeypatch.setattr(program, "AsyncVitrine", None)
    monkeypatch.setattr(contact_sheet, "_EXAMPLES", 3)  # in each row, instead of eight
    file = folder / "sheet.png"
    assert program.main(["--data-dir", str(folder), "--sheet", str(file)]) == 0
    with Image.open(file) as sheet:
        assert min(sheet.size) > 1000


def test_a_missing_data_set_is_one_sentence(tmp_path, capsys):
    assert program.main(["--data-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_without_a_service_it_says_so(folder, capsys):
    assert program.main(["--data-dir", str(folder), "--url", "http://127.0.0.1:9"]) == 1
    assert "nothing answers at http://127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--images", "0"], ["--card", "nowhere.json"]])
def test_what_cannot_be_is_refused_before_anything_is_asked(option, folder):
    with pytest.raises(SystemExit):
        program.main(["--data-dir", str(folder), *option])
