"""The mix of `clients.load` for those who have locust, which is no dependency of this project.

`python -m locust -f clients/load/locustfile.py --host http://127.0.0.1:8000`. Scenarios whose model
is not served fail with 404; LOAD_SCENARIOS=digit,ten asks only these.
"""

import os
import random

from locust import HttpUser, between, task

from clients.load.scenario import MIX, scenarios

EVERY = scenarios()
ASKED = os.environ.get("LOAD_SCENARIOS", ",".join(MIX)).split(",")


class Visitor(HttpUser):
    """Somebody who asks for one thing after the other, with a short pause for a look at the answer."""

    wait_time = between(0.1, 1.0)

    @task
    def ask(self) -> None:
        """One request of the mix, whose answer is checked as `clients.load` does."""
        name = random.choices(ASKED, [MIX.get(name, 1) for name in ASKED])[0]
        scenario = EVERY[name]
        with self.client.request(
            scenario.method,
            scenario.path,
            data=scenario.body,
            headers={"Content-Type": scenario.content_type},
            name=scenario.name,
            catch_response=True,
        ) as response:
            if response.status_code == 200 and not scenario.is_right(response.content):
                response.failure("wrong answer")
