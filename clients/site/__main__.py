"""`vitrine site -o FOLDER`: the page as static files, for any web server.

The folder contains the page, the ONNX graphs of the exported models, and ONNX Runtime for browsers, which is
installed by npm and not part of this repository. It works without a service and loads
only its own files.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from clients.site.model_files import SiteError, find_models, write_model
from clients.site.page_files import RUNTIME_VERSION, write_page, write_runtime


def main(arguments: list[str], prog: str = "python -m clients.site") -> int:
    """Write the folder; return the exit status."""
    options = _parser(prog).parse_args(arguments)
    try:
        found = find_models(options.models, options.model)
        output: Path = options.output
        output.mkdir(parents=True, exist_ok=True)
        write_page(output)
        write_runtime(output, options.runtime)
        sizes = write_model_list(output, found)
    except (SiteError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for name, size in sizes.items():
        print(f"{name:<16}{size / 1e6:6.1f} MB")
    print(f"Serve it with any web server, such as: python -m http.server --directory {output}")
    return 0


def write_model_list(output: Path, found: dict[str, Path]) -> dict[str, int]:
    """Write each model and the list of them; return the bytes of each."""
    listed, sizes = [], {}
    for name, directory in found.items():
        entry, sizes[name] = write_model(output / "models" / name, directory)
        listed.append(entry)
    answer = {"object": "list", "data": listed, "models": list(found)}
    (output / "models" / "index.json").write_text(json.dumps(answer))
    return sizes


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description=__doc__.partition("\n")[0],
        epilog=f"npm install onnxruntime-web@{RUNTIME_VERSION} installs the runtime.",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="folder to write into, such as public"
    )
    parser.add_argument(
        "--models",
        type=Path,
        default=Path(os.environ.get("VITRINE_MODELS", "models")),
        help="folder of exported models (VITRINE_MODELS, models)",
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="only this model; may be given several times",
    )
    parser.add_argument(
        "--runtime",
        type=Path,
        default=Path("node_modules/onnxruntime-web"),
        help="folder of the npm package onnxruntime-web (%(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
