"""Layouts: every key of their files, the shipped ones, errors and digests."""

import hashlib
import re
import struct
from importlib.util import find_spec
from itertools import combinations

import cv2
import numpy as np
import pytest
import yaml
from helpers import write_layout

from birdview import paths
from birdview.benchmark.reference import draw_mv3d
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import MAX_RANGE, _digest, load_layout
from birdview.pixels.png import idat, read_text
from birdview.pixels.render import Renderer, render
from birdview.pixels.scan import decode_scan, read_bytes, read_scan
from birdview.run import resolve
from birdview.training.labels.kitti import read_boxes

OWN = [
    {"time": "float64"},
    {"-y": "float16"},
    {"x": "float64"},
    {"z": "int16/1000"},
    {"intensity": "uint16 / 65535"},
    {"ring": "uint8"},
]
XYZ = "x float32", "y float32", "z float32"


def test_unknown_layout_lists_the_built_in_ones(tmp_path):
    """By name."""
    (tmp_path / "a.bin").touch()
    message = "unknown layout kiti .did you mean kitti.."
    with pytest.raises(FileNotFoundError, match=message):
        read_scan(tmp_path / "a.bin", "kiti")


def test_missing_file_is_named(tmp_path):
    """A name that ends in .yaml is a path."""
    message = re.escape(f"{tmp_path / 'own.yaml'}: no such file, expected a layout's")
    with pytest.raises(FileNotFoundError, match=message):
        load_layout(tmp_path / "own.yaml")


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


@pytest.mark.parametrize(
    ("kind", "stored", "expected"),
    [
        ("float32", "<f4", 7.5),
        ("float64", "<f8", 7.5),
        ("float16", "<f2", 7.5),
        *((f"uint{8 * size}/2", f"<u{size}", 7.5) for size in (1, 2, 4, 8)),
        *((f"int{8 * size}/-2", f"<i{size}", 7.5) for size in (1, 2, 4, 8)),
        ("int16 / 1000", "<i2", 7.5),
        ("uint16*0.005-100", "<u2", 7.5),
        ("uint16 * 5e-3 - 1e2", "<u2", 7.5),
        ("float32*.5", "<f4", 7.5),
        ("float32+1000", "<f4", -7.5),
        ("float32/40+1.75", "<f4", 0.25),
        ("int8 - 1.5", "<i1", 7.5),
    ],
)
@pytest.mark.parametrize("sign", ["", "-"])
def test_number_after_type_factor_and_offset(tmp_path, kind, stored, expected, sign):
    """Of a coordinate: sign * (stored / divisor * factor + offset)."""
    scale, offset = {
        "float32": (1, 0), "float64": (1, 0), "float16": (1, 0),
        "int16 / 1000": (1e-3, 0), "uint16*0.005-100": (0.005, -100),
        "uint16 * 5e-3 - 1e2": (0.005, -100), "float32*.5": (0.5, 0),
        "float32+1000": (1, 1000), "float32/40+1.75": (0.025, 1.75),
        "int8 - 1.5": (1, -1.5),
    }.get(kind) or ((0.5 if kind[0] == "u" else -0.5), 0)  # fmt: skip
    number = round((expected - offset) / scale, 3)
    record = np.array([(number, 1, 2)], dtype=f"{stored},<f4,<f4")
    record.tofile(tmp_path / "a.bin")
    layout = [{f"{sign}x": kind}, {"y": "float32"}, {"z": "float32"}]
    (point,) = read_scan(tmp_path / "a.bin", layout).tolist()
    assert point == [-expected if sign else expected, 1, 2, 0]


def make_exact_points():
    """Return points that all of the following ways to store them can hold.

    Coordinates are odd multiples of 0.125 m, intensities multiples of 1/64.
    """
    rng = np.random.default_rng(17)
    position = rng.integers([-240, -128, -9], [240, 128, 4], size=(3000, 3))
    intensity = rng.integers(65, size=(3000, 1))
    return np.hstack([(2 * position + 1) / 8, intensity / 64])


def pack(types, *columns):
    """Store columns as records, which NumPy does not pad."""
    record = np.dtype([(f"f{n}", kind) for n, kind in enumerate(types.split(","))])
    records = np.zeros(len(columns[0]), dtype=record)
    for name, values in zip(record.names, columns, strict=True):
        kind = record[name].kind
        records[name] = np.rint(values) if kind in "iu" else values
    return records.tobytes()


def junk(points):
    return np.random.default_rng(5).integers(1, 255, size=len(points))


