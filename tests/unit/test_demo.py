"""Simulate scans that are the same on every run, and like real ones."""

import hashlib

import numpy as np
import pytest

from birdview.demo import (
    pose,
    simulate,
    simulate_scan,
    write_labelled_scan,
    write_scan,
)
from birdview.pixels.classes import load_classes
from birdview.pixels.point_labels import read_point_labels
from birdview.pixels.scan import read_scan
from birdview.street.materials import CAR, MOVING_CAR


@pytest.fixture(scope="module")
def points():
    return simulate_scan(0, seed=0)


def test_same_bytes_on_every_run(tmp_path):
    """A scan depends on its number and the seed alone."""
    digests = set()
    for name in ("a.bin", "b.bin"):
        write_scan(tmp_path / name, 3, seed=5)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1
    assert simulate_scan(4, seed=5).tobytes() != simulate_scan(3, seed=5).tobytes()
    assert simulate_scan(3, seed=6).tobytes() != simulate_scan(3, seed=5).tobytes()


def test_reads_as_a_scan(tmp_path):
    """The file has the simulated points."""
    write_scan(tmp_path / "a.bin", 2, seed=1)
    np.testing.assert_array_equal(
        read_scan(tmp_path / "a.bin"), simulate_scan(2, seed=1)
    )


def test_points_stay_the_same():
    """Whatever else is simulated: manifests of the demo have their digests."""
    digests = [
        hashlib.sha256(simulate_scan(number, seed).tobytes()).hexdigest()[:16]
        for number, seed in ((0, 0), (3, 5), (100, 7))
    ]
    assert digests == ["72d710eb3c0bfd6c", "c91b15467107122a", "88ad618f4a3ed80e"]


def test_numbers_are_like_those_of_kitti(points):
    """About 100,000 points, millimetres, reflectance in hundredths below 1."""
    assert points.dtype == np.float32
    assert 95_000 < len(points) < 128_000
    assert np.isfinite(points).all()
    metres = points[:, :3].astype(np.float64)
    assert np.abs(metres - metres.round(3)).max() < 1e-5
    assert 0 <= points[:, 3].min() < 0.1
    assert 0.8 < points[:, 3].max() <= 0.99
    assert np.abs(points[:, 3] - points[:, 3].round(2)).max() < 1e-6


def test_rays_are_those_of_the_sensor(points):
    """64 beams from 2 to -24.33 degrees, steps of 0.18 degrees, 100 m at most."""
    x, y, z = points[:, :3].astype(np.float64).T
    distance = np.sqrt(x * x + y * y + z * z)
    assert 2 < distance.min() < 5
    assert 60 < distance.max() < 101
    near = (distance > 3.5) & (distance < 30)
    up = np.degrees(np.arcsin(z / distance))[near]
    beams = np.concatenate([2 - np.arange(32) / 3, -8.83 - np.arange(32) / 2])
    beam = np.abs(up[:, None] - beams).argmin(axis=1)
    assert np.abs(up - beams[beam]).max() < 0.06
    around = np.degrees(np.arctan2(y, x))[near] / 0.18
    moments = [np.exp(2j * np.pi * around[beam == n]).mean() for n in range(64)]
    assert np.abs(moments).min() > 0.9  # of each beam the same in every step
    assert np.abs(np.mean(moments)) < 0.5  # and not those of other beams


def test_street_has_road_pavement_walls_and_cars(points):
    """The ground is at the right height, and objects stand on it."""
    x, y, z = points[:, :3].astype(np.float64).T
    height = z + 1.73
    left = y - 1.8  # from the middle of the street
    road = (np.abs(x) < 30) & (np.abs(left) < 5.9)
    assert abs(np.median(height[road])) < 0.03
    pavement = (np.abs(x) < 20) & (np.abs(left) > 6.3) & (np.abs(left) < 9)
    assert abs(np.median(height[pavement]) - 0.13) < 0.05
    assert (height[road] > 0.5).sum() > 500
    assert (height > 3).sum() > 400
    assert height.min() > -0.3


def test_objects_hide_what_is_behind_them(points):
    """There is one return per ray."""
    x, y, z = points[:, :3].astype(np.float64).T
    distance = np.sqrt(x * x + y * y + z * z)
    near = (distance > 5) & (distance < 40)
    beam = (np.degrees(np.arcsin(z / distance))[near] * 12).round()
    step = (np.degrees(np.arctan2(y, x))[near] / 0.18).round()
    rays = np.unique(np.stack([beam, step]), axis=1).shape[1]
    assert rays > 0.97 * near.sum()


def test_labels_are_of_the_points(tmp_path):
    """One for each, in a file of SemanticKITTI's format; the scan is the same."""
    write_labelled_scan(tmp_path / "a.bin", tmp_path / "a.label", 2, seed=1)
    write_scan(tmp_path / "b.bin", 2, seed=1)
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()
    points, labels = simulate(2, seed=1)
    stored = np.fromfile(tmp_path / "a.label", dtype="<u4")
    np.testing.assert_array_equal(stored, labels)
    classes = load_classes("semantickitti")
    numbers = read_point_labels(
        tmp_path / "a.label", "semantickitti", len(points), classes
    )
    found = {classes.names[int(number)] for number in numbers}
    assert found == {
        *("car", "bicycle", "person", "bicyclist", "road", "parking", "sidewalk"),
        *("building", "fence", "vegetation", "trunk", "terrain", "pole"),
        "traffic-sign",
    }


