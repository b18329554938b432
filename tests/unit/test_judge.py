"""Labels that cannot be right are noticed, and those of real data sets are not."""

import numpy as np
import pytest

from birdview.pixels.frame import HEIGHT, Frame
from birdview.pixels.layout import load_layout
from birdview.pixels.scan import read_scan
from birdview.training.labels.box import make_boxes, turn
from birdview.training.labels.inside import count_inside
from birdview.training.labels.judge import judge
from birdview.training.labels.kitti import read_boxes

CAR, CYCLIST, PEDESTRIAN = (3.9, 1.6, 1.5), (1.8, 0.6, 1.75), (0.8, 0.65, 1.75)


def boxes_of(kind, size, z=-HEIGHT, count=10):
    """Return boxes on the road, ten metres ahead."""
    numbers = [(10 + k, 0, z, *size) for k in range(count)]
    turns, lines = turn(np.zeros(count)), range(count)
    return make_boxes([kind] * count, numbers, turns, Frame(), lines, "", "bottom")


def judge_boxes(boxes, points=5, origin=None):
    return judge({"0": boxes}, {"0": [points] * len(boxes)}, origin)


def test_usual_boxes():
    """Of each class, in any letters; unknown ones may be of any size, anywhere."""
    boxes = [
        *boxes_of("Car", CAR),
        *boxes_of("car", (4.6, 1.9, 1.7)),
        *boxes_of("Cyclist", CYCLIST),
        *boxes_of("PEDESTRIAN", PEDESTRIAN),
        *boxes_of("REGULAR_VEHICLE", (4.8, 2.1, 1.8)),
        *boxes_of("Crane", (40, 1, 70), z=20),
    ]
    assert judge_boxes(boxes) == []
    assert judge({}, {}) == []


def test_boxes_without_points():
    """Few are usual, most are not; of less than ten, nothing is said."""
    boxes = boxes_of("Car", CAR)
    assert judge({"0": boxes}, {"0": 5 * [0] + 5 * [1]}) == []
    assert judge({"0": boxes[:9]}, {"0": 9 * [0]}) == []
    assert judge({"0": boxes, "1": [boxes[0]]}, {"0": 5 * [0] + 5 * [1], "1": [0]}) == [
        "labels: 6 of 11 boxes hold no point, expected few: are the boxes in the frame "
        "of the scans, and their sizes in the format's order? Look at them with "
        "`snakemake boxes`"
    ]


def test_no_boxes_at_all():
    """Drives whose numbers or timestamps do not agree give none."""
    assert judge({"0": [], "1": []}, {"0": [], "1": []}) == [
        "labels: no boxes in 2 scans, expected some: do the names of scans agree with "
        "what the labels say?"
    ]


@pytest.mark.parametrize(
    ("kind", "size", "found"),
    [
        ("Car", (1.6, 3.9, 1.5), "1.6 x 3.9 x 1.5 m (length x width x height) in the "
         "median, expected about 3.9 x 1.6 x 1.5: length and width look exchanged: "
         "write them in the format's order"),
        ("Car", (1.5, 1.6, 3.9), "1.5 x 1.6 x 3.9 m (length x width x height) in the "
         "median, expected about 3.9 x 1.6 x 1.5: length and height look exchanged: "
         "write them in the format's order"),
        ("Cyclist", (1.8, 1.75, 0.6), "1.8 x 1.75 x 0.6 m (length x width x height) in "
         "the median, expected about 1.8 x 0.6 x 1.75: width and height look "
         "exchanged: write them in the format's order"),
        ("Car", (12.8, 5.25, 4.92), "12.8 x 5.25 x 4.92 m (length x width x height) in "
         "the median, expected about 3.9 x 1.6 x 1.5: are sizes in metres, and in the "
         "format's order?"),
    ],
)  # fmt: skip
def test_unusual_sizes(kind, size, found):
    """The line has what was found and what is usual; a few are not judged."""
    boxes = boxes_of(kind, size)
    assert judge_boxes(boxes) == [f"labels: 10 {kind}: {found}"]
    assert judge_boxes(boxes[:9]) == []


