"""Check which layouts fit the bytes of a file, on files of many sensors."""

import numpy as np
import pytest
from helpers import SENSORS

from birdview.demo import simulate_scan
from birdview.fit import built_in_layouts, fit_layouts, names_that_fit
from birdview.pixels.layout import load_layout
from birdview.pixels.scan import read_bytes


@pytest.fixture(scope="module")
def points():
    """Return a scan of the demo, as KITTI's records."""
    return simulate_scan(0, 0)


def data_of(*columns):
    """Return columns as the bytes of records, each of its own type."""
    record = np.dtype([(f"f{n}", column.dtype) for n, column in enumerate(columns)])
    records = np.empty(len(columns[0]), record)
    for name, column in zip(record.names, columns, strict=True):
        records[name] = column
    return records.view(np.uint8)


def problem_of(data, name):
    (fit,) = fit_layouts(data, [load_layout(name)])
    return fit.problem


@pytest.mark.parametrize("name", SENSORS)
def test_knows_the_layout_of_a_real_file(name, sensor_scans):
    """The right one is the best."""
    data = read_bytes(sensor_scans / name)
    best, *others = fit_layouts(data)
    assert best.layout.name == SENSORS[name]
    assert best.problem == ""
    assert names_that_fit(data)[0] == SENSORS[name]
    assert all(other.score < best.score for other in others)


def test_knows_real_kitti(kitti_scans):
    """Others with the same record fit worse, or no better."""
    for scan in kitti_scans:
        assert names_that_fit(read_bytes(scan))[0] == "kitti"


def test_no_layout_fits_a_room_in_colour(sensor_scans):
    """Six numbers as in waymo6, but the last three are red, green and blue."""
    data = read_bytes(sensor_scans / "sunrgbd_xyzrgb_000017.bin")
    assert names_that_fit(data) == []
    assert "red, green and blue" in problem_of(data, "waymo6")


def test_knows_the_demo(points):
    """Without files of others."""
    data = points.view(np.uint8).ravel()
    assert names_that_fit(data)[0] == "kitti"
    assert {fit.layout for fit in fit_layouts(data)} == set(built_in_layouts())


def test_order_of_points_does_not_matter(points):
    """Some files are shuffled."""
    shuffled = np.random.default_rng(0).permutation(points)
    assert names_that_fit(shuffled.view(np.uint8).ravel())[0] == "kitti"


@pytest.mark.parametrize(
    ("scale", "name"), [(255, "rellis_velodyne"), (0.01, "rellis_ouster")]
)
def test_intensity_tells_layouts_apart(points, scale, name):
    """Four float32 each."""
    points = points * np.float32([1, 1, 1, scale])
    data = points.view(np.uint8).ravel()
    assert "intensit" in problem_of(data, "kitti")
    assert problem_of(data, name) == ""


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (lambda p: p.ravel()[:-1], "bytes are not a multiple of 16"),
        (lambda p: p.astype(">f4"), "beyond 1000 m"),
        (lambda p: p.astype(np.float64), "beyond 1000 m"),
        (lambda p: p * np.float32([1000, 1000, 1000, 1]), "beyond 1000 m"),
        (lambda p: p * np.float32([1e-3, 1e-3, 1e-3, 1]), "within 0.0"),
        (lambda p: p * np.float32([1, 1, 0, 1]), "a coordinate is 0 everywhere"),
        (lambda p: p * np.float32([1, 1, -1, 1]), "is z down?"),
        (lambda p: p[:, [2, 0, 1, 3]], "is x up?"),
        (lambda p: p[:, [0, 1, 2, 3, 3]].ravel()[: 4 * 8000], "z holds the same"),
        (lambda p: p * np.float32(0), "0 of 2048 points are returns"),
        (lambda p: p - np.float32([0, 0, 0, 0.5]), "intensities from"),
        (lambda p: np.vstack([np.full(4, 1e20, "f4"), p]), "is it a header?"),
        (lambda p: p[:0], "0 bytes are not a multiple of 16"),
    ],
)
def test_says_why_a_layout_does_not_fit(points, data, problem):
    """In a few words, with figures."""
    data = np.ascontiguousarray(data(points)).view(np.uint8).ravel()
    assert problem in problem_of(data, "kitti")


def test_fields_have_values_of_their_names(points):
    """The ring of a point is a small whole number."""
    *position, intensity = points.T
    columns = [-position[1], position[0], position[2] - np.float32(0.11)]
    columns.append((intensity * 255).round())
    ring = np.arange(len(points), dtype=np.float32) % 32
    assert names_that_fit(data_of(*columns, ring))[0] == "nuscenes"
    time = ring / 32
    assert "ring" in problem_of(data_of(*columns, time), "nuscenes")


def test_duplicates_tell_layouts_apart(points):
    """View-of-Delft stores every point twice."""
    points = points * np.float32([1, 1, 1, 255]) + np.float32([0, 0, 0.09, 0])
    once, twice = (np.repeat(points, n, axis=0).view(np.uint8).ravel() for n in (1, 2))
    assert names_that_fit(once)[0] == "rellis_velodyne"
    assert names_that_fit(twice)[0] == "view_of_delft"


@pytest.mark.parametrize("seed", range(3))
def test_nothing_fits_noise(seed):
    """Any bytes are numbers."""
    data = np.random.default_rng(seed).integers(0, 256, 16 * 26 * 7 * 19, np.uint8)
    assert names_that_fit(data) == []
