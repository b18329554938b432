"""LAS and LAZ files: the points of records, coordinates of a map, and bad files."""

import os
import re
import struct
import sys
import tracemalloc
from io import BytesIO
from pathlib import Path

import laspy
import lazrs
import numpy as np
import pytest
from helpers import check_reader
from hypothesis import given, settings
from hypothesis import strategies as st

from birdview.pixels.layout import load_layout
from birdview.pixels.readers import las
from birdview.pixels.scan import decode_scan, read_scan

NAMES = ["x", "y", "z", "intensity", "classification"]


def write(points, compressed=False, version="1.2", form=1, offsets=(0, 0, 0)):
    """Return a file of points, whose coordinates are whole millimetres."""
    header = laspy.LasHeader(point_format=form, version=version)
    header.scales, header.offsets = [0.001] * 3, list(offsets)
    cloud = laspy.LasData(header)
    cloud.x, cloud.y, cloud.z = points[:, :3].astype("f8").T
    cloud.intensity = np.rint(points[:, 3] * 65535)
    cloud.classification = np.arange(len(points)) % 5
    file = BytesIO()
    cloud.write(file, do_compress=compressed)
    return np.frombuffer(file.getvalue(), np.uint8)


@pytest.fixture
def points(make_scan, tmp_path):
    """Return the points of records: whole millimetres, and intensities."""
    return read_scan(make_scan(tmp_path / "records.bin", 500))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("version", "form"), [("1.2", 1), ("1.2", 3), *(("1.4", n) for n in range(6, 11))]
)
def test_points_of_all_versions(points, tmp_path, compressed, version, form):
    """Coordinates equal the float32; intensities are 16 bits."""
    write(points, compressed, version, form).tofile(tmp_path / "a.las")
    found = read_scan(tmp_path / "a.las", "las")
    np.testing.assert_array_equal(found[:, :3], points[:, :3])
    np.testing.assert_allclose(found[:, 3], points[:, 3], atol=1 / 65535)


def test_names_of_dimensions(points):
    """Also of parts of a byte, and of numbers as they are stored."""
    data = write(points)
    kinds, stored, first = las.read(data, ["classification", "X", "x"], "a.las")
    assert kinds.tolist() == [number % 5 for number in range(500)]
    np.testing.assert_allclose(stored * 0.001, first)
    names = las.list_columns(data, "a.las")
    assert names[:4] == ["x", "y", "z", "intensity"]
    assert "classification" in names
    assert "X" not in names
    with pytest.raises(ValueError, match=r"no field intensit \(did you mean inten"):
        las.read(data, ["intensit"], "a.las")


def test_coordinates_of_a_map_keep_their_centimetres(tmp_path, points):
    """With an origin in the layout."""
    offsets = 698_000, 6_259_900, 90
    moved = points[:, :3].astype("f8") + offsets
    cloud = write(np.column_stack([moved, points[:, 3]]), offsets=offsets)
    cloud.tofile(tmp_path / "b.las")
    layout = load_layout("las")._replace(origin=tuple(map(float, offsets)))
    found = read_scan(tmp_path / "b.las", layout)
    np.testing.assert_allclose(found[:, :3], points[:, :3], atol=1e-3)
    with pytest.raises(ValueError, match=r"or projected ones with `origin: \[698"):
        read_scan(tmp_path / "b.las", "las")


def damage(data, start, content):
    damaged = data.copy()
    damaged[start : start + len(content)] = np.frombuffer(content, np.uint8)
    return damaged


PLAIN = write(np.arange(40, dtype="<f4").reshape(10, 4) / 40)
PACKED = write(np.arange(40, dtype="<f4").reshape(10, 4) / 40, compressed=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (PLAIN[:0], "an empty file found, expected a LAS file"),
        (PLAIN[:200], "a LAS or LAZ file found, expected a LAS file"),
        (PLAIN[:-1], "279 bytes after the header, expected 280 for 10 points of 28"),
        (
            damage(PLAIN, 107, b"\xff" * 4),
            "280 bytes after the header, expected 120259",
        ),
        (damage(PLAIN, 96, b"\xff" * 4), "points from byte 4294967295 on, after 0 not"),
        (
            damage(PLAIN, 100, b"\xff" * 4),
            "points from byte 227 on, after 4294967295 n",
        ),
        (
            damage(PACKED, 107, b"\xff" * 4),
            "120259084260 bytes when it is decoded, exp",
        ),
        (PACKED[:-40], "a table of chunks at byte 435, expected it after points from"),
        (PACKED[:340], "13 bytes after the header, expected 10 points and a table"),
        (
            damage(PACKED, 435 + 4, b"\xff" * 4),
            "4294967295 chunks found, expected at most 4 in 100 bytes",
        ),
        (
            damage(PACKED, 227 + 20, b"\xff" * 2),
            "note 1 of 1 ends at byte 65816, expected it before the points from byt",
        ),
        (
            damage(PACKED, 227 + 2, b"other"),
            "compressed points without a note of laszip, expected one among the 1 bef",
        ),
        (
            damage(PACKED, 227 + 54, b"\xff" * 2),
            "damaged, expected a whole LAS or LAZ file: Compressor type 65535 is not",
        ),
    ],
)
def test_bad_files_are_one_line(data, message):
    """Nothing is allocated because a header says so."""
    with pytest.raises(ValueError, match=re.escape(f"a.las: {message}")) as error:
        las.read(data, NAMES, "a.las")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("where", [0, 375])
