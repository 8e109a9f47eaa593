import io
import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from vitrine_client import Vitrine
from vitrine_client import __main__ as command


@pytest.fixture
def images(tmp_path):
    files = [tmp_path / "seven.png", tmp_path / "again.png"]
    for file in files:
        file.write_bytes(b"image")
    return [str(file) for file in files]


@pytest.fixture
def run(service):
    def client(url):
        return Vitrine(url, transport=service.transport)

    return lambda *arguments: command.main(["classify", *arguments], client)


def test_one_line_for_each_image(run, service, images, capsys):
    service.predictions = 2

    assert run(*images) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == images
    assert all("7   75.00%  ███████████████░░░░░" in line for line in lines)


def test_json_is_the_services_answer_word_for_word(run, service, images, capsys):
    assert run("--json", images[0]) == 0
    assert capsys.readouterr().out == service.answer().text + "\n"


def test_an_image_without_a_digit_is_marked(run, service, images, capsys):
    answer = json.loads(service.answer().text)
    answer["predictions"][0]["outlier"] = True
    service.answer = lambda: httpx.Response(200, json=answer)

    run(images[0])
    assert "probably no digit" in capsys.readouterr().out


def test_an_error_is_one_sentence_on_standard_error(run, service, images, capsys, refusal):
    service.replies = [refusal(422, "invalid_image", error="blank\x1b[2J image")]

    assert run(images[0]) == 1
    printed = capsys.readouterr()
    assert printed.err == "error: blank [2J image\n"
    assert printed.out == ""


def test_a_missing_file_is_an_error_before_anything_is_sent(run, service, capsys):
    assert run("nowhere.png") == 1
    assert "nowhere.png" in capsys.readouterr().err
    assert service.requests == []


def test_an_address_that_is_none_is_an_error(capsys):
    assert command.main(["classify", "--url", "localhost:8000", "digit.png"]) == 1
    assert capsys.readouterr().err.startswith("error: the address must look like")


def test_no_option_takes_a_key(capsys):
    with pytest.raises(SystemExit):
        command.main(["classify", "--help"])
    usage = capsys.readouterr().out
    assert "--key" not in usage
    assert "VITRINE_API_KEY" in usage


def test_a_terminal_without_blocks_gets_ascii(run, images, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)

    assert run(images[0]) == 0
    assert b"###############....." in terminal.buffer.getvalue()


@pytest.fixture
def write(text_service):
    def client(url):
        return Vitrine(url, transport=text_service.transport)

    return lambda *arguments: command.main(list(arguments), client)


def test_the_text_alone_is_on_standard_output(write, capsys):
    assert write("generate", "YOUNG MAN: No, ", "--length", "5") == 0
    printed = capsys.readouterr()
    assert printed.out == "abcde\n"
    assert printed.err == "(random seed 42)\n"


def test_every_option_reaches_the_service(write, text_service):
    options = (
        "--diversity 0.5 --length 4 --random-seed 7 --top-k 9 --top-p 0.9 --stop END --model pulp"
    )

    assert write("generate", "seed", "--replace-unknown", *options.split()) == 0
    assert text_service.bodies == [
        {
            "seed": "seed",
            "diversity": 0.5,
            "length": 4,
            "random_seed": 7,
            "top_k": 9,
            "top_p": 0.9,
            "stop": ["END"],
            "unknown": "replace",
        }
    ]
    assert text_service.requests[0].url.params["model"] == "pulp"


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [(["generate"], "remove it, or add --replace-unknown\n"), (["score"], "remove it\n")],
)
def test_an_unknown_character_is_answered_with_an_option(capsys, arguments, way_out):
    message = 'seed must be known, got "é": remove it, or send "unknown": "replace"'
    refuse = httpx.MockTransport(
        lambda _: httpx.Response(422, json={"error": message, "code": "invalid_value"})
    )

    assert command.main([*arguments, "é"], lambda url: Vitrine(url, transport=refuse)) == 1
    assert capsys.readouterr().err.endswith(way_out)


