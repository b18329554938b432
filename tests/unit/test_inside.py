"""Points in boxes are counted as NumPy counts them, box by box."""

import numpy as np
import pytest

from birdview.pixels.scan import read_scan
from birdview.training.labels.box import Box, lay_bottom
from birdview.training.labels.inside import count_inside
from birdview.training.labels.kitti import read_boxes


def make_box(x, y, z, length, width, height, heading=0.0, turn=None):
    """Return a box on its bottom's centre, turned about the origin if that is given."""
    ahead, left = lay_bottom(length, width, heading)
    corners = np.stack([x + ahead, y + left, np.full(4, z)], axis=1)
    return Box("Car", corners if turn is None else corners @ turn.T, height, 1)


def count_plainly(points, boxes):
    """Count as the definition says, one box after another."""
    counts = []
    for box in boxes:
        origin = box.corners[2]
        ahead, left = box.corners[1] - origin, box.corners[3] - origin
        up = np.cross(ahead, left) / np.linalg.norm(np.cross(ahead, left))
        inside = np.ones(len(points), dtype=bool)
        for edge, end in (
            (ahead, ahead @ ahead),
            (left, left @ left),
            (up, box.height),
        ):
            along = (points[:, :3].astype(np.float64) - origin) @ edge
            inside &= (along >= 0) & (along <= end)
        counts.append(int(inside.sum()))
    return counts


def test_points_on_all_sides_count():
    """A box from (8, -1, -2) to (12, 1, 1): a point on each side, and beyond each."""
    on = [[8, 0, 0], [12, 0, 0], [10, -1, 0], [10, 1, 0], [10, 0, -2], [10, 0, 1]]
    beyond = (np.array(on) - [10, 0, -0.5]) * 1.001 + [10, 0, -0.5]
    points = np.pad(np.concatenate([on, beyond]), ((0, 0), (0, 1))).astype(np.float32)
    box = make_box(10, 0, -2, 4, 2, 3)
    assert count_inside(points, [box]) == [6]
    assert [count_inside(point[None], [box]) for point in points] == 6 * [[1]] + 6 * [
        [0]
    ]


def test_nothing_is_in_nothing():
    """No box, no point, and points that are not finite."""
    box = make_box(0, 0, -1, 4, 2, 2)
    none = np.empty((0, 4), dtype=np.float32)
    bad = np.array([[np.nan, 0, 0, 0], [0, np.inf, 0, 0], [0, 0, np.nan, 0]], "f4")
    assert count_inside(bad, []) == []
    assert count_inside(none, [box, box]) == [0, 0]
    assert count_inside(bad, [box]) == [0]


def test_point_counts_for_each_box_that_it_is_in():
    """One box in another, and one far away."""
    points = np.array([[0, 0, 0, 0], [1.5, 0, 0, 0], [50_000, 0, 0, 0]], "f4")
    boxes = [make_box(x, 0, -1, size, 2, 2) for x, size in ((0, 4), (0, 2), (5e4, 4))]
    assert count_inside(points, boxes) == [2, 1, 1]


@pytest.mark.parametrize("seed", range(20))
def test_random_boxes(seed):
    """Any number, size, heading and tilt; also bottoms that are no exact rectangles."""
    rng = np.random.default_rng(seed)
    points = rng.normal(0, [20, 20, 2, 1], (5000, 4)).astype(np.float32)
    turn = np.linalg.qr(np.eye(3) + rng.normal(0, 0.2 * (seed % 3), (3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    boxes = [
        make_box(
            *rng.normal(0, [20, 20, 1]),
            *rng.uniform(0.2, 8, 3),
            rng.uniform(-4, 4),
            turn @ (np.eye(3) + rng.normal(0, 0.003, (3, 3))),
        )
        for _ in range(rng.integers(10, 60))
    ]
    counts = count_inside(points, boxes)
    assert counts == count_plainly(points, boxes)
    assert sum(counts) > 0


def test_real_boxes(kitti_scans, kitti_labels):
    """Those of KITTI's labels: the car of scan 000002 holds 67 points."""
    found = {}
    for scan in kitti_scans:
        files = [
            kitti_labels / kind / f"{scan.stem}.txt" for kind in ("label_2", "calib")
        ]
        points, boxes = read_scan(scan), read_boxes(*files)
        found[scan.stem] = count_inside(points, boxes)
        assert found[scan.stem] == count_plainly(points, boxes)
    if list(found) == ["000000", "000001", "000002"]:
        assert [*found.values()] == [[376], [70, 9, 18], [1351, 67]]