def test_notes_behind_the_points_do_not_count(points, where):
    """Four billion of them, in no place: reading them would take hours."""
    data = write(points, version="1.4", form=6)
    data = damage(data, 235, struct.pack("<QI", where, 2**32 - 1))
    (x,) = las.read(data, ["x"], "a.las")
    assert len(x) == 500


def test_points_are_decoded_in_pieces(points, monkeypatch):
    """Whatever their size, and none at all."""
    for count in (0, 499, 500):
        data = write(points[:count], compressed=True)
        expected = las.read(data, NAMES, "a.laz")
        monkeypatch.setattr(las, "_PIECE", 100)
        np.testing.assert_array_equal(las.read(data, NAMES, "a.laz"), expected)
        monkeypatch.undo()
        assert len(expected[0]) == count


def test_points_that_are_not_there_take_no_memory():
    """Of 200,000, 10 are there, whatever the table says."""
    data = damage(PACKED, 107, struct.pack("<I", 200_000))
    data = damage(data, 227 + 54 + 12, struct.pack("<I", 200_000))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"^a\.laz: damaged, expected a whole LAS"):
            las.read(data, NAMES, "a.laz")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


def test_chunk_of_any_size():
    """The decoder allocates nothing for a chunk of two billion points."""
    data = damage(PACKED, 227 + 54 + 12, struct.pack("<I", 2**31 - 1))
    (x,) = las.read(data, ["x"], "a.laz")
    assert len(x) == 10


LAYERED = write(
    np.arange(40, dtype="<f4").reshape(10, 4) / 40, True, version="1.4", form=7
)
NOTE, START, TABLE = 375 + 54, 375 + 54 + 46, 645
LAYERS = START + 8 + 36 + 4  # after the place of the table, a point and their number


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            damage(LAYERED, LAYERS + 4 * 8, struct.pack("<I", 835 << 20)),
            "chunk 1 has layers that end at its byte 875561122, expected 162, as",
        ),
        (
            damage(LAYERED, LAYERS, b"\xff" * 40),
            "chunk 1 has layers that end at its byte 42949673030, expected 162",
        ),
        (
            damage(LAYERED, LAYERS, bytes(40)),
            "chunk 1 has layers that end at its byte 80, expected 162",
        ),
        (
            np.delete(
                damage(LAYERED, START, struct.pack("<q", TABLE - 9)), range(600, 609)
            ),
            "chunk 1 has 162 bytes, expected 80 or more, and no more than the 153",
        ),
        (
            damage(LAYERED, NOTE + 12, struct.pack("<I", 9)),
            "1 chunks of 9 points found, expected 10 points",
        ),
        (
            damage(LAYERED, NOTE, b"\1"),
            "compressor 1 with points in layers, expected 3",
        ),
        (
            damage(LAYERED, NOTE + 34, struct.pack("<HH", 14, 60_000)),
            "a note of laszip about points of 60006 bytes, expected 36, as the header",
        ),
        (
            damage(LAYERED, NOTE + 32, bytes(2)),
            "a note of laszip about points of 0 bytes, expected 36, as the header says",
        ),
        (
            damage(LAYERED, 247, struct.pack("<Q", 300_000)),
            "10800000 bytes when it is decoded, expected at most 16384 times the 658",
        ),
    ],
)
def test_layers_and_chunks_that_are_not_there(data, message):
    """The decoder would allocate what they say, or go on for ever."""
    with pytest.raises(ValueError, match=f"^a\\.laz: {re.escape(message)}") as error:
        las.read(data, ["x"], "a.laz")
    assert "\n" not in str(error.value)


