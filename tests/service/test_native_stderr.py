"""What C++ code writes to file descriptor 2 while TensorFlow loads: its greetings go, everything else stays."""

import os

import pytest

from service.native_stderr import without_noise

GREETINGS = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    b"I0000 00:00:1795827333.272450   20419 port.cc:153] oneDNN custom operations are on.\n"
    b"2026-11-28 01:00:00.1: I tensorflow/core/platform/cpu_feature_guard.cc:210] optimized\n"
    b"To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow\n"
)


def test_greetings_are_dropped_and_other_lines_stay(capfd):
    with without_noise():
        os.write(2, b'{"level": "info"}\n' + GREETINGS + b"E0000 a real error\n")
    os.write(2, b"after\n")

    assert capfd.readouterr().err == '{"level": "info"}\nE0000 a real error\nafter\n'


def test_what_was_written_before_a_failure_is_shown(capfd):
    def load():
        with without_noise():
            os.write(2, b"libtensorflow.so: cannot open\n")
            raise ImportError

    with pytest.raises(ImportError):
        load()

    assert capfd.readouterr().err == "libtensorflow.so: cannot open\n"
