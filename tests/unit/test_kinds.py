"""Recognise files by their first bytes and folders by their names."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import re
import sqlite3
import tarfile
import zipfile

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from birdview import paths
from birdview.demo import simulate_scan
from birdview.pixels.kinds import (
    FILES,
    FOLDERS,
    HEAD,
    recognise,
    recognise_file,
    recognise_folder,
    recognise_suffix,
)
from birdview.pixels.layout import load_layout
from birdview.pixels.scan import read_scan

POINTS = simulate_scan(0, 43).astype("<f4")
RECORDS = POINTS.tobytes()


def save(write):
    """Return what a function writes to a file."""
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def as_text(separator=" "):
    lines = (separator.join(f"{number:.3f}" for number in point) for point in POINTS)
    return "\n".join(lines) + "\n"


def as_pcd(comment="# .PCD v0.7 - Point Cloud Data file format\n"):
    header = (
        f"{comment}VERSION 0.7\nFIELDS x y z intensity\nSIZE 4 4 4 4\nTYPE F F F F\n"
        f"COUNT 1 1 1 1\nWIDTH {len(POINTS)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\n"
        f"POINTS {len(POINTS)}\nDATA binary\n"
    )
    return header.encode() + RECORDS


def as_ply(end="\n"):
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(POINTS)}\n"
        f"property float x\nproperty float y\nproperty float z\n"
        f"property float intensity\nend_header\n"
    )
    return header.replace("\n", end).encode() + RECORDS


def as_las(minor, size):
    header = bytearray(size)
    header[:4], header[24:26] = b"LASF", bytes([1, minor])
    header[94:96] = size.to_bytes(2, "little")
    return bytes(header) + RECORDS


def as_zip(name="scan.bin", method=zipfile.ZIP_DEFLATED):
    def write(file):
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr(name, RECORDS)

    return save(write)


def as_tar():
    def write(file):
        with tarfile.open(fileobj=file, mode="w") as archive:
            member = tarfile.TarInfo("scan.bin")
            member.size = len(RECORDS)
            archive.addfile(member, io.BytesIO(RECORDS))

    return save(write)


def as_database():
    with sqlite3.connect(":memory:") as database:
        database.execute("create table messages (data blob)")
        return database.serialize()


def as_image(suffix):
    return cv2.imencode(suffix, np.zeros((64, 64, 3), np.uint8))[1].tobytes()


LFS = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 1900000\n"
)
PAGE = "<!DOCTYPE html>\n<html><head><title>Virus scan warning</title></head></html>\n"
XML = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'
CONTENTS = {
    "a Git LFS pointer": [LFS],
    "a web page": [
        PAGE,
        PAGE.lower(),
        f"\ufeff\n  {PAGE}",
        f"<!-- saved --> {PAGE}",
        "<html>",
        '<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN">',
    ],
    "XML": [
        *(XML, f"\ufeff{XML}", "<Error><Code>NoSuchKey</Code></Error>"),
        *(XML.encode(code) for code in ("utf-16", "utf-16-le", "utf-16-be")),
    ],
    "a PCD file": [as_pcd(), as_pcd(""), as_pcd("# made by hand\r\n\n"), "#.PCD v.5\n"],
    "a PLY file": [as_ply(), as_ply("\r\n"), as_ply("\r")],
    "a LAS or LAZ file": [as_las(2, 227), as_las(4, 375), b"LASF" + bytes(96)],
    "an E57 file": [b"ASTM-E57" + bytes(40) + RECORDS],
    "a BIN file of CloudCompare": [b"CCB23\0\0\0\1\0\0\0" + RECORDS],
    "a NumPy array with a header": [
        save(lambda file: np.save(file, POINTS)),
        save(lambda file: np.save(file, POINTS.astype("f8").T)),
    ],
    "an archive of NumPy arrays": [
        save(lambda file: np.savez(file, points=POINTS)),
        save(lambda file: np.savez_compressed(file, POINTS)),
    ],
    "a zip archive": [as_zip(), as_zip("velodyne/", zipfile.ZIP_STORED)],
    "an HDF5 file": [b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0" + RECORDS],
    "an Arrow or Feather file": [b"ARROW1\0\0" + RECORDS, b"FEA1\0\0\0\0" + RECORDS],
    "a Parquet file": [b"PAR1\x15\x04\x15\xa0\x01\x15\x90" + RECORDS],
    "a pickle": [
        pickle.dumps(value, protocol)
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
        for value in (POINTS, [POINTS], {"points": POINTS}, (POINTS, 0))
    ],
    "a gzip file": [gzip.compress(RECORDS, level) for level in (1, 6, 9)],
    "a bzip2 file": [bz2.compress(RECORDS)],
    "an xz file": [lzma.compress(RECORDS)],
    "a Zstandard file": [
        b"\x28\xb5\x2f\xfd\xa4\x20\x90\x1d\0" + RECORDS,
        b"\x28\xb5\x2f\xfd\x04\x60" + RECORDS,
        b"\x28\xb5\x2f\xfd\x84\x60\x20\x90\x1d\0" + RECORDS,
    ],
    "a 7z archive": [b"7z\xbc\xaf\x27\x1c\0\4" + RECORDS],
    "a tar archive": [as_tar()],
    "a ROS 1 bag": [b"#ROSBAG V2.0\nE\0\0\0" + RECORDS],
    "an MCAP recording": [b"\x89MCAP0\r\n\1" + RECORDS],
    "an SQLite database, such as a ROS 2 bag": [as_database()],
    "notes of macOS on another file": [
        b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(4072)
    ],
    "a PNG image": [as_image(".png")],
    "a JPEG image": [as_image(".jpg")],
    "JSON": [
        json.dumps({"error": "no such file", "status": 404}),
        json.dumps(POINTS.tolist(), indent=2),
    ],
    "text": [
        *(as_text(), as_text(","), as_text().encode("utf-16"), "x" * 32),
        *(b"\xfe\xff" + as_text().encode("utf-16-be"), f"# Größe in m\n{as_text()}"),
        "µ" * HEAD,
    ],
}  # fmt: skip
"""Files of each kind, as text or bytes."""

CASES = [
    pytest.param(name, content, id=f"{name} {number}")
    for name, contents in CONTENTS.items()
    for number, content in enumerate(contents)
]


def encode(content):
    return content.encode() if isinstance(content, str) else content


def test_every_kind_has_a_file():
    """And each kind says what to do, in one line."""
    assert [kind.name for kind in FILES] == list(CONTENTS)
    for kind in (*FILES, *FOLDERS):
        assert kind.advice
        assert (kind.name + kind.advice).isprintable()


@pytest.mark.parametrize(("name", "content"), CASES)
@pytest.mark.parametrize("rest", [0, 1])
def test_scan_of_another_kind_is_refused(tmp_path, name, content, rest):
    """Whether or not its size is that of whole records."""
    path, content = tmp_path / "a.bin", encode(content)
    is_text = recognise(b"x" * 32) == recognise(content.strip(b"\n")) or name == "JSON"
    fill = b"\n" if is_text else b"\0"
    if content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        content += fill * ((rest - len(content)) % 16)
        assert len(content) % 16 == rest
    path.write_bytes(content)
    kind = recognise_file(path)
    assert kind.name == name
    message = (
        f"{path}: {name} found, expected records of 16 bytes (layout kitti: x, y, z, "
        f"reflectance): {kind.advise('.bin')}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_scan(path)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("a Git LFS pointer", "run `git lfs pull`"),
        ("a web page", "download it again: the server sent a page, not the file"),
        (
            "a PLY file",
            "set `layout: ply` and `suffix: .bin`",
        ),
        (
            "a NumPy array with a header",
            "set `layout: npy` and `suffix: .bin`",
        ),
        (
            "text",
            "set `layout: own.yaml`, one of yours with `format: csv` and `suffix: "
            ".bin`",
        ),
        ("a gzip file", "unpack it with gunzip"),
    ],
)
def test_advice_leads_to_the_way_out(name, advice):
    """Of a file that is called as records are."""
    assert [kind.advise(".bin") for kind in FILES if kind.name == name] == [advice]


def test_advice_for_arrays_gives_the_points(tmp_path):
    """What it says, done."""
    scan = tmp_path / "a.npy"
    np.save(scan, POINTS.astype("f8"))
    assert recognise_file(scan).advise(".npy") == "set `layout: npy`"
    np.testing.assert_array_equal(read_scan(scan, "npy"), POINTS)


def test_skipped_bytes_may_be_of_any_kind(tmp_path):
    """A layout may skip the header of an array; what follows must be records."""
    path = tmp_path / "a.bin"
    path.write_bytes(save(lambda file: np.save(file, POINTS)))
    kitti = load_layout("kitti")
    skip = path.stat().st_size - len(RECORDS)
    np.testing.assert_array_equal(read_scan(path, kitti._replace(skip=skip)), POINTS)
    path.write_text(PAGE * 2)
    with pytest.raises(ValueError, match="a web page found, expected records of 16"):
        read_scan(path, kitti._replace(skip=4))


def test_short_files_are_told_by_their_size(tmp_path):
    """They are too short to be text for sure."""
    (tmp_path / "a.bin").write_text("0.5 0.25\n")
    with pytest.raises(ValueError, match="9 bytes found, expected a multiple of 16"):
        read_scan(tmp_path / "a.bin")
    for content in (
        b"",
        b"\0",
        b"PK",
        b"\x1f\x8b",
        b"LASF",
        b"\x80\x04\x95",
        b"x" * 31,
    ):
        assert recognise(content) is None


@pytest.mark.parametrize(
    "layout",
    [
        file.stem
        for file in sorted(paths.LAYOUTS.glob("*.yaml"))
        if load_layout(file.stem).is_records
    ],
)
def test_records_of_no_layout_are_another_kind(layout):
    """At whichever point a scan begins."""
    layout = load_layout(layout)
    stored = np.zeros(len(POINTS), layout.record)
    rng = np.random.default_rng(0)
    for number, field in enumerate(layout.fields):
        if number in layout.columns:
            values = POINTS[:, layout.columns.index(number)] * field.sign
            values = (values - field.offset) / field.factor * field.divisor
        else:
            values = rng.integers(0, 100, len(POINTS))
        stored[f"f{number}"] = values.astype(layout.record[number])
    if layout.order == "fields":
        stored = stored["f0"]
    for start in range(0, len(stored), 50):
        assert recognise(stored[start:].tobytes()[:HEAD]) is None


NUMBERS = st.floats(-200, 200, width=16) | st.floats(-200, 200, width=32)


@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", ">f8", "<f2", "<i2", "<i4"])
@given(data=st.data())
def test_numbers_are_records(kind, data):
    """In each type and order of bytes; of three points at least."""
    shape = data.draw(st.tuples(st.integers(3, 64), st.integers(3, 6)))
    scale = data.draw(st.sampled_from([1, 0.001, 100]))
    points = data.draw(arrays("f8", shape, elements=NUMBERS))
    # What is measured is not constant.
    points *= scale * np.random.default_rng(0).uniform(0.9, 1, shape)
    with np.errstate(over="ignore"):
        stored = points.astype(kind)
    assert recognise(stored.tobytes()[:HEAD]) is None


@pytest.mark.parametrize(("name", "content"), CASES)
def test_four_bytes_are_not_enough(name, content):
    """Some first number of a scan may have them."""
    assert recognise((encode(content)[:4] + RECORDS[4:])[:HEAD]) is None


def test_real_scans_are_records(kitti_scans, sensor_scans):
    """Of each sensor at hand."""
    scans = [*kitti_scans, *sensor_scans.glob("*.bin")]
    assert len(scans) > len(kitti_scans)
    assert [scan for scan in scans if recognise_file(scan)] == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("sequences/00/voxels/000000.bin", "voxels of SemanticKITTI, one bit each"),
        ("masks/0.bin", "masks of ScanNet or S3DIS, one int64 a point"),
        ("semantic_mask/0.bin", "masks of ScanNet or S3DIS, one int64 a point"),
        ("instance_mask/0.bin", "masks of ScanNet or S3DIS, one int64 a point"),
        ("gt_database/0_Car_0.bin", "a database of objects, one in each file"),
        ("KITTI_gt_database/0.bin", "a database of objects, one in each file"),
        (
            "a/gt_database_10sweeps_withvelo/car/0.bin",
            "a database of objects, one in each file",
        ),
        ("kitti_dbinfos_train/0.bin", "a database of objects, one in each file"),
        (
            "training/velodyne_reduced/0.bin",
            "reduced scans, with only the points that a camera sees",
        ),
        (
            "d/sick_points/data/0.bin",
            "scans of KITTI-360's SICK sensors, 2 x float32 a point",
        ),
        ("sequences/00/labels/0.bin", "labels, one number a point"),
        ("lidarseg/v1.0-mini/0.bin", "labels, one number a point"),
        ("Voxels/0.bin", "voxels of SemanticKITTI, one bit each"),
        ("training/velodyne/0.bin", None),
        ("velodyne_points/data/0.bin", None),
        ("points/scene0000_00.bin", None),
        ("a/b_voxels_c/0.bin", None),
        ("voxels.bin", None),
        ("reduced/0.bin", None),
        ("ünïcode\udcff/0.bin", None),
    ],
)
def test_folders_are_known_by_their_names(path, name):
    """In whichever case; the name of the file itself does not count."""
    kind = recognise_folder(path)
    assert (kind and kind.name) == name


def test_folders_say_what_matches_the_scans():
    """In the way that `match` takes it."""
    assert recognise_folder("a/voxels/0.bin").advice == (
        'set `match: "**/velodyne/*.bin"`'
    )
    assert all("`match" in kind.advice for kind in FOLDERS)


def test_suffixes_say_what_files_usually_are():
    """If nothing can be read."""
    assert recognise_suffix(".PCD").name == "a PCD file"
    assert recognise_suffix(".csv").name == "text"
    assert recognise_suffix(".bin") is None
