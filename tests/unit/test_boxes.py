"""Labels become outlines in the right place."""

import re

import cv2
import numpy as np
import pytest

from birdview.boxes import COLOURS, draw_boxes, read_boxes
from birdview.encoding import load_encoding
from birdview.render import render
from birdview.scan import read_scan

# The axes of the camera: its x is our -y, its y our -z, its z our x, 0.2 m ahead of us.
CALIB = """
P2: 1 0 0 0 0 1 0 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 -0.2
"""
CAR = "Car 0.00 0 -1.57 0 0 0 0 1.5 2 4 -3 1.7 10 -1.5707963267948966"
ELSEWHERE = "DontCare -1 -1 -10 0 0 0 0 -1 -1 -1 -1000 -1000 -1000 -10"


@pytest.fixture
def files(tmp_path):
    """Write a label and a calib file; return their paths."""

    def files(label=CAR, calib=CALIB):
        paths = tmp_path / "label.txt", tmp_path / "calib.txt"
        for path, text in zip(paths, (label, calib), strict=True):
            path.write_text(text)
        return paths

    return files


def test_corners_in_the_frame_of_the_scan(files):
    """A car of 4 m by 2 m that drives ahead, 10.2 m ahead and 3 m to the left."""
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


def test_scores_of_a_detector_are_let_through(files):
    """A sixteenth word."""
    assert len(read_boxes(*files(f"{CAR} 0.97"))) == 1


@pytest.mark.parametrize("name", ["mv3d", "notebook", "complex_yolo", "pixor"])
def test_outline_is_on_the_right_pixels(tmp_path, make_scan, files, name):
    """On a black image: its middle and extent, in metres, and the front is thicker."""
    encoding = load_encoding(name)
    render(make_scan(tmp_path / "a.bin", 0), tmp_path / "a.png", encoding)
    label = CAR.replace("Car", "Animal")
    draw_boxes(tmp_path / "a.png", *files(label), encoding, tmp_path / "b.png")
    picture = cv2.imread(str(tmp_path / "b.png")).max(axis=2)
    assert picture.shape == encoding.grid.shape
    # The outline without the word beside it.
    bright = (picture > 60).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright)
    outline = 1 + np.argmax(
        stats[1:, cv2.CC_STAT_WIDTH] * stats[1:, cv2.CC_STAT_HEIGHT]
    )
    row, col = np.nonzero(labels == outline)
    x, y = encoding.grid.to_metres(row, col)
    assert (x.min(), x.max()) == pytest.approx((8.2, 12.2), abs=0.3)
    assert (y.min(), y.max()) == pytest.approx((2, 4), abs=0.3)
    assert (x > 11.9).sum() > 1.5 * (x < 8.5).sum()


def test_real_boxes_hold_points(kitti_scans, kitti_labels):
    """Each box of the real scans has points of its thing between its sides."""
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


def test_every_kind_has_a_colour_of_its_own():
    """Bright ones, for a black ground."""
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert min(max(colour) for colour in COLOURS.values()) > 200


@pytest.mark.parametrize(
    ("label", "calib", "message"),
    [
        ("Car 1 2", CALIB, "label.txt: line 1: 3 words, expected 15 or 16"),
        (f"{CAR}\n\n{CAR.replace('10', 'ten')}", CALIB, "label.txt: line 2: could not "
         "convert string to float: 'ten', expected a number"),
        (CAR, "P2: 1 2 3", "calib.txt: R0_rect: 0 numbers, expected 9, as in KITTI's "
         "calib folder"),
        (CAR, CALIB.replace("-0.2", ""), "calib.txt: Tr_velo_to_cam: 11 numbers, "
         "expected 12, as in KITTI's calib folder"),
        (CAR, CALIB.replace("-0.2", "x"), "calib.txt: Tr_velo_to_cam: could not "
         "convert string to float: 'x', expected a number"),
        (CAR.replace("10", "inf"), CALIB, "label.txt: line 1: inf, expected a finite "
         "number"),
        (CAR.replace("10", "1e9"), CALIB, "label.txt: line 1: a box beyond 100000 m, "
         "expected metres (or {calib} does not fit it)"),
        (CAR, re.sub("Tr_velo_to_cam:.*", "Tr_velo_to_cam:" + 12 * " 0", CALIB),
         "calib.txt: R0_rect and Tr_velo_to_cam have no inverse, expected turns"),
    ],
)  # fmt: skip
def test_what_is_not_as_kitti_has_it_is_named(tmp_path, files, label, calib, message):
    """File and line, what was found, what was expected."""
    label, calib = files(label, calib)
    message = f"{tmp_path}/{message.format(calib=calib)}"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_boxes(label, calib)


def test_binary_label_is_refused(tmp_path, files):
    """No text."""
    label, calib = files()
    label.write_bytes(b"\xff\xfe\x00")
    message = f"{label}: no text, expected a file of KITTI's"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_boxes(label, calib)
