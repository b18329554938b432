"""Labels are read in each format, and what is wrong in a file is said in one line."""

import json
import os
import re
import sys
from math import cos, pi, sin

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
from helpers import write_layout

from birdview.pixels.frame import Frame
from birdview.pixels.layout import load_layout
from birdview.pixels.readers import feather
from birdview.run import resolve
from birdview.training.labels import tracking
from birdview.training.labels.source import make_labels

KITTI = load_layout("kitti")
CALIB = """\
P2: 1 0 0 0 0 1 0 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 -0.2
"""
TRACKING_CALIB = CALIB.replace("R0_rect:", "R_rect").replace("to_cam:", "cam")
CAR = "Car 0.00 0 -1.57 0 0 0 0 1.5 2 4 -3 1.7 10 -1.5707963267948966"
"""4 x 2 x 1.5 m, on its bottom at (10.2, 3, -1.7), facing forward."""
CORNERS = [[12.2, 4, -1.7], [12.2, 2, -1.7], [8.2, 2, -1.7], [8.2, 4, -1.7]]
OBJECT = {
    "name": "Car",
    "centroid": {"x": 10.2, "y": 3, "z": -0.95},
    "dimensions": {"length": 4, "width": 2, "height": 1.5},
    "rotations": {"x": 0, "y": 0.0, "z": 360},
}
ROW = {
    "timestamp_ns": 315973157959879000,
    "track_uuid": "a",
    "category": "REGULAR_VEHICLE",
    **{"length_m": 4.0, "width_m": 2.0, "height_m": 1.5},
    **{"qw": 1.0, "qx": 0.0, "qy": 0.0, "qz": 0.0},
    **{"tx_m": 10.2, "ty_m": 3.0, "tz_m": -0.95},
    "num_interior_pts": 1,
}


def write(path, text):
    """Write text, in a folder that need not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def write_table(path, *rows):
    """Write rows as a Feather file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.feather.write_feather(pa.Table.from_pylist(list(rows)), path)
    return path


def labels_of(folder, form, layout=KITTI, **more):
    return make_labels({"format": form, "path": str(folder), **more}, layout)


def write_boxes(folder, text):
    write(folder / "0.txt", text)
    return labels_of(folder, "boxes", origin="center").read("0", Frame())


def write_objects(folder, content):
    text = content if isinstance(content, str) else json.dumps(content)
    write(folder / "0.json", text)
    return labels_of(folder, "labelcloud").read("0", Frame())


def write_rows(folder, *rows):
    write_table(folder / "annotations.feather", *rows)
    return labels_of(folder, "argoverse2").read("315973157959879000", Frame())


def write_drive(folder, text, scan="0000/000000"):
    write(folder / "label_02" / "0000.txt", text)
    write(folder / "calib" / "0000.txt", TRACKING_CALIB)
    return labels_of(folder, "kitti").read(scan, Frame())


def test_one_box_in_all_formats(tmp_path):
    """The same car, in the same place, with the number of its line."""
    write(tmp_path / "kitti/label_2/0.txt", f"\n{CAR}\n")
    write(tmp_path / "kitti/calib/0.txt", CALIB)
    write(tmp_path / "bottoms/0.txt", "\n10.2 3 -1.7 4 2 1.5 0 Car\n")
    found = [
        make_labels(str(tmp_path / "kitti"), KITTI).read("0", Frame()),
        labels_of(tmp_path / "kitti", "kitti").read("0", Frame()),
        write_drive(tmp_path / "tracking", f"1 0 {CAR}\n0 7 {CAR}\n"),
        labels_of(tmp_path / "bottoms", "boxes", origin="bottom").read("0", Frame()),
        write_boxes(tmp_path / "boxes", "# a car\n10.2 3 -0.95 4 2 1.5 0 Car"),
        write_objects(
            tmp_path / "cloud", {"objects": [OBJECT | {"name": "a b"}, OBJECT]}
        )[1:],
        write_rows(tmp_path / "argo", ROW | {"timestamp_ns": 1}, ROW),
    ]
    for boxes in found:
        ((kind, corners, height, line),) = boxes
        assert kind in ("Car", "REGULAR_VEHICLE")
        np.testing.assert_allclose(corners, CORNERS, atol=1e-12)
        assert (height, line) == (1.5, 2)


