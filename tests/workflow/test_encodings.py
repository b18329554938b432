"""Own encodings and layouts, grid.json and boxes, with the real snakemake."""

import json
import re
import shutil

import cv2
import numpy as np
import pytest
import yaml
from helpers import OWN, ROOT

import birdview
from birdview.benchmark.reference import draw_mv3d
from birdview.pixels.encoding import load_encoding
from birdview.pixels.png import read_text
from birdview.training.labels.kitti import read_boxes
from birdview.view.boxes import MIN_SIDE
from birdview.view.picture import find_affine, make_large_picture


def test_own_encoding(project, make_scan):
    """By its path, beside a built-in one; a changed number makes its images stale."""
    own = project.folder / "my" / "own.yaml"
    own.parent.mkdir()
    own.write_text(OWN)
    points = [[20, 5, -1.5, 0.5]] * 4 + [[20, 5, 0.5, 0.5]] * 2
    make_scan(project.folder / "scans" / "0.bin", points)
    arguments = ("--config", "scans=scans", "encodings=[lyft, my/own.yaml]")
    assert project.rendered_by(*arguments) == {"lyft/0.png", "own/0.png"}
    assert "Nothing to be done" in project.run(*arguments)
    planes, channels = birdview.load(project.folder / "results/own/0.png")
    assert channels == ("count_0", "count_1", "height", "occupied")
    expected = np.zeros((4, 80, 80))
    # 4 and 2 of 8 points; a mean of -0.8333 m, of -2 m to 1 m
    expected[:, 39, 19] = 128, 64, 99, 255
    np.testing.assert_array_equal(planes, expected)

    own.write_text(OWN.replace("range: [0, 8]", "range: [0, 4]"))
    assert project.rendered_by(*arguments) == {"own/0.png"}
    assert birdview.load(project.folder / "results/own/0.png").planes[0, 39, 19] == 255


def test_error_in_an_own_encoding_is_one_line(project):
    """It names the file; tests/unit/test_run.py has more messages."""
    (project.folder / "own.yaml").write_text("only text")
    output = project.run("--config", "encodings=[own.yaml]", expect=1)
    assert "own.yaml: 'only text' is not of type 'object'" in output.splitlines()


def test_own_encoding_of_the_page(project, make_scan):
    """Its yaml, word for word."""
    page = (ROOT / "docs" / "encodings.md").read_text()
    text = re.search(r"```yaml\n(# my/own\.yaml.*?)```", page, flags=re.DOTALL)[1]
    (project.folder / "my").mkdir()
    (project.folder / "my/own.yaml").write_text(text)
    make_scan(project.folder / "scans" / "0.bin", 5000)
    project.run("--config", "scans=scans", "encodings=[mv3d, my/own.yaml]")
    planes, channels = birdview.load(project.folder / "results/own/0.png")
    names = [channel["name"] for channel in yaml.safe_load(text)["channels"]]
    assert {name.rstrip("_0123456789") for name in channels} == set(names)
    assert all(plane.any() for plane in planes)


def test_grid_json_of_each_encoding(project, make_scan):
    """Written with the images, on demand, and again when the encoding changes."""
    make_scan(project.folder / "scans" / "0.bin")
    arguments = ("--config", "scans=scans", "encodings=[mv3d, pixor]")
    project.run(*arguments)
    for name in ("mv3d", "pixor"):
        path = project.folder / "results" / name / "grid.json"
        assert json.loads(path.read_text())["digest"] == load_encoding(name).digest
    path.unlink()
    project.run("results/pixor/grid.json", *arguments)
    project.edit("workflow/encodings/pixor.yaml", "max: 70", "max: 60")
    project.run(*arguments)
    grid = json.loads(path.read_text())
    assert (grid["cols"], grid["area"]["x"]["max"]) == (600, 60)


