"""Point clouds of PCL: the points of records, in all encodings, and bad files."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import check_reader
from hypothesis import given, settings
from hypothesis import strategies as st

from birdview.pixels.readers import pcd
from birdview.pixels.scan import read_scan

HEADER = """# .PCD v0.7 - Point Cloud Data file format
VERSION 0.7
FIELDS {fields}
SIZE {sizes}
TYPE {types}
COUNT {counts}
WIDTH {width}
HEIGHT {height}
VIEWPOINT 0 0 0 1 0 0 0
POINTS {points}
DATA {data}
"""
XYZI = "x y z intensity"


def head(points, data, **more):
    """Return a header, of x, y, z and intensity unless others are given."""
    words = {
        "fields": XYZI, "sizes": "4 4 4 4", "types": "F F F F", "counts": "1 1 1 1",
        "width": points, "height": 1, "points": points, "data": data,
    }  # fmt: skip
    return HEADER.format(**words | more).encode()


def as_text(points):
    lines = (" ".join(f"{value:.9g}" for value in point) for point in points)
    return head(len(points), "ascii") + "\n".join(lines).encode() + b"\n"


def as_binary(points):
    return head(len(points), "binary") + points.tobytes()


def as_organised(points):
    size = {"width": len(points) // 5, "height": 5}
    return head(len(points), "binary", **size) + points.tobytes()


def with_padding(points):
    kind = np.dtype(
        [("x", "<f4"), ("_", "3u1"), ("y", "<f8"), ("z", "<f4"), ("i", "<u2", 2)]
    )
    records = np.zeros(len(points), kind)
    for number, name in enumerate("xyz"):
        records[name] = points[:, number]
    records["i"][:, 1] = (points[:, 3] * 1000).round()
    more = {
        "fields": "x _ y z none intensity", "sizes": "4 1 8 4 4 2",
        "types": "F U F F F U", "counts": "1 3 1 1 0 2",
    }  # fmt: skip
    return head(len(points), "binary", **more) + records.tobytes() + bytes(7)


def pack(content, with_references=True):
    """Compress bytes as LZF: runs as references to the byte before, others as are."""
    packed, i = bytearray(), 0
    while i < len(content):
        run = 1
        while i and i + run <= len(content) and run < 264:
            if content[i - 1 : i + run - 1] != content[i : i + run]:
                break
            run += 1
        run -= 1
        if with_references and run >= 3:
            short = min(run - 2, 7)
            packed.append(short << 5)
            if short == 7:
                packed.append(run - 9)
            packed.append(0)
            i += run
        else:
            packed += bytes([0, content[i]])
            i += 1
    return bytes(packed)


def as_compressed(points, **more):
    content = points.T.tobytes()
    packed = pack(content, **more)
    sizes = np.array([len(packed), len(content)], "<u4").tobytes()
    return head(len(points), "binary_compressed") + sizes + packed


@pytest.fixture
def points(make_scan, tmp_path):
    """Return the points of records; half of them have the same intensity."""
    scan = read_scan(make_scan(tmp_path / "records.bin", 500))
    scan[::2, 3] = 0.5
    return scan


@pytest.mark.parametrize(
    "write",
    [
        as_text,
        as_binary,
        as_organised,
        as_compressed,
        lambda points: as_compressed(points, with_references=False),
        lambda points: as_text(points).replace(b"\n", b"\r\n"),
        lambda points: as_binary(points).replace(b"FIELDS", b"COLUMNS"),
        lambda points: re.sub(rb"POINTS \d+\n|COUNT [\d ]+\n", b"", as_binary(points)),
    ],
)
def test_points_of_all_encodings(points, tmp_path, write):
    """Equal to the float32, also from text."""
    (tmp_path / "a.pcd").write_bytes(write(points))
    np.testing.assert_array_equal(read_scan(tmp_path / "a.pcd", "pcd"), points)


def test_padding_and_several_numbers(points):
    """With a field of none, and bytes behind the last point."""
    data = np.frombuffer(with_padding(points), np.uint8)
    x, y, intensity = pcd.read(data, ["x", "y", "intensity.1"], "a.pcd")
    np.testing.assert_array_equal(x, points[:, 0])
    np.testing.assert_array_equal(y, points[:, 1])
    np.testing.assert_array_equal(intensity, (points[:, 3] * 1000).round())
    with pytest.raises(
        ValueError, match=r"a.pcd: no field intensity .did you mean int"
    ):
        pcd.read(data, ["intensity"], "a.pcd")


def test_names_of_columns(points):
    """Without padding, and with a number behind the names of several numbers."""
    data = np.frombuffer(with_padding(points), np.uint8)
    names = pcd.list_columns(data, "a.pcd")
    assert len(pcd.read(data, names, "a.pcd")) == len(names) > 4
    assert names[:3] == ["x", "y", "z"]
    assert {"intensity.0", "intensity.1"} < {*names}
    assert "_" not in names


def test_byte_of_a_colour():
    """As PCL packs it, in a float32 or a uint32."""
    colours = np.array([0x00FF8001, 0x00123456], "<u4")
    for kind in "FU":
        more = {"fields": "rgb", "sizes": "4", "types": kind, "counts": "1"}
        data = head(2, "binary", **more) + colours.tobytes()
        columns = pcd.read(np.frombuffer(data, np.uint8), ["rgb.r", "rgb.b"], "a.pcd")
        assert [column.tolist() for column in columns] == [[255, 0x12], [1, 0x56]]


def test_integers_of_64_bits_from_text():
    """Not by way of a float64."""
    more = {"fields": "stamp", "sizes": "8", "types": "U", "counts": "1"}
    data = head(1, "ascii", **more) + b"18446744073709551615\n"
    (column,) = pcd.read(np.frombuffer(data, np.uint8), ["stamp"], "a.pcd")
    assert column.tolist() == [2**64 - 1]


FOUR = np.arange(16, dtype="<f4").reshape(4, 4)
SIZES = np.array([2, 64], "<u4").tobytes()
BINARY, TEXT, PACKED = as_binary(FOUR), as_text(FOUR), as_compressed(FOUR)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file found, expected a PCD file with a whole header"),
        (BINARY[:100], "a PCD file found, expected a PCD file with a whole header"),
        (b"\0" * 99, "expected a PCD file with a whole header"),
        (BINARY[:-1], "63 bytes after the header, expected 64 for 4 points of 16"),
        (BINARY.replace(b" 4\nHEI", b" 9\nHEI"), "4 POINTS found, expected 9, WIDTH"),
        (
            head(10**9, "binary") + bytes(64),
            "64 bytes after the header, expected 16000000000 for 1000000000 points",
        ),
        (
            head(4, "binary", counts="1 1 1 1000000000"),
            "COUNT of 1000000003 numbers for a point, expected at most 4096",
        ),
        (head(10**9, "binary", counts="0 0 0 0"), "no field x, expected one of those"),
        (head(10**9, "ascii") + b"1 2 3 4\n", "1 lines found for 1000000000 points"),
        (head("-4", "binary"), "WIDTH is '-4', expected a whole"),
        (head(4, "zip"), "DATA zip, expected ascii, binary or binary_compressed"),
        (head(4, "binary", types="F F F G"), "intensity has TYPE G and SIZE 4, exp"),
        (head(4, "binary", sizes="4 4 4"), "4 FIELDS, 3 SIZE, 4 TYPE and 4 COUNT"),
        (head(4, "binary", counts="1 1 1 x"), "COUNT of intensity is 'x', expected a"),
        (TEXT[:-8] + b"\n", "a line is not 4 numbers, expected those of x, y, z"),
        (TEXT.replace(b"15", b"one"), "a line is not 4 numbers, expected those of x"),
        (PACKED[:-1], "bytes that become 64 announced, expected at most"),
        (head(5, "binary_compressed") + PACKED.partition(b"compressed\n")[2],
         "bytes that become 64 announced, expected at most"),
        (head(4, "binary_compressed") + bytes(3), "3 bytes after the header, exp"),
        (head(4, "binary_compressed") + SIZES + b"\x20\x00",
         "damaged LZF stream after 0 of 64 decoded bytes, expected it to become exact"),
        (head(4, "binary_compressed") + SIZES + b"\x00\x00",
         "damaged LZF stream after 1 of 64 decoded bytes"),
    ],
)  # fmt: skip
def test_bad_files_are_one_line(tmp_path, content, message):
    """Nothing is allocated because a header says so."""
    (tmp_path / "a.pcd").write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        read_scan(tmp_path / "a.pcd", "pcd")
    assert str(error.value).startswith(f"{tmp_path / 'a.pcd'}: ")
    assert "\n" not in str(error.value)


@settings(max_examples=300, deadline=None)
@given(
    content=st.sampled_from([BINARY, TEXT, PACKED]),
    changes=st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=4)), max_size=4),
    size=st.integers(0, 500),
)
def test_any_other_bytes_are_points_or_an_error(content, changes, size):
    """Never another exception."""
    damaged = bytearray(content)
    for start, new in changes:
        damaged[start : start + len(new)] = new
    data = np.frombuffer(bytes(damaged[:size]), np.uint8)
    check_reader(pcd, data, ["x", "y"], "a.pcd")


REAL = {
    "ascii": (18524, [56.116, 3.292, 2.11]),
    "binary_padded": (66781, [0.024066716, 40.556503, 2.927049]),
    "pypcd4_ascii": (213, [0.93773, 0.33763, 0]),
    "pypcd4_ascii_organized": (8, [0, 0, 0]),
    "pypcd4_ascii_with_empty_points": (0, []),
    "pypcd4_ascii_with_underscore": (213, [0.93773, 0.33763, 0]),
    "pypcd4_binary_compressed": (213, [0.93773, 0.33763, 0]),
    "pypcd4_binary_compressed_organized": (8, [0, 0, 0]),
}


@pytest.mark.parametrize("name", [*REAL, "pypcd4_ascii_invalid_header"])
def test_real_files(name):
    """Of several programs; one has bytes behind the last point, one no header."""
    if "BIRDVIEW_SCANS" not in os.environ:
        pytest.skip("BIRDVIEW_SCANS is not set: it is a folder with KITTI scans")
    path = Path(os.environ["BIRDVIEW_SCANS"]).parent / "formats" / f"{name}.pcd"
    data = np.fromfile(path, np.uint8)
    if name not in REAL:
        with pytest.raises(ValueError, match="expected a PCD file with a whole header"):
            pcd.read(data, ["x"], path)
        return
    count, first = REAL[name]
    columns = np.stack(pcd.read(data, ["x", "y", "z"], path), axis=1)
    assert len(columns) == count
    np.testing.assert_allclose(columns[:1].ravel(), first, rtol=1e-6)