@pytest.mark.parametrize("heading", [0.3, -2.0, 3.1])
def test_headings_are_counter_clockwise(tmp_path, heading):
    """0 is along x, as in degrees in one format and as a quaternion in another."""
    turned = {"qw": cos(heading / 2), "qz": sin(heading / 2)}
    degrees = OBJECT["rotations"] | {"z": heading * 180 / pi % 360}
    found = [
        write_boxes(tmp_path / "boxes", f"10.2 3 -0.95 4 2 1.5 {heading} Car"),
        write_objects(
            tmp_path / "cloud", {"objects": [OBJECT | {"rotations": degrees}]}
        ),
        write_rows(tmp_path / "argo", ROW | turned),
    ]
    for (box,) in found:
        assert box.heading == pytest.approx(heading)
        assert box.size == pytest.approx((4, 2))
        assert box.centre == pytest.approx([10.2, 3, -1.7])
        front = box.corners[:2].mean(axis=0) - box.centre
        assert front == pytest.approx([2 * cos(heading), 2 * sin(heading), 0])


def test_boxes_of_argoverse_may_lean(tmp_path):
    """A quaternion turns the bottom about the box's own centre: here, nose down."""
    (box,) = write_rows(tmp_path, ROW | {"qw": cos(0.1), "qy": sin(0.1)})
    up = np.array([sin(0.2), 0, cos(0.2)])
    assert box.centre + 0.75 * up == pytest.approx([10.2, 3, -0.95])
    assert box.corners[0, 2] < box.corners[3, 2]
    assert np.cross(
        box.corners[0] - box.corners[3], box.corners[0] - box.corners[1]
    ) == pytest.approx(8 * up)


def test_frame_and_origin_are_applied_as_to_points(tmp_path):
    """Boxes are where the points of their object are."""
    layout = load_layout(
        write_layout(
            tmp_path / "map.yaml",
            *("x x", "y y", "z z"),
            format="csv",
            origin=[5000000, 300, 20],
            frame={"yaw": 90, "height": 2.73},
        )
    )
    write(tmp_path / "0.txt", "5000010 303 21 4 2 1.5 0 Car")
    (box,) = labels_of(tmp_path, "boxes", layout, origin="bottom").read(
        "0", layout.frame
    )
    assert box.centre == pytest.approx([-3, 10, 2])
    assert box.heading == pytest.approx(pi / 2)


def test_byte_order_mark_and_line_ends_of_windows(tmp_path):
    """In each format that is text."""
    mark = b"\xef\xbb\xbf"
    write(tmp_path / "calib/0.txt", mark + CALIB.replace("\n", "\r\n").encode())
    write(tmp_path / "label_2/0.txt", mark + f"{CAR}\r\n{CAR}\r\n".encode())
    assert len(labels_of(tmp_path, "kitti").read("0", Frame())) == 2
    text = mark + b"1 2 3 4 5 6 0 Car\r\n1 2 3 4 5 6 0 Car\r\n"
    boxes = write_boxes(tmp_path / "boxes", text)
    assert [box.kind for box in boxes] == ["Car", "Car"]
    assert len(write_drive(tmp_path / "t", mark + f"0 1 {CAR}\r\n".encode())) == 1
    text = json.dumps({"objects": [OBJECT]})
    assert len(write_objects(tmp_path / "cloud", f"\ufeff{text}\r\n")) == 1


def test_empty_file_is_a_scan_without_objects(tmp_path):
    """As are a list without objects, and a drive without a line for a frame."""
    write(tmp_path / "kitti/label_2/0.txt", "")
    write(tmp_path / "kitti/calib/0.txt", CALIB)
    assert labels_of(tmp_path / "kitti", "kitti").read("0", Frame()) == []
    assert write_boxes(tmp_path / "boxes", "# none\n") == []
    assert write_objects(tmp_path / "cloud", {"objects": []}) == []
    assert write_rows(tmp_path / "argo", ROW | {"timestamp_ns": 1}) == []
    assert write_drive(tmp_path / "t", f"0 1 {CAR}\n", "0000/000001") == []


