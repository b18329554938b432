"""PLY files: the points of records, in all formats, and bad files."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import check_reader
from hypothesis import given, settings
from hypothesis import strategies as st

from birdview.pixels.readers import ply
from birdview.pixels.scan import read_scan

NAMES = "x", "y", "z", "intensity"


def head(kind, count, properties=None, before="", after=""):
    """Return a header with a comment."""
    properties = properties or [f"float {name}" for name in NAMES]
    lines = "".join(f"property {one}\n" for one in properties)
    return (
        f"ply\nformat {kind} 1.0\ncomment by a test\n{before}element vertex {count}\n"
        f"{lines}{after}end_header\n"
    ).encode()


def as_text(points, **more):
    lines = (" ".join(f"{value:.9g}" for value in point) for point in points)
    return head("ascii", len(points), **more) + "\n".join(lines).encode() + b"\n"


def as_little(points, **more):
    return head("binary_little_endian", len(points), **more) + points.tobytes()


def as_big(points):
    return head("binary_big_endian", len(points)) + points.astype(">f4").tobytes()


FACES = "element face 1\nproperty list uchar int vertex_indices\n"
CAMERA = "element camera 2\nproperty double fov\nproperty uchar number\n"


def between_others(points):
    content = as_little(points, before=CAMERA, after=FACES)
    header, points = content[: -points.nbytes], content[-points.nbytes :]
    return header + bytes(18) + points + b"\3\0\0\0\0\1\0\0\0\2\0\0\0"


def between_other_lines(points):
    header, _, lines = as_text(points, before=CAMERA, after=FACES).partition(
        b"end_header\n"
    )
    return header + b"end_header\n90 1\n45 2\n" + lines + b"3 0 1 2\n"


@pytest.fixture
def points(make_scan, tmp_path):
    """Return the points of records."""
    return read_scan(make_scan(tmp_path / "records.bin", 500))


@pytest.mark.parametrize(
    "write",
    [
        as_text,
        as_little,
        as_big,
        between_others,
        between_other_lines,
        lambda points: as_text(points).replace(b"\n", b"\r\n"),
        lambda points: as_little(points).replace(
            b"property float", b"property float32"
        ),
    ],
)
def test_points_of_all_formats(points, tmp_path, write):
    """Equal to the float32, also from text; other elements do not matter."""
    (tmp_path / "a.ply").write_bytes(write(points))
    np.testing.assert_array_equal(read_scan(tmp_path / "a.ply", "ply"), points)


def test_types_and_names_of_properties():
    """In any order, as programs name them."""
    kind = np.dtype([("y", ">f8"), ("scalar_Intensity", ">u2"), ("x", ">i4")])
    records = np.array([(1.5, 65535, -7), (2.5, 3, 8)], kind)
    properties = ["double y", "ushort scalar_Intensity", "int x"]
    data = head("binary_big_endian", 2, properties) + records.tobytes()
    columns = ply.read(
        np.frombuffer(data, np.uint8), ["x", "y", "scalar_Intensity"], "a.ply"
    )
    assert [column.tolist() for column in columns] == [[-7, 8], [1.5, 2.5], [65535, 3]]
    names = ply.list_columns(np.frombuffer(data, np.uint8), "a.ply")
    assert names == ["y", "scalar_Intensity", "x"]
    with pytest.raises(ValueError, match=r"no field intensity \(did you mean scalar_I"):
        ply.read(np.frombuffer(data, np.uint8), ["intensity"], "a.ply")


FOUR = np.arange(16, dtype="<f4").reshape(4, 4)
TEXT, LITTLE = as_text(FOUR), as_little(FOUR)
WHOLE = "found, expected a PLY file with a whole header"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", f"an empty file {WHOLE}"),
        (LITTLE[:60], f"a PLY file {WHOLE}"),
        (b"1,2,3,4\n" * 9, f"text {WHOLE}"),
        (LITTLE[:-1], "63 bytes found for 4 points of 16 bytes, expected 64"),
        (LITTLE + b"\0", "65 bytes found for 4 points of 16 bytes, expected 64"),
        (head("binary_little_endian", 10**9), "0 bytes found for 1000000000 points of"),
        (head("ascii", 10**9) + b"1 2 3 4\n", "1 lines found for 1000000000 points"),
        (TEXT + b"1 2 3 4\n", "5 lines found for 4 points, expected one for each"),
        (
            TEXT.replace(b"15", b"one"),
            "a line is not 4 numbers, expected those of x, y",
        ),
        (TEXT.replace(b" 15", b""), "a line is not 4 numbers, expected those of x, y"),
        (
            head("ascii", 1, ["uchar x"]) + b"300\n",
            "x: 300 found, expected numbers of u",
        ),
        (
            head("ascii", 1, ["int x"]) + b"1.5\n",
            "x: 1.5 found, expected numbers of int",
        ),
        (
            LITTLE.replace(b"vertex", b"vertey"),
            "elements vertey found, expected vertex",
        ),
        (
            LITTLE.replace(b"format binary_little_endian 1.0\n", b""),
            "no format in the h",
        ),
        (
            LITTLE.replace(b"1.0", b"2.0"),
            "'format binary_little_endian 2.0' in the head",
        ),
        (
            LITTLE.replace(b"float x", b"floot x"),
            "'property floot x' in the header, exp",
        ),
        (
            LITTLE.replace(b"vertex 4", b"vertex -4"),
            "'element vertex -4' in the header",
        ),
        (
            LITTLE.replace(b"float x", b"list uchar float x"),
            "vertex has the list x, exp",
        ),
        (
            as_little(FOUR, before=FACES),
            "face has the list vertex_indices, expected sing",
        ),
    ],
)
def test_bad_files_are_one_line(tmp_path, content, message):
    """Nothing is allocated because a header says so."""
    path = tmp_path / "a.ply"
    with pytest.raises(ValueError, match=re.escape(f"{path}: {message}")) as error:
        ply.read(np.frombuffer(content, np.uint8), ["x"], path)
    assert "\n" not in str(error.value)


@settings(max_examples=300, deadline=None)
@given(
    content=st.sampled_from([LITTLE, TEXT, between_others(FOUR)]),
    changes=st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=4)), max_size=4),
    size=st.integers(0, 400),
)
def test_any_other_bytes_are_points_or_an_error(content, changes, size):
    """Never another exception."""
    damaged = bytearray(content)
    for start, new in changes:
        damaged[start : start + len(new)] = new
    data = np.frombuffer(bytes(damaged[:size]), np.uint8)
    check_reader(ply, data, ["x", "y"], "a.ply")


def test_real_file():
    """Without intensities."""
    if "BIRDVIEW_SCANS" not in os.environ:
        pytest.skip("BIRDVIEW_SCANS is not set: it is a folder with KITTI scans")
    path = Path(os.environ["BIRDVIEW_SCANS"]).parent / "formats" / "xyz_only.ply"
    x, y, z = ply.read(np.fromfile(path, np.uint8), ["x", "y", "z"], path)
    assert len(x) == 155_000
    np.testing.assert_allclose([x[0], y[0], z[0]], [-4.2910147, -2.6226838, -1.9710284])
