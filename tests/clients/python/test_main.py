import io
import json
import sys

import httpx
import pytest

from clients.python import Vitrine
from clients.python import __main__ as command


@pytest.fixture
def pictures(tmp_path):
    files = [tmp_path / "seven.png", tmp_path / "again.png"]
    for file in files:
        file.write_bytes(b"picture")
    return [str(file) for file in files]


@pytest.fixture
def run(service):
    def client(url):
        return Vitrine(url, transport=service.transport)

    return lambda *arguments: command.main(["classify", *arguments], client)


def test_one_line_for_each_picture(run, service, pictures, capsys):
    service.predictions = 2

    assert run(*pictures) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == pictures
    assert all("7   75.00%  ███████████████░░░░░" in line for line in lines)


def test_json_is_the_services_answer_word_for_word(run, service, pictures, capsys):
    assert run("--json", pictures[0]) == 0
    assert capsys.readouterr().out == service.answer().text + "\n"


def test_a_picture_without_a_digit_is_marked(run, service, pictures, capsys):
    answer = json.loads(service.answer().text)
    answer["predictions"][0]["outlier"] = True
    service.answer = lambda: httpx.Response(200, json=answer)

    run(pictures[0])
    assert "probably no digit" in capsys.readouterr().out


def test_an_error_is_one_sentence_on_standard_error(run, service, pictures, capsys, refusal):
    service.replies = [refusal(422, "invalid_image", error="blank\x1b[2J picture")]

    assert run(pictures[0]) == 1
    printed = capsys.readouterr()
    assert printed.err == "error: blank [2J picture\n"
    assert printed.out == ""


def test_a_missing_file_is_an_error_before_anything_is_sent(run, service, capsys):
    assert run("nowhere.png") == 1
    assert "nowhere.png" in capsys.readouterr().err
    assert service.requests == []


def test_an_address_that_is_none_is_an_error(capsys):
    assert command.main(["classify", "--url", "localhost:8000", "digit.png"]) == 1
    assert capsys.readouterr().err.startswith("error: an address looks like")


def test_no_option_takes_a_key(capsys):
    with pytest.raises(SystemExit):
        command.main(["classify", "--help"])
    usage = capsys.readouterr().out
    assert "--key" not in usage
    assert "VITRINE_API_KEY" in usage


def test_a_terminal_without_blocks_gets_ascii(run, pictures, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)

    assert run(pictures[0]) == 0
    assert b"###############....." in terminal.buffer.getvalue()