# How the same points can be stored: the fields and keys of a layout, and the bytes.
STORED = {
    "plain": ((), {}, lambda x, y, z, i: pack("<f4,<f4,<f4,<f4", x, y, z, i)),
    "suffix": (
        (),
        {"suffix": ".velodyne.dat"},
        lambda x, y, z, i: pack("<f4,<f4,<f4,<f4", x, y, z, i),
    ),
    "skip": (
        (),
        {"skip": 17},
        lambda x, y, z, i: b"\x80" * 17 + pack("<f4,<f4,<f4,<f4", x, y, z, i),
    ),
    "skip before other records": (
        (*XYZ, "intensity uint8/64"),
        {"skip": 3},
        lambda x, y, z, i: b"\xff\xff\xff" + pack("<f4,<f4,<f4,u1", x, y, z, 64 * i),
    ),
    "big endian": (
        (),
        {"endian": "big"},
        lambda x, y, z, i: pack(">f4,>f4,>f4,>f4", x, y, z, i),
    ),
    "big endian of all sizes": (
        ("y int16/1000", "x float64", "z float16", "n int64", "reflectance uint32/64"),
        {"endian": "big"},
        lambda x, y, z, i: pack(">i2,>f8,>f2,>i8,>u4", 1000 * y, x, z, junk(x), 64 * i),
    ),
    "field after field": (
        (),
        {"order": "fields"},
        lambda x, y, z, i: np.concatenate([x, y, z, i]).astype("<f4").tobytes(),
    ),
    "field after field of several sizes": (
        ("i uint8/64", "-y float64", "_ uint16", "x int32/1000", "z float32"),
        {"order": "fields", "skip": 5, "endian": "big"},
        lambda x, y, z, i: b"\0" * 5
        + b"".join(
            [
                *((64 * i).astype("u1").tobytes(), (-y).astype(">f8").tobytes()),
                *(junk(x).astype(">u2").tobytes(), (1000 * x).astype(">i4").tobytes()),
                z.astype(">f4").tobytes(),
            ]
        ),
    ),
    "millimetres": (
        ("x int32/1000", "y int16/1000", "z int64 / 1000", "intensity uint8/64"),
        {},
        lambda x, y, z, i: pack(
            "<i4,<i2,<i8,u1", 1000 * x, 1000 * y, 1000 * z, 64 * i
        ),
    ),
    "factor and offset": (
        ("x uint16*0.005-100", "-y uint16*0.005-100", "-z uint16*0.005-100",
         "intensity uint16/64", "laser uint8"),
        {},
        lambda x, y, z, i: pack(
            "<u2,<u2,<u2,<u2,u1",
            *(200 * (x + 100), 200 * (100 - y), 200 * (100 - z), 64 * i, junk(x)),
        ),
    ),
    "decibels": (
        (*XYZ, "intensity float32/40+1.75"),
        {"clip": True},
        lambda x, y, z, i: pack("<f4,<f4,<f4,<f4", x, y, z, 40 * (i - 1.75)),
    ),
    "padding": (
        ("_ uint8", "x float32", "_ uint16", "y float32", "_ uint8", "z float64",
         "reflectivity float16", "_ float64"),
        {},
        lambda x, y, z, i: pack(
            "u1,<f4,<u2,<f4,u1,<f8,<f2,<f8",
            *(junk(x), x, junk(x), y, junk(x), z, i, junk(x)),
        ),
    ),
    "reflectance": (
        ("reflectance float32", *XYZ),
        {},
        lambda x, y, z, i: pack("<f4,<f4,<f4,<f4", i, x, y, z),
    ),
    "reflectivity": (
        (*XYZ, "ring uint8", "reflectivity uint8/64"),
        {},
        lambda x, y, z, i: pack("<f4,<f4,<f4,u1,u1", x, y, z, junk(x), 64 * i),
    ),
    "i": (
        (*XYZ, "i float64"),
        {},
        lambda x, y, z, i: pack("<f4,<f4,<f4,<f8", x, y, z, i),
    ),
    "right and ahead": (
        ("-y float32", "x float32", "z float32", "intensity float32"),
        {},
        lambda x, y, z, i: pack("<f4,<f4,<f4,<f4", -y, x, z, i),
    ),
    "clip": (
        (),
        {"clip": True},
        lambda x, y, z, i: pack(
            "<f4,<f4,<f4,<f4", x, y, z, np.where(i == 1, 1 + junk(i), i)
        ),
    ),
    "height": (
        (),
        {"frame": {"height": 2.73}},
        lambda x, y, z, i: pack("<f4,<f4,<f4,<f4", x, y, z - 1, i),
    ),
    "turned": (
        (),
        {"frame": {"yaw": 90}},
        lambda x, y, z, i: pack("<f4,<f4,<f4,<f4", y, -x, z, i),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STORED)
def test_same_pixels_however_points_are_stored(tmp_path, name):
    """Every key of a layout: the same points, the same image as by the plain loop."""
    fields, keys, store = STORED[name]
    layout = load_layout(write_layout(tmp_path / "own.yaml", *fields, **keys))
    points = make_exact_points()
    scan = tmp_path / f"a{keys.get('suffix', '.bin')}"
    scan.write_bytes(store(*points.T))
    assert layout.suffix == keys.get("suffix", ".bin")
    np.testing.assert_array_equal(read_scan(scan, layout), points.astype(np.float32))
    render(scan, tmp_path / "a.png", load_encoding("mv3d"), layout)
    image = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(image, draw_mv3d(points.astype(np.float32)))
    # The points may share the memory of the file's bytes, which must not change.
    digest = hashlib.sha256(scan.read_bytes()).hexdigest()
    assert read_text(tmp_path / "a.png")["birdview:scan_sha256"] == digest


def test_suffix_decides_which_files_are_scans(tmp_path, monkeypatch):
    """Of a layout by its path; the settings may say another."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans").mkdir()
    for name in ("a.bin", "b.dat", "c.x.dat"):
        (tmp_path / "scans" / name).touch()
    write_layout(tmp_path / "own.yaml", suffix=".dat")
    settings = {"scans": "scans", "layout": "own.yaml"}
    assert resolve(settings).scans == ["b", "c.x"]
    assert resolve(settings | {"suffix": ".x.dat"}).scans == ["c"]


def test_skip_beyond_the_file_is_an_error(tmp_path):
    """Even of an empty one; a header alone is a scan without points."""
    layout = load_layout(write_layout(tmp_path / "own.yaml", skip=20))
    scan = tmp_path / "a.bin"
    for size in (0, 16, 19, 21, 35):
        scan.write_bytes(bytes(size))
        message = (
            f"{scan}: {size} bytes found, expected 20 and a multiple of 16 "
            f"(layout own: x, y, z, intensity)"
        )
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            read_scan(scan, layout)
    scan.write_bytes(bytes(20))
    assert read_scan(scan, layout).shape == (0, 4)


def test_text_in_the_skipped_bytes_is_a_header(tmp_path):
    """Text behind them is none."""
    layout = load_layout(write_layout(tmp_path / "own.yaml", skip=32))
    scan = tmp_path / "a.bin"
    scan.write_bytes(
        b"# a header of thirty-two bytes.\n" + struct.pack("<4f", 1, 2, 3, 4)
    )
    assert read_scan(scan, layout).tolist() == [[1, 2, 3, 4]]
    scan.write_bytes(b"1.5 2.5 3.5 0.25" * 8)
    with pytest.raises(ValueError, match="text found, expected records of 16 bytes"):
        read_scan(scan, layout)


@pytest.mark.parametrize("fields", [(), (*XYZ, "intensity float64")])
def test_clip_leaves_what_is_not_above_1(tmp_path, fields):
    """And an infinite intensity infinite: that point is not drawn, but counted."""
    values = [0.5, 1, 1.0000001, 2, 1e30, np.inf, -np.inf, np.nan, -0.5, -0.0]
    kind = "<f8" if fields else "<f4"
    records = np.zeros(len(values), dtype=f"<f4,<f4,<f4,{kind}")
    records["f0"], records["f3"] = 10, values
    scan = tmp_path / "a.bin"
    records.tofile(scan)
    content = scan.read_bytes()
    layout = load_layout(write_layout(tmp_path / "own.yaml", *fields, clip=True))
    points = read_scan(scan, layout)
    expected = np.float32([0.5, 1, 1, 1, 1, np.inf, -np.inf, np.nan, -0.5, -0.0])
    assert points[:, 3].tobytes() == expected.tobytes()
    counts = render(scan, tmp_path / "a.png", load_encoding("mv3d"), layout)
    assert (counts.read, counts.nonfinite, counts.drawn) == (10, 3, 7)
    digest = hashlib.sha256(content).hexdigest()
    assert read_text(tmp_path / "a.png")["birdview:scan_sha256"] == digest


def test_decoding_does_not_change_the_bytes(tmp_path):
    """With any shipped layout of records, on bytes that nothing else may write to."""
    rng = np.random.default_rng(3)
    for file in sorted(paths.LAYOUTS.glob("*.yaml")):
        layout = load_layout(file.stem)
        if not layout.is_records:
            continue
        records = np.zeros(50, dtype=layout.record)
        for name in records.dtype.names:
            records[name] = rng.integers(0, 99, size=50)
        data = np.frombuffer(records.tobytes(), dtype=np.uint8)
        assert not data.flags.writeable
        before = data.copy()
        decode_scan(data, layout, "a.bin")
        np.testing.assert_array_equal(data, before)


def test_checks_are_of_what_numbers_stand_for(tmp_path, make_scan):
    """After factor and offset, for coordinates and for intensities."""
    scan = make_scan(tmp_path / "a.bin", [[2e5, 2e5, -1500, -60]] * 10)
    fields = ["x float32/1000", "y float32*0.001-200", "z float32/1000"]
    layout = write_layout(tmp_path / "db.yaml", *fields, "intensity float32/40+1.75")
    assert read_scan(scan, layout)[0].tolist() == [200, 0, -1.5, 0.25]
    far = write_layout(tmp_path / "far.yaml", "x float32", *fields[1:], "i float32+60")
    message = (
        "10 of 10 points have a coordinate beyond 100000 m, expected metres; or "
        "projected ones with `origin: [200000, 0, -2]` in the layout (layout far: "
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        read_scan(scan, far)
    far = write_layout(tmp_path / "far.yaml", *XYZ[:2], f"z float32+{MAX_RANGE:g}")
    make_scan(scan, [[1, 2, 3], [1, 2, -3]])
    with pytest.raises(ValueError, match="1 of 2 points have a coordinate beyond"):
        read_scan(scan, far)
    make_scan(scan, [[1, 2, 3, -60]] * 3 + [[1, 2, 3, 0]] * 7)
    message = (
        "3 of 10 points have a reflectance below -1, expected none below 0 (layout dark"
    )
    dark = write_layout(tmp_path / "dark.yaml", *XYZ, "intensity float32/40")
    with pytest.raises(ValueError, match=re.escape(message)):
        read_scan(scan, dark)
    assert len(read_scan(scan, layout)) == 10
    dark = write_layout(tmp_path / "dark.yaml", *XYZ, "-intensity float32/40")
    assert read_scan(scan, dark)[0, 3] == 1.5


def test_numbers_that_are_none_are_no_warning(tmp_path):
    """Signalling NaN, and numbers that become infinite: they are counted."""
    fields = "-x float32", "y float64*1000", "z float32", "intensity float64*10"
    own = write_layout(tmp_path / "own.yaml", *fields, min_range=1, frame={"yaw": 45})
    records = np.ones(4, dtype="<u4,<f8,<f4,<f8")
    records["f0"] = 0x7F800001, 0x7F800000, 0x40000000, 0x40000000
    records["f1"] = 1, np.inf, 1, 1
    records["f3"] = 1, 1, 1e308, 1e300
    scan = tmp_path / "a.bin"
    records.tofile(scan)
    _, counts = Renderer(load_encoding("mv3d"), own).make_image(scan)
    assert (counts.read, counts.nonfinite) == (4, 4)


# What a file of each layout holds, as the data set's documents have it: the format of a
# record for `struct`, the numbers of a point that is some metres forward, left and up
# of the sensor, the sensor's height, and a stored intensity with what it stands for.
SHIPPED = {
    "boreas_objects": ("<6f", lambda x, y, z, i: (x, y, z, i, 3, 0.1), 2.33, 51, 0.2),
    "cadc": ("<4f", lambda x, y, z, i: (x, y, z, i), 2.18, 0.25, 0.25),
    "helipr_aeva": (
        "<5fiBf", lambda x, y, z, i: (x, y, z, 7, -2.5, -3, 9, i), None, -60, 0.25
    ),
    "helipr_avia": (
        "<3f3BI", lambda x, y, z, i: (x, y, z, i, 16, 5, 2**31), None, 51, 0.2
    ),
    "helipr_ouster": (
        "<4fI3H", lambda x, y, z, i: (x, y, z, i, 9, 8, 7, 6), None, 512, 0.25
    ),
    "helipr_velodyne": (
        "<4fHf", lambda x, y, z, i: (x, y, z, i, 15, 0.05), None, 51, 0.2
    ),
    "kitti": ("<4f", lambda x, y, z, i: (x, y, z, i), 1.73, 0.25, 0.25),
    "lyft": ("<5f", lambda x, y, z, i: (-x, -y, z, i, 3), 1.83, 51, 0.2),
    "mulran": ("<4f", lambda x, y, z, i: (-x, -y, z, i), None, 512, 0.25),
    "nclt": (
        "<3H2B",
        lambda x, y, z, i: (*(round((v + 100) / 0.005) for v in (x, -y, -z)), i, 31),
        *(None, 51, 0.2),
    ),
    "nuscenes": ("<5f", lambda x, y, z, i: (-y, x, z, i, 31), 1.84, 51, 0.2),
    "once": ("<4f", lambda x, y, z, i: (y, -x, z, i), 1.75, 1.5, 0.75),
    "rellis_ouster": ("<4f", lambda x, y, z, i: (-x, -y, z, i), 1.31, 0.005, 0.5),
    "rellis_velodyne": ("<4f", lambda x, y, z, i: (x, y, z, i), 1.07, 51, 0.2),
    "robotcar": ("fields", lambda x, y, z, i: (-x, y, -z, i), None, 51, 0.2),
    "stf": ("<5f", lambda x, y, z, i: (x, y, z, i, 63), 1.65, 51, 0.2),
    "view_of_delft": ("<4f", lambda x, y, z, i: (x, y, z, i), 1.64, 51, 0.2),
    "view_of_delft_radar": (
        "<7f", lambda x, y, z, i: (x, y, z, i, -3.5, 0.5, 0), 0.45, -30, 0.25
    ),
    "waymo6": ("<6f", lambda x, y, z, i: (x, y, z, i, 0.1, -1), 0, 0.25, 0.25),
}  # fmt: skip
CLIPPED = {
    "helipr_aeva": -20, "helipr_ouster": 4000, "mulran": 3300, "once": 242,
    "rellis_ouster": 0.012, "waymo6": 27,
}  # fmt: skip
"""Intensities beyond 1, where they occur."""


BUILT_IN = {path.stem: load_layout(path) for path in paths.LAYOUTS.glob("*.yaml")}


@pytest.mark.parametrize(
    "name", [name for name, layout in BUILT_IN.items() if layout.is_records]
)
def test_shipped_layout_reads_what_its_data_set_stores(tmp_path, name):
    """Three points, one of them on the road, which is at z = -1.73 for all."""
    record, store, height, stored, intensity = SHIPPED[name]
    # Of a sensor whose height is not known, the road is where KITTI has it.
    road = -1.73 if height is None else -height
    known = [(10, 5, road), (-20.5, 2.5, road + 2), (0.25, -30, road + 0.5)]
    records = [store(*point, stored) for point in known]
    if name in CLIPPED:
        records.append(store(10, 5, road, CLIPPED[name]))
    if record == "fields":
        numbers = [number for column in zip(*records, strict=True) for number in column]
        content = struct.pack(f"<{len(numbers)}f", *numbers)
    else:
        content = b"".join(struct.pack(record, *numbers) for numbers in records)
    expected = [
        [10, 5, -1.73, intensity],
        [-20.5, 2.5, 0.27, intensity],
        [0.25, -30, -1.23, intensity],
        *([[10, 5, -1.73, 1]] if name in CLIPPED else ()),
    ]
    if name == "view_of_delft":  # which stores every point twice
        content *= 2
    scan = tmp_path / ("a.pcd.bin" if name == "nuscenes" else "a.bin")
    scan.write_bytes(content)
    assert str(scan).endswith(load_layout(name).suffix)
    np.testing.assert_allclose(read_scan(scan, name), expected, rtol=0, atol=2e-6)


def write_npy(path, names, rows):
    np.save(path, np.array(rows, dtype="<f4"))


def write_structured(path, names, rows):
    kinds = dict.fromkeys("xyz", "<f4") | {"timestamp": "<i8"}
    record = [(name, kinds.get(name, "u1")) for name in names]
    np.save(path, np.array([*map(tuple, rows)], dtype=record))


def write_csv(path, names, rows):
    lines = (",".join(f"{number:.9g}" for number in row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines))


def write_pcd(path, names, rows):
    size, kinds = len(names), ["U" if name == "rgb" else "F" for name in names]
    header = [
        *("VERSION .7", f"FIELDS {' '.join(names)}", f"SIZE{' 4' * size}"),
        *(f"TYPE {' '.join(kinds)}", f"COUNT{' 1' * size}", f"WIDTH {len(rows)}"),
        *("HEIGHT 1", f"POINTS {len(rows)}", "DATA ascii"),
    ]
    lines = (" ".join(f"{number:.9g}" for number in row) for row in rows)
    path.write_text("\n".join([*header, *lines]) + "\n")


def write_ply(path, names, rows):
    header = [
        *("ply", "format binary_little_endian 1.0", f"element vertex {len(rows)}"),
        *(f"property float {name}" for name in names),
        "end_header\n",
    ]
    content = np.array(rows, dtype="<f4").tobytes()
    path.write_bytes("\n".join(header).encode() + content)


def write_las(path, names, rows):
    laspy = pytest.importorskip("laspy")
    header = laspy.LasHeader(point_format=1, version="1.2")
    header.scales = [0.001] * 3
    scan = laspy.LasData(header)
    scan.x, scan.y, scan.z, scan.intensity = np.array(rows, dtype=np.float64).T
    scan.write(path)


def write_feather(path, names, rows):
    feather = pytest.importorskip("pyarrow.feather")
    table = pytest.importorskip("pyarrow").table(
        {
            name: np.array(column, dtype="<f2" if name in "xyz" else "u1")
            for name, column in zip(names, zip(*rows, strict=True), strict=True)
        }
    )
    feather.write_feather(table, path)


XYZI = "x", "y", "z", "intensity"
# As in SHIPPED, with the names of the columns, and how far the format rounds metres.
SHIPPED_FORMATS = {
    "aimotive": (
        write_las, XYZI, lambda x, y, z, i: (x, y, z, i), 0, 51, 0.2, 1e-3
    ),
    "argoverse2": (
        write_feather, (*XYZI, "laser_number"), lambda x, y, z, i: (x, y, z, i, 40),
        *(0.34, 51, 0.2, 1e-3),
    ),
    "dair_v2x": (
        write_pcd, XYZI, lambda x, y, z, i: (x, y, z, i), None, 51, 0.2, 0
    ),
    "k_radar": (
        write_pcd,
        (*XYZI, "t", "reflectivity", "ring", "ambient", "range"),
        lambda x, y, z, i: (x, y, z, i, 9, 8, 7, 6, 5),
        *(1.78, 512, 0.25, 0),
    ),
    "las": (
        write_las, XYZI, lambda x, y, z, i: (x, y, z, i), None, 13107, 0.2, 1e-3
    ),
    "npy": (write_npy, XYZI, lambda x, y, z, i: (x, y, z, i), 1.73, 0.25, 0.25, 0),
    "opv2v": (
        write_pcd, ("x", "y", "z", "rgb"),
        lambda x, y, z, i: (x, -y, z, i << 16 | 7 << 8 | 9), 1.9, 51, 0.2, 0,
    ),
    "pcd": (write_pcd, XYZI, lambda x, y, z, i: (x, y, z, i), 1.73, 0.25, 0.25, 0),
    "ply": (write_ply, XYZI, lambda x, y, z, i: (x, y, z, i), 1.73, 0.25, 0.25, 0),
    "radiate": (
        write_csv, (*XYZI, "ring"), lambda x, y, z, i: (-y, x, z, i, 17),
        *(2.05, 51, 0.2, 0),
    ),
    "waymo_openpcdet": (
        write_npy, (*XYZI, "elongation", "nlz"),
        lambda x, y, z, i: (x, y, z, i, 0.1, -1), 0, 0.25, 0.25, 0,
    ),
    "zod": (
        write_structured, ("x", "y", "z", "timestamp", "intensity", "diode_index"),
        lambda x, y, z, i: (-y, x, z, 2**40, i, 100), None, 51, 0.2, 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [name for name, layout in BUILT_IN.items() if not layout.is_records]
)
def test_shipped_layout_of_a_format_reads_what_programs_write(tmp_path, name):
    """As of records: three points, one of them on the road."""
    layout = BUILT_IN[name]
    write, names, store, height, stored, intensity, step = SHIPPED_FORMATS[name]
    if find_spec(f"birdview.pixels.readers.{layout.format}") is None:
        pytest.skip(f"there is no reader of the format {layout.format}")
    road = -1.73 if height is None else -height
    known = [(10, 5, road), (-20.5, 2.5, road + 2), (0.25, -30, road + 0.5)]
    scan = tmp_path / f"a{layout.suffix}"
    rows = [store(*point, stored) for point in known]
    is_bright = layout.clip
    rows += [store(10, 5, road, 3 * stored / intensity)] if is_bright else []
    write(scan, names, rows)
    expected = [
        [10, 5, -1.73, intensity],
        [-20.5, 2.5, 0.27, intensity],
        [0.25, -30, -1.23, intensity],
        *([[10, 5, -1.73, 1]] if is_bright else ()),
    ]
    found = read_scan(scan, name)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 + step)


REAL = {
    # The file; points in it, no returns, duplicates; how far the road is looked for.
    "kitti": ("kitti_raw_0001_0.bin", 121_015, 0, 0, 10),
    "nuscenes": ("nuscenes_n015.pcd.bin", 34_688, 0, 0, 10),
    "once": ("once_1616343527200.bin", 62_998, 0, 0, 10),
    "rellis_ouster": ("rellis_os1_000104.bin", 131_072, 53_364, 0, 10),
    "view_of_delft": ("vod_lidar_00549.bin", 167_772, 0, 83_886, 10),
    "view_of_delft_radar": ("vod_radar_00549.bin", 322, 0, 0, 15),
    "waymo6": ("waymo_mmdet3d_0000000.bin", 800, 0, 0, None),
}


@pytest.mark.parametrize("name", REAL)
def test_real_scans(tmp_path, sensor_scans, name):
    """The road is at z = -1.73; intensities are 0..1; each point counts once."""
    file, read, no_return, duplicate, far = REAL[name]
    points, left_out = decode_scan(
        read_bytes(sensor_scans / file), load_layout(name), file
    )
    assert left_out == (no_return, 0, 0, duplicate, 0)
    assert len(points) == read - no_return - duplicate
    x, y, z, intensity = points.astype(np.float64).T
    assert intensity.min() >= 0
    assert intensity.max() <= 1
    assert 0.02 < intensity.std() < 0.5
    if far is None:  # a piece of a scan, above the road
        assert -1.73 < z.min() < z.max() < 3
    else:
        distance = np.hypot(x, y)
        near = z[(distance > 3) & (distance < far) & (z < -0.7)]
        counted, edges = np.histogram(near, bins=np.arange(-3, 0, 0.1))
        mode = edges[counted.argmax()] + 0.05
        assert mode == pytest.approx(-1.73, abs=0.12)
    scan = sensor_scans / file
    counts = render(scan, tmp_path / "a.png", load_encoding("mv3d"), name)
    assert counts.read == read
    assert sum(counts[1:8]) + counts.drawn == read  # without outside_height
    assert (counts.no_return, counts.duplicate) == (no_return, duplicate)
    assert 0 < counts.cells <= counts.drawn


@pytest.mark.parametrize(("name", "hidden"), [("nuscenes", 0.9), ("once", 1.3)])
def test_forward_of_real_scans_is_forward(sensor_scans, name, hidden):
    """The vehicle hides less of the road beside it than ahead, and most behind it."""
    file, *_ = REAL[name]
    x, y, z, _ = read_scan(sensor_scans / file, name).T
    distance, turn = np.hypot(x, y), np.degrees(np.arctan2(y, x))
    is_road = np.abs(z + 1.73) < 0.2

    def nearest(direction):
        beside = np.abs((turn - direction + 180) % 360 - 180) < 20
        return np.percentile(distance[is_road & beside], 2)

    ahead, left, behind, right = map(nearest, (0, 90, 180, -90))
    assert max(left, right) + 0.5 < ahead < behind - hidden
    own = (distance < 3) & (np.abs(y) < 1.2) & (z > -1.5)
    assert np.ptp(x[own]) > 1.5 * np.ptp(y[own])


def test_forward_of_other_real_scans_is_forward(sensor_scans):
    """The radar sees only what is ahead; the robot's body is behind its Ouster."""
    file, *_ = REAL["view_of_delft_radar"]
    assert read_scan(sensor_scans / file, "view_of_delft_radar")[:, 0].min() > -0.01
    file, *_ = REAL["rellis_ouster"]
    x, y, *_ = read_scan(sensor_scans / file, "rellis_ouster").T
    body = np.hypot(x, y) < 2.5
    assert body.sum() > 5000
    assert x[body].max() < -0.5


def test_labelled_boxes_of_view_of_delft_hold_points(sensor_scans):
    """With the frame of the layout, which lowers them as it does the points."""
    layout = load_layout("view_of_delft")
    stem = sensor_scans / "vod_lidar_00549"
    points = read_scan(f"{stem}.bin", layout)[:, :3].astype(np.float64)
    boxes = read_boxes(f"{stem}.label_2.txt", f"{stem}.calib.txt", layout.frame)
    found, bottoms = [], []
    for box in boxes:
        front_left, _, rear_right, rear_left = box.corners
        above = points[:, 2] - rear_left[2]
        inside = (above > 0.1) & (above < 2)
        for side in (front_left - rear_left, rear_right - rear_left):
            share = (points - rear_left)[:, :2] @ side[:2] / (side[:2] @ side[:2])
            inside &= (share >= 0) & (share <= 1)
        found.append(inside.sum())
        if np.hypot(*rear_left[:2]) < 15:
            bottoms.append(rear_left[2])
    assert len(found) > 5
    assert np.mean(np.array(found) > 0) > 0.9
    assert np.median(bottoms) == pytest.approx(-1.73, abs=0.25)


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
        (
            [*OWN, {"i": "uint8"}, {"reflectivity": "uint8"}],
            "intensity and i and reflectivity are given, expected one of them",
        ),
        (
            [*OWN, {"t": "uint8/0"}],
            "t: uint8/0, expected another number than 0 after /",
        ),
        (
            [*OWN, {"t": "int8*0.0"}],
            "t: int8*0.0, expected another number than 0 after",
        ),
        ([*OWN, {"t": "int8*1e999"}], "t: int8*1e999, expected another number than 0"),
        ([*OWN, {"t": "int8+1e999"}], "t: int8+1e999, expected a finite offset"),
        ([*OWN, {"t": "int8-1e999"}], "t: int8-1e999, expected a finite offset"),
        ([*OWN, {"t": "uint8/"}], f"t: uint8/ (did you mean uint8?), {EXPECTED}"),
        ([*OWN, {"t": "uint8/2*3"}], f"t: uint8/2*3 (did you mean uint8?), {EXPECTED}"),
        ([*OWN, {"t": "uint8+1-1"}], f"t: uint8+1-1 (did you mean uint8?), {EXPECTED}"),
        ([*OWN, {"t": "long"}], f"t: long, {EXPECTED}"),
        ([*OWN, {"t": ""}], f"t: , {EXPECTED}"),
        ([*OWN, {"t": "float"}], "t: float (did you mean float32?), expected one"),
        ([*OWN, {"t": "double"}], "t: double (did you mean float64?), expected one"),
        ([*OWN, {"t": "u2"}], "t: u2 (did you mean uint16?), expected one"),
        ([*OWN, {"t": "u2/9+1"}], "t: u2/9+1 (did you mean uint16?), expected one"),
        ([*OWN, {"t": "f4"}], "t: f4 (did you mean float32?), expected one"),
        ([*OWN, {"t": "int8/a"}], f"t: int8/a (did you mean int8?), {EXPECTED}"),
        (
            [*OWN, {"Reflectivity": "uint8"}],
            "Reflectivity looks like intensity, but would not be used, expected the "
            "name intensity; or another one, such as unused_Reflectivity",
        ),
        ([*OWN, {"pos_x": "float32"}], "pos_x looks like x, but would not be used"),
        ([*OWN, {"X": "float32"}], "X looks like x, but would not be used"),
        ([*OWN, {"I": "float32"}], "I looks like intensity, but would not be used"),
        (
            [*OWN, {"scalar_Intensity": "uint8"}],
            "scalar_Intensity looks like intensity",
        ),
        ([*OWN, {"remission": "uint8"}], "remission looks like intensity"),
        ([*OWN, {"Points_m_XYZ_1": "uint8"}], "Points_m_XYZ_1 looks like y"),
        ([*OWN, {"ring": "uint8"}], "2 fields ring, expected one"),
    ],
)
def test_fields_that_are_not_those_of_a_point_are_rejected(tmp_path, layout, message):
    """Each coordinate once, an intensity at most once, NumPy's types.

    In the settings, and in a file, which is named.
    """
    with pytest.raises(ValueError, match=f"^{re.escape(f'layout: {message}')}"):
        load_layout(layout)
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({"description": "Own.", "fields": layout}))
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}: fields: {message}')}"):
        load_layout(path)