def test_labels_are_where_their_objects_are():
    """By height above the road, and distance from the middle of the street."""
    points, labels = simulate(0, seed=0)
    _, y, z = points[:, :3].astype(np.float64).T
    height, side = z + 1.73, np.abs(y - 1.8)
    low, high, near, far = range(4)
    expected = {  # metres
        10: (-0.1, 2.1, 3.7, 32),  # parked cars, also in the side street
        11: (0.1, 1.2, 8.5, 9.3),
        30: (0.1, 2.1, 4.3, 9.0),
        40: (-0.3, 0.3, 0, 200),
        44: (-0.2, 0.1, 3.8, 6.1),
        48: (-0.2, 0.3, 3.9, 200),
        50: (0, 11.2, 8.6, 32),
        51: (0.1, 1.3, 9.2, 9.9),
        60: (-0.3, 0.2, 0, 9.4),
        70: (-0.1, 7, 2.4, 32.9),
        71: (0.1, 3.4, 4.8, 34),
        72: (-0.1, 0.3, 4.2, 200),
        80: (0.1, 7.2, 4.4, 6.7),
        81: (1.9, 2.8, 4.2, 5),
        252: (-0.1, 2.1, 0.5, 3.5),
        253: (-0.1, 2.2, 2.5, 3.7),
        254: (0.1, 2.1, 6.5, 8.9),
    }
    assert set(np.unique(labels & 0xFFFF)) == set(expected)
    for label, limits in expected.items():
        of = (labels & 0xFFFF) == label
        # The sensor's noise is 0.012 m, and at 100 m a beam is not exact.
        assert limits[low] - 0.1 < height[of].min(), label
        assert height[of].max() < limits[high] + 0.1, label
        assert limits[near] - 0.1 < side[of].min(), label
        assert side[of].max() < limits[far] + 0.1, label


def test_cars_bicycles_and_persons_have_numbers():
    """Their own, the same from scan to scan; nothing else has one."""
    sizes, numbers = {}, []
    for number in (4, 5):
        points, labels = simulate(number, seed=0)
        instances = labels >> 16
        has_one = np.isin(labels & 0xFFFF, [10, 11, 30, 252, 253, 254])
        np.testing.assert_array_equal(instances > 0, has_one)
        numbers.append(set(instances[has_one].tolist()))
        for instance in numbers[-1]:
            own = points[instances == instance, :2]
            sizes[number, instance] = np.ptp(own, axis=0).max()
            assert len(np.unique(labels[instances == instance])) == 1
    assert max(sizes.values()) < 6
    assert len(numbers[0] & numbers[1]) > 20
    assert len(numbers[0] ^ numbers[1]) < 20


def move(number, points):
    """Return points of a scan in the axes of the street."""
    matrix = np.array(pose(number)).reshape(3, 4)
    return points[:, :3].astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]


def test_static_objects_of_scans_coincide_by_their_poses():
    """House fronts and parked cars do; moving cars do not."""
    (points, labels), (later_points, later_labels) = (
        simulate(number, seed=0) for number in (10, 12)
    )
    street, later_street = move(10, points), move(12, later_points)
    walls = []
    for place, marks in ((street, labels), (later_street, later_labels)):
        x, y, _ = place[(marks == 50) & (place[:, 2] > 0.5)].T
        front = (np.abs(x - 49) < 25) & (np.abs(y) > 9.39) & (np.abs(y) < 10.2)
        walls.append((np.floor(x[front] / 10) * np.sign(y[front]), y[front]))
    lots = np.intersect1d(walls[0][0], walls[1][0])
    assert len(lots) > 1
    for lot in lots:
        fronts = [
            np.histogram(y[of == lot], np.arange(-11, 11, 0.1)) for of, y in walls
        ]
        first, later = (counts / counts.sum() for counts, _ in fronts)
        assert np.abs(first - later).sum() < 0.6, lot
    shifts = {CAR: [], MOVING_CAR: []}
    for label in np.intersect1d(labels, later_labels):
        seen = street[labels == label], later_street[later_labels == label]
        if (label & 0xFFFF) in shifts and min(map(len, seen)) > 200:
            before, after = ((one.min(axis=0) + one.max(axis=0)) / 2 for one in seen)
            shifts[label & 0xFFFF].append(abs(after[0] - before[0]))
    assert np.median(shifts[CAR]) < 0.1
    assert min(shifts[MOVING_CAR]) > 1


def test_pose_is_that_of_the_sensor():
    """One metre from scan to scan along the street, on the right lane, not turned."""
    assert pose(0) == (1, 0, 0, 38, 0, 1, 0, -1.8, 0, 0, 1, 1.73)
    assert pose(7) == (1, 0, 0, 45, 0, 1, 0, -1.8, 0, 0, 1, 1.73)
