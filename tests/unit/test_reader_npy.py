"""NumPy's files: the points of records, whatever their order, type and archive."""

import re
import struct
import zipfile

import numpy as np
import pytest
from helpers import write_layout

from birdview.pixels.layout import load_layout
from birdview.pixels.readers import columns
from birdview.pixels.readers import npy as npy_reader
from birdview.pixels.readers import npz as npz_reader
from birdview.pixels.scan import read_bytes, read_scan

NUMBERS = {"x": 0, "y": 1, "z": 2, "intensity": 3}
NAMES = {name: name for name in NUMBERS}
IN_ARCHIVE = {name: f"points.{number}" for name, number in NUMBERS.items()}


@pytest.fixture
def points(make_scan, tmp_path):
    """Return the points of random records."""
    return read_scan(make_scan(tmp_path / "records.bin", 500))


def make_layout(folder, fields, kind="npy", **more):
    """Load a layout of a format, with some fields."""
    pairs = [f"{name} {column}" for name, column in fields.items()]
    return load_layout(write_layout(folder / "own.yaml", *pairs, format=kind, **more))


def structured(points, kinds="<f4,<f4,<f4,<f4"):
    """Return points as a structured array."""
    kind = list(zip(NUMBERS, kinds.split(","), strict=True))
    return np.array([*map(tuple, points)], dtype=kind)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (lambda points: points, NUMBERS),
        (np.asfortranarray, NUMBERS),
        (lambda points: points.astype("<f8"), NUMBERS),
        (lambda points: points.astype(">f4"), NUMBERS),
        (lambda points: points.reshape(5, 100, 4), NUMBERS),
        (lambda points: points.reshape(5, 100, 4, order="F"), NUMBERS),
        (lambda points: np.hstack([points, points]), NUMBERS),
        (structured, NAMES),
        (lambda points: structured(points, "<f4,<f8,>f4,<f4"), NAMES),
    ],
)
def test_points_of_an_array(points, tmp_path, change, fields):
    """In the order of the array, which decides ties."""
    array = change(points)
    np.save(tmp_path / "a.npy", array)
    expected = (
        array.reshape(-1, array.shape[-1])[:, :4] if fields is NUMBERS else points
    )
    found = read_scan(tmp_path / "a.npy", make_layout(tmp_path, fields))
    np.testing.assert_array_equal(found, expected.astype("<f4"))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_points_of_an_archive(points, tmp_path, save):
    """A table; or a column for itself, whose name may have a dot."""
    save(tmp_path / "a.npz", points=points)
    layout = make_layout(tmp_path, IN_ARCHIVE, "npz")
    np.testing.assert_array_equal(read_scan(tmp_path / "a.npz", layout), points)
    arrays = {"xyz": points[:, :3], "attributes.reflectance": points[:, 3]}
    save(tmp_path / "b.npz", **arrays)
    fields = {"x": "xyz.0", "y": "xyz.1", "z": "xyz.2"}
    fields["intensity"] = "attributes.reflectance"
    layout = make_layout(tmp_path, fields, "npz")
    np.testing.assert_array_equal(read_scan(tmp_path / "b.npz", layout), points)


def test_names_of_columns(points, tmp_path):
    """Of arrays that may be points: not of text, nor of more columns than rows."""

    def names_in(path, reader):
        data = read_bytes(path)
        names = reader.list_columns(data, path)
        assert len(reader.read(data, names, path)) == len(names)
        return names

    kind = [*((name, "<f4") for name in NUMBERS), ("name", "<U3"), ("v", "<f4", (3,))]
    for array, names in (
        (points, ["0", "1", "2", "3"]),
        (points.T, []),
        (np.zeros(99, kind), [*NUMBERS]),
        (np.full((9, 2), "a"), []),
    ):
        np.save(tmp_path / "a.npy", array)
        assert names_in(tmp_path / "a.npy", npy_reader) == names
    objects = np.array([{}, []], dtype=object)
    np.savez(tmp_path / "a.npz", points=points, name="x", label=points[:, 0], o=objects)
    names = [*IN_ARCHIVE.values(), "label"]
    assert names_in(tmp_path / "a.npz", npz_reader) == names