BASE = """\
description: Own.
fields:
  - x: float32
  - y: float32
  - z: float32
  - intensity: float32
  - ring: uint8
"""
ALLOWED = (
    "description, source, format, suffix, skip, endian, order, fields, origin, clip, "
    "frame, min_range, keep, drop, without, duplicates"
)
UNEXPECTED = "Additional properties are not allowed ({} was unexpected)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing in it, expected keys and values"),
        ("only text", "'only text' is not of type 'object'"),
        ("- x: float32", "[{'x': 'float32'}] is not of type 'object'"),
        ("a: b: c", "mapping values are not allowed here in "),
        ("fields: [{x: float32}", "while parsing a flow sequence in "),
        ("description: Own.", "'fields' is a required property"),
        ("fields: [{x: float32}]", "'description' is a required property"),
        ("description: Own.\nfields: []", "fields: [] "),
        ("description: Own.\nfields: [x]", "fields: 0: 'x' is not of type 'object'"),
        ("description: Own.\nfields: [{x: 4}]", "fields: x: 4, expected one of "),
        ("description: Own.\nfields: [{no: int8}]", "fields: 0: False is not of type"),
        ("description: Own.\nfields: [{1: int8}]", "fields: 0: 1 is not of type "),
        ("description: Own.\nfields: [{x y: int8}]", "fields: 0: 'x y' does not"),
        ("description: Own.\nfields: [{x: int8, y: int8}]", "fields: 0: {'x': 'int8'"),
        (f"{BASE}skpi: 1", f"{UNEXPECTED.format(repr('skpi'))} (did you mean skip?); "
         f"allowed: {ALLOWED}"),
        (f"{BASE}endianness: big", f"{UNEXPECTED.format(repr('endianness'))} (did you "
         f"mean endian?); allowed: {ALLOWED}"),
        (f"{BASE}height: 2", f"{UNEXPECTED.format(repr('height'))}"),
        (f"{BASE}suffix: bin", "suffix: bin, expected a dot in front, as in .bin"),
        (f"{BASE}suffix: ./a", "suffix: ./a, expected a dot in front, as in .bin"),
        (f"{BASE}skip: -1", "skip: -1 is less than the minimum of 0"),
        (f"{BASE}skip: 1.0", "skip: 1.0 is not of type 'integer'"),
        (f"{BASE}skip: true", "skip: True is not of type 'integer'"),
        (f"{BASE}endian: bgi", "endian: 'bgi' is not one of ['little', 'big']"),
        (f"{BASE}order: field", "order: 'field' is not one of ['records', 'fields']"),
        (f"{BASE}clip: 1", "clip: 1 is not of type 'boolean'"),
        (f"{BASE}min_range: near", "min_range: 'near' is not of type 'number'"),
        (f"{BASE}min_range: .inf", "min_range: inf is not of type 'number'"),
        (f"{BASE}min_range: -0.1", "min_range: -0.1 is less than the minimum of 0"),
        (f"{BASE}duplicates: yes", "duplicates: True is not one of ['keep', 'drop']"),
        (f"{BASE}keep: null", "keep: None is not of type 'object'"),
        (f"{BASE}keep: {{rong: [1]}}", "keep: rong: no such field (did you mean ring?)"
         ", expected one of x, y, z, intensity, ring"),
        (f"{BASE}drop: {{tag: [1]}}", "drop: tag: no such field, expected one of x, y"),
        (f"{BASE}  - _: uint8\ndrop: {{_: [1]}}", "drop: _: no such field, expected "
         "one of x, y, z, intensity, ring"),
        (f"{BASE}drop: {{-x: [1]}}", "drop: -x: no such field (did you mean x?)"),
        (f"{BASE}drop: {{ring: []}}", "drop: ring: [] "),
        (f"{BASE}drop: {{ring: 5}}", "drop: ring: 5 is not of type 'array', 'object'"),
        (f"{BASE}drop: {{ring: [a]}}", "drop: ring: 0: 'a' is not of type 'number'"),
        (f"{BASE}drop: {{ring: [.nan]}}", "drop: ring: 0: nan is not of type 'number'"),
        (f"{BASE}drop: {{ring: {{}}}}", "drop: ring: {} "),
        (f"{BASE}drop: {{ring: {{mni: 1}}}}", "drop: ring: "
         f"{UNEXPECTED.format(repr('mni'))} (did you mean min?); allowed: min, max"),
        (f"{BASE}keep: {{ring: {{min: 2, max: 1}}}}", "keep: ring: min 2 and max 1, "
         "expected min <= max"),
        (f"{BASE}drop: {{x: {{min: 0.5, max: -1}}}}", "drop: x: min 0.5 and max -1, "
         "expected min <= max"),
        (f"{BASE}without: {{}}", "without: {} "),
        (f"{BASE}without: {{ring: {{min: 1}}}}", "without: "
         f"{UNEXPECTED.format(repr('ring'))}; allowed: x, y, z"),
        (f"{BASE}without: {{x: [0, 1]}}", "without: x: [0, 1] is not of type 'object'"),
        (f"{BASE}without: {{x: {{mx: 1}}}}", "without: x: "
         f"{UNEXPECTED.format(repr('mx'))} (did you mean max?); allowed: min, max"),
        (f"{BASE}without: {{z: {{min: 1, max: 0}}}}", "without: z: min 1 and max 0, "
         "expected min <= max"),
        (f"{BASE}frame: {{yawn: 90}}", f"frame: {UNEXPECTED.format(repr('yawn'))} (did "
         "you mean yaw?); allowed: height, yaw, pitch, roll, matrix"),
        (f"{BASE}frame: 90", "frame: 90 is not of type 'object', 'null'"),
    ],
)  # fmt: skip
def test_error_in_a_file_is_one_line(tmp_path, text, message):
    """It names the file and the key, what was found and what was expected."""
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(
        ValueError, match=f"^{re.escape(f'{path}: {message}')}"
    ) as error:
        load_layout(path)
    assert "\n" not in str(error.value)


