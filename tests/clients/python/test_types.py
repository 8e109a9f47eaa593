"""What a type checker makes of either client: one definition, two types."""

from pathlib import Path

from mypy import api

ROOT = Path(__file__).parents[3]
PROGRAM = """
from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import Any, assert_type

import numpy as np

from vitrine_client import (
    AsyncVitrine, DigitsAnswer, Grid, LatentSource, ImagesAnswer, ProjectionEvent, TextEvent, Vitrine,
)

plain, awaited = Vitrine(), AsyncVitrine()
assert_type(plain.digits.classify("a.png", version=1, return_input=True), DigitsAnswer)
asked = assert_type(awaited.digits.classify([b"a"]), Coroutine[Any, Any, DigitsAnswer])
assert_type(plain.text.stream("seed", length=3), Generator[TextEvent, None, None])
assert_type(awaited.gan.stream_projection(b"a"), AsyncGenerator[ProjectionEvent, None])
assert_type(plain.vae.interpolate(3, np.zeros(2), steps=4), ImagesAnswer)
assert_type(plain.gan.mix_grid(LatentSource(digit=3), [0.5]), Grid)
plain.digits.classify(7)  # E: arg-type
plain.digits.classify("a.png", edition=1)  # E: call-arg
plain.gan.sample(n="many")  # E: arg-type
plain.gan.mix_grid(1)  # E: call-arg
awaited.digits.classify("a.png").predictions  # E: attr-defined
"""


def test_both_faces_are_typed_to_the_last_option(tmp_path, monkeypatch):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    monkeypatch.chdir(ROOT)
    expected = {
        (number, line.rpartition("# E: ")[2])
        for number, line in enumerate(PROGRAM.splitlines(), 1)
        if "# E: " in line
    }

    out, err, _ = api.run(["--strict", "--no-error-summary", str(program)])

    assert err == ""
    errors = [line for line in out.splitlines() if ": error: " in line]
    found = {(int(line.split(":")[1]), line.rpartition("[")[2].rstrip("]")) for line in errors}
    assert found == expected, out
