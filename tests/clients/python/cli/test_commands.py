"""The commands of the command line against the real app around engines one can compute."""

import io
import json
import os

import httpx
import numpy as np
import pytest
from PIL import Image

from vitrine_client import Vitrine
from vitrine_client.__main__ import COMMANDS, main

PNG = b"\x89PNG"


@pytest.fixture
def run(served, tmp_path, capsys, monkeypatch):
    """Run a command line in an empty folder; give what it printed and the folder."""
    monkeypatch.chdir(tmp_path)
    pixels = np.full((28, 28), 51, np.uint8)
    pixels[0, :3] = 200
    Image.fromarray(pixels).save("image.png")

    def command(line, code=0):
        assert main([*line.split(), "--url", served.url]) == code
        return capsys.readouterr()

    command.folder = tmp_path
    return command


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("label image.png --top 1", "blue"),
        ("fashion image.png", "image.png  Dress  1.0000"),
        ("fashion image.png --head svm", "Coat"),
        ("fashion image.png --model fashion-svm", "Coat"),
        ("fashion image.png --head both", "dense Dress  1.0000  svm Coat  1.0000   they differ"),
        ("classify image.png --normalize off --version 1", "image.png  3  100.00%"),
        ("models", "text           ready      generate_text     versions 1"),
        ("card digits --version 1", "digits/1  classify_digit, fake 1.0\ncounts lit pixels"),
        ("health", "ready"),
    ],
)
def test_people_get_text(run, line, said):
    assert said in run(line).out


@pytest.mark.parametrize(
    "line",
    [
        "classify image.png",
        "label image.png",
        "fashion image.png",
        "fashion image.png --head both",
        "generate seed",
        "score seed",
        "sample vae",
        "sample gan",
        "interpolate gan 1 2",
        "edit 1 grey 1",
        "mix 1 2",
        "project image.png --steps 3",
        "models",
        "card digits",
        "health",
    ],
)
def test_machines_get_the_services_own_words(run, line):
    printed = run(f"{line} --json")

    assert isinstance(json.loads(printed.out), dict)
    assert printed.err == ""
    assert [path.name for path in run.folder.iterdir()] == ["image.png"]


@pytest.mark.parametrize(
    ("line", "file", "images"),
    [
        ("sample vae --n 9", "samples.png", (3, 3)),
        ("sample gan --n 4 --digit 3 --random-seed 5", "samples.png", (2, 2)),
        ("interpolate vae image.png 7 --steps 4", "way.png", (2, 2)),
        ("interpolate gan 3:4 8:9 --steps 4 --path slerp", "way.png", (2, 2)),
        ("edit image.png grey -2 0 1 2", "edited.png", (2, 2)),
        ("mix 3:4 image.png", "mixed.png", (1, 1)),
        ("sample vae --n 1 -o my.png", "my.png", (1, 1)),
    ],
)
def test_drawn_images_are_written_to_a_file(run, line, file, images):
    printed = run(line)

    rows, columns = images
    width, height = Image.open(io.BytesIO((run.folder / file).read_bytes())).size
    assert (height // 28, width // 28) == (rows, columns)
    assert printed.out.startswith(f"{file}: drawn by ")
    drawn = line.startswith("sample") and "--random-seed" not in line
    assert printed.err.startswith("(random seed ") is drawn


def test_a_projection_is_written_with_how_near_it_came(run):
    printed = run("project image.png --steps 6 --loss pixel")

    assert (run.folder / "projected.png").read_bytes().startswith(PNG)
    assert printed.out.startswith("projected.png: loss 0.1429, PSNR ")
    assert printed.err == ""


@pytest.mark.parametrize(
    ("line", "file", "shape"),
    [
        ("edit image.png grey -2 2", "edited.png", (28, 57)),
        ("mix 3:4 image.png", "mixed.png", (28, 28)),
        ("project image.png --steps 6", "projected.png", (28, 28)),
    ],
)
def test_scale_repeats_every_pixel(run, line, file, shape):
    run(line)
    small = np.asarray(Image.open(run.folder / file))

    run(f"{line} --scale 3")

    assert small.shape == shape
    large = np.asarray(Image.open(run.folder / file))
    np.testing.assert_array_equal(large, small.repeat(3, 0).repeat(3, 1))


@pytest.mark.parametrize("scale", ["0", "33", "2.5", "²"])
def test_a_scale_out_of_range_is_said_before_the_work(run, scale):
    with pytest.raises(SystemExit):
        run(f"mix 1 2 --scale {scale}")

    assert [path.name for path in run.folder.iterdir()] == ["image.png"]


def test_a_terminal_sees_a_projection_come(run, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)

    run("project image.png --steps 7")

    shown = terminal.getvalue().split("\r")
    assert [each.split(",")[0] for each in shown[1:]] == [
        "step 0 of 7",
        "step 5 of 7",
        "step 7 of 7",
    ]
    assert shown[-1].endswith("\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sample vae --digit 3", "omit it"),
        ("sample gan --scale 2", "omit it"),
        ("sample vae --n 0", "n must be"),
        ("edit 3 beauty 1", "grey"),
        ("edit nowhere.png grey 1", "nowhere.png cannot be read"),
        ("interpolate vae 3:4 7", "from must be"),
        ("fashion image.png --head both --version 1", "version"),
        ("fashion image.png --head svm --model fashion-dense", "got both"),
        ("card nobody", "nobody"),
        ("classify image.png --version-label canary", "canary"),
        ("project image.png --steps 0", "steps"),
    ],
)
def test_what_cannot_be_is_one_sentence(run, line, said):
    printed = run(line, code=1)

    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert said in printed.err


