"""The README's animation: what animation.mjs saw of a running service, as one WebP file.

python tests/browser/animation.py http://127.0.0.1:8000 docs/page.webp
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
MAX_BYTES = 2_000_000
WIDTH = 930


def main(url: str, output: Path) -> None:
    """Take the frames and write them; a file over the limit is an error."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["node", "animation.mjs", url, folder], cwd=HERE, check=True)
        files = sorted(Path(folder).glob("*.png"))
        frames = [_small(file) for file in files]
        durations = [int(file.stem.partition("-")[2]) for file in files]
        frames[0].save(
            output,
            save_all=True,
            append_images=frames[1:],
            duration=durations,
            loop=0,
            quality=60,
            method=6,
        )
    size = output.stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{output} must have at most {MAX_BYTES:,} bytes, got {size:,}")
    print(f"{output}: {len(frames)} frames, {size:,} bytes")


def _small(file: Path) -> Image.Image:
    image = Image.open(file).convert("RGB")
    return image.resize(
        (WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
