"""Predictions become results in KITTI's format, and labels become themselves again."""

import json
import re
from math import pi, remainder

import cv2
import numpy as np
import pytest

from birdview.kitti_results import write_files, write_results
from birdview.pixels.calibration import read_calibration
from birdview.pixels.encoding import load_encoding
from birdview.pixels.frame import Frame, make_frame
from birdview.run import resolve
from birdview.training.index import describe_dataset
from birdview.training.labels.kitti import read_boxes
from birdview.training.predictions import match_files
from birdview.training.results import (
    Extent,
    find_ground,
    format_result,
    is_flat,
    is_ours,
    learn_extents,
    make_camera,
    name_kind,
    order_corners,
)
from birdview.training.selection import select
from birdview.training.yolo import format_labels, read_predictions

# The camera's x is our -y, its y is our -z, its z is our x; it is 0.2 m in front of us.
CALIB = """
P2: 700 0 600 0 0 700 180 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 -0.2
"""
CAR = "Car 0.00 0 -1.57 0 0 0 0 1.5 2 4 -3 1.7 10 -1.5707963267948966"
AHEAD = np.array([[12.2, 4], [12.2, 2], [8.2, 2], [8.2, 4]])
"""x and y of the same car: it faces forward."""
RESULT = (
    "Car -1 -1 -1.2793 250.00 191.67 483.33 328.75 1.5000 2.0000 4.0000 -3.0000 1.7000 "
    "10.0000 -1.5708 0.9\n"
)
MV3D = load_encoding("mv3d")
SIZE = 1242, 375
EVERYWHERE = np.array([[-np.inf] * 3, [np.inf] * 3], dtype=np.float32)


@pytest.fixture
def camera(tmp_path):
    (tmp_path / "calib.txt").write_text(CALIB)
    return make_camera(read_calibration(tmp_path / "calib.txt"), Frame(), SIZE)


