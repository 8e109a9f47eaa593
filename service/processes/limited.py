"""`python -m service.processes.limited SECONDS BYTES COMMAND…`: a command that may use so much and no more.

SECONDS of processor time, BYTES of memory and of any one file. Where a system has no such limits
(Windows), only the caller's deadline ends it.
"""

import os
import subprocess
import sys


def main(arguments: list[str]) -> None:
    """Set the limits, which the command inherits, and become the command."""
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