def test_drives_of_kitti(tmp_path):
    """Without `DontCare`, with a score, and with numbers as sequences have them."""
    lines = [
        f"0 -1 {CAR.replace('Car', 'DontCare').replace('1.5 2 4', '-1 -1 -1')}",
        f"0 0 {CAR} 0.9",
        f"12 0 {CAR.replace('Car', 'Van')}",
    ]
    write_drive(tmp_path, "\n".join(lines))
    labels = labels_of(tmp_path, "kitti")
    assert [box.line for box in labels.read("0000/000000", Frame())] == [2]
    assert [box.kind for box in labels.read("0000/12", Frame())] == ["Van"]
    assert labels.files("0000/12") == (
        f"{tmp_path}/label_02/0000.txt",
        f"{tmp_path}/calib/0000.txt",
    )


def test_file_of_a_drive_is_read_once(tmp_path, monkeypatch):
    """Until it changes."""
    read = []
    monkeypatch.setattr(
        tracking, "read_lines", lambda path: read.append(path) or [(1, f"0 0 {CAR}")]
    )
    write_drive(tmp_path, f"0 0 {CAR}\n")
    labels = labels_of(tmp_path, "kitti")
    for scan in ("0000/0", "0000/1", "0000/0"):
        labels.read(scan, Frame())
    assert len(read) == 1
    os.utime(tmp_path / "label_02/0000.txt", ns=(0, 0))
    labels.read("0000/0", Frame())
    assert len(read) == 2


@pytest.mark.parametrize(
    ("table", "scan"),
    [
        ("a/annotations.feather", "a/sensors/lidar/315973157959879000"),
        ("a/annotations.feather", "a/315973157959879000"),
        ("b/a/annotations.feather", "b/a/sensors/lidar/315973157959879000"),
        ("annotations.feather", "sensors/lidar/315973157959879000"),
        ("annotations.feather", "315973157959879000"),
        ("a/annotations.feather", "a/lidar/up/315973157959879000"),
    ],
)
def test_table_is_that_of_the_drive(tmp_path, table, scan):
    """The nearest one above the scan."""
    labels = labels_of(tmp_path, "argoverse2")
    write_table(tmp_path / "c" / "annotations.feather", ROW)
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path))):
        labels.read(scan, Frame())
    write_table(tmp_path / table, ROW)
    assert labels.files(scan) == (f"{tmp_path}/{table}",)
    assert len(labels.read(scan, Frame())) == 1
    assert labels.find(["d/1", scan]) == ["d/1", scan] if "/" not in table else [scan]


def test_table_where_it_should_be(tmp_path):
    """If there is none, the one that is named is that of the drive."""
    labels = labels_of(tmp_path, "argoverse2")
    for scan, table in (
        ("a/sensors/lidar/1", "a/annotations.feather"),
        ("sensors/lidar/1", "annotations.feather"),
        ("a/1", "a/annotations.feather"),
    ):
        assert labels.files(scan) == (f"{tmp_path}/{table}",)


def test_scans_with_labels_and_labels_without_scans(tmp_path):
    """In sub-folders too; calibrations do not count."""
    for name in ("0", "b/1", "9"):
        write(tmp_path / "kitti" / "label_2" / f"{name}.txt", "")
        write(tmp_path / "kitti" / "calib" / f"{name}.txt", "")
        write(tmp_path / "boxes" / f"{name}.txt", "")
        write(tmp_path / "cloud" / f"{name}.json", "")
    scans = ["0", "2", "b/1"]
    for labels, other in (
        (make_labels(f"{tmp_path}/kitti/", KITTI), "kitti/label_2/9.txt"),
        (labels_of(tmp_path / "boxes", "boxes", origin="center"), "boxes/9.txt"),
        (labels_of(tmp_path / "cloud", "labelcloud"), "cloud/9.json"),
    ):
        assert labels.find(scans) == ["0", "b/1"]
        assert labels.others(scans) == [f"{tmp_path}/{other}"]
        assert labels.others([*scans, "9"]) == []
    (tmp_path / "tracking" / "calib").mkdir(parents=True)
    for drive in ("a", "b", "c"):
        write(tmp_path / "tracking" / "label_02" / f"{drive}.txt", "")
        write_table(tmp_path / "argo" / drive / "annotations.feather", ROW)
    scans = ["a/0", "a/1", "c/0", "d/0"]
    for labels, other in (
        (labels_of(tmp_path / "tracking", "kitti"), "tracking/label_02/b.txt"),
        (labels_of(tmp_path / "argo", "argoverse2"), "argo/b/annotations.feather"),
    ):
        assert labels.find(scans) == ["a/0", "a/1", "c/0"]
        assert labels.others(scans) == [f"{tmp_path}/{other}"]


