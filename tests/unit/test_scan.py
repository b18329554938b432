"""Bytes of a file become points, or an error that says why not."""

import re

import numpy as np
import pytest

from birdview.scan import FARTHEST, read_scan


def test_reads_points_bit_by_bit(tmp_path):
    """Negative zero, subnormals and NaN come through as they are."""
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
    """The system's own message is enough."""
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "no.bin"))):
        read_scan(tmp_path / "no.bin")


def test_folder_is_named(tmp_path):
    """A folder is no scan."""
    with pytest.raises(IsADirectoryError, match=re.escape(str(tmp_path))):
        read_scan(tmp_path)


def test_unknown_layout(tmp_path):
    """The message lists the layouts that are known."""
    (tmp_path / "a.bin").touch()
    with pytest.raises(ValueError, match="unknown layout pcap: known are kitti"):
        read_scan(tmp_path / "a.bin", "pcap")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_numbers_that_are_no_metres(tmp_path, make_scan, axis):
    """One finite coordinate beyond what a sensor sees is enough to refuse the file."""
    points = np.zeros((3, 4))
    points[1, axis] = -2 * FARTHEST
    path = make_scan(tmp_path / "a.bin", points)
    message = (
        f"{path}: 1 of 3 points have a coordinate beyond 100000 m, expected metres"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        read_scan(path)


def test_far_but_possible(tmp_path, make_scan):
    """The limit itself is let through, and so is any reflectance."""
    path = make_scan(tmp_path / "a.bin", [[FARTHEST, -FARTHEST, 0, 1e30]])
    assert read_scan(path)[0].tolist() == [FARTHEST, -FARTHEST, 0, np.float32(1e30)]


def test_big_endian_file_is_refused(tmp_path):
    """Swapped bytes are no metres."""
    points = np.random.default_rng(0).uniform(-50, 50, size=(100, 4))
    points.astype(">f4").tofile(tmp_path / "a.bin")
    with pytest.raises(ValueError, match="is it another layout"):
        read_scan(tmp_path / "a.bin")
