"""All goals, in the order of the table."""

from clients.robustness.soak.connection_faults import BROKEN
from clients.robustness.soak.damaged_versions import DAMAGED
from clients.robustness.soak.determinism import DETERMINISM
from clients.robustness.soak.during_swaps import DURING_SWAPS
from clients.robustness.soak.hostile_images import BOMBS, MUTATED
from clients.robustness.soak.hostile_json import JSON_BODIES
from clients.robustness.soak.long_use import LONG_USE
from clients.robustness.soak.memory_limit import MEMORY
from clients.robustness.soak.metrics import METRICS
from clients.robustness.soak.overload import OVERLOAD
from clients.robustness.soak.raw_http import RAW_HTTP
from clients.robustness.soak.reloads import RELOADS
from clients.robustness.soak.schemathesis import FUZZED
from clients.robustness.soak.shapes import SHAPES
from clients.robustness.soak.slow_clients import SLOW
from clients.robustness.soak.stops import STOPS
from clients.robustness.soak.streams import STREAMS
from clients.robustness.soak.swaps import SWAPS

GOALS = (
    MUTATED, JSON_BODIES, FUZZED, RAW_HTTP, BOMBS, SLOW, SWAPS, DAMAGED, STOPS, OVERLOAD,
    LONG_USE, SHAPES, STREAMS, DETERMINISM, BROKEN, METRICS, DURING_SWAPS, RELOADS, MEMORY,
)  # fmt: skip

# Goals that need several processes or other clients: pytest shows them.
SHOWN_BY_TESTS = {
    "G10": "tests/service/processes/test_supervisor.py::test_sighup_replaces_all_workers_and_loses_no_request",
    "G11": "tests/service/processes/test_supervisor.py::test_a_killed_worker_is_replaced_and_what_it_counted_is_kept",
    "G18": "tests/service/routes/test_tritonclient.py, tests/service/routes/test_completions.py",
}