@pytest.mark.parametrize(
    ("settings", "below", "expected", "name"),
    [
        ({"format": "kitti"}, "/label_2", "KITTI's labels", "a/0.txt"),
        ({"format": "boxes", "origin": "center"}, "", "a .txt file for each scan",
         "a/0.txt"),
        ({"format": "labelcloud"}, "", "labelCloud's .json files", "a/0.json"),
        ({"format": "argoverse2"}, "", "Argoverse 2's annotations.feather",
         "a/annotations.feather"),
    ],
)  # fmt: skip
def test_no_labels_is_an_error_that_names_the_folder(
    tmp_path, settings, below, expected, name
):
    """A missing folder, and one without a label for any scan."""
    labels = make_labels(settings | {"path": f"{tmp_path}/x"}, KITTI)
    folder = f"{tmp_path}/x{below}"
    with pytest.raises(FileNotFoundError) as caught:
        labels.find(["a/0"])
    assert str(caught.value) == f"labels: no folder at {folder}, expected {expected}"
    os.makedirs(folder)
    with pytest.raises(FileNotFoundError) as caught:
        labels.find(["a/0"])
    assert str(caught.value) == f"labels: none in {folder} for a scan, such as {name}"


@pytest.mark.parametrize("below", ["label_2", "label_02"])
def test_folder_of_labels_itself_and_no_calibrations(tmp_path, below):
    """As KITTI's archives are: one for labels, one for calibrations."""
    write(tmp_path / "kitti" / below / "a.txt", "")
    scan = "a/0" if below == "label_02" else "a"
    with pytest.raises(FileNotFoundError) as caught:
        make_labels(f"{tmp_path}/kitti", KITTI).find([scan])
    assert str(caught.value) == (
        f"labels: no folder at {tmp_path}/kitti/calib, expected KITTI's calibrations "
        f"beside {below}, an archive of their own"
    )
    with pytest.raises(FileNotFoundError) as caught:
        make_labels(f"{tmp_path}/kitti/{below}", KITTI).find([scan])
    assert str(caught.value) == (
        f"labels: {tmp_path}/kitti/{below} is {below} itself, expected the folder that "
        f"it is in: labels={tmp_path}/kitti"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "kitti", "path": "x", "origin": "bottom"}, "config: labels: "
         "origin: bottom with the format kitti, expected it with boxes only: KITTI's y "
         "is that of bottoms"),
        ({"format": "labelcloud", "path": "x", "origin": "center"}, "config: labels: "
         "origin: center with the format labelcloud, expected it with boxes only: its "
         "centroids are centres"),
        ({"format": "argoverse2", "path": "x", "origin": "center"}, "config: labels: "
         "origin: center with the format argoverse2, expected it with boxes only: "
         "tx_m, ty_m and tz_m are centres"),
        ({"format": "boxes", "path": "x"}, "config: labels: no origin, expected "
         "origin: center or origin: bottom: which of the two is z?"),
        ({"format": "boxes", "path": "x", "origin": "top"}, "config: labels: origin: "
         "top, expected one of center, bottom"),
        ({"format": "coco", "path": "x"}, "config: labels: format: coco, expected one "
         "of kitti, boxes, labelcloud, argoverse2"),
        ({"path": "x"}, "config: labels: 'format' is a required property"),
        ({"format": "kitti"}, "config: labels: 'path' is a required property"),
        ({"format": "kitti", "path": "x", "orgin": 1}, "config: labels: Additional "
         "properties are not allowed ('orgin' was unexpected) (did you mean origin?); "
         "allowed: format, path, origin"),
        ({"format": "kitti", "path": 2011}, "config: labels: path: 2011, expected text"
         "; yaml takes it for a number: put ./ before the name of a file or a "
         "folder, as in ./2011_09_26"),
        ("", "config: labels: '' should be non-empty"),
        (["x"], "config: labels: ['x'], expected text or keys and values or null"),
        ("both", "labels: both has label_2 and label_02, expected the labels of one "
         "benchmark: objects or tracking"),
    ],
)  # fmt: skip
def test_bad_settings(tmp_path, monkeypatch, settings, message):
    """Each is one line that names the key."""
    monkeypatch.chdir(tmp_path)
    for folder in ("label_2", "label_02"):
        (tmp_path / "both" / folder).mkdir(parents=True)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        resolve({"labels": settings})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CAR, "line 1: 15 words, which is KITTI's format, expected x y z dx dy dz "
         "heading class: set labels to {format: kitti, path: ...}"),
        (f"{CAR} 0.9", "line 1: 16 words, which is KITTI's format, expected x y z dx "
         "dy dz heading class: set labels to {format: kitti, path: ...}"),
        ("#\n1 2 3 4 5 6 0 a car", "line 2: 9 words, expected 8, separated by blanks: "
         "x y z dx dy dz heading class"),
        ("1,2,3,4,5,6,0,Car", "line 1: 1 words, expected 8, separated by blanks: x y z "
         "dx dy dz heading class"),
        ("Car 1 2 3 4 5 6 0", "line 1: could not convert string to float: 'Car', "
         "expected a number"),
        ("1 2 nan 4 5 6 0 Car", "line 1: nan, expected a finite number"),
        ("1 2 3 4 5 6 inf Car", "line 1: inf, expected a finite number"),
        ("1 2 3 4 0 6 0 Car", "line 1: a box of 4 x 0 x 6 m, expected sizes above 0"),
        ("1 2 3 4 5 -6 0 Car", "line 1: a box of 4 x 5 x -6 m, expected sizes above 0"),
        ("1 2 3 4 5 1e9 0 Car", "line 1: a box of 4 x 5 x 1e+09 m, expected metres"),
        ("1 1e308 3 4 5 6 0.5 Car", "line 1: a box beyond 100000 m, expected metres"),
        ("1 2e5 3 4 5 6 0 Car", "line 1: a box beyond 100000 m, expected metres"),
        ("1 2 3 4 5 6 90 Car", "line 1: heading 90, expected radians, from -2 pi to "
         "2 pi"),
        (b"\xff\xfe", "not UTF-8 text, expected a text file"),
    ],
)  # fmt: skip
def test_bad_boxes(tmp_path, text, message):
    """The message has file and line."""
    with pytest.raises(ValueError, match=r"0\.txt: ") as caught:
        write_boxes(tmp_path, text)
    assert str(caught.value) == f"{tmp_path}/0.txt: {message}"


