"""What is freed goes back to the system, also after large blocks were freed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
from service.native_memory import keep_little_free_memory, keep_memory_of_requests
if sys.argv[1] == "kept":
    keep_little_free_memory()
    keep_memory_of_requests()

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

del_me = bytes(20 * 2**20)  # glibc takes blocks of this size from the heap from now on
del del_me
before = megabytes()
pieces = [bytes([n % 256]) * 800_000 for n in range(125)]
last = bytes([1]) * 800_000  # on top of the heap: nothing below it is given back
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


DRAWING = """
import resource
from service.native_memory import keep_little_free_memory, keep_memory_of_requests
keep_little_free_memory()
keep_memory_of_requests()

def allocate():
    pieces = [bytes([n]) * 500_000 for n in range(3)]  # as decoding drawings does
    del pieces

allocate()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    allocate()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_the_memory_of_a_drawing_is_not_mapped_anew_for_each():
    run = subprocess.run(
        [sys.executable, "-c", DRAWING], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert int(run.stdout) < 1000  # of 23,000 pages
