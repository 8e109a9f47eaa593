"""What is freed goes back to the system, also after large blocks were freed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
from service.native_memory import keep_little_free_memory
if sys.argv[1] == "kept":
    keep_little_free_memory()

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

del_me = bytes(20 * 2**20)  # glibc takes blocks of this size from the heap from now on
del del_me
before = megabytes()
pieces = [bytes([n % 256]) * 200_000 for n in range(500)]
last = bytes([1]) * 200_000  # on top of the heap: nothing below it is given back
del pieces
print(megabytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc and reads /proc")
def test_pieces_below_one_that_is_kept_are_given_back():
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, "kept"], cwd=ROOT, capture_output=True, text=True
    )

    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 20  # of 100; without it all of them stay