def test_chunks_of_any_number_of_points(points):
    """Then the table has it for each, and so it is in files for the web."""
    data = write(points, True, version="1.4", form=6)
    with laspy.open(BytesIO(data)) as file:
        records = file.read().points.array
    note = lazrs.LazVlr.new_for_compression(6, 0, True)
    chunks = [np.frombuffer(records[a:b], np.uint8) for a, b in [(0, 7), (7, 500)]]
    head = 375 + 54
    file = BytesIO(data[:head].tobytes() + note.record_data())
    file.seek(0, 2)
    packer = lazrs.LasZipCompressor(file, note)
    packer.compress_chunks(chunks)
    packer.done()
    found = np.frombuffer(file.getvalue(), np.uint8)
    for one, other in zip(
        las.read(found, NAMES, "a.laz"), las.read(data, NAMES, "a.laz"), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    more = damage(found, 247, struct.pack("<Q", 501))  # the last chunk is empty
    with pytest.raises(ValueError, match="chunk 3 has 0 bytes, expected 70 or more"):
        las.read(more, NAMES, "a.laz")


def test_chunks_of_points_that_are_all_the_same():
    """Their layers are empty; and so many points take few bytes."""
    data = write(np.ones((60_000, 4), "f4"), True, version="1.4", form=6)
    (x,) = las.read(data, ["x"], "a.laz")
    assert (len(x), x.min(), x.max()) == (60_000, 1, 1)
    assert len(data) < 5000


def test_extra_bytes_have_layers(points):
    """One each."""
    header = laspy.LasHeader(point_format=6, version="1.4")
    header.add_extra_dims([laspy.ExtraBytesParams("range", "float64")])
    cloud = laspy.LasData(header)
    cloud.x, cloud["range"] = points[:, 0].astype("f8"), np.arange(len(points)) / 8
    file = BytesIO()
    cloud.write(file, do_compress=True)
    (found,) = las.read(np.frombuffer(file.getvalue(), np.uint8), ["range"], "a.laz")
    np.testing.assert_array_equal(found, np.arange(len(points)) / 8)


@settings(max_examples=300, deadline=None)
@given(
    data=st.sampled_from([PLAIN, PACKED, LAYERED]),
    changes=st.lists(st.tuples(st.integers(0, 660), st.binary(max_size=4)), max_size=4),
    size=st.integers(0, 800),
)
def test_any_other_bytes_are_points_or_an_error(data, changes, size):
    """Never another exception, or a panic."""
    for start, content in changes:
        data = damage(data, start, content[: max(0, len(data) - start)])
    check_reader(las, data[:size], ["x", "y"], "a.las")


def test_missing_library_is_named(monkeypatch):
    """With what to install."""
    data = np.frombuffer(PACKED, np.uint8)
    for library in ("lazrs", "laspy"):
        monkeypatch.undo()
        monkeypatch.setitem(sys.modules, library, None)
        message = (
            f"a.laz: {library} is not installed, expected it to read the format las: "
            f"pip install -r envs/formats.txt"
        )
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            decode_scan(data, load_layout("las"), "a.laz")


def test_laz_in_utm_keeps_its_centimetres():
    """Points are whole numbers * scale + offset - origin."""
    if "BIRDVIEW_SCANS" not in os.environ:
        pytest.skip("BIRDVIEW_SCANS is not set: it is a folder with KITTI scans")
    path = Path(os.environ["BIRDVIEW_SCANS"]).parent / "formats" / "utm.laz"
    origin = 698_062.0, 6_259_953.0, 101.0
    found = read_scan(path, load_layout("las")._replace(origin=origin))
    cloud = laspy.read(path)
    stored = np.column_stack([cloud.X, cloud.Y, cloud.Z]).astype("f8")
    expected = stored * cloud.header.scales + cloud.header.offsets - origin
    assert np.abs(found[:, :3] - expected).max() < 0.01


@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("simple.las", 1065, (637012.24, 849028.31, 431.66, 143)),
        ("autzen.las", 106, (636083.30, 849398.65, 407.35, 65)),
        ("utm.laz", 37805, (698011.60, 6259973.14, 96.43, 120)),
    ],
)
def test_real_files(name, count, first):
    """Of three programs."""
    if "BIRDVIEW_SCANS" not in os.environ:
        pytest.skip("BIRDVIEW_SCANS is not set: it is a folder with KITTI scans")
    path = Path(os.environ["BIRDVIEW_SCANS"]).parent / "formats" / name
    found = las.read(np.fromfile(path, np.uint8), NAMES[:4], path)
    assert len(found[0]) == count
    assert tuple(round(float(column[0]), 2) for column in found) == first
