"""`python -m training`: train jobs, export released weights, import your own models, describe models."""

import argparse
import sys
from typing import cast

from training.cli import describe, import_model, pretrained, released, train


def main(arguments: list[str], prog: str = "python -m training") -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(
        prog=prog, description="Train jobs, export released weights, import your own models."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train.add_arguments(commands, arguments)
    released.add_arguments(commands)
    import_model.add_arguments(commands)
    describe.add_arguments(commands)
    pretrained.add_class_index(commands)
    options = parser.parse_args(import_model.joined(arguments))
    try:
        return cast(int, options.run(options))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
