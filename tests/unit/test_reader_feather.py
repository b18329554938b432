"""Feather files: the points of records, and bad files."""

import os
import re
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
from helpers import check_read, write_layout
from hypothesis import given, settings
from hypothesis import strategies as st

from birdview.pixels.layout import load_layout
from birdview.pixels.readers import feather
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
        {"version": 1},
    ],
)
@pytest.mark.filterwarnings("ignore:Feather V1")
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
    for name, message in (
        ("ring", "1 of 2 numbers ring are missing, expected all"),
        ("name", "name holds string, expected numbers of points"),
        ("list", "list holds list<"),
        ("rin", "no field rin (did you mean ring?), expected one of those in the file"),
    ):
        with pytest.raises(ValueError, match=re.escape(f"a.feather: {message}")):
            feather.read(data, [name], "a.feather")


DATA = write(pa.table({name: np.arange(9, dtype="f4") for name in NAMES}))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DATA[:0], "an empty file found, expected a whole Feather file: "),
        (DATA[:-9], "an Arrow or Feather file found, expected a whole Feather file: "),
        (np.arange(99, dtype=np.uint8), "found, expected a whole Feather file: "),
    ],
)
def test_bad_files_are_one_line(data, message):
    """Of any other kind, or cut."""
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        feather.read(data, NAMES, "a.feather")
    assert str(error.value).startswith("a.feather: ")
    assert "\n" not in str(error.value)


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(DATA)), st.binary(max_size=4)), max_size=4
    ),
    size=st.integers(0, len(DATA)),
)
def test_any_other_bytes_are_points_or_an_error(changes, size):
    """Never another exception."""
    damaged = bytearray(DATA.tobytes())
    for start, content in changes:
        damaged[start : start + len(content)] = content
    data = np.frombuffer(bytes(damaged[:size]), np.uint8)
    check_read(partial(feather.read, data, NAMES), "a.feather")


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
