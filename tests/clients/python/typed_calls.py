"""Both clients are typed to the last option: `make types` checks this file, and each error that it expects."""

from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import Any, assert_type

import numpy as np

from vitrine_client import (
    AsyncVitrine,
    DigitsAnswer,
    Grid,
    ImagesAnswer,
    LatentSource,
    ProjectionEvent,
    TextEvent,
    Vitrine,
)

plain, awaited = Vitrine(), AsyncVitrine()
assert_type(plain.digits.classify("a.png", version=1, return_input=True), DigitsAnswer)
asked = assert_type(awaited.digits.classify([b"a"]), Coroutine[Any, Any, DigitsAnswer])
assert_type(plain.text.stream("seed", length=3), Generator[TextEvent, None, None])
assert_type(awaited.gan.stream_projection(b"a"), AsyncGenerator[ProjectionEvent, None])
assert_type(plain.vae.interpolate(3, np.zeros(2), steps=4), ImagesAnswer)
assert_type(plain.gan.mix_grid(LatentSource(digit=3), [0.5]), Grid)
plain.digits.classify(7)  # type: ignore[arg-type]
plain.digits.classify("a.png", edition=1)  # type: ignore[call-arg]
plain.gan.sample(n="many")  # type: ignore[arg-type]
plain.gan.mix_grid(1)  # type: ignore[call-arg]
predictions = awaited.digits.classify("a.png").predictions  # type: ignore[attr-defined]
