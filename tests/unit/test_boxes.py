"""Boxes are read from KITTI's labels and drawn on the right pixels."""

import re
import zlib

import cv2
import numpy as np
import pytest
import yaml

from birdview.image import read_image
from birdview.paths import ENCODINGS
from birdview.pixels.classes import load_classes
from birdview.pixels.encoding import load_encoding
from birdview.pixels.png import GREY, read_text, write_png
from birdview.pixels.render import render
from birdview.pixels.scan import read_scan
from birdview.training.labels.kitti import read_boxes
from birdview.training.selection import outline
from birdview.view.boxes import COLOURS, MIN_SIDE, draw_boxes, is_current
from birdview.view.marks import measure_line
from birdview.view.picture import find_affine, make_picture

# The camera's x is our -y, its y is our -z, its z is our x; it is 0.2 m in front of us.
CALIB = """
P2: 1 0 0 0 0 1 0 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 -0.2
"""
CAR = "Car 0.00 0 -1.57 0 0 0 0 1.5 2 4 -3 1.7 10 -1.5707963267948966"
ELSEWHERE = "DontCare -1 -1 -10 0 0 0 0 -1 -1 -1 -1000 -1000 -1000 -10"


@pytest.fixture
def files(tmp_path):
    """Return a function that writes both files and returns their paths."""

    def files(label=CAR, calib=CALIB):
        paths = tmp_path / "label.txt", tmp_path / "calib.txt"
        for path, text in zip(paths, (label, calib), strict=True):
            path.write_text(text)
        return paths

    return files


def test_corners_in_the_frame_of_the_scan(files):
    """A car of 4 m by 2 m, 10.2 m ahead and 3 m to the left, facing forward."""
    (box,) = read_boxes(*files(f"{CAR}\n{ELSEWHERE}\n"))
    assert box.kind == "Car"
    front, rear, left, right, bottom = 12.2, 8.2, 4, 2, -1.7
    expected = [
        [front, left, bottom],
        [front, right, bottom],
        [rear, right, bottom],
        [rear, left, bottom],
    ]
    np.testing.assert_allclose(box.corners, expected, atol=1e-12)


def test_labels_may_have_a_score(files):
    """Detectors add a sixteenth word."""
    assert len(read_boxes(*files(f"{CAR} 0.97"))) == 1


def read_picture(path, encoding):
    """Return the picture without its legend, and where points are on it."""
    rows, cols = encoding.grid.shape
    if encoding.grid.rows.column == 1:
        rows, cols = cols, rows
    picture = cv2.imread(str(path))[..., ::-1]
    height = picture.shape[1] * rows // cols
    assert 0 < len(picture) - height <= 2 * measure_line(picture.shape[1] // 50)
    picture = picture[:height]
    return picture, find_affine(encoding, picture.shape[:2])


ENCODED = "mv3d", "notebook", "complex_yolo", "pixor", "lyft"
"""Encodings with all orders of rows and columns."""


@pytest.mark.parametrize("name", ENCODED)
def test_outline_is_on_the_right_pixels(tmp_path, make_scan, files, name):
    """The outline has the box's extent in metres, and its front is thicker."""
    encoding = load_encoding(name)
    render(make_scan(tmp_path / "a.bin", 0), tmp_path / "a.png", encoding)
    (box,) = read_boxes(*files())
    draw_boxes(tmp_path / "a.png", [box], encoding, tmp_path / "b.png")
    assert read_text(tmp_path / "b.png")["birdview:boxes"] == "1"
    picture, affine = read_picture(tmp_path / "b.png", encoding)
    assert max(picture.shape) >= MIN_SIDE
    # The outline alone, without the word next to it and the arrow of the sensor.
    red, _, blue = np.moveaxis(picture.astype(int), 2, 0)
    bright = (red - blue > 60).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright)
    largest = 1 + np.argmax(
        stats[1:, cv2.CC_STAT_WIDTH] * stats[1:, cv2.CC_STAT_HEIGHT]
    )
    row, col = np.nonzero(labels == largest)
    # Forward is up and left is on the left, whatever the encoding.
    x = (row + 0.5 - affine[0, 2]) / affine[0, 0]
    y = (col + 0.5 - affine[1, 2]) / affine[1, 1]
    assert (x.min(), x.max()) == pytest.approx((8.2, 12.2), abs=0.4)
    assert (y.min(), y.max()) == pytest.approx((2, 4), abs=0.4)
    assert (x > 11.8).sum() > 1.3 * (x < 8.6).sum()


def test_image_is_brightened_and_its_pixels_stay(tmp_path, make_scan):
    """Below boxes is the picture that contact sheets have, of each pixel."""
    encoding = load_encoding("lyft")
    render(make_scan(tmp_path / "a.bin", 3000), tmp_path / "a.png", encoding)
    draw_boxes(tmp_path / "a.png", [], encoding, tmp_path / "b.png")
    picture, _ = read_picture(tmp_path / "b.png", encoding)
    planes, _ = read_image(tmp_path / "a.png")
    small = make_picture(planes, encoding, 400)
    large = small.repeat(3, axis=0).repeat(3, axis=1)
    is_other = (picture != large).any(axis=2)
    row, col = np.nonzero(is_other)  # the sensor and its arrow, in the middle
    assert 0 < is_other.sum() < 1000
    assert max(abs(row - 504).max(), abs(col - 504).max()) < 50


