"""All goals, in the order of the table."""

from clients.robustness.soak.connection_faults import BROKEN
from clients.robustness.soak.hostile_images import BOMBS, MUTATED
from clients.robustness.soak.hostile_json import JSON_BODIES
from clients.robustness.soak.raw_http import RAW_HTTP
from clients.robustness.soak.slow_clients import SLOW

GOALS = (MUTATED, JSON_BODIES, RAW_HTTP, BOMBS, SLOW, BROKEN)
