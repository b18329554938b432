"""What the images of a run are made of, and how their points are read."""

import re

import numpy as np
import pytest
from sweeps import make_pose, move, write_poses

import birdview.pixels.assembly as assembly_module
from birdview.pixels.assembly import PartReader, assemble_scan
from birdview.pixels.layout import load_layout
from birdview.run import resolve

RNG = np.random.default_rng(0)


def write_scan(path, count=50):
    """Write a scan of random points, none of them near the sensor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    points = RNG.uniform(2, 40, size=(count, 4)).astype("<f4")
    points.tofile(path)
    return points


@pytest.fixture
def drive(tmp_path):
    """Write ten scans and their poses."""
    folder = tmp_path / "scans"
    points = [write_scan(folder / f"{k:02}.bin", 20 + k) for k in range(10)]
    write_poses(tmp_path / "poses.txt", [make_pose(k)[:3] for k in range(10)])
    return folder, points


def make_run(folder, encodings=("mv3d",), poses="poses.txt", **settings):
    """Resolve settings with sweeps; all paths are beside the folder of the scans."""
    if settings.get("sweeps"):
        poses = str(folder.parent / poses)
        settings["sweeps"] = {"poses": poses} | settings["sweeps"]
    return resolve({"scans": str(folder), "encodings": [*encodings], **settings})


def names_of(assembly):
    """Return the number in the name of each part's scan, and its age."""
    return [(int(part.file[-6:-4]), part.age) for part in assembly.parts]


@pytest.mark.parametrize(
    ("sweeps", "scan", "expected", "found"),
    [
        ({"before": 2}, "05", [(5, 0), (4, 1), (3, 2)], 3),
        ({"before": 2}, "01", [(1, 0), (0, 1)], 2),
        ({"before": 2}, "00", [(0, 0)], 1),
        ({"after": 2}, "08", [(8, 0), (9, -1)], 2),
        (
            {"before": 2, "after": 2},
            "05",
            [(5, 0), (4, 1), (6, -1), (3, 2), (7, -2)],
            5,
        ),
        (
            {"before": 3, "after": 1, "step": 2},
            "05",
            [(5, 0), (3, 2), (7, -2), (1, 4)],
            4,
        ),
    ],
)
def test_order_of_sweeps(drive, sweeps, scan, expected, found):
    """The reference first, then the nearest; of two as near, the earlier."""
    folder, _ = drive
    assembly = make_run(folder, sweeps=sweeps).assemblies.of(scan)
    assert names_of(assembly) == expected
    wanted = 1 + sweeps.get("before", 0) + sweeps.get("after", 0)
    assert assembly.found == (("birdview:sweeps", found, wanted),)


def test_missing_scan_leaves_a_gap(drive):
    """Other sweeps do not take its place."""
    folder, _ = drive
    (folder / "04.bin").unlink()
    assembly = make_run(folder, sweeps={"before": 2}).assemblies.of("05")
    assert names_of(assembly) == [(5, 0), (3, 2)]
    assert assembly.found == (("birdview:sweeps", 2, 3),)


def test_points_and_their_ages(drive):
    """They are moved, rounded once, in order; the vehicle's are counted."""
    folder, points = drive
    vehicle = np.array([[0.5, -0.9, 0, 0], [-1, 0, 0, 0]], dtype="<f4")
    points[3] = np.concatenate([points[3], vehicle])
    points[3].tofile(folder / "03.bin")
    run = make_run(folder, sweeps={"before": 1, "after": 1})
    made = PartReader().read(run.assemblies.of("04"), ["age", "other"])
    motion = (np.linalg.inv(make_pose(4)) @ make_pose(3))[:3].tolist()
    assert made.left_out.vehicle == 1
    assert made.current == len(points[4])
    ages = [0] * 24 + [1] * 24 + [-1] * 25  # one of the vehicle's is 1 m away
    assert made.fields["age"].tolist() == ages
    assert np.isnan(made.fields["other"]).all()
    assert (made.points[:24] == points[4]).all()
    expected = np.array(
        [move(point, motion) for point in [*points[3][:23], vehicle[1]]]
    )
    assert np.allclose(made.points[24:48], expected, atol=1e-5)
    assert made.text["birdview:sweeps"] == "3 of 3"


def test_each_file_is_read_once(drive, monkeypatch):
    """Of ten images with five sweeps; again only if it has changed."""
    folder, _ = drive
    opened, read_bytes = [], assembly_module.read_bytes

    def count(path):
        opened.append(str(path))
        return read_bytes(path)

    monkeypatch.setattr(assembly_module, "read_bytes", count)
    run = make_run(folder, sweeps={"before": 2, "after": 2})
    reader = PartReader()
    alone = [
        PartReader().read(run.assemblies.of(scan)).points.copy() for scan in run.scans
    ]
    assert len(opened) == 44
    opened.clear()
    narrow = run.narrow(run.scans[:]).assemblies
    for scan, points in zip(run.scans, alone, strict=True):
        assert (reader.read(narrow.of(scan)).points == points).all()
        assert len(reader._kept) <= 5
    assert opened == sorted(opened, key=opened.index)
    assert sorted(opened) == [str(folder / f"{scan}.bin") for scan in run.scans]
    write_scan(folder / "09.bin", 99)
    assert len(reader.read(narrow.of("09")).points) == 99 + 28 + 27
    assert len(opened) == 11


