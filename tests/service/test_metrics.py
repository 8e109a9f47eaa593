"""Metrics of several processes as one."""

import pytest

from service.metrics import Metrics, merge, merge_departed, observe_many, render


def counted(requests):
    metrics = Metrics()
    metrics.requests.labels("GET", "/", 200).inc(requests)
    metrics.batch_rows.labels("digits").observe(requests)
    metrics.waiting.labels("digits").set(requests)
    metrics.versions.labels("digits", "1", "AVAILABLE").set(1)
    return metrics.snapshot()


def lines(snapshot):
    return render(snapshot).decode().splitlines()


def test_counts_are_summed_and_states_are_not():
    found = lines(merge([counted(2), counted(3)]))

    assert 'vitrine_requests_total{method="GET",route="/",status="200"} 5.0' in found
    assert 'vitrine_batch_rows_bucket{le="2.0",model="digits"} 1.0' in found
    assert 'vitrine_batch_rows_sum{model="digits"} 5.0' in found
    assert 'vitrine_waiting_requests{model="digits"} 5.0' in found
    state = 'vitrine_model_version_state{model="digits",state="AVAILABLE",version="1"} 1.0'
    assert state in found


def test_of_a_process_that_is_over_only_what_it_counted_is_left():
    found = lines(merge([merge_departed([counted(2)]), counted(3)]))

    assert 'vitrine_requests_total{method="GET",route="/",status="200"} 5.0' in found
    assert 'vitrine_waiting_requests{model="digits"} 3.0' in found


def test_many_equal_observations_count_as_single_ones():
    one_by_one, together = Metrics(), Metrics()
    for value, count in ((0.03, 3), (0.05, 2), (100.0, 1)):
        for _ in range(count):
            one_by_one.request_seconds.labels("/x").observe(value)
        observe_many(together.request_seconds.labels("/x"), value, count)

    def samples(metrics):
        return {
            (name, labels.get("le")): value
            for family, _, _, found in metrics.snapshot()
            for name, labels, value in found
            if family == "vitrine_request_seconds" and not name.endswith("_created")
        }

    assert samples(together) == pytest.approx(samples(one_by_one))
