"""Latent vectors: reproducible, normal, and where they should be on the way."""

import numpy as np
import pytest

from service.codecs import latents


def test_each_vector_depends_on_its_seed_and_number_alone():
    many = latents.draw(7, 16, 20)

    assert np.array_equal(latents.draw(7, 4, 20), many[:4])
    assert not np.array_equal(latents.draw(8, 16, 20), many)
    assert len(np.unique(many[:, 0])) == 16


def test_what_is_drawn_is_standard_normal_and_finite():
    drawn = latents.draw(1, 256, 200)

    assert drawn.dtype == np.float32
    assert np.isfinite(drawn).all()
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02


@pytest.mark.parametrize("way", [latents.line, latents.arc])
def test_a_way_begins_and_ends_where_it_was_told(way):
    start, end = latents.draw(3, 2, 20)
    points = way(start, end, 9)

    assert points.shape == (9, 20)
    assert np.array_equal(points[[0, -1]], np.stack([start, end]))
    assert np.allclose(way(end, start, 9), points[::-1], atol=1e-5)


def test_an_arc_keeps_the_length_that_a_line_loses():
    start, end = np.eye(2, dtype=np.float32)

    assert np.linalg.norm(latents.line(start, end, 3)[1]) == pytest.approx(np.sqrt(0.5))
    assert np.linalg.norm(latents.arc(start, end, 3)[1]) == pytest.approx(1.0)


@pytest.mark.parametrize("end", [[0.0, 0.0], [2.0, 0.0], [-1.0, 0.0], [1.0, 0.0]])
def test_where_no_arc_is_there_is_a_line(end):
    start, end = np.array([1, 0], np.float32), np.array(end, np.float32)

    assert np.array_equal(latents.arc(start, end, 5), latents.line(start, end, 5))


def test_the_places_of_a_plane_are_equally_likely_ones():
    places = latents.plane(3).reshape(3, 3, 2)

    assert np.allclose(places[0, :, 0], [-2.0537, 0, 2.0537], atol=1e-4)  # to the right
    assert np.allclose(places[:, 0, 1], [-2.0537, 0, 2.0537], atol=1e-4)  # downwards