def without(key, of=OBJECT):
    return {name: value for name, value in of.items() if name != key}


def changed(key, name, value):
    return OBJECT | {key: OBJECT[key] | {name: value}}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (7, "7, expected labelCloud's format centroid_abs"),
        (without("name"), "no name, expected the object's class"),
        (OBJECT | {"name": " "}, "no name, expected the object's class"),
        (without("rotations"), "no rotations, expected labelCloud's format "
         "centroid_abs"),
        ({"name": "Car", "vertices": []}, "vertices, which is another format, expected "
         "labelCloud's format centroid_abs"),
        (changed("rotations", "z", -0.5), "rotation z -0.5, which is the format "
         "centroid_rel, expected labelCloud's format centroid_abs: 0 to 360 degrees"),
        (changed("rotations", "z", 361), "rotation z 361, expected 0 to 360 degrees"),
        (changed("rotations", "y", 5), "rotations 0 and 5 about x and y, expected 0: "
         "an upright box"),
        (changed("dimensions", "width", 0), "a box of 4 x 0 x 1.5 m, expected sizes "
         "above 0"),
        (changed("dimensions", "width", True), "dimensions: width is true, expected a "
         "number"),
        (changed("centroid", "x", "1"), 'centroid: x is "1", expected a number'),
        (changed("centroid", "x", None), "centroid: x is null, expected a number"),
        (changed("centroid", "x", float("nan")), "centroid: x is nan, expected a "
         "finite number"),
        (changed("centroid", "x", 10**400), f"centroid: x is 1{39 * '0'}, expected a "
         f"finite number"),
        (changed("centroid", "x", 2e5), "a box beyond 100000 m, expected metres"),
    ],
)  # fmt: skip
def test_bad_objects_of_labelcloud(tmp_path, found, message):
    """The message has file and object."""
    with pytest.raises(ValueError, match=r"0\.json: ") as caught:
        write_objects(tmp_path, {"objects": [OBJECT, found]})
    assert str(caught.value) == f"{tmp_path}/0.json: object 2: {message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"objects": [\n}', "line 2: Expecting value, expected JSON"),
        ("", "line 1: Expecting value, expected JSON"),
        (100_000 * "[", "maximum recursion depth exceeded while decoding a JSON array "
         "from a unicode string, expected JSON"),
        ([{"psr": {}}], "a list with psr, which is SUSTechPOINTS', expected "
         "labelCloud's format centroid_abs"),
        ([], "a list, expected labelCloud's format centroid_abs"),
        ({"labels": []}, "no list of objects, expected labelCloud's format "
         "centroid_abs"),
    ],
)  # fmt: skip
def test_bad_files_of_labelcloud(tmp_path, content, message):
    """Each is one line that names the file."""
    with pytest.raises(ValueError, match=r"0\.json: ") as caught:
        write_objects(tmp_path, content)
    assert str(caught.value) == f"{tmp_path}/0.json: {message}"