def test_layout_nuscenes(project, kitti_scans):
    """The same pixels as from the same points in KITTI's layout, as high as KITTI's."""
    points = np.fromfile(kitti_scans[0], dtype="<f4").reshape(-1, 4)
    points[:, 3] = np.rint(points[:, 3] * 255)
    x, y, z, intensity = points.T
    records = np.column_stack([-y, x, z, intensity, np.zeros(len(points))])
    (project.folder / "sweeps").mkdir()
    records.astype("<f4").tofile(project.folder / "sweeps" / "n015.pcd.bin")
    settings = ("scans=sweeps", "layout=nuscenes", "encodings=[mv3d]")
    project.run("--config", *settings)
    assert list(project.images()) == ["mv3d/n015.png"]
    image = cv2.imread(str(project.folder / "results/mv3d/n015.png"))
    points[:, 3] /= 255
    points[:, 2] = points[:, 2].astype(np.float64) + 0.11  # 1.84 m - 1.73 m
    np.testing.assert_array_equal(image, draw_mv3d(points))


def test_own_layout(project):
    """From the settings; it is in the image's text, and a change makes images stale."""
    records = np.zeros(2, dtype="<i4,<i4,<i4,<u2,<u1")
    records["f0"], records["f1"], records["f3"] = 20_000, 5_000, 13107
    (project.folder / "scans").mkdir()
    records.tofile(project.folder / "scans" / "0.bin")
    own = project.folder / "own.yaml"
    fields = ["x: int32/1000", "y: int32/1000", "z: int32/1000", "reflectance: uint16"]
    text = "scans: scans\nencodings: [mv3d]\nlayout:\n  - " + "\n  - ".join(fields)
    own.write_text(f"{text}/65535\n  - ring: uint8\n")
    project.run("--configfile", own)
    image = project.folder / "results/mv3d/0.png"
    planes, _ = birdview.load(image)
    row, col = load_encoding("mv3d").grid.to_pixel(20, 5)
    assert planes[:, row, col].tolist() == [67, 51, 174]
    assert (planes != 0).sum() == 3
    assert read_text(image)["birdview:layout"] == (
        "x int32/1000, y int32/1000, z int32/1000, reflectance uint16/65535, ring uint8"
    )
    own.write_text(f"{text}/26214\n  - ring: uint8\n")
    assert project.rendered_by("--configfile", own) == {"mv3d/0.png"}
    assert birdview.load(image).planes[1, row, col] == 128


def test_wrong_layout_shows_in_the_numbers(project):
    """Records of 5 x 2 bytes in a file whose size also fits records of 4 x 4 bytes."""
    (project.folder / "scans").mkdir()
    rng = np.random.default_rng(0)
    numbers = rng.uniform(-50, 50, size=(1000, 5)).astype("<f2")
    numbers.tofile(project.folder / "scans" / "0.bin")
    output = project.run("--config", "scans=scans", expect=1)
    assert re.search(
        r"^scans/0\.bin: \d+ of 625 points have a coordinate beyond 100000 m, expected "
        r"metres \(layout kitti: x, y, z, reflectance\)$",
        output,
        flags=re.MULTILINE,
    )


def test_boxes_of_real_scans(project, kitti_scans, kitti_labels):
    """Every image gets a picture, in which all pixels of each box are coloured."""
    kitti_labels = shutil.copytree(kitti_labels, project.folder / "kitti")
    names = ("mv3d", "pixor")
    arguments = ("boxes", "--config", f"scans={kitti_scans[0].parent}")
    settings = (f"labels={kitti_labels}", "encodings=[mv3d, pixor]")
    project.run(*arguments, *settings)
    pictures = {
        f"{name}/{folder}{scan.stem}.png"
        for name in names
        for folder in ("", "boxes/")
        for scan in kitti_scans
    }
    assert set(project.images()) == pictures
    for name in names:
        encoding = load_encoding(name)
        for scan in kitti_scans:
            folder = project.folder / "results" / name
            planes, _ = birdview.load(folder / f"{scan.stem}.png")
            plain = make_large_picture(planes, encoding, MIN_SIDE)[..., ::-1]
            height, width, _ = plain.shape
            picture = cv2.imread(str(folder / "boxes" / f"{scan.stem}.png"))[:height]
            is_drawn = (picture != plain).any(axis=2)
            affine = find_affine(encoding, (height, width))
            files = (
                f"{kitti_labels}/{kind}/{scan.stem}.txt"
                for kind in ("label_2", "calib")
            )
            for box in read_boxes(*files):
                row, col = (affine @ [*box.corners[:, :2].T, np.ones(4)]).astype(int)
                inside = (row >= 0) & (row < height) & (col >= 0) & (col < width)
                assert inside.any()
                assert is_drawn[row[inside], col[inside]].all()
    assert "Nothing to be done" in project.run(*arguments, *settings)
    label = kitti_labels / "label_2" / f"{kitti_scans[0].stem}.txt"
    label.write_text(label.read_text().replace("Pedestrian", "Van"))
    stale = {f"{name}/boxes/{kitti_scans[0].stem}.png" for name in names}
    assert project.rendered_by(*arguments, *settings) == stale