def test_a_service_that_is_not_ready_says_why_and_fails(capsys):
    body = {"error": "Not ready: digits.", "code": "not_ready", "live": True, "ready": False}
    transport = httpx.MockTransport(lambda _: httpx.Response(503, json=body))

    assert main(["health"], lambda _: Vitrine("http://service.test", transport=transport)) == 1
    assert capsys.readouterr().out == "Not ready: digits.\n"


def test_every_command_has_help(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command.name, "--help"])
        assert "--json" in capsys.readouterr().out


def test_the_features_of_a_folder_are_a_numpy_file_with_the_names_of_its_rows(run):
    folder = run.folder / "photos" / "cats"
    folder.mkdir(parents=True)
    for number in range(35):  # more than one request
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / f"{number:02}.png")
    Image.new("RGB", (8, 8)).save(folder / "35.JFIF", "JPEG")
    (folder / "notes.txt").write_text("no image")

    printed = run("features photos -o X.npy")
    said = printed.out

    assert (
        printed.err == f"left out, no image by their endings: photos{os.sep}cats{os.sep}notes.txt\n"
    )
    matrix = np.load(run.folder / "X.npy")
    assert (len(matrix), matrix.dtype) == (36, np.float32)
    assert said.startswith(f"X.npy: 36 × {matrix.shape[1]} float32")
    names = (run.folder / "X.npy.txt").read_text().splitlines()
    assert names == [*(f"cats/{number:02}.png" for number in range(35)), "cats/35.JFIF"]


def test_a_folder_without_images_is_said(run):
    (run.folder / "empty").mkdir()

    assert "must be a folder with images" in run("features empty", code=1).err


def test_an_image_may_come_from_standard_input(run, monkeypatch):
    content = io.TextIOWrapper(io.BytesIO((run.folder / "image.png").read_bytes()))
    monkeypatch.setattr("sys.stdin", content)

    assert run("classify - --normalize off").out.startswith("-  3  100.00%")


@pytest.mark.parametrize(
    ("output", "said"),
    [("nowhere/x.png", "folder must exist, got nowhere"), (".", "must be a file, got the folder")],
)
def test_an_output_that_cannot_be_written_is_said_before_the_work(tmp_path, capsys, output, said):
    with pytest.raises(SystemExit) as ended:
        main(["sample", "vae", "-o", str(output), "--url", "http://127.0.0.1:9"])

    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "answered"),
    [
        ("classify --normalize off", "100.00%"),
        ("label --top 1", "blue"),
        ("fashion", "Dress"),
        ("fashion --head both", "they differ"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_the_others_are_answered(run, line, answered):
    (run.folder / "broken.png").write_bytes(PNG)

    printed = run(f"{line} image.png broken.png image.png", code=1)

    assert printed.out.count(answered) == 2
    assert "broken.png" not in printed.out
    assert printed.err.startswith("error: broken.png: the PNG")
    assert printed.err.count("\n") == 1


def test_with_json_the_file_is_named_beside_the_answer(run):
    (run.folder / "broken.png").write_bytes(PNG)

    printed = run("classify --normalize off broken.png image.png --json", code=1)

    first, second = json.loads(printed.out)["predictions"]
    assert first["code"] == "invalid_image"
    assert second["digit"] == 3
    assert printed.err.startswith("error: broken.png: ")


def test_features_are_not_written_if_a_file_cannot_be_used(run):
    (run.folder / "broken.png").write_bytes(PNG)

    printed = run("features . -o X.npy", code=1)

    assert printed.err.startswith("error: broken.png: ")
    assert not (run.folder / "X.npy").exists()