def tilt(calib, degrees_x, degrees_z):
    """Return the text of a calibration whose camera looks down and leans."""
    (sx, cx), (sz, cz) = (
        (np.sin(angle), np.cos(angle)) for angle in np.radians([degrees_x, degrees_z])
    )
    turn = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    turn = turn @ [[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]
    numbers = " ".join(f"{number:.15g}" for number in turn.ravel())
    return re.sub("R0_rect:.*", f"R0_rect: {numbers}", calib)


def convert_back(folder, label, calib, frame, *, rise=0.0, score=None):
    """Turn labels to a label file, and this to results.

    Returns
    -------
    pairs : list of (Box, Box)
        What was labelled and its result, both in the frame of the image.
    left_out : Counter
        How many were left out, for each (kind, reason).
    """
    boxes = read_boxes(label, calib, frame)
    names = sorted({box.kind for box in boxes})
    targets, left_out, _ = select(
        boxes, MV3D, {name: name for name in names}, 1, lambda boxes: [1] * len(boxes)
    )
    file, result = folder / "predicted.txt", folder / "result.txt"
    text = format_labels(targets, names, MV3D.grid.shape)
    if score is not None:
        text = text.replace("\n", f" {score}\n")
    file.write_text(text)
    camera = make_camera(read_calibration(calib), frame, SIZE)
    lines, kept = [], []
    for target, one in zip(
        targets, read_predictions(file, names, MV3D.grid.shape), strict=True
    ):
        footprint = np.column_stack([one.outline, np.ones(4)])
        footprint = footprint @ MV3D.grid.affine_inverse.T
        if one.score is not None:
            footprint = order_corners(footprint)
        extent = Extent(target.box.centre[2] + rise, target.box.height)
        line, reason = format_result(one.name, footprint, extent, camera, 1)
        if reason:
            left_out[target.box.kind, reason] += 1
        else:
            kept.append(target.box)
            lines.append(line)
    result.write_text("".join(lines))
    results = read_boxes(result, calib, frame)
    return [*zip(kept, results, strict=True)], left_out


def check_same(one, other, *, is_same_way=True):
    """Check that footprints differ by less than 1 mm, 2 mm and 0.03 degrees."""
    assert one.kind == other.kind
    np.testing.assert_allclose(one.centre[:2], other.centre[:2], rtol=0, atol=1e-3)
    np.testing.assert_allclose(one.size, other.size, rtol=0, atol=2e-3)
    period = 2 * pi if is_same_way else pi
    assert abs(remainder(one.heading - other.heading, period)) < np.radians(0.03)


def write_labels(path, count, seed):
    """Write random labels all around; some are too far away for the map."""
    rng = np.random.default_rng(seed)
    low, high = [1.2, 0.4, 0.3, -45, 0.5, -90, -pi], [3, 2.6, 12, 45, 2.5, 90, pi]
    rows = rng.uniform(low, high, (count, 7)).round(2)
    path.write_text(
        "".join(f"Car 0 0 0 0 0 0 0 {' '.join(map(str, row))}\n" for row in rows)
    )
    return path


FRAMES = {
    "as it is": None,
    "turned": {"yaw": 35.0, "pitch": 4.0, "roll": -3.0, "height": 2.1},
    "rear": {"matrix": [[-1, 0, 0, 1.5], [0, -1, 0, 0.3], [0, 0, 1, 0.2]]},
}


@pytest.mark.parametrize("angles", [(0, 0), (1.2, -0.8), (12, 5)])
@pytest.mark.parametrize("frame", FRAMES)
def test_labels_come_back(tmp_path, frame, angles):
    """Also through cameras that look down and lean, and frames; whatever the height."""
    label = write_labels(tmp_path / "label.txt", 80, seed=1)
    calib = tmp_path / "calib.txt"
    calib.write_text(tilt(CALIB, *angles))
    frame = make_frame(FRAMES[frame], "frame")
    for rise in (0, 0.3):
        pairs, left_out = convert_back(tmp_path, label, calib, frame, rise=rise)
        reasons = {reason for _, reason in left_out}
        assert reasons <= {"outside", "behind", "hidden"}
        assert left_out.total() + len(pairs) == 80
        assert len(pairs) > 15
        for box, result in pairs:
            check_same(box, result)
            assert result.centre[2] == pytest.approx(box.centre[2] + rise, abs=1e-3)


def test_real_labels_come_back(tmp_path, kitti_scans, kitti_labels):
    """All boxes inside, and with a score all but the direction of those facing us."""
    found, turned = [], 0
    for scan in kitti_scans:
        files = [
            kitti_labels / kind / f"{scan.stem}.txt" for kind in ("label_2", "calib")
        ]
        pairs, left_out = convert_back(tmp_path, *files, Frame())
        assert not left_out
        for box, result in pairs:
            check_same(box, result)
        found += pairs
        pairs, left_out = convert_back(tmp_path, *files, Frame(), score=0.5)
        assert not left_out
        for box, result in pairs:
            check_same(box, result, is_same_way=False)
            turned += abs(remainder(box.heading - result.heading, 2 * pi)) > 1
    if len(kitti_scans) == 3:
        assert (len(found), turned) == (6, 2)


def test_longer_side_of_predictions_is_the_length(tmp_path):
    """So those of the few boxes that are wider than long are swapped."""
    label = write_labels(tmp_path / "label.txt", 100, seed=2)
    (tmp_path / "calib.txt").write_text(CALIB)
    files = label, tmp_path / "calib.txt"
    pairs, _ = convert_back(tmp_path, *files, Frame(), score=0.5)
    wider = [box.size[0] < box.size[1] for box, _ in pairs]
    assert 0 < sum(wider) < len(pairs)
    for (box, result), is_wider in zip(pairs, wider, strict=True):
        assert -pi / 2 < result.heading <= pi / 2 + 1e-4
        if not is_wider:
            check_same(box, result, is_same_way=False)
            continue
        np.testing.assert_allclose(box.size[::-1], result.size, rtol=0, atol=2e-3)
        change = remainder(box.heading - result.heading, pi)
        assert abs(change) == pytest.approx(pi / 2, abs=np.radians(0.03))


def test_columns_of_a_result(camera):
    """Written by hand, for a car 10 m ahead of the camera and 3 m to its left."""
    extent = Extent(-1.7, 1.5)
    assert format_result("Car", AHEAD, extent, camera, 0.9) == (RESULT, "")


def test_box_in_the_image_is_clipped(camera):
    """To the pixels that there are."""
    near = AHEAD - [6, 2]  # 2 m to 6 m ahead of the camera, and in front of it
    line, _ = format_result("Car", near, Extent(-1.7, 1.5), camera, 1)
    assert line.split()[4:8] == ["0.00", "203.33", "600.00", "374.00"]


@pytest.mark.parametrize(
    ("shift", "reason"), [([-9, 0], "behind"), ([-30, 0], "behind"), ([0, 9], "hidden")]
)
def test_what_the_camera_does_not_see_is_left_out(camera, shift, reason):
    """A box that is beside it as well: its corners are nowhere in the image."""
    extent = Extent(-1.7, 1.5)
    assert format_result("Car", AHEAD + shift, extent, camera, 1) == ("", reason)


@pytest.mark.parametrize("start", range(4))
@pytest.mark.parametrize("step", [1, -1])
def test_order_of_a_trainer_does_not_matter(camera, start, step):
    """The front is the end that is farther ahead."""
    corners = np.roll(AHEAD, start, axis=0)[::step]
    line, _ = format_result(
        "Car", order_corners(corners), Extent(-1.7, 1.5), camera, 0.9
    )
    assert line == RESULT
    across = corners[:, ::-1] * [1, -1]  # to the right of us, and to the left
    for footprint in (across, -across):
        (x, y), *_ = np.diff(order_corners(footprint)[[3, 0]], axis=0)
        assert (x, y) == (0, 4)


def test_direction_of_corners_tells_who_wrote_them():
    """Ours go round clockwise, seen from above."""
    assert is_ours(AHEAD)
    assert is_ours(np.roll(AHEAD, 1, axis=0))
    assert not is_ours(AHEAD[::-1])


def test_flat_boxes():
    """Without width, and without length."""
    assert not is_flat(AHEAD)
    assert is_flat(AHEAD * [1, 0])
    assert is_flat(AHEAD * [0, 1])


def test_ground_is_low_but_not_the_lowest():
    """One point in twenty may be below: up to 1 m from the box, along its sides."""
    xs, ys = np.meshgrid(np.arange(7, 14, 0.5), np.arange(0, 7, 0.5))
    road = np.stack([xs.ravel(), ys.ravel(), np.full(xs.size, -1.6)], axis=1)
    road = road.astype(np.float32)
    roof = [[x, 3, 0] for x in np.arange(8.5, 12, 0.25)]
    below, beside = [[10, 3, -9]], [[10, 5.2, -5]] * 90
    points = np.concatenate([road, roof, below, beside]).astype(np.float32)
    assert find_ground(points, EVERYWHERE, AHEAD) == pytest.approx(-1.6)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    points[:, :2] = points[:, :2] @ turn.T.astype(np.float32)
    assert find_ground(points, EVERYWHERE, AHEAD @ turn.T) == pytest.approx(-1.6)
    above = EVERYWHERE.copy()
    above[0, 2] = -1
    assert find_ground(points, above, AHEAD @ turn.T) == 0
    assert find_ground(road[:14], EVERYWHERE, AHEAD - [2, 3]) is None
    assert find_ground(road[:15], EVERYWHERE, AHEAD - [2, 3]) is not None


def test_extents_are_of_splits_that_are_not_evaluated():
    """But for classes that have no box elsewhere."""

    def box(name, z, height):
        return {"class": name, "z": z, "height": height}

    splits = {
        "train": {"a": [box("Car", -1, 1), box("Car", -2, 2), box("Car", -5, 9)]},
        "val": {"b": [box("Car", -3, 3), box("Van", -1, 2), box("Van", -2, 3)]},
    }
    expected = {"Car": Extent(-2, 2), "Van": Extent(-1.5, 2.5)}
    assert learn_extents(splits, ["val"]) == expected
    assert learn_extents(splits, ["train", "val"])["Car"] == Extent(-2.5, 2.5)


def test_class_has_the_name_of_one_of_its_kinds():
    """Its own if it is one, else the first."""
    assert name_kind("Car", "Car") == "Car"
    assert name_kind("Van", ["Truck", "Van"]) == "Van"
    assert name_kind("Vehicle", ["Car", "Van"]) == "Car"


@pytest.mark.parametrize(
    ("calib", "message"),
    [
        (CALIB.replace("P2", "P3"), "no projection, expected P2, as in KITTI's calib "
         "folder: results have boxes in the image of the camera"),
        (tilt(CALIB, 60, 0), "the camera's y does not point down, expected it to, "
         "because boxes stand upright in its axes; is `frame` right?"),
    ],
)  # fmt: skip
def test_calibration_must_fit(tmp_path, calib, message):
    """The message names the file."""
    (tmp_path / "calib.txt").write_text(calib)
    calibration = read_calibration(tmp_path / "calib.txt")
    with pytest.raises(ValueError, match=re.escape(f"calib.txt: {message}")):
        make_camera(calibration, Frame(), SIZE)


LINE = "1 0.5 0.5 0.6 0.5 0.6 0.6 0.5 0.6 0.75"


def test_prediction_in_pixels(tmp_path):
    """Shares are of columns and of rows, in this order; the score is optional."""
    (tmp_path / "a.txt").write_text(f"{LINE}\n\n{LINE.removesuffix(' 0.75')}\n")
    names = "Car", "Van"
    one, other = read_predictions(tmp_path / "a.txt", names, (100, 200))
    expected = [[50, 100], [50, 120], [60, 120], [60, 100]]
    np.testing.assert_allclose(one.outline, expected)
    np.testing.assert_allclose(other.outline, expected)
    assert (one.name, one.score, one.line) == ("Van", 0.75, 1)
    assert (other.score, other.line) == (None, 3)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0.5 0.5 0.1 0.1 0.9", "6 words, expected 10: class, four corners and "
         "score, as a model with oriented boxes (OBB) predicts them"),
        (f"{LINE} 7", "11 words, expected 10: class, four corners and score, as a "
         "model with oriented boxes (OBB) predicts them"),
        (LINE.replace("0.75", "nan"), "nan, expected a finite number"),
        (LINE.replace("0.75", "x"), "could not convert string to float: 'x', expected "
         "a number"),
        (f"2{LINE[1:]}", "class 2, expected 0 to 1: Car, Van; was the model trained on "
         "this data set?"),
        (f"-1{LINE[1:]}", "class -1, expected 0 to 1: Car, Van; was the model trained "
         "on this data set?"),
        (f"0.5{LINE[1:]}", "class 0.5, expected 0 to 1: Car, Van; was the model "
         "trained on this data set?"),
        (LINE.replace("0.6", "96"), "a corner at 96, expected shares of the image, "
         "from 0 to 1, not pixels"),
        (LINE.replace("0.75", "75"), "a score of 75, expected 0 to 1"),
    ],
)  # fmt: skip
def test_bad_prediction_is_one_line(tmp_path, line, message):
    """With file and line number."""
    path = tmp_path / "a.txt"
    path.write_text(f"{LINE}\n{line}\n")
    with pytest.raises(
        ValueError, match=f"^{re.escape(f'{path}: line 2: {message}')}$"
    ):
        read_predictions(path, ["Car", "Van"], (100, 200))


