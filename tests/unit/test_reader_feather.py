"""Feather files: the points of records, and bad files."""

import os
import re
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
from helpers import check_reader, write_layout
from hypothesis import given, settings
from hypothesis import strategies as st

from birdview.pixels.layout import load_layout
from birdview.pixels.readers import columns, feather
from birdview.pixels.readers.arrow import decoded_size
from birdview.pixels.scan import read_scan

NAMES = ["x", "y", "z", "intensity"]


def write(table, **options):
    """Return a table as a file."""
    file = BytesIO()
    pyarrow.feather.write_feather(table, file, **options)
    return np.frombuffer(file.getvalue(), np.uint8)


@pytest.fixture
def points(make_scan, tmp_path):
    """Return the points of records."""
    return read_scan(make_scan(tmp_path / "records.bin", 500))


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "uncompressed"},
        {"compression": "lz4"},
        {"compression": "zstd"},
        {"compression": "lz4", "chunksize": 100},
    ],
)
def test_points_of_a_table(points, tmp_path, options):
    """Equal to the float32, in one batch or several."""
    columns = {name: points[:, k] for k, name in enumerate(NAMES)}
    write(pa.table(columns), **options).tofile(tmp_path / "a.feather")
    fields = [f"{name} {name}" for name in NAMES]
    path = write_layout(tmp_path / "own.yaml", *fields, format="feather")
    found = read_scan(tmp_path / "a.feather", load_layout(path))
    np.testing.assert_array_equal(found, points)


def test_missing_numbers_and_other_types():
    """Missing floats are NaN; other columns are refused if they are wanted."""
    table = pa.table(
        {
            "x": pa.array([1.5, None], pa.float32()),
            "ring": pa.array([1, None], pa.uint8()),
            "name": pa.array(["a", "b"]),
            "list": pa.array([[1], [2]]),
        }
    )
    data = write(table)
    (x,) = feather.read(data, ["x"], "a.feather")
    np.testing.assert_array_equal(x, [1.5, np.nan])
    assert feather.list_columns(data, "a.feather") == ["x"]
    for name, message in (
        ("ring", "1 of 2 numbers ring are missing, expected all"),
        ("name", "name holds string, expected numbers of points"),
        ("list", "list holds list<"),
        ("rin", "no field rin (did you mean ring?), expected one of those in the file"),
    ):
        with pytest.raises(ValueError, match=re.escape(f"a.feather: {message}")):
            feather.read(data, [name], "a.feather")
    twice = write(pa.Table.from_arrays([pa.array([1.5])] * 2, names=["x", "x"]))
    with pytest.raises(ValueError, match=r"a\.feather: 2 columns x found, expe"):
        feather.read(twice, ["x"], "a.feather")


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_bomb_is_refused_before_it_is_decoded(monkeypatch, compression):
    """By what its columns say that they become, of all batches and dictionaries."""
    table = pa.table(
        {
            "x": np.zeros(1 << 16, "f4"),
            "name": pa.array(["a" * 4096]).dictionary_encode().take([0] * (1 << 16)),
        }
    )
    data = write(table, compression=compression, chunksize=1 << 14)
    size = decoded_size(data)
    assert 2 << 18 < size < (2 << 18) + 10_000
    monkeypatch.setattr(columns, "MAX_DECODED", size - 1)
    message = f"a.feather: {size} bytes when it is decoded, expected at most {size - 1}"
    with pytest.raises(ValueError, match=re.escape(message)):
        feather.read(data, ["x"], "a.feather")
    monkeypatch.setattr(columns, "MAX_DECODED", size)
    assert len(feather.read(data, ["x"], "a.feather")[0]) == 1 << 16


def test_column_that_says_a_billion_gigabytes():
    """Nothing is allocated because of it."""
    data = write(pa.table({"x": np.zeros(5000, "f4")}), compression="zstd").copy()
    declared = np.frombuffer(struct.pack("<q", 20_000), np.uint8)
    (start,) = np.flatnonzero(
        (np.lib.stride_tricks.sliding_window_view(data, 8) == declared).all(1)
    )
    data[start : start + 8] = np.frombuffer(struct.pack("<q", 1 << 60), np.uint8)
    message = f"a.feather: {1 << 60} bytes when it is decoded, expected at most "
    with pytest.raises(ValueError, match=re.escape(message)):
        feather.read(data, ["x"], "a.feather")


DATA = write(pa.table({name: np.arange(9, dtype="f4") for name in NAMES}))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DATA[:0], "an empty file found, expected a Feather file"),
        (DATA[:-9], "an Arrow or Feather file found, expected a whole Feather file: "),
        (np.arange(99, dtype=np.uint8), "found, expected a Feather file"),
        (np.frombuffer(b"FEA1" * 9, np.uint8), "Feather version 1 found, expected ver"),
    ],
)
def test_bad_files_are_one_line(data, message):
    """Of any other kind, or cut."""
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        feather.read(data, NAMES, "a.feather")
    assert str(error.value).startswith("a.feather: ")
    assert "\n" not in str(error.value)


def test_batches_must_fit_in_the_file():
    """A footer can't make much of few bytes by batches that overlap."""
    end = len(DATA) - 10
    (size,) = struct.unpack_from("<i", DATA.tobytes(), end)
    footer = DATA[end - size : end].tobytes()
    data = bytearray(DATA.tobytes())
    for start in range(0, size - 24, 4):  # the only struct that is a batch's
        first, head, _, body = struct.unpack_from("<qiiq", footer, start)
        if 0 < first < len(DATA) and first + head + body == end - size - 8:
            struct.pack_into("<q", data, end - size + start + 16, len(DATA))
    with pytest.raises(ValueError, match=f"1 batches that do not fit in {len(DATA)}"):
        decoded_size(np.frombuffer(bytes(data), np.uint8))


PACKED = write(
    pa.table({name: np.zeros(900, "f4") for name in NAMES}), compression="zstd"
)


@settings(max_examples=300, deadline=None)
@given(
    data=st.sampled_from([DATA, PACKED]),
    changes=st.lists(
        st.tuples(st.integers(0, 2000), st.binary(max_size=4)), max_size=4
    ),
    size=st.integers(0, 4000),
)
def test_any_other_bytes_are_points_or_an_error(data, changes, size):
    """Never another exception."""
    damaged = bytearray(data.tobytes())
    for start, content in changes:
        start %= len(damaged)
        damaged[start : start + len(content)] = content
    found = np.frombuffer(bytes(damaged[:size]), np.uint8)
    check_reader(feather, found, NAMES, "a.feather")


def test_real_file():
    """Of Argoverse 2, whose coordinates are float16."""
    if "BIRDVIEW_SCANS" not in os.environ:
        pytest.skip("BIRDVIEW_SCANS is not set: it is a folder with KITTI scans")
    folder = Path(os.environ["BIRDVIEW_SCANS"]).parent / "formats"
    (path,) = folder.glob("argoverse2_*.feather")
    points = read_scan(path, "argoverse2")
    assert points.shape == (100_660, 4)
    distance = np.hypot(points[:, 0], points[:, 1])
    low = points[(distance > 5) & (distance < 20) & (points[:, 2] < -1.2), 2]
    assert abs(np.median(low) + 1.73) < 0.15