def test_text_of_labelcloud_that_is_none(tmp_path):
    """JSON is UTF-8."""
    write(tmp_path / "0.json", b"\xff\xfe")
    message = f"{tmp_path}/0.json: not UTF-8 text, expected JSON"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        labels_of(tmp_path, "labelcloud").read("0", Frame())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (ROW | {"category": None}, "row 2: no category, expected the object's class"),
        (ROW | {"tx_m": float("nan")}, "row 2: tx_m is nan, expected a finite number"),
        (ROW | {"qw": None}, "row 2: qw is nan, expected a finite number"),
        (ROW | {"width_m": 0.0}, "row 2: a box of 4 x 0 x 1.5 m, expected sizes above "
         "0"),
        (ROW | {"qz": 1.0}, "row 2: qw, qx, qy, qz is 1.41421 long, expected a "
         "quaternion of length 1"),
        (ROW | {"qw": 1e200}, "row 2: qw, qx, qy, qz is inf long, expected a "
         "quaternion of length 1"),
        (ROW | {"tz_m": -2e5}, "row 2: a box beyond 100000 m, expected metres"),
    ],
)  # fmt: skip
def test_bad_rows_of_argoverse(tmp_path, row, message):
    """The message has file and row."""
    with pytest.raises(ValueError, match=r"annotations\.feather: ") as caught:
        write_rows(tmp_path, ROW, row)
    assert str(caught.value) == f"{tmp_path}/annotations.feather: {message}"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (without("tz_m", ROW), "no field tz_m (did you mean ty_m?), expected one of "
         "those in the file: timestamp_ns, track_uuid, category, length_m, width_m, "
         "height_m, qw, qx, qy, qz, tx_m, ty_m, num_interior_pts"),
        (without("category", ROW), "no field category, expected one of those in the "
         "file: timestamp_ns, track_uuid, length_m, width_m, height_m, qw, qx, qy, qz, "
         "tx_m, ty_m, tz_m, num_interior_pts"),
        (ROW | {"category": 3}, "category holds int64, expected text"),
        (ROW | {"tx_m": "3"}, "tx_m holds string, expected numbers of points"),
        (ROW | {"timestamp_ns": 0.5}, "timestamp_ns holds float64, expected whole "
         "numbers"),
    ],
)  # fmt: skip
def test_bad_tables_of_argoverse(tmp_path, row, message):
    """Each is one line that names the file and the column."""
    with pytest.raises(ValueError, match=r"annotations\.feather: ") as caught:
        write_rows(tmp_path, row)
    assert str(caught.value) == f"{tmp_path}/annotations.feather: {message}"


