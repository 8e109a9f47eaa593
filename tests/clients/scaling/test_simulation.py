import json

import pytest

from clients.scaling.__main__ import MEASURED
from clients.scaling.calibration import Point, fit, predict, read_points
from clients.scaling.simulation import Cluster, Costs, closed_loop, open_loop

COSTS = Costs(request_seconds=1e-4, batch_seconds=4e-4, row_seconds=1e-4, max_batch=16)


def test_one_connection_takes_one_batch_of_one_row():
    outcome = closed_loop(Cluster(1), COSTS, connections=1, seconds=1)

    assert outcome.percentile(0.5) == pytest.approx(COSTS.batch(1))
    assert outcome.rate == pytest.approx(1 / COSTS.batch(1), rel=0.01)


def test_many_connections_fill_batches_up_to_the_capacity():
    outcome = closed_loop(Cluster(1), COSTS, connections=64, seconds=1)

    assert outcome.rate == pytest.approx(COSTS.capacity, rel=0.02)
    assert outcome.rate * outcome.percentile(0.5) == pytest.approx(64, rel=0.05)  # Little's law


def test_replicas_multiply_the_capacity():
    one, four = (closed_loop(Cluster(n), COSTS, connections=64 * n, seconds=1) for n in (1, 4))

    assert four.rate == pytest.approx(4 * one.rate, rel=0.05)


def test_below_the_capacity_every_arrival_is_answered():
    rate = 0.6 * 4 * COSTS.capacity
    outcome = open_loop(Cluster(4), COSTS, rate, seconds=1)

    assert outcome.rate == pytest.approx(rate, rel=0.05)


def test_comparing_two_queues_beats_one_at_random():
    rate = 0.8 * 8 * COSTS.capacity
    random, compared = (open_loop(Cluster(8, choices=n), COSTS, rate, seconds=0.5) for n in (1, 2))

    assert compared.percentile(0.99) < random.percentile(0.99)


def test_the_network_adds_both_ways():
    outcome = closed_loop(Cluster(1, network_seconds=0.01), COSTS, connections=1, seconds=1)

    assert outcome.percentile(0.5) == pytest.approx(0.02 + COSTS.batch(1))


def test_the_same_seed_gives_the_same_outcome():
    outcomes = [open_loop(Cluster(2), COSTS, 2000, seconds=1, seed=7) for _ in range(2)]

    assert outcomes[0] == outcomes[1]


def test_costs_are_fitted_so_that_they_give_the_points_back():
    one, full = (
        closed_loop(Cluster(1), COSTS, connections=number, seconds=1) for number in (1, 64)
    )
    points = [
        Point(1, 1, one.rate, one.percentile(0.5)),
        Point(1, 64, full.rate, full.percentile(0.5)),
    ]
    fitted = fit(points, COSTS.max_batch)
    costs = fitted.costs

    assert costs.batch(1) == pytest.approx(COSTS.batch(1), rel=0.03)
    assert costs.capacity == pytest.approx(COSTS.capacity, rel=0.03)
    assert [predict(point, fitted) for point in points] == pytest.approx(
        [one.rate, full.rate], rel=0.05
    )


def test_what_was_measured_and_not_fitted_is_predicted_within_a_third():
    for measured in json.loads(MEASURED.read_text()).values():
        points = read_points(measured)
        fitted = fit(points, measured["max_batch"])
        checked = [p for p in points if (p.workers, p.connections) in ((1, 4), (2, 32))]
        assert len(checked) == 2
        for point in checked:
            assert predict(point, fitted) == pytest.approx(point.rate, rel=1 / 3)
