"""Metrics of several processes as one."""

from service.metrics import Metrics, merge, merge_departed, render


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
