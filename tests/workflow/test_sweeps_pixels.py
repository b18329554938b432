"""Several sweeps in one image: its pixels are those of plain loops over the points."""

import cv2
import numpy as np
import pytest
from helpers import Project
from numpy._core._multiarray_umath import __cpu_dispatch__
from sweeps import (
    SENSOR_TO_CAMERA,
    assemble,
    find_motion,
    make_camera_pose,
    thin_scans,
    write_poses,
)

from birdview.benchmark.reference import draw_mv3d
from birdview.jobs import render_image
from birdview.pixels.png import read_text
from birdview.run import resolve

POSES = "poses: poses.txt, calib: calib.txt"
AGES = """\
description: How many sweeps ago the points of a cell were seen.
region:
  x: {min: -20, max: 20, closed: lower}
  y: {min: -20, max: 20, closed: lower}
grid:
  cell: 0.5
  rows: -x
  cols: -y
background: 9
channels:
  - {name: newest, statistic: min, of: age, range: [-2, 3]}
  - {name: oldest, statistic: max, of: age, range: [-2, 3]}
  - {name: highest, statistic: at_max, of: age, range: [-2, 3]}
  - {name: usual, statistic: majority, of: age, range: [-2, 3]}
"""


@pytest.fixture(scope="module")
def scans():
    return thin_scans(5)


def write_scans(folder, scans, start=0):
    folder.mkdir(parents=True)
    for number, points in enumerate(scans, start):
        points.astype("<f4").tofile(folder / f"{number:06}.bin")


@pytest.fixture(scope="module")
def drive(compiled, scans, tmp_path_factory):
    """Write a drive along a curve, with poses of the camera."""
    project = Project(tmp_path_factory.mktemp("drive"))
    write_scans(project.folder / "scans", scans)
    write_poses(project.folder / "poses.txt", map(make_camera_pose, range(5)))
    (project.folder / "calib.txt").write_text(f"Tr: {SENSOR_TO_CAMERA}\n")
    (project.folder / "ages.yaml").write_text(AGES)
    (project.folder / "two.txt").write_text("000000\n000003\n")
    return project


SWEEPS = (
    *("--config", "scans=scans", "split=two.txt", "encodings=[mv3d, ages.yaml]"),
    f"sweeps={{before: 2, after: 1, {POSES}}}",
)