def test_narrow_run_is_made_of_the_same(drive):
    """Of scans whose neighbours are not among them."""
    folder, _ = drive
    run = make_run(folder, sweeps={"before": 2}, level={"poses": str(
        folder.parent / "poses.txt")})  # fmt: skip
    narrow = run.narrow(["05", "09"])
    for scan in ("05", "09"):
        assert narrow.assemblies.of(scan) == run.assemblies.of(scan)
        assert narrow.assemblies.state(scan) == run.assemblies.state(scan)


@pytest.mark.parametrize("scan", ["00", "05"])
def test_conditions_differ_where_images_do(drive, scan):
    """That is, also in their text: how many sweeps there could be."""
    folder, _ = drive
    seen, digests = [], []
    for sweeps in (
        {"before": 2},
        {"before": 3},
        {"before": 1},
        {"after": 2},
        {"before": 2, "step": 2},
        {"before": 1, "after": 1},
    ):
        assemblies = make_run(folder, sweeps=sweeps).assemblies
        made = PartReader().read(assemblies.of(scan))
        seen.append((made.text["birdview:sweeps"], made.points.tobytes()))
        digests.append(assemblies.of(scan).conditions.sweeps)
    assert len(set(digests)) == len(set(seen))
    wider = make_run(folder, sweeps={"before": 2, "vehicle": 2}).assemblies
    assert wider.of(scan).conditions.sweeps not in digests


def test_pose_of_another_scan_is_no_condition(drive):
    """Nor are more of them; those of the scans that are drawn are."""
    folder, _ = drive
    poses = folder.parent / "poses.txt"
    rows = poses.read_text().splitlines(keepends=True)

    def digests():
        assemblies = make_run(folder, sweeps={"before": 2}).assemblies
        return [assemblies.of(f"{number:02}").conditions.digest for number in range(10)]

    before = digests()
    poses.write_text("".join([*rows, rows[-1]]))
    assert digests() == before
    poses.write_text("".join([*rows[:4], rows[3], *rows[5:]]))
    changed = [old != new for old, new in zip(before, digests(), strict=True)]
    assert [number for number in range(10) if changed[number]] == [4, 5, 6]


def test_scan_that_is_added_is_a_condition_of_those_before_it(drive):
    """With `after`; its pose was there."""
    folder, _ = drive
    last = folder / "09.bin"
    content = last.read_bytes()
    last.unlink()

    def digests():
        assemblies = make_run(folder, sweeps={"after": 1}).assemblies
        return [assemblies.of(f"{number:02}").conditions.digest for number in range(9)]

    before = digests()
    last.write_bytes(content)
    assert digests()[:-1] == before[:-1]
    assert digests()[-1] != before[-1]


def test_partner_that_is_missing_is_a_condition(drive, tmp_path):
    """Of its image alone: the text says so, and it may come with an old time."""
    folder, _ = drive
    for number in (3, 4):
        write_scan(tmp_path / f"other/{number:02}.bin")
    run = resolve(
        {
            "sensors": [{"scans": str(folder)}, {"scans": str(tmp_path / "other")}],
            "encodings": ["mv3d"],
        }
    )
    full, same, missing = (
        run.assemblies.of(scan).conditions for scan in ("03", "04", "05")
    )
    assert full == same == run.assemblies.of_all
    assert missing.sensors not in ("", full.sensors)
    assert run.assemblies.differ


def test_single_scan_has_no_conditions(drive):
    """As of old: its frame is that of its layout."""
    folder, _ = drive
    run = make_run(folder)
    assert run.assemblies.of("03") == assemble_scan(
        str(folder / "03.bin"), load_layout("kitti")
    )
    assert not any(run.assemblies.of("03").conditions)
    assert not run.assemblies.differ


def test_camera_of_the_reference_decides(drive, tmp_path):
    """Points of other sweeps count where they are moved to."""
    folder, _ = drive
    calib = tmp_path / "kitti/calib"
    calib.mkdir(parents=True)
    for number in range(10):
        (calib / f"{number:02}.txt").write_text(
            "P2: 10 0 50 0 0 10 50 0 0 0 1 0\n"
            "R0_rect: 1 0 0 0 1 0 0 0 1\n"
            "Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
        )
    # Ahead of the sensor by 0.5 m in one scan, and behind it in the next.
    point = np.array([[0.5, 0, 0, 0], [9, 0, 0, 0]], dtype="<f4")
    for name in ("04", "05"):
        point.tofile(folder / f"{name}.bin")
    write_poses(tmp_path / "poses.txt", [make_pose(k, yaw=0)[:3] for k in range(10)])
    run = make_run(
        folder,
        sweeps={"before": 1, "vehicle": 0},
        camera_view={"path": str(tmp_path / "kitti"), "image": [100, 100]},
    )
    made = PartReader().read(run.assemblies.of("05"))
    assert made.left_out.hidden == 1
    assert made.points[:, 0].tolist() == [0.5, 9, 8]