@pytest.mark.parametrize(
    ("ahead", "left"), [(66.5, 0), (-66.5, 0), (0, 66.5), (0, -66.5), (66, -66)]
)
def test_names_are_inside_the_picture(tmp_path, make_scan, files, ahead, left):
    """Of boxes at each edge, too, and whole: there is a gap behind them."""
    encoding = load_encoding("lyft")
    render(make_scan(tmp_path / "a.bin", 0), tmp_path / "a.png", encoding)
    label = CAR.replace("-3 1.7 10 ", f"{-left} 1.7 {ahead - 0.2} ")
    boxes = read_boxes(*files(label))
    draw_boxes(tmp_path / "a.png", [], encoding, tmp_path / "none.png")
    draw_boxes(tmp_path / "a.png", boxes, encoding, tmp_path / "b.png")
    picture, _ = read_picture(tmp_path / "b.png", encoding)
    empty, _ = read_picture(tmp_path / "none.png", encoding)
    row, col = np.nonzero((picture != empty).any(axis=2))
    outside = find_affine(encoding, picture.shape[:2]) @ (*boxes[0].centre[:2], 1)
    # The name is 30 pixels wide and more; the box 15 by 30, a part of which is outside.
    is_name = np.hypot(row - outside[0], col - outside[1]) > 18
    assert np.ptp(col[is_name]) >= 15
    assert is_name.sum() > 60


def test_names_do_not_cover_each_other(tmp_path, make_scan, files):
    """Cars parked side by side, ahead and behind: each name has a place of its own."""
    encoding = load_encoding("mv3d")
    render(make_scan(tmp_path / "a.bin", 0), tmp_path / "a.png", encoding)
    places = [(ahead, left) for ahead in (10, 20) for left in (0, 3)]
    label = "\n".join(
        CAR.replace("-3 1.7 10 ", f"{-left} 1.7 {ahead} ") for ahead, left in places
    )
    boxes, sums = read_boxes(*files(label)), []
    for drawn in ([], boxes, *([box] for box in boxes)):
        draw_boxes(tmp_path / "a.png", drawn, encoding, tmp_path / "b.png")
        picture, _ = read_picture(tmp_path / "b.png", encoding)
        sums.append(int(picture.sum(dtype=np.int64)))
    none, together, *alone = sums
    assert together - none == pytest.approx(sum(alone) - 4 * none, rel=0.06)


def test_boxes_outside_the_map_have_no_name(tmp_path, make_scan, files):
    """As they have no outline on the picture."""
    encoding = load_encoding("lyft")
    render(make_scan(tmp_path / "a.bin", 0), tmp_path / "a.png", encoding)
    far = read_boxes(*files(CAR.replace(" 10 ", " 90 ")))
    pixels = []
    for boxes in ([], far):
        draw_boxes(tmp_path / "a.png", boxes, encoding, tmp_path / "b.png")
        pixels.append(cv2.imread(str(tmp_path / "b.png")))
    np.testing.assert_array_equal(*pixels)


def test_polygon_is_that_of_a_data_set(tmp_path, make_scan, files):
    """The middle of the rear edge is where `outline` says, to a fifth of a pixel."""
    encoding = load_encoding("mv3d")
    render(make_scan(tmp_path / "a.bin", [[0, 0, 0, 0]]), tmp_path / "a.png", encoding)
    for x in (10, 10.02, 10.05, 10.08):  # the camera's z
        (box,) = read_boxes(*files(CAR.replace(" 10 ", f" {x} ")))
        draw_boxes(tmp_path / "a.png", [box], encoding, tmp_path / "b.png")
        picture = cv2.imread(str(tmp_path / "b.png")).max(axis=2)
        row, col = outline(box, encoding.grid)[2:].mean(axis=0)
        rows = np.arange(int(row) - 4, int(row) + 5)
        drawn = picture[rows, int(col)]
        assert np.average(rows + 0.5, weights=drawn) == pytest.approx(row, abs=0.2)


