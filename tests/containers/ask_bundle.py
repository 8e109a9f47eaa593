"""Start a bundle where no network is, ask it what an image shows, say how long that took: START_SH IMAGE."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

URL = "http://127.0.0.1:8000"


def main(start: str, image: str) -> None:
    """Print why the network cannot be reached, the seconds until all models are ready, and the answer."""
    try:
        urllib.request.urlopen("http://192.0.2.1", timeout=2)
    except OSError as error:
        print("outside:", error, flush=True)
    began = time.monotonic()
    service = subprocess.Popen([start])
    try:
        while not is_ready():
            assert service.poll() is None, "the service ended"
            time.sleep(0.1)
        print(f"ready after {time.monotonic() - began:.1f} s", flush=True)
        answer = ask("/v1/digits/classify", Path(image).read_bytes())
        print("models:", ", ".join(ask("/v1/models")["models"]))
        print(json.dumps(answer))
    finally:
        service.terminate()
        service.wait()


def is_ready() -> bool:
    """Whether every model has been loaded and checked."""
    try:
        return bool(ask("/v2/health/ready")["ready"])
    except OSError:
        return False


def ask(path: str, body: bytes | None = None) -> dict:
    """Send a body with POST, or nothing with GET; return the JSON of the answer."""
    with urllib.request.urlopen(URL + path, body, timeout=30) as response:
        return json.load(response)


if __name__ == "__main__":
    main(*sys.argv[1:])
