"""Read files as points, or raise an error that says why not."""

import re

import numpy as np
import pytest

from birdview.pixels.layout import load_layout
from birdview.pixels.scan import MAX_RANGE, read_scan


def test_reads_points_bit_by_bit(tmp_path):
    """Negative zero, subnormals and NaN are kept."""
    points = np.array([[1.5, -0.0, 1e-40, 0.25], [np.nan, np.inf, -np.inf, 7]], "<f4")
    (tmp_path / "a.bin").write_bytes(points.tobytes())
    read = read_scan(tmp_path / "a.bin", "kitti")
    assert read.dtype == np.float32
    assert read.shape == (2, 4)
    assert read.tobytes() == points.tobytes()


def test_empty_file_is_a_scan_without_points(tmp_path):
    """A file of 0 bytes has shape (0, 4)."""
    (tmp_path / "a.bin").touch()
    assert read_scan(tmp_path / "a.bin").shape == (0, 4)


@pytest.mark.parametrize("size", [1, 15, 17, 33])
def test_size_must_be_whole_records(tmp_path, size):
    """The message names the path, the bytes found and the record's size."""
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(size))
    message = f"{path}: {size} bytes found, expected a multiple of 16 (layout kitti"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_scan(path)


def test_missing_file_is_named(tmp_path):
    """By the system's own message."""
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "no.bin"))):
        read_scan(tmp_path / "no.bin")


def test_folder_is_rejected(tmp_path):
    """By the system's own message."""
    with pytest.raises(IsADirectoryError, match=re.escape(str(tmp_path))):
        read_scan(tmp_path)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_coordinates_beyond_any_range_are_rejected(tmp_path, make_scan, axis):
    """A single finite one is enough to reject the file."""
    points = np.zeros((3, 4))
    points[1, axis] = -2 * MAX_RANGE
    path = make_scan(tmp_path / "a.bin", points)
    message = (
        f"{path}: 1 of 3 points have a coordinate beyond 100000 m, expected metres"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        read_scan(path)


def test_all_far_points_are_counted(tmp_path, make_scan):
    """In the first and in the last piece of a large scan; those that are not numbers
    and great reflectances are not among them.
    """
    points = np.ones((40_000, 4))
    points[0] = 2 * MAX_RANGE, -2 * MAX_RANGE, 0, 0
    points[-1, 2] = -2 * MAX_RANGE
    points[1] = np.nan, np.inf, -np.inf, np.nan
    points[2, 3] = 2 * MAX_RANGE
    path = make_scan(tmp_path / "a.bin", points)
    with pytest.raises(ValueError, match="2 of 40000 points have a coordinate beyond"):
        read_scan(path)
    points[[0, -1]] = 1
    np.testing.assert_array_equal(
        read_scan(make_scan(path, points)), points.astype(np.float32)
    )


def test_greatest_range_is_accepted(tmp_path, make_scan):
    """And so is any great reflectance."""
    path = make_scan(tmp_path / "a.bin", [[MAX_RANGE, -MAX_RANGE, 0, 1e30]])
    assert read_scan(path)[0].tolist() == [MAX_RANGE, -MAX_RANGE, 0, np.float32(1e30)]


OWN = [
    {"time": "float64"},
    {"-y": "float16"},
    {"x": "float64"},
    {"z": "int16/1000"},
]


@pytest.mark.parametrize("layout", ["nuscenes", "waymo6", OWN])
def test_messages_say_which_layout_was_assumed(tmp_path, layout):
    """For wrong sizes and for impossible coordinates."""
    path, layout = tmp_path / "a.bin", load_layout(layout)
    path.write_bytes(bytes(47))
    size = layout.record.itemsize
    message = f"{path}: 47 bytes found, expected a multiple of {size} ({layout})"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_scan(path, layout)
    records = np.zeros(3, dtype=layout.record)
    records[f"f{layout.columns[0]}"][1] = -3 * MAX_RANGE
    records.tofile(path)
    message = (
        f"{path}: 1 of 3 points have a coordinate beyond 100000 m, expected metres "
        f"({layout})"
    )
    with pytest.raises(ValueError, match=f"{re.escape(message)}$"):
        read_scan(path, layout)


def test_float16_records_are_not_read_as_float32(tmp_path):
    """A size that fits is not enough: the coordinates are not metres."""
    rng = np.random.default_rng(0)
    rng.uniform(-50, 50, size=(1000, 5)).astype("<f2").tofile(tmp_path / "a.bin")
    message = r"expected metres \(layout nuscenes: -y, x, z, intensity, ring\)$"
    with pytest.raises(ValueError, match=message):
        read_scan(tmp_path / "a.bin", "nuscenes")


def test_big_endian_file_is_rejected(tmp_path):
    """Swapped bytes are not metres."""
    points = np.random.default_rng(0).uniform(-50, 50, size=(100, 4))
    points.astype(">f4").tofile(tmp_path / "a.bin")
    with pytest.raises(ValueError, match="points have a coordinate beyond"):
        read_scan(tmp_path / "a.bin")