@pytest.mark.parametrize("stream", [[], ["--stream"]], ids=["whole", "streamed"])
def test_several_diversities_give_one_text_below_the_other(write, capsys, stream):
    diversities = ["--diversity", "0.2", "--diversity", "1"]

    assert write("generate", "seed", "--length", "7", *diversities, *stream) == 0
    printed = capsys.readouterr()
    assert printed.out == "[diversity 0.2]\nabcdefg\n\n[diversity 1]\nabcdefg\n"
    assert printed.err == "(random seed 42)\n"


def test_a_stream_as_json_is_one_event_a_line(write, text_service, capsys):
    assert write("generate", "seed", "--stream", "--json", "--length", "4") == 0
    events = list(text_service.stream({"length": 4}))
    assert capsys.readouterr().out.splitlines() == events[:-1]


def test_the_seed_may_come_from_standard_input(write, text_service, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO("Où\n\xff".encode("latin-1")), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", stream)

    assert write("generate", "-") == 0
    assert text_service.bodies[0]["seed"] == "O\udcf9\n\udcff"  # no UTF-8: the service says so


def test_a_text_cannot_steer_the_terminal(write, text_service, capsys):
    text_service.text = lambda body: "a\x1b[2Jb\tc\nd"

    write("generate", "seed")
    write("generate", "seed", "--stream")
    assert capsys.readouterr().out == "a [2Jb\tc\nd\n" * 2


def test_an_error_in_mid_stream_ends_with_a_sentence(write, text_service, capsys):
    error = json.dumps({"error": "no time left", "code": "deadline_exceeded", "request_id": "r"})
    text_service.events = ['{"index": 0, "text": "abc"}', error]

    assert write("generate", "seed", "--stream") == 1
    printed = capsys.readouterr()
    assert printed.out == "abc\n"
    assert printed.err == "error: no time left\n"


def test_a_score_is_a_mean_and_a_bar_for_each_character(write, capsys):
    assert write("score", "a\n") == 0
    assert capsys.readouterr().out.splitlines() == [
        "2.0000 nats, 2.8850 bits per character (text/2)",
        "'a'     13.534%  █████░░░░░░░░░░░░░░░",
        r"'\n'    13.534%  █████░░░░░░░░░░░░░░░",
    ]


class Endless(BaseHTTPRequestHandler):
    """Streams one letter after the other until the caller hangs up."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            while not self.server.hung_up.wait(0.02):
                self.wfile.write(b'data: {"index": 0, "text": "a"}\n\n')
        except OSError:
            self.server.hung_up.set()

    def log_message(self, *args):
        pass


@pytest.fixture
def endless():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    server.hung_up = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def streaming(endless):
    """The command line in a process of its own, with a proxy in its environment that must not be asked."""
    url = f"http://127.0.0.1:{endless.server_port}"
    arguments = ["-m", "vitrine_client", "generate", "seed", "--stream", "--url", url]
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=Path(__file__).parents[4] / "clients" / "python",
        env={**os.environ, "HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests may run without
    )
    yield process
    process.kill()
    process.communicate()


def test_ctrl_c_ends_a_stream_quietly_and_hangs_up(streaming, endless):
    assert streaming.stdout.read(3) == b"aaa"
    streaming.send_signal(signal.SIGINT)
    out, err = streaming.communicate(timeout=120)

    assert streaming.returncode == 130
    assert out.endswith(b"\n")
    assert err == b""
    assert endless.hung_up.wait(120)


def test_a_reader_that_has_read_enough_ends_a_stream(streaming, endless):
    assert streaming.stdout.read(3) == b"aaa"
    streaming.stdout.close()

    assert streaming.wait(timeout=120) == 0
    assert streaming.stderr.read().decode() == ""
    assert endless.hung_up.wait(120)
