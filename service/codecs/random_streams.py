"""The random numbers of a generation: position p always has the same number, regardless of chunks.

Philox is a counter-based generator. Its key is (random_seed, index) and its counter is the position, so
any range can be computed without the numbers before it.
"""

import secrets

import numpy as np

MAX_SEED = 2**32 - 1  # largest random seed of a request
PER_BLOCK = 8  # 32-bit words that one value of the counter gives


def random_seed_or_new(given: int | None) -> int:
    """The caller's random seed, or a new one."""
    return secrets.randbelow(MAX_SEED + 1) if given is None else given


def uniforms(random_seed: int, index: int, start: int, count: int) -> np.ndarray:
    """Numbers `start` to `start + count` of generation `index`: float32 [count] in [0, 1)."""
    block, offset = divmod(start, PER_BLOCK)
    blocks = -(-(offset + count) // PER_BLOCK)
    generator = np.random.Philox(counter=block, key=[random_seed, index])
    words = generator.random_raw(blocks * PER_BLOCK // 2).astype("<u8").view("<u4")
    # 24 bits, the even resolution of a float32 below 1: the largest is 1 - 2**-24, never 1.
    drawn: np.ndarray = (words[offset : offset + count] >> 8).astype(np.float32) * np.float32(
        2**-24
    )
    return drawn