def test_file_of_another_character_set_is_an_error(tmp_path):
    """It is not UTF-8."""
    path = tmp_path / "own.yaml"
    path.write_bytes(BASE.replace("Own", "Für uns").encode("latin-1"))
    with pytest.raises(
        ValueError, match=f"^{re.escape(str(path))}: 'utf-8' codec can't"
    ):
        load_layout(path)


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"keep": {"x": {"min": 50}}}, "3 by `keep` and `drop`, 0 by `without`"),
        ({"drop": {"x": [1, 2, 3]}}, "3 by `keep` and `drop`, 0 by `without`"),
        ({"without": {"x": {"max": 9}}}, "0 by `keep` and `drop`, 3 by `without`"),
        (
            {"drop": {"x": [2]}, "without": {"x": {"max": 9}}},
            "1 by `keep` and `drop`, 2 by `without`",
        ),
    ],
)
def test_choice_that_leaves_nothing_is_an_error(tmp_path, make_scan, keys, what):
    """It is probably wrong; one point that is left is enough, but not one of NaN."""
    own = write_layout(tmp_path / "own.yaml", **keys)
    points = [[1, 1, 1, 1], [2, 1, 1, 1], [3, 1, 1, 1], [np.nan, 1, 1, 1], [0] * 4]
    scan = make_scan(tmp_path / "a.bin", points)
    message = (
        f"{scan}: none of 5 points left: {what}, expected some to draw "
        f"(layout own: x, y, z, intensity)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_scan(scan, own)
    keys["frame"] = {"height": 5}  # which comes later
    assert len(read_scan(make_scan(scan, [*points, [50, 1, 1, 1]]), own)) == 2
    assert len(read_scan(make_scan(scan, [[np.nan, 1, 1, 1], [0] * 4]), own)) == 1


FIELDS = (*XYZ, "intensity float32", "ring uint8", "time float32")
OTHERS = {
    "order of coordinates": (("y float32", "x float32", *FIELDS[2:]), {}),
    "sign": (("-x float32", *FIELDS[1:]), {}),
    "type": (("x int32", *FIELDS[1:]), {}),
    "divisor": ((*XYZ, "intensity float32/255", *FIELDS[4:]), {}),
    "factor": ((*XYZ, "intensity float32*255", *FIELDS[4:]), {}),
    "offset": ((*XYZ, "intensity float32+1", *FIELDS[4:]), {}),
    "no intensity": ((*XYZ, "amplitude float32", *FIELDS[4:]), {}),
    "other intensity": ((*XYZ, "_ float32", "ring uint8", "intensity float32"), {}),
    "longer record": ((*FIELDS, "_ uint8"), {}),
    "shorter record": (FIELDS[:5], {}),
    "skip": (FIELDS, {"skip": 1}),
    "endian": (FIELDS, {"endian": "big"}),
    "order": (FIELDS, {"order": "fields"}),
    "clip": (FIELDS, {"clip": True}),
    "height": (FIELDS, {"frame": {"height": 1.74}}),
    "yaw": (FIELDS, {"frame": {"yaw": 1}}),
    "matrix": (
        FIELDS,
        {"frame": {"matrix": [[1, 0, 0, 0.1], [0, 1, 0, 0], [0, 0, 1, 0]]}},
    ),
    "min_range": (FIELDS, {"min_range": 0.5}),
    "keep": (FIELDS, {"keep": {"ring": [1]}}),
    "keep two": (FIELDS, {"keep": {"ring": [1, 2]}}),
    "keep between": (FIELDS, {"keep": {"ring": {"min": 1, "max": 2}}}),
    "keep from": (FIELDS, {"keep": {"ring": {"min": 1}}}),
    "keep to": (FIELDS, {"keep": {"ring": {"max": 1}}}),
    "keep by time": (FIELDS, {"keep": {"time": [1]}}),
    "keep by both": (FIELDS, {"keep": {"ring": [1], "time": [1]}}),
    "keep and drop": (FIELDS, {"keep": {"ring": [1]}, "drop": {"time": [1]}}),
    "drop": (FIELDS, {"drop": {"ring": [1]}}),
    "drop by a factor": (
        (*FIELDS[:4], "ring uint8/2", "time float32"), {"drop": {"ring": [1]}}
    ),
    "without": (FIELDS, {"without": {"x": {"min": -1, "max": 2}}}),
    "without y": (FIELDS, {"without": {"y": {"min": -1, "max": 2}}}),
    "without all": (FIELDS, {"without": {axis: {"min": -1} for axis in "xyz"}}),
    "duplicates": (FIELDS, {"duplicates": "drop"}),
}  # fmt: skip


def test_digest_changes_with_everything_that_decides_pixels(tmp_path):
    """No two of many layouts have the same."""
    digests = {
        what: load_layout(write_layout(tmp_path / "own.yaml", *fields, **keys)).digest
        for what, (fields, keys) in ({"base": (FIELDS, {})} | OTHERS).items()
    }
    for one, other in combinations(digests, 2):
        assert digests[one] != digests[other], f"{one} and {other}"
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests.values())