def draw_ages(points, ages):
    """Draw the planes of `AGES`, as `cv2.imread` returns them."""
    planes, cells = np.full((4, 80, 80), 9, dtype=np.uint8), {}
    for (x, y, z, _), age in zip(points.tolist(), ages, strict=True):
        if -20 <= x < 20 and -20 <= y < 20:
            cell = 79 - int((x + 20) // 0.5), 79 - int((y + 20) // 0.5)
            cells.setdefault(cell, []).append((z, age))
    for cell, seen in cells.items():
        found = [age for _, age in seen]
        top = max(z for z, _ in seen)
        usual = max(sorted(set(found)), key=found.count)  # the least of those
        first = next(age for z, age in seen if z == top)
        for number, age in enumerate((min(found), max(found), first, usual)):
            planes[number, *cell] = round(255 * (age + 2) / 5)
    return planes.reshape(-1, 80)


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_each_pixel_is_that_of_a_plain_loop(drive, scans):
    """Also of scans around that are not in the split; on a plain processor too."""
    drive.run(*SWEEPS)
    before = drive.files()
    poses = np.loadtxt(drive.folder / "poses.txt").reshape(-1, 3, 4)
    mount = np.reshape(SENSOR_TO_CAMERA.split(), (3, 4)).astype(float)
    for reference, found in ((0, 2), (3, 4)):

        def motion_of(number, still=poses[reference]):
            return find_motion(poses[number], still, mount)

        points, ages = assemble(scans, reference, (-1, 1, -2), motion_of)
        assert len(set(ages)) == found
        results, image = drive.folder / "results", f"{reference:06}.png"
        assert (read(results / "mv3d" / image) == draw_mv3d(points)).all()
        assert (read(results / "ages" / image) == draw_ages(points, ages)).all()
        text = read_text(results / "mv3d" / image)
        assert text["birdview:sweeps"] == f"{found} of 4"
        kept = int(text["birdview:read"]) - int(text["birdview:vehicle"])
        assert kept == len(points)
    assert len(drive.images()) == 4
    environment = {"NPY_DISABLE_CPU_FEATURES": " ".join(__cpu_dispatch__)}
    drive.run(*SWEEPS, "--forceall", environment=environment)
    assert {name: drive.files()[name] for name in drive.images()} == {
        name: before[name] for name in drive.images()
    }


def render(folder, name, encoding="mv3d", **settings):
    """Render one scan with settings; return its pixels as OpenCV reads them."""
    run = resolve({"encodings": [encoding], **settings})
    image = folder / f"{len(list(folder.glob('*.png')))}.png"
    render_image(run, name, next(iter(run.encodings)), [], image)
    return read(image)


def test_poses_that_are_the_same_give_the_concatenation(scans, tmp_path):
    """With `vehicle: 0`; also of two sensors, each with two sweeps."""
    write_scans(tmp_path / "left", scans[:2])
    write_scans(tmp_path / "right", scans[2:4])
    write_poses(tmp_path / "poses.txt", [np.eye(4)[:3]] * 2)
    still = {"before": 1, "vehicle": 0, "poses": str(tmp_path / "poses.txt")}
    left, right = str(tmp_path / "left"), str(tmp_path / "right")
    for settings, order in (
        ({"scans": left, "sweeps": still}, (1, 0)),
        ({"sensors": [{"scans": left}, {"scans": right}]}, (1, 3)),
        (
            {"sensors": [{"scans": left}, {"scans": right}], "sweeps": still},
            (1, 3, 0, 2),
        ),
    ):
        (tmp_path / "joined.bin").write_bytes(
            np.concatenate([scans[k] for k in order]).astype("<f4").tobytes()
        )
        joined = render(tmp_path, "joined", scans=str(tmp_path))
        assert (render(tmp_path, "000001", **settings) == joined).all()


@pytest.mark.parametrize("sides", [("left", "right"), ("right", "left")])
def test_two_real_halves_give_the_concatenation(kitti_scans, sides, tmp_path):
    """In the order of the list, which decides ties."""
    cases = kitti_scans[0].parents[1] / "cases/two"
    if not cases.is_dir():
        pytest.skip(f"no {cases}, scans of two sensors at one instant")
    folders = [cases / f"lidar_{side}" for side in sides]
    joined = b"".join((folder / "000000.bin").read_bytes() for folder in folders)
    (tmp_path / "000000.bin").write_bytes(joined)
    sensors = [{"scans": str(folder)} for folder in folders]
    for encoding in ("mv3d", "notebook"):
        both = render(tmp_path, "000000", encoding, sensors=sensors)
        assert both.any()
        plain = render(tmp_path, "000000", encoding, scans=str(tmp_path))
        assert (both == plain).all()


SEEN = """\
description: Which cells have a point above the road, of each of three scans.
region:
  x: {min: -50, max: 50, closed: lower}
  y: {min: -50, max: 50, closed: lower}
  z: {min: -1, max: 100}
grid: {cell: 0.2, rows: -x, cols: -y}
channels:
  - {name: now, statistic: count, of: age, values: [0], range: [0, 1]}
  - {name: before, statistic: count, of: age, values: [-1], range: [0, 1]}
  - {name: earlier, statistic: count, of: age, values: [-2], range: [0, 1]}
"""


def test_sweeps_of_a_real_drive_are_moved_to_where_they_belong(kitti_scans, tmp_path):
    """Their cells are those of the reference about twice as often as unmoved."""
    drive = kitti_scans[0].parents[1] / "drive"
    if not drive.is_dir():
        pytest.skip(f"no {drive}, scans in a row with poses")
    (tmp_path / "seen.yaml").write_text(SEEN)
    write_poses(tmp_path / "still.txt", [np.eye(4)[:3]] * 3)
    still = {"after": 2, "vehicle": 0, "poses": str(tmp_path / "still.txt")}
    moved = {"after": 2, "vehicle": 0}
    moved |= {key: str(drive / f"{key}.txt") for key in ("poses", "calib")}
    found = []
    for sweeps in (still, moved):
        settings = {"scans": str(drive), "sweeps": sweeps}
        image = render(tmp_path, "000000", str(tmp_path / "seen.yaml"), **settings)
        seen = [image[..., k] > 0 for k in (2, 1, 0)]
        found += [
            np.count_nonzero(seen[0] & other) / np.count_nonzero(seen[0] | other)
            for other in seen[1:]
        ]
    assert np.round(found, 2).tolist() == [0.21, 0.14, 0.43, 0.31]
