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


def test_unknown_layout_lists_the_built_in_ones(tmp_path):
    """By name."""
    (tmp_path / "a.bin").touch()
    message = "unknown layout kiti .did you mean kitti.."
    with pytest.raises(FileNotFoundError, match=message):
        read_scan(tmp_path / "a.bin", "kiti")


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


def test_nuscenes_is_turned(tmp_path):
    """Its x is to the right, its y ahead, its intensity 0..255, the road at -1.84 m."""
    records = np.array([[3, 10, -1, 51, 7], [-2, -5, 0.5, 255, 31]], dtype="<f4")
    records.tofile(tmp_path / "a.pcd.bin")
    points = read_scan(tmp_path / "a.pcd.bin", "nuscenes")
    expected = np.array([[10, -3, -0.89, 0.2], [-5, 2, 0.61, 1]], dtype=np.float32)
    np.testing.assert_array_equal(points, expected)


def test_waymo_is_in_the_frame_of_the_vehicle(tmp_path):
    """The road is at z = 0; intensities are clipped."""
    records = np.array([[3, 10, 0, 12.5, 0.1, 0.02]], dtype="<f4")
    records.tofile(tmp_path / "a.bin")
    points = read_scan(tmp_path / "a.bin", "waymo6")
    np.testing.assert_array_equal(points, np.float32([[3, 10, -1.73, 1]]))


OWN = [
    {"time": "float64"},
    {"-y": "float16"},
    {"x": "float64"},
    {"z": "int16/1000"},
    {"intensity": "uint16 / 65535"},
    {"ring": "uint8"},
]


def test_layout_of_own_fields(tmp_path):
    """Of any types, with signs and divisors, without gaps."""
    kinds = "<f8,<f2,<f8,<i2,<u2,<u1"
    records = np.array([(1e300, 1.5, 20, -1730, 13107, 3)] * 2, dtype=kinds)
    records["f2"][1] = np.nan
    records.tofile(tmp_path / "a.bin")
    assert (tmp_path / "a.bin").stat().st_size == 2 * 23
    expected = np.array([[20, -1.5, -1.73, 0.2], [np.nan, -1.5, -1.73, 0.2]], "<f4")
    np.testing.assert_array_equal(read_scan(tmp_path / "a.bin", OWN), expected)


def test_missing_intensity_is_zero(tmp_path):
    """In records of coordinates alone."""
    np.array([[1, 2, 3]], dtype="<f8").tofile(tmp_path / "a.bin")
    layout = [{name: "float64"} for name in "xyz"]
    assert read_scan(tmp_path / "a.bin", layout).tolist() == [[1, 2, 3, 0]]


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
        f"({layout}); is `layout` right?"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        read_scan(path, layout)


def test_float16_records_are_not_read_as_float32(tmp_path):
    """A size that fits is not enough: the coordinates are not metres."""
    rng = np.random.default_rng(0)
    rng.uniform(-50, 50, size=(1000, 5)).astype("<f2").tofile(tmp_path / "a.bin")
    message = r"\(layout nuscenes: -y, x, z, intensity, ring\); is `layout` right"
    with pytest.raises(ValueError, match=message):
        read_scan(tmp_path / "a.bin", "nuscenes")


EXPECTED = (
    "expected one of float32, float64, float16, uint8, uint16, uint32, uint64, int8, "
    "int16, int32, int64, with a divisor or a factor and an offset if it needs them, "
    "such as uint16/65535 or uint16*0.005-100"
)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ([{"x": "float32"}, {"y": "float32"}], "no field z, expected one, in x, y"),
        ([*OWN, {"x": "float32"}], "2 fields x, expected one"),
        (
            [*OWN, {"reflectance": "uint8"}],
            "intensity and reflectance are given, expected one of them; name those "
            "that are not to be used otherwise, such as unused_reflectance",
        ),
        ([*OWN, {"t": "uint8/0"}], "t: uint8/0, expected another number than 0"),
        ([*OWN, {"t": "uint8/"}], f"t: uint8/ (did you mean uint8?), {EXPECTED}"),
        ([*OWN, {"t": "long"}], f"t: long, {EXPECTED}"),
        ([*OWN, {"t": "float"}], "t: float (did you mean float32?), expected one"),
        ([*OWN, {"t": "u2"}], "t: u2 (did you mean uint16?), expected one"),
        ([*OWN, {"t": "int8/a"}], f"t: int8/a (did you mean int8?), {EXPECTED}"),
        (
            [*OWN, {"Reflectivity": "uint8"}],
            "Reflectivity looks like intensity, but would not be used, expected the "
            "name intensity; or another one, such as unused_Reflectivity",
        ),
        ([*OWN, {"pos_x": "float32"}], "pos_x looks like x, but would not be used"),
        ([*OWN, {"ring": "uint8"}], "2 fields ring, expected one"),
    ],
)
def test_fields_that_are_not_those_of_a_point_are_rejected(layout, message):
    """Each coordinate once, an intensity at most once, NumPy's types."""
    with pytest.raises(ValueError, match=re.escape(f"layout: {message}")):
        load_layout(layout)


def test_big_endian_file_is_rejected(tmp_path):
    """Swapped bytes are not metres."""
    points = np.random.default_rng(0).uniform(-50, 50, size=(100, 4))
    points.astype(">f4").tofile(tmp_path / "a.bin")
    with pytest.raises(ValueError, match="is `layout` right"):
        read_scan(tmp_path / "a.bin")