def test_boxes_on_a_class_map(tmp_path, make_scan, files):
    """It has the colours of its classes, and is drawn again if these change."""
    encoding, classes = load_encoding("semantic"), load_classes("semantickitti")
    rows, cols = encoding.grid.shape
    lines = np.full((rows, 1 + cols), 255, dtype=np.uint8)
    lines[:, 0] = 0  # filters
    row, col = encoding.grid.to_pixel(-20, 5)
    lines[row, 1 + col] = 8
    image, picture = tmp_path / "a.png", tmp_path / "b.png"
    stream = zlib.compress(lines.tobytes())
    text = {"birdview:channels": "class"}
    image.write_bytes(write_png((rows, cols), GREY, stream, text))
    boxes = read_boxes(*files())
    draw_boxes(image, boxes, encoding, picture, classes)
    pixels, _ = read_picture(picture, encoding)
    assert pixels[row, col].tolist() == [255, 0, 255]
    assert not pixels[row + 1 :].any()
    assert is_current(picture, image, boxes, encoding, classes)
    others = classes._replace(colours=classes.colours[::-1])
    assert not is_current(picture, image, boxes, encoding, others)
    lyft = load_encoding("lyft")
    render(make_scan(tmp_path / "a.bin", 0), image, lyft)
    draw_boxes(image, boxes, lyft, picture, classes)
    assert is_current(picture, image, boxes, lyft, others)


def test_background_of_boxes_is_black(tmp_path, make_scan, files):
    """Whatever its shade."""
    settings = yaml.safe_load((ENCODINGS / "lyft.yaml").read_text())
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(settings | {"background": 255}))
    encoding = load_encoding(tmp_path / "own.yaml")
    render(make_scan(tmp_path / "a.bin", 0), tmp_path / "a.png", encoding)
    draw_boxes(tmp_path / "a.png", [], encoding, tmp_path / "b.png")
    pixels, _ = read_picture(tmp_path / "b.png", encoding)
    assert not pixels[:400].any()  # the sensor is farther down


def test_real_boxes_contain_points(kitti_scans, kitti_labels):
    """Each box of the real scans has points of its object between its sides."""
    found = []
    for scan in kitti_scans:
        files = (
            kitti_labels / kind / f"{scan.stem}.txt" for kind in ("label_2", "calib")
        )
        points = read_scan(scan)[:, :3].astype(np.float64)
        for box in read_boxes(*files):
            front_left, _, rear_right, rear_left = box.corners
            inside = (points[:, 2] > rear_left[2] + 0.1) & (
                points[:, 2] < rear_left[2] + 3.5
            )
            for side in (front_left - rear_left, rear_right - rear_left):
                share = (points - rear_left)[:, :2] @ side[:2] / (side[:2] @ side[:2])
                inside &= (share >= 0) & (share <= 1)
            found.append((box.kind, inside.sum()))
    if len(kitti_scans) == 3:
        kinds = ["Pedestrian", "Truck", "Car", "Cyclist", "Misc", "Car"]
        assert [kind for kind, _ in found] == kinds
    assert min(count for _, count in found) >= 9


def test_every_kind_has_its_own_colour():
    """Colours are bright, for a black background."""
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert min(max(colour) for colour in COLOURS.values()) > 200


@pytest.mark.parametrize(
    ("label", "calib", "message"),
    [
        ("Car 1 2", CALIB, "label.txt: line 1: 3 words, expected 15 or 16"),
        (f"{CAR}\n\n{CAR.replace('10', 'ten')}", CALIB, "label.txt: line 3: could not "
         "convert string to float: 'ten', expected a number"),
        (CAR, "P2: 1 2 3", "calib.txt: no Tr_velo_to_cam, Tr_velo_cam, Tr, "
         "Tr_velo_to_cam_0, expected one of them, as in KITTI's calib folder"),
        (CAR, CALIB.replace("R0_rect", "R"), "calib.txt: Tr_velo_to_cam without "
         "R0_rect, expected both, as in KITTI's calib folder"),
        (CAR, CALIB.replace("-0.2", ""), "calib.txt: Tr_velo_to_cam: 11 numbers, "
         "expected 12, as in KITTI's calib folder"),
        (CAR, CALIB.replace("-0.2", "x"), "calib.txt: Tr_velo_to_cam: could not "
         "convert string to float: 'x', expected a number"),
        (CAR.replace("10", "inf"), CALIB, "label.txt: line 1: inf, expected a finite "
         "number"),
        (CAR.replace("1.5 2 4", "1.5 0 4"), CALIB, "label.txt: line 1: a box of 4 x 0 "
         "x 1.5 m, expected sizes above 0"),
        (CAR.replace("10", "1e9"), CALIB, "label.txt: line 1: a box beyond 100000 m, "
         "expected metres; does {calib} belong to this file?"),
        (CAR, re.sub("Tr_velo_to_cam:.*", "Tr_velo_to_cam:" + 12 * " 0", CALIB),
         "calib.txt: R0_rect and Tr_velo_to_cam do not rotate, expected rotations"),
    ],
)  # fmt: skip
def test_format_errors_name_the_line(tmp_path, files, label, calib, message):
    """The message has file and line, what was found and what was expected."""
    label, calib = files(label, calib)
    message = f"{tmp_path}/{message.format(calib=calib)}"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_boxes(label, calib)


def test_binary_label_is_rejected(tmp_path, files):
    """A label file must be text."""
    label, calib = files()
    label.write_bytes(b"\xff\xfe\x00")
    message = f"{label}: not UTF-8 text, expected a text file"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_boxes(label, calib)
