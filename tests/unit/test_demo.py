"""Simulate scans that are the same on every run, and like real ones."""

import hashlib

import numpy as np
import pytest

from birdview.demo import simulate_scan, write_scan
from birdview.pixels.scan import read_scan


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
    near = distance < 30
    up = np.degrees(np.arcsin(z / distance))[near]
    assert np.unique(up.round(1)).size <= 2 * 64
    assert -24.4 < up.min() < -24.2
    around = np.degrees(np.arctan2(y, x))[near] / 0.18
    assert np.quantile(np.abs(around - around.round()), 0.99) < 0.1


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