def test_bad_label_fails_alone(project, make_scan):
    """With one line; scans without a label get no picture."""
    for name in "0123":
        make_scan(project.folder / "scans" / f"{name}.bin")
    for kind in ("label_2", "calib"):
        (project.folder / "kitti" / kind).mkdir(parents=True)
    car = "Car 0.00 0 -1.57 0 0 0 0 1.5 2 4 -3 1.7 10 -1.57"
    calib = "R0_rect: 1 0 0 0 1 0 0 0 1\nTr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
    for name, label in (("0", car), ("1", "Car 1"), ("2", car)):
        (project.folder / f"kitti/label_2/{name}.txt").write_text(label)
    for name in "01":
        (project.folder / f"kitti/calib/{name}.txt").write_text(calib)
    settings = ("--config", "scans=scans", "labels=kitti", "encodings=[lyft]")
    output = project.run("boxes", *settings, expect=1)
    assert (
        "kitti/label_2/1.txt: line 1: 2 words, expected 15 or 16" in output.splitlines()
    )
    missing = (
        "kitti/calib/2.txt: no such file, expected the calibration of "
        "kitti/label_2/2.txt"
    )
    assert missing in output.splitlines()
    assert "Traceback" not in output
    assert set(project.images()) == {
        *(f"lyft/{name}.png" for name in "012"),
        "lyft/boxes/0.png",
    }


def outline_in(picture):
    """Return the least and the greatest x and y of what is bright, in metres."""
    pixels, encoding = cv2.imread(str(picture)), load_encoding("lyft")
    side = pixels.shape[1]  # the map is square; below it is the legend
    is_bright = pixels[:side].max(axis=2) > 60
    _, names, stats, _ = cv2.connectedComponentsWithStats(is_bright.astype(np.uint8))
    # Without the word next to it.
    sides = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    outline = names == 1 + np.argmax(sides.prod(axis=1))
    affine = find_affine(encoding, (side, side))
    positions = np.array(np.nonzero(outline)) - affine[:, 2:]
    x, y = np.linalg.inv(affine[:, :2]) @ positions
    return x.min(), x.max(), y.min(), y.max()


def test_boxes_of_other_formats(project, make_scan):
    """In single jobs and in batches; another origin of z draws them again."""
    for name in "01":
        make_scan(project.folder / "scans" / f"{name}.bin", [[1, 1, -1.7, 0]])
    (project.folder / "my boxes").mkdir()
    text = project.folder / "my boxes" / "0.txt"
    text.write_text("# x y z dx dy dz heading class\n20 -10 -1 12 6 1.5 0 Bus\n")
    cloud = {
        "name": "Bus",
        "centroid": {"x": -15, "y": 20, "z": -1},
        "dimensions": {"length": 12, "width": 6, "height": 1.5},
        "rotations": {"x": 0, "y": 0, "z": 90},
    }
    (project.folder / "cloud").mkdir()
    (project.folder / "cloud" / "1.json").write_text(json.dumps({"objects": [cloud]}))
    pictures = project.folder / "results/lyft/boxes"
    arguments = ("boxes", "--config", "scans=scans", "encodings=[lyft]")

    plain = "labels={{format: boxes, path: my boxes, origin: {}}}".format
    both = {"lyft/0.png", "lyft/boxes/0.png"}
    assert project.rendered_by(*arguments, plain("center")) == both
    assert (pictures.parent / "grid.json").is_file()
    assert outline_in(pictures / "0.png") == pytest.approx((14, 26, -13, -7), abs=1.1)
    assert project.rendered_by(*arguments, plain("bottom")) == {"lyft/boxes/0.png"}

    batches = ("labels={format: labelcloud, path: cloud}", "scans_per_job=2")
    both = {"lyft/1.png", "lyft/boxes/1.png"}
    assert project.rendered_by(*arguments, *batches) == both
    assert outline_in(pictures / "1.png") == pytest.approx((-18, -12, 14, 26), abs=1.1)
