"""The pointing game: composed images, what counts as a hit, and the table."""

import asyncio

import numpy as np

from clients.robustness import pointing

PHOTO = np.full((50, 50, 3), (255, 0, 0), np.uint8)


def test_a_photograph_lies_where_its_box_says():
    composed = list(pointing.compose("red", PHOTO))

    assert len(composed) == 48
    assert len({one.box for one in composed}) == 48
    for one in composed:
        top, left, bottom, right = one.box
        assert one.image.shape == (224, 224, 3)
        assert (one.image[top:bottom, left:right] == PHOTO[0, 0]).all()
        beside = np.ones((224, 224), bool)
        beside[top:bottom, left:right] = False
        assert not (one.image[beside] == PHOTO[0, 0]).all(axis=1).any()


def test_a_hit_is_a_highest_place_in_the_box():
    heatmap = np.zeros((7, 7))
    heatmap[1, 5] = 1  # its middle is at (48, 176)

    assert pointing.points_at(heatmap, (40, 150, 112, 224))
    assert not pointing.points_at(heatmap, (0, 0, 72, 72))
    assert not pointing.points_at(heatmap, (57, 150, 129, 224))
    assert pointing.points_at(heatmap, (57, 150, 129, 224), margin=15)
    assert pointing.chance((7, 7), (0, 0, 112, 112)) == 9 / 49


def test_the_highest_place_lies_between_two_high_cells():
    heatmap = np.zeros((7, 7))
    heatmap[3, 3:5] = 1, 0.9  # between (112, 112) and (112, 144)

    assert pointing.points_at(heatmap, (76, 116, 148, 188))


def test_maps_that_follow_the_photograph_win_and_others_do_not():
    def explainer(follows):
        async def explain(image, wanted):
            is_red = (image == PHOTO[0, 0]).all(axis=2)
            heat = is_red.reshape(7, 32, 7, 32).mean(axis=(1, 3))
            return (heat if follows else -heat), ("fire" if is_red.mean() > 0.2 else "sky")

        return explain

    def result(follows):
        return asyncio.run(pointing.play({"red": PHOTO}, {"red": "fire"}, explainer(follows)))

    good, bad = result(follows=True), result(follows=False)
    assert all(one.is_hit and one.is_near for one in good)
    assert not any(one.is_hit for one in bad)
    assert sum(one.is_read for one in good) == 16  # the largest size
    lines = pointing.table(good)
    assert lines[1].split()[:3] == ["red", "48", "100.0%"]
    assert lines[3].split()[:4] == ["all", "read", "16", "100.0%"]
    assert lines[-1].startswith("chance")