def test_sensors_have_frames_of_their_own(drive, tmp_path):
    """And the run's frame moves both; the square of each is around itself."""
    folder, points = drive
    near = np.array([[0.5, 0.5, 0, 0], [5, 0, 0, 0]], dtype="<f4")
    (tmp_path / "other").mkdir()
    near.tofile(tmp_path / "other/04.bin")
    run = resolve(
        {
            "sensors": [
                {"scans": str(folder)},
                {
                    "scans": str(tmp_path / "other"),
                    "frame": {"height": 1.73, "yaw": 90},
                },
            ],
            "frame": {"height": 2.73},
            "sweeps": {"before": 1, "poses": str(tmp_path / "poses.txt")},
            "encodings": ["mv3d"],
        }
    )
    assembly = run.assemblies.of("04")
    made = PartReader().read(assembly)
    assert made.left_out.vehicle == 1
    assert assembly.found[1] == ("birdview:sensors", 3, 4)
    assert made.current == len(points[4]) + 1
    assert np.allclose(made.points[:24, 2], points[4][:, 2] + 1)
    assert np.allclose(made.points[24], [0, 5, 1, 0])
    assert run.assemblies.of("04").conditions.sensors


def test_pitch_and_roll_are_taken_out(drive, tmp_path):
    """Neither heading nor place; of the reference, for all sweeps."""
    folder, points = drive
    c, s = np.cos(0.1), np.sin(0.1)
    nod = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    poses = [make_pose(k)[:3] for k in range(10)]
    for pose in poses:
        pose[:, :3] = pose[:, :3] @ nod
    write_poses(tmp_path / "nod.txt", poses)
    level = {"poses": str(tmp_path / "nod.txt")}
    run = make_run(folder, level=level)
    made = PartReader().read(run.assemblies.of("04"))
    expected = points[4][:, :3].astype(float) @ nod.T
    assert np.allclose(made.points[:, :3], expected, atol=1e-5)
    assert run.assemblies.frame_of("04") == run.assemblies.of("04").parts[0].frame
    run = make_run(folder, level=level, poses="nod.txt", sweeps={"before": 1})
    made = PartReader().read(run.assemblies.of("04"))
    moved = np.linalg.inv(make_pose(4)) @ make_pose(3)
    others = points[3][:, :3].astype(float) @ nod.T @ moved[:3, :3].T + moved[:3, 3]
    # Both poses have the same tilt: a scan is levelled, then moved like a level one.
    assert np.allclose(made.points[24:, :3], others, atol=1e-4)


ERRORS = {
    "config: sweeps: no poses, expected where those of the vehicle are": {
        "sweeps": {"before": 1}
    },
    "config: sweeps: before 0 and after 0, expected other scans to draw": {
        "sweeps": {"before": 0, "poses": "poses.txt"}
    },
    "config: level: no poses, expected where those of the vehicle are": {"level": {}},
    "encodings: own: of: age: there are no sweeps, expected some": {"of": "age"},
    "encodings: own: of: class: points have no labels, expected where they are": {
        "of": "class"
    },
    "encodings: own: of: velocity: no such field in the layout kitti, expected one of "
    "x, y, z, reflectance": {"of": "velocity"},
    "encodings: own: of: agee: no such field in the layout kitti": {
        "of": "agee",
        "sweeps": {"before": 1, "poses": "poses.txt"},
    },
    "config: scans: ": {"sensors": [{"scans": "a"}, {"scans": "b"}]},
    "config: sensors: a is given twice, expected a folder of its own for each": {
        "scans": None,
        "sensors": [{"scans": "a"}, {"scans": "a"}],
    },
    "config: sweeps: poses: poses.txt without scans, expected none": {
        "scans": None,
        "sweeps": {"before": 1, "poses": "poses.txt"},
    },
    "config: point_labels: no path, expected the folder of the labels": {
        "of": "class",
        "point_labels": {},
    },
}


@pytest.mark.parametrize("message", ERRORS)
def test_settings_that_do_not_fit(drive, tmp_path, message):
    """One line."""
    folder, _ = drive
    settings = {**ERRORS[message]}
    encodings = ["mv3d"]
    if of := settings.pop("of", None):
        own = tmp_path / "own.yaml"
        own.write_text(OWN.format(of))
        encodings = [str(own)]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}") as error:
        resolve({"scans": str(folder), "encodings": encodings} | settings)
    assert "\n" not in str(error.value)


OWN = """\
description: Own.
region:
  x: {{min: 0, max: 40, closed: lower}}
  y: {{min: 0, max: 40, closed: lower}}
grid: {{cell: 0.5, rows: -x, cols: -y}}
channels:
  - {{name: own, statistic: max, of: {}, range: [0, 4]}}
"""
