"""The number of processors this process may use: its affinity and its control group's CPU quota."""

import math
import os
from pathlib import Path

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")  # of a container: "quota period" in microseconds


def available_processors(cpu_max: Path = CPU_MAX) -> int:
    """The number of processors, at least 1; a fraction counts as one."""
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = cpu_max.read_text(encoding="ascii").split()
        return max(1, min(processors, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or "max"
        return processors
