"""`python -m service.processes.limited SECONDS BYTES COMMAND…`: runs a command with limited resources.

SECONDS limits processor time, BYTES memory and the size of any file. On systems without such limits
(Windows), only the caller's deadline ends the command.
"""

import os
import subprocess
import sys


def main(arguments: list[str]) -> None:
    """Set the limits, which the command inherits, and execute the command."""
    seconds, memory, *command = arguments
    if os.name == "posix":
        import resource

        for limit, value in (
            (resource.RLIMIT_CPU, int(seconds)),
            (resource.RLIMIT_DATA, int(memory)),
            (resource.RLIMIT_FSIZE, int(memory)),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(limit, (value, value))
        os.nice(10)
    else:
        sys.exit(subprocess.call(command))  # noqa: S603 - the caller's own command
    os.execv(command[0], command)  # noqa: S606 - the caller's own command


if __name__ == "__main__":
    main(sys.argv[1:])