def test_digest_does_not_change_with_anything_else(tmp_path):
    """Names, documentation, defaults that are written out, and how numbers are."""
    keys = {"drop": {"ring": [1, 2]}, "without": {"x": {"max": 0}}, "frame": {"yaw": 5}}
    digest = load_layout(write_layout(tmp_path / "own.yaml", *FIELDS, **keys)).digest

    def same(*fields, name="own", **others):
        _digest.cache_clear()  # which takes -0.0 for 0.0
        path = write_layout(
            tmp_path / f"{name}.yaml", *(fields or FIELDS), **keys | others
        )
        return load_layout(path).digest == digest

    assert same(name="another")
    assert same(suffix=".dat", description="Another.", source="Nowhere.")
    assert same(skip=0, endian="little", order="records", clip=False, min_range=0)
    assert same(keep={}, duplicates="keep", min_range=-0.0)
    for name in ("reflectance", "reflectivity", "i"):
        assert same(*XYZ, f"{name} float32", *FIELDS[4:])
    assert same(*FIELDS[:5], "_ float32")
    assert same(*FIELDS[:5], "-stamp float32/1000")
    assert same(*FIELDS[:5], "a uint16", "_ uint8", "_ uint8")  # of the same size
    assert same("x float32/1", "y float32*1.0", "z float32 + 0", *FIELDS[3:])
    assert same("x float32-0", *FIELDS[1:])
    assert same(*FIELDS[:4], "laser uint8", "time float32", drop={"laser": [1, 2.0]})
    assert same(
        without={"x": {"max": -0.0}}, frame={"yaw": 5.0, "height": 1.73, "roll": 0}
    )
    assert not same(drop={"ring": [1]})