def write_all(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{LINE}\n")


def test_files_are_those_of_scans(tmp_path):
    """By the whole name first, else by its last part."""
    write_all(tmp_path, "0.txt", "a/1.5.txt", "1.5.txt", "3.txt", "3.cache", ".4.txt")
    scans = ["0", "a/0", "a/1.5", "b/1.5", "c/3"]
    with pytest.raises(ValueError, match=re.escape(
        f"{tmp_path}/1.5.txt: a/1.5 and b/1.5 both end in 1.5, expected one scan: "
        f"predict the images of each folder by themselves, and put the files into a "
        f"folder of its name"
    )):  # fmt: skip
        match_files(tmp_path, scans)
    (tmp_path / "1.5.txt").unlink()
    assert match_files(tmp_path, scans) == {
        "0": tmp_path / "0.txt",
        "a/1.5": tmp_path / "a/1.5.txt",
        "c/3": tmp_path / "3.txt",
    }


def test_bad_folders_of_predictions(tmp_path):
    """None, an empty one, a file of no scan, two files of a scan."""
    written = "as `yolo obb predict save_txt=True save_conf=True` writes them"
    with pytest.raises(FileNotFoundError) as error:
        match_files(tmp_path / "no", ["0"])
    assert str(error.value) == (
        f"predictions: no folder at {tmp_path}/no, expected .txt files, {written}"
    )
    write_all(tmp_path, "0.cache")
    with pytest.raises(FileNotFoundError) as error:
        match_files(tmp_path, ["0"])
    assert str(error.value) == (
        f"predictions: no .txt file in {tmp_path}, expected some, {written}"
    )
    write_all(tmp_path, "b/0.txt")
    with pytest.raises(ValueError, match=re.escape(
        f"{tmp_path}/b/0.txt: no scan b/0 in the data set, expected predictions on its "
        f"images"
    )):  # fmt: skip
        match_files(tmp_path, ["a/0"])
    write_all(tmp_path, "0.txt")
    with pytest.raises(ValueError, match=re.escape(
        f"{tmp_path}/0.txt: {tmp_path}/b/0.txt is of the same scan, expected one file"
    )):  # fmt: skip
        match_files(tmp_path, ["b/0"])


def test_only_wanted_files_remain(tmp_path):
    """Those that are as they should be are not written again."""
    write_files(tmp_path / "mv3d", {"a/0.txt": "0\n", "1.txt": ""})
    before = (tmp_path / "mv3d/1.txt").stat().st_mtime_ns
    write_files(tmp_path / "mv3d", {"b/0.txt": "0\n", "1.txt": ""})
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert files == {"mv3d", "mv3d/1.txt", "mv3d/b", "mv3d/b/0.txt"}
    assert (tmp_path / "mv3d/1.txt").stat().st_mtime_ns == before


@pytest.fixture
def run(tmp_path, monkeypatch, make_scan):
    """Return a run of three scans, with the data set of labels on the first."""
    monkeypatch.chdir(tmp_path)
    for name in ("label_2", "calib", "image_2"):
        (tmp_path / "kitti" / name).mkdir(parents=True)
    for name in "012":
        make_scan(tmp_path / f"scans/{name}.bin", 50)
        (tmp_path / f"kitti/calib/{name}.txt").write_text(CALIB)
        (tmp_path / f"kitti/label_2/{name}.txt").write_text(f"{CAR}\n")
    run = resolve(
        {"scans": "scans", "labels": "kitti", "encodings": ["mv3d"]}
        | {"predictions": "predicted"}
    )
    boxes, *_ = select(run.read_boxes("0"), MV3D, {"Car": "Car"}, 0, lambda _: [0])
    splits = {"train": {"2": boxes}, "val": {"0": boxes, "1": []}}
    classes = {"Car": "Car", "Van": ["Van"]}
    index = describe_dataset(MV3D, run.layout, classes, ".png", splits)
    (tmp_path / "results/dataset/mv3d").mkdir(parents=True)
    (tmp_path / "results/dataset/mv3d/boxes.json").write_text(json.dumps(index))
    write_all(tmp_path, "predicted/0.txt")
    label = format_labels(boxes, ["Car"], MV3D.grid.shape).replace("\n", " 0.9\n")
    flat = f"0{' 0.5' * 8} 0.5\n"
    beside = "0 0.5 0.1 0.6 0.1 0.6 0.2 0.5 0.2 0.3\n"
    (tmp_path / "predicted/0.txt").write_text(f"{label}{LINE}\n{flat}{beside}")
    return run


def test_results_of_a_split(run, tmp_path):
    """All scans of a split with predictions; what was left out is counted."""
    table = tmp_path / "results/kitti_results/mv3d.tsv"
    table.parent.mkdir()
    (tmp_path / "kitti/image_2/0.png").write_bytes(
        cv2.imencode(".png", np.zeros((320, 480), np.uint8))[1].tobytes()
    )
    assert write_results(run, "mv3d", table, 2) == [
        f"{table.with_suffix('')}: 2 scans of val, 1 of them without predictions",
        "  Car 1",
        "  Van 0",
        "left out: 1 box of a class without labelled boxes, so of unknown height: "
        "Van 1",
        "left out: 1 box without length or width: Car 1",
        "left out: 1 box outside the image of the camera: Car 1",
    ]
    clipped = RESULT.replace("483.33 328.75", "479.00 319.00")
    assert (table.parent / "mv3d/0.txt").read_text() == clipped
    assert (table.parent / "mv3d/1.txt").read_text() == ""
    assert not (table.parent / "mv3d/2.txt").exists()
    assert table.read_text() == (
        "class\tresults\tunknown\tflat\tbehind\thidden\n"
        "Car\t1\t0\t1\t0\t1\n"
        "Van\t0\t1\t0\t0\t0\n"
    )


def test_what_is_assumed_is_said(run, tmp_path):
    """Label files have no score; and without an image, its size is not known."""
    path = tmp_path / "predicted/0.txt"
    path.write_text(path.read_text().splitlines()[0].removesuffix(" 0.9"))
    lines = write_results(run, "mv3d", tmp_path / "mv3d.tsv", 1)
    assert lines[3:] == [
        "boxes without a score: 1, whose corners tell the front, as in label files of "
        "`snakemake dataset`; predictions need save_conf=True",
        "scans without an image in image_2: 1, whose size was taken as 1242 x 375 "
        "pixels",
    ]
    assert (tmp_path / "mv3d/0.txt").read_text() == RESULT.replace("0.9", "1")


def test_files_of_a_trainer_need_scores(run, tmp_path):
    """Without, they would be taken for label files of ours."""
    number, *corners = (tmp_path / "predicted/0.txt").read_text().split()[:9]
    pairs = [*zip(corners[::2], corners[1::2], strict=True)]
    words = [number, *(word for pair in pairs[::-1] for word in pair)]
    (tmp_path / "predicted/0.txt").write_text(" ".join(words))
    (tmp_path / "predicted/1.txt").write_text("0 1\n")
    with pytest.raises(ValueError, match="save_conf") as error:
        write_results(run, "mv3d", tmp_path / "mv3d.tsv", 1)
    first, second = str(error.value).splitlines()
    assert first == (
        "predicted/0.txt: line 1: no score, and corners that go round the other way "
        "than in label files, expected a score: predict with save_conf=True"
    )
    assert second.startswith("predicted/1.txt: line 1: 2 words, expected 10")
    assert not (tmp_path / "mv3d").exists()


@pytest.mark.parametrize("key", ["encoding", "layout"])
def test_another_data_set_is_noticed(run, tmp_path, key):
    """Both digests are named."""
    path = tmp_path / "results/dataset/mv3d/boxes.json"
    index = json.loads(path.read_text())
    here = index[f"{key}_sha256"][:12]
    path.write_text(json.dumps(index | {f"{key}_sha256": "0123456789abcdef"}))
    with pytest.raises(ValueError, match="expected the same") as error:
        write_results(run, "mv3d", tmp_path / "mv3d.tsv", 1)
    assert str(error.value) == (
        f"results/dataset/mv3d/boxes.json: of {key} 0123456789ab, but the settings say "
        f"{here}, expected the same: restore the settings, or run `snakemake dataset` "
        f"again, train and predict"
    )
    path.unlink()
    with pytest.raises(FileNotFoundError) as error:
        write_results(run, "mv3d", tmp_path / "mv3d.tsv", 1)
    assert str(error.value) == (
        "results/dataset/mv3d/boxes.json: no such file, expected a data set of "
        "`snakemake dataset`"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"predictions": None}, "predictions: null, expected the folder of .txt files "
         "that YOLO predicted: snakemake kitti_results --config "
         "predictions=runs/obb/predict/labels"),
        ({"encodings": ["pixor", "mv3d"]}, "encodings: pixor, mv3d, expected one, that "
         "of the predictions: 'encodings=[pixor]'"),
        ({"labels": None}, "labels: null, expected the folder of label_2 and calib"),
    ],
)  # fmt: skip
def test_settings_that_results_need(run, settings, message):
    """The message names the key."""
    assert run.kitti_results == "results/kitti_results/mv3d.tsv"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        _ = resolve({**run.settings, **settings}).kitti_results
