"""Labels as people and programs write them."""

import codecs
import json

import pytest

from training.keras_import.label_file import read_labels

NAMES = ["daisy", "rose", "tulip"]


def read(folder, content):
    path = folder / "labels.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_labels(path)


@pytest.mark.parametrize(
    "content",
    [
        "daisy\nrose\ntulip\n",
        "daisy\r\nrose\r\ntulip",
        "0 daisy\n1 rose\n2 tulip\n",
        "1: daisy\n2: rose\n3: tulip\n",
        "0\tdaisy\n1\trose\n2\ttulip\n",
        "2 tulip\n0 daisy\n1 rose\n",
        '"daisy"\n"rose"\n"tulip"\n',
        "- daisy\n- rose\n- tulip\n",
        codecs.BOM_UTF8 + b"daisy\nrose\ntulip\n",
        "daisy\nrose\ntulip\n".encode("utf-16"),
        json.dumps(NAMES),
        json.dumps({"daisy": 0, "rose": 1, "tulip": 2}, indent=1),
        json.dumps({"rose": 1, "tulip": 2, "daisy": 0}),
        json.dumps({"0": "daisy", "1": "rose", "2": "tulip"}),
    ],
)
def test_the_names_are_found(tmp_path, content):
    assert read(tmp_path, content) == [(name, name) for name in NAMES]


def test_identifiers_and_equal_descriptions_are_kept(tmp_path):
    assert read(tmp_path, "n1\tcrane\nn2\tcrane\n") == [("n1", "crane"), ("n2", "crane")]
    imagenet = json.dumps({"0": ["n1", "crane"], "1": ["n2", "crane"]})
    assert read(tmp_path, imagenet) == [("n1", "crane"), ("n2", "crane")]


def test_only_line_ends_end_a_line(tmp_path):
    assert read(tmp_path, "a\u2028b\nc\x0bd\n") == [("a\u2028b", "a\u2028b"), ("c\x0bd", "c\x0bd")]


def test_numbers_that_do_not_count_belong_to_the_names(tmp_path):
    for names in (["7 up", "3 musketeers"], ["1 cent", "2 cent"], ["2 euros", "1 euro"]):
        assert read(tmp_path, "\n".join(names)) == [(name, name) for name in names]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "index,name\n0,daisy\n1,rose\n",
            "must not be CSV, got 'index,name': write one label a line",
        ),
        ("daisy,0\nrose,1\n", "must not be CSV"),
        (json.dumps({"classes": NAMES}), "Keras' class_indices if it is JSON, got another form"),
        (json.dumps({"daisy": 0, "rose": 2}), "got another form"),
        ('{"daisy": 0,', "must be valid JSON"),
        (b"\xe9t\xe9\n", "must be UTF-8 text, got other bytes: save it as UTF-8"),
        ("daisy\nrose\n".encode("utf-16-le"), "got zero bytes: save it as UTF-8"),
        ("a\nb\na\n", "'a' on line 1 and on line 3; give each class its own"),
        ("", "got an empty file"),
    ],
)
def test_what_is_no_list_of_labels_says_the_way_out(tmp_path, content, said):
    with pytest.raises(ValueError, match=said):
        read(tmp_path, content)