def test_inline_list_has_the_digest_of_the_file(tmp_path):
    """And that of the shipped layout; and any frame that changes nothing."""
    inline = load_layout([dict([field.split(" ")]) for field in FIELDS])
    own = load_layout(write_layout(tmp_path / "own.yaml", *FIELDS))
    assert inline.name != own.name
    assert inline.digest == own.digest
    inline = load_layout([{"x": "float32"}, {"y": "float32"}, {"z": "float32"},
                          {"i": "float32"}])  # fmt: skip
    assert inline.digest == load_layout("kitti").digest
    assert load_layout(paths.LAYOUTS / "kitti.yaml") == load_layout("kitti")
    still = [[1, 0, -0.0, 0], [0, 1, 0, -0.0], [0, -0.0, 1, -0.0]]
    for frame in (
        None,
        {},
        {"height": 1.73},
        {"yaw": 0},
        {"yaw": 360},
        {"matrix": still},
    ):
        _digest.cache_clear()
        own = load_layout(write_layout(tmp_path / "own.yaml", frame=frame))
        assert own.digest == load_layout("kitti").digest


def test_images_by_name_path_and_list_have_the_same_pixels(tmp_path, make_scan):
    """Their text differs in the layout's name alone."""
    scan = make_scan(tmp_path / "a.bin")
    fields = [{name: "float32"} for name in ("x", "y", "z", "reflectance")]
    images = [
        Renderer(load_encoding("mv3d"), layout).make_image(scan)[0]
        for layout in ("kitti", paths.LAYOUTS / "kitti.yaml", fields)
    ]
    assert images[0] == images[1]
    assert idat(images[0], "a") == idat(images[2], "b")


def test_padding_is_no_field_that_an_encoding_can_show():
    """There may be several, and their numbers mean nothing."""
    names = "x", "y", "z", "_", "velocity", "_"
    layout = load_layout([{name: "float32"} for name in names])
    assert [layout.names(name) for name in names] == [
        True,
        True,
        True,
        False,
        True,
        False,
    ]