def test_tables_of_argoverse_from_pandas(tmp_path):
    """Categories are a dictionary, numbers float32."""
    table = pa.Table.from_pylist([ROW, ROW])
    words = table["category"].dictionary_encode()
    table = table.set_column(2, "category", words)
    table = table.set_column(3, "length_m", table["length_m"].cast("float32"))
    pyarrow.feather.write_feather(table, tmp_path / "annotations.feather")
    boxes = labels_of(tmp_path, "argoverse2").read("315973157959879000", Frame())
    assert [box.kind for box in boxes] == 2 * ["REGULAR_VEHICLE"]


def test_words_that_are_no_text(tmp_path):
    """A damaged file may hold any bytes."""
    words = pa.array([b"\xff"]).view("string")
    path = tmp_path / "a.feather"
    pyarrow.feather.write_feather(
        pa.table({"a": words}), path, compression="uncompressed"
    )
    data = np.fromfile(path, np.uint8)
    with pytest.raises(ValueError, match=f"^{path}: a is not UTF-8, expected text$"):
        feather.read_words(data, "a", path)


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    """The message has the command that installs it."""
    write_table(tmp_path / "annotations.feather", ROW)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    message = (
        f"{tmp_path}/annotations.feather: pyarrow is not installed, expected it to "
        f"read the format feather: pip install -r envs/formats.txt"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        labels_of(tmp_path, "argoverse2").read("1", Frame())


def test_names_of_scans_that_labels_cannot_belong_to(tmp_path):
    """Files of a drive tell scans apart by the numbers that are their names."""
    message = f"{tmp_path}/label_02/0000.txt: no labels for the scan 0000/a, expected"
    with pytest.raises(ValueError, match=re.escape(message)):
        write_drive(tmp_path, f"0 0 {CAR}\n", "0000/a")
    with pytest.raises(ValueError, match="labels: 000000 is a scan of no drive, expec"):
        labels_of(tmp_path, "kitti").find(["000000"])
    write_table(tmp_path / "argo" / "annotations.feather", ROW)
    with pytest.raises(ValueError, match="no labels for the scan a, expected a timest"):
        labels_of(tmp_path / "argo", "argoverse2").read("a", Frame())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"0 0 {CAR}\nx 0 {CAR}", "line 2: x, expected the number of a frame"),
        (9999 * "1", f"line 1: {9999 * '1'}, expected the number of a frame"),
        (f"0 {CAR}", "line 1: 16 words, expected 17 or 18"),
        (f"0 0 {CAR} 1 2", "line 1: 19 words, expected 17 or 18: what is 2?"),
    ],
)
def test_bad_lines_of_drives(tmp_path, text, message):
    """The message has file and line."""
    with pytest.raises(ValueError, match=r"0000\.txt: ") as caught:
        write_drive(tmp_path, text)
    assert str(caught.value) == f"{tmp_path}/label_02/0000.txt: {message}"


def test_missing_calibration_is_named(tmp_path):
    """With the labels that need it."""
    label = write(tmp_path / "label_2" / "0.txt", CAR)
    message = (
        f"{tmp_path}/calib/0.txt: no such file, expected the calibration of {label}"
    )
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        labels_of(tmp_path, "kitti").read("0", Frame())


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("lab_bom", ["Car", "Car"]),
        ("lab_space", "line 1: Emergency Vehicle, expected a number after the class, "
         "which is one word, such as Emergency_Vehicle"),
        ("cadc", "line 1: 18 words, expected 15 or 16: what is 2018_03_07 0002?"),
        ("tracking", ["Car"]),
    ],
)  # fmt: skip
def test_cases_from_the_field(sensor_scans, case, found):
    """A byte order mark, two words, columns of CADC, and KITTI's tracking benchmark."""
    folder = sensor_scans.parent / "cases" / case
    if not folder.is_dir():
        pytest.skip(f"no {folder}, a folder of labels")
    scan = "0000/000000" if case == "tracking" else "000000"
    labels = make_labels(str(folder), KITTI)
    assert labels.find([scan]) == [scan]
    if isinstance(found, list):
        assert [box.kind for box in labels.read(scan, Frame())] == found
    else:
        with pytest.raises(ValueError, match=re.escape(found)):
            labels.read(scan, Frame())