@pytest.mark.parametrize(
    ("z", "origin", "found"),
    [
        (0.75, "bottom", "0.75 m above the road in the median (z = -1.73), which is "
         "half their height: set `origin: center`"),
        (-0.75, "center", "0.75 m below the road in the median (z = -1.73), which is "
         "half their height: set `origin: bottom`"),
        (0.75, None, "0.75 m above the road in the median (z = -1.73), which is half "
         "their height: is z that of the center?"),
        (-0.75, None, "0.75 m below the road in the median (z = -1.73), which is half "
         "their height: is z that of the bottom?"),
        (0.75, "center", "0.75 m above the road in the median (z = -1.73), expected "
         "them on it: is the height in `frame` right, and have boxes and points the "
         "same origin?"),
        (1.73, "bottom", "1.73 m above the road in the median (z = -1.73), expected "
         "them on it: is the height in `frame` right, and have boxes and points the "
         "same origin?"),
        (-1.73, None, "1.73 m below the road in the median (z = -1.73), expected them "
         "on it: is the height in `frame` right, and have boxes and points the same "
         "origin?"),
    ],
)  # fmt: skip
def test_boxes_above_and_below_the_road(z, origin, found):
    """The setting is named if it explains them; far boxes do not count."""
    boxes = boxes_of("Car", CAR, z - HEIGHT)
    warning = f"labels: the bottoms of 10 boxes within 30 m are {found}"
    assert judge_boxes(boxes, origin=origin) == [warning]
    far = [box._replace(corners=np.add(box.corners, [40, 0, 0])) for box in boxes]
    assert judge_boxes(far, origin=origin) == []
    assert judge_boxes(boxes[:9], origin=origin) == []


def test_roads_rise():
    """Some decimetres are no mistake."""
    for z in (0.5, -0.5):
        assert judge_boxes(boxes_of("Car", CAR, z - HEIGHT), origin="bottom") == []


def read(folder, name, layout="kitti"):
    """Return the boxes of a scan with its labels beside it, and the points in each."""
    layout = load_layout(layout)
    files = (folder / f"{name}.{kind}.txt" for kind in ("label_2", "calib"))
    boxes = read_boxes(*files, layout.frame)
    return boxes, count_inside(read_scan(folder / f"{name}.bin", layout), boxes)


def test_real_labels_are_believed(kitti_scans, sensor_scans):
    """KITTI's, and those of View-of-Delft."""
    found = {scan.stem: read(scan.parent, scan.stem) for scan in kitti_scans}
    crop = sensor_scans.parent / "crop"
    if crop.is_dir():
        found["000008"] = read(crop, "000008")
    found["vod"] = read(sensor_scans, "vod_lidar_00549", "view_of_delft")
    for names in (found, [name for name in found if name != "vod"], ["vod"]):
        boxes = {name: found[name][0] for name in names}
        assert judge(boxes, {name: found[name][1] for name in names}) == []
    assert sum(len(boxes) for boxes, _ in found.values()) >= 21


def test_real_labels_that_were_spoilt(sensor_scans):
    """View-of-Delft's: in the frame of the camera, and on their centres."""
    name, layout = "vod_lidar_00549", "view_of_delft"
    boxes, _ = read(sensor_scans, name, layout)
    points = read_scan(sensor_scans / f"{name}.bin", layout)

    def judge_changed(change):
        changed = [box._replace(corners=change(box)) for box in boxes]
        return judge({"0": changed}, {"0": count_inside(points, changed)})

    turned = judge_changed(lambda box: box.corners @ turn(np.pi / 2))
    assert [line.split(" boxes ")[1][:14] for line in turned] == ["hold no point,"]
    raised = judge_changed(lambda box: np.add(box.corners, [0, 0, box.height / 2]))
    assert len(raised) == 1
    assert "above the road in the median (z = -1.73)" in raised[0]
