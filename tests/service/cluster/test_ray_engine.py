"""A run on replicas: another one is asked when one dies, and refusals become ours."""

import numpy as np
import pytest

from service.errors import NotReady, Overloaded

exceptions = pytest.importorskip("ray.exceptions")
serve_exceptions = pytest.importorskip("ray.serve.exceptions")
RayEngine = pytest.importorskip("service.cluster.ray_engine").RayEngine
INPUTS = {"x": np.arange(3)}


class Replicas:
    """Stands for a deployment's handle: each call gives the next outcome, or raises it."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.run = self

    def remote(self, signature, inputs):
        assert (signature, list(inputs)) == ("serving_default", ["x"])
        return self

    def result(self, timeout_s):
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def engine(*outcomes):
    return RayEngine(Replicas(*outcomes), "onnx", lambda: None)


def test_outputs_are_those_of_the_replica():
    outputs = engine(({"y": INPUTS["x"] * 2}, "")).run("serving_default", INPUTS)

    assert outputs["y"].tolist() == [0, 2, 4]


def test_another_replica_is_asked_when_one_dies():
    died = exceptions.RayActorError()
    outputs = engine(died, died, ({"y": INPUTS["x"]}, "")).run("serving_default", INPUTS)

    assert outputs["y"].tolist() == [0, 1, 2]


def test_when_every_replica_dies_it_is_not_ready():
    with pytest.raises(NotReady):
        engine(*[exceptions.RayActorError()] * 4).run("serving_default", INPUTS)


def test_full_queues_of_all_replicas_are_our_refusal():
    full = serve_exceptions.BackPressureError(num_queued_requests=64, max_queued_requests=64)
    with pytest.raises(Overloaded) as refusal:
        engine(full).run("serving_default", INPUTS)

    assert refusal.value.retry_after_seconds >= 1


def test_a_failure_of_the_model_says_why():
    with pytest.raises(RuntimeError, match="ValueError: thirteen"):
        engine((None, "ValueError: thirteen")).run("serving_default", INPUTS)