def test_signs_units_and_unused_columns(points, tmp_path):
    """With the grammar that records have; the sign stands before the column."""
    np.save(tmp_path / "a.npy", (points * [100, 1, 1, 255]).astype("<f8"))
    fields = {"x": "-1", "y": "0/100 - 0.5", "z": "2*2", "intensity": "3/255"}
    found = read_scan(tmp_path / "a.npy", make_layout(tmp_path, fields))
    x, y, z, intensity = points.astype("<f8").T
    expected = np.stack([-y, x - 0.5, 2 * z, intensity], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_choice_by_a_column_of_the_file(points, tmp_path):
    """Numbers are rounded as those of the column."""
    array = np.zeros(4, dtype=[(name, "<f4") for name in (*NUMBERS, "time")])
    array["x"], array["time"] = [1, 2, 3, 4], [0.1, 0.2, 0.3, 0.1]
    np.save(tmp_path / "a.npy", array)
    fields = NAMES | {"time": "time"}
    layout = make_layout(tmp_path, fields, keep={"time": [0.1, 0.3]})
    assert read_scan(tmp_path / "a.npy", layout)[:, 0].tolist() == [1, 3, 4]


def test_origin_of_projected_coordinates(tmp_path):
    """Subtracted in double precision: the centimetres stay."""
    utm = np.array([[691_234.56, 5_335_678.91, 512.34, 0.5]])
    np.save(tmp_path / "a.npy", utm)
    expected = (
        r"1 of 1 points have a coordinate beyond 100000 m, expected metres; or "
        r"projected ones with `origin: \[691235, 5335679, 512\]` in the layout"
    )
    with pytest.raises(ValueError, match=expected):
        read_scan(tmp_path / "a.npy", make_layout(tmp_path, NUMBERS))
    layout = make_layout(tmp_path, NUMBERS, origin=[691_200, 5_335_700, 514])
    (found,) = read_scan(tmp_path / "a.npy", layout)
    np.testing.assert_allclose(found, [34.56, -21.09, -1.66, 0.5], atol=1e-5)


def npy(header, body=b"", version=1):
    """Return a file with a header that may say anything."""
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + body


OF = "{'descr': '<f4', 'fortran_order': False, 'shape': %s}\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file found, expected an NPY file with a whole header"),
        (b"1,2,3,4\n" * 9, "text found, expected an NPY file with a whole header"),
        (npy(OF % "(2, 4)")[:40], "a NumPy array with a header found, expected an NPY"),
        (npy((OF % "(2, 4)").replace("}", "[")), "a NumPy array with a header found"),
        (npy(OF % "(0, 0)"), r"an array of shape \(0, 0\) found, expected rows of"),
        (npy("os.system('x')"), "a NumPy array with a header found, expected an NPY"),
        (npy(OF % "(2, 4)", bytes(31)), r"31 bytes after the header, expected 32 for"),
        (npy(OF % "(2, 4)", bytes(33)), r"33 bytes after the header, expected 32 for"),
        (
            npy(OF % "(1000000000000, 4)"),
            "0 bytes after the header, expected 16000000000000 for shape",
        ),
        (npy(OF % "(-2, -4)", bytes(32)), r"shape \(-2, -4\) found, expected no neg"),
        (npy(OF % f"(0, {2**40})"), r"shape \(0, 1099511627776\) found, expected rows"),
        (npy(OF % f"({2**70}, 0)"), r"shape \(\d+, 0\) found, expected rows of at"),
        (npy(OF % f"({'0, ' * 70})"), r"shape \(0, 0, .* found, expected rows of at"),
        (npy(OF % "(8,)", bytes(32)), r"an array of shape \(8,\) found, expected rows"),
        (
            npy(OF % "(4, 2)", bytes(32)),
            "no field 2, expected one of those in the file",
        ),
        (npy(OF.replace("<f4", "|O") % "(4, 2)"), "Python objects found, expected num"),
        (npy(OF.replace("<f4", "<U1") % "(2, 4)", bytes(32)), "0 is <U1 of shape"),
        (npy(OF % "(2, 4)", bytes(32), version=3), "NPY version 3.0 found, expected 1"),
    ],
)
def test_bad_arrays_are_one_line(tmp_path, content, message):
    """Nothing is allocated or run because a header says so."""
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_scan(tmp_path / "a.npy", make_layout(tmp_path, NUMBERS))
    assert str(error.value).startswith(f"{tmp_path / 'a.npy'}: ")
    assert "\n" not in str(error.value)


def test_bad_archives_are_one_line(points, tmp_path, monkeypatch):
    """Cut anywhere, damaged, or larger than they should become."""
    np.savez_compressed(tmp_path / "a.npz", points=points, other=points[:9, 0])
    content = (tmp_path / "a.npz").read_bytes()
    bad = tmp_path / "b.npz"
    layout = make_layout(tmp_path, IN_ARCHIVE, "npz")

    def explain(content, layout=layout):
        bad.write_bytes(content)
        with pytest.raises(ValueError, match=re.escape(f"{bad}: ")) as error:
            read_scan(bad, layout)
        assert "\n" not in str(error.value)
        return str(error.value)

    for size in range(0, len(content), 97):
        assert "found, expected a whole archive of arrays: " in explain(content[:size])
    damaged = bytearray(content)
    damaged[200:300] = bytes(100)
    assert re.search("damaged archive|a whole archive", explain(bytes(damaged)))
    other = make_layout(tmp_path, IN_ARCHIVE | {"x": "other"}, "npz")
    assert "500 numbers points.1 for 9 numbers other" in explain(content, other)
    with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("points.npy", bytes(1 << 20))
    monkeypatch.setattr(columns, "MAX_DECODED", 1 << 16)
    expected = "1048576 bytes when it is decoded, expected at most 65536"
    assert expected in explain(bad.read_bytes())


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archive_of_another_method(points, tmp_path, method):
    """NumPy writes none; it may need any memory."""
    np.save(tmp_path / "points.npy", points)
    bad = tmp_path / "b.npz"
    with zipfile.ZipFile(bad, "w", method) as archive:
        archive.write(tmp_path / "points.npy", "points.npy")
    message = (
        f"{bad}: points is compressed by method {method}, expected 0 or 8 (deflate), "
        f"as NumPy writes archives"
    )
    for read in (
        lambda: read_scan(bad, make_layout(tmp_path, IN_ARCHIVE, "npz")),
        lambda: npz_reader.list_columns(read_bytes(bad), bad),
    ):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            read()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format: npy\nfields: [{-x: 0}]", "-x: 0, expected the name of a column"),
        ("format: npy\nfields: [{x: 0/0}]", "x: 0/0, expected another number than 0"),
        ("format: npy\nskip: 4\nfields: [{x: 0}, {y: 1}, {z: 2}]", "skip: 4 with the"),
        ("format: npi\nfields: [{x: 0}]", "format: 'npi' is not one of"),
        ("fields: [{x: 0}]", "x: 0, expected one of float32"),
        ("format: npy\norigin: [1, 2]\nfields: [{x: 0}]", "origin: "),
    ],
)
def test_bad_layouts_are_one_line(tmp_path, text, message):
    """Of the keys for formats."""
    path = tmp_path / "own.yaml"
    path.write_text(f"description: a test\n{text}\n")
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        load_layout(path)
    assert str(error.value).startswith(f"{path}: ")
