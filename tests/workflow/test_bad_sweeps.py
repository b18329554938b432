"""Bad poses, labels of points and sensors: one line, and only their images fail."""

import numpy as np
import pytest
from helpers import Project
from sweeps import as_row, make_pose, thin_scans, write_poses

from birdview.pixels.png import read_text

POSES = [make_pose(number)[:3] for number in range(3)]
FAR, BENT = POSES[2].copy(), POSES[1].copy()
FAR[0, 3] += 500
BENT[0, 0] = 1.5
WRONG = {
    # The poses of a drive of three scans, the numbers of those that fail, and why.
    "good": (POSES, [], ""),
    "short": (
        POSES[:2],
        [2],
        "poses/short.txt: 2 rows, expected one for the scan short/2: line 3",
    ),
    "bent": (
        [POSES[0], BENT, POSES[2]],
        [0, 1, 2],
        "poses/bent.txt: line 2: no rigid motion: its left three columns are no "
        "rotation, expected perpendicular unit vectors",
    ),
    "far": (
        [*POSES[:2], FAR],
        [2],
        "poses/far.txt: line 3: 501 m from line 2, expected at most 100 m: is a pose "
        "wrong, or are these two drives?",
    ),
    "none": (
        None,
        [0, 1, 2],
        "sweeps: poses: poses/none.txt: no such file, expected one",
    ),
    "cut": (
        POSES,
        [0, 1],
        "scans/cut/0.bin: 17 bytes found, expected a multiple of 16",
    ),
    "gone": (POSES, [], ""),
}
SETTINGS = (
    *("--config", "scans=scans", "encodings=[lyft]"),
    "sweeps={before: 1, poses: 'poses/{drive}.txt'}",
)


def find_lines(output, start):
    """Return the lines of a run that begin with some words."""
    return [line for line in output.splitlines() if line.startswith(start)]


def write(path, points):
    path.parent.mkdir(parents=True, exist_ok=True)
    points.astype("<f4").tofile(path)


@pytest.fixture(scope="module")
def points():
    return thin_scans(3)


@pytest.fixture(scope="module")
def drives(compiled, points, tmp_path_factory):
    """Write drives of which most have something wrong."""
    project = Project(tmp_path_factory.mktemp("bad"))
    for drive, (poses, *_) in WRONG.items():
        for number in range(3):
            write(project.folder / f"scans/{drive}/{number}.bin", points[number])
        if poses:
            write_poses(project.folder / f"poses/{drive}.txt", poses)
    (project.folder / "scans/cut/0.bin").write_bytes(bytes(17))
    (project.folder / "scans/gone/1.bin").unlink()
    return project


@pytest.mark.parametrize("batched", [(), ("scans_per_job=30",)], ids=["one", "many"])
def test_bad_poses_fail_their_images(drives, tmp_path, batched):
    """Each with one line; drives do not mix, and a scan that is missing is counted."""
    project = drives.copy(tmp_path / "a project")
    output = project.run(*SETTINGS, *batched, expect=1)
    failed = {f"{drive}/{k}" for drive, (_, bad, _) in WRONG.items() for k in bad}
    there = {f"{drive}/{k}" for drive in WRONG for k in range(3)} - {"gone/1"}
    assert set(project.images()) == {f"lyft/{scan}.png" for scan in there - failed}
    for _, bad, message in WRONG.values():
        if bad:
            assert len(find_lines(output, message)) == 1
    table = (project.folder / "results/failed.tsv").read_text().splitlines()
    assert len(table) == 1 + len(failed)
    found = {
        scan: read_text(project.folder / f"results/lyft/{scan}.png")["birdview:sweeps"]
        for scan in ("good/0", "good/1", "good/2", "gone/0", "gone/2", "cut/2")
    }
    assert found == {
        "good/0": "1 of 2",
        "good/1": "2 of 2",
        "good/2": "2 of 2",
        "gone/0": "1 of 2",
        "gone/2": "1 of 2",
        "cut/2": "2 of 2",
    }
    # Put right, all is rendered; the same command says so.
    write_poses(project.folder / "poses/bent.txt", POSES)
    wanted = {f"lyft/bent/{k}.png" for k in range(3)}
    assert project.rendered_by(*SETTINGS, *batched, expect=1) == wanted


def test_one_file_of_numbered_poses_is_not_that_of_two_drives(drives, tmp_path):
    """KITTI tells scans by their numbers; a table names them in full."""
    project = drives.copy(tmp_path / "a project")
    few = "match=[good/*, gone/*]"
    output = project.run(
        *SETTINGS, few, "sweeps={before: 1, poses: poses/good.txt}", expect=1
    )
    line = (
        "sweeps: poses: poses/good.txt for scans in 2 folders, expected a file for "
        "each drive, with {drive} in its path"
    )
    assert line in output
    assert project.images() == {}
    rows = [
        f"{drive}/{number}\t{as_row(POSES[number])}\n"
        for drive in ("good", "gone")
        for number in range(3)
        if (drive, number) != ("gone", 1)
    ]
    (project.folder / "poses.tsv").write_text("".join(rows))
    table = "sweeps={before: 1, poses: poses.tsv, format: table}"
    assert len(project.rendered_by(*SETTINGS, few, table)) == 5
    # Comments, blank lines, a header and the row of another scan change nothing.
    text = "scan\tpose\n\n" + "\n".join(reversed(rows)) + f"x\t{as_row(POSES[0])}\n"
    (project.folder / "poses.tsv").write_text(text)
    assert project.rendered_by(*SETTINGS, few, table) == set()
    # A scan that does not match is none; a split leaves scans around as they are.
    (project.folder / "last.txt").write_text("good/2\n")
    for choice, found in (("match=good/2*", "1 of 2"), ("split=last.txt", "2 of 2")):
        assert project.rendered_by(*SETTINGS, choice, table) == ({"lyft/good/2.png"})
        text = read_text(project.folder / "results/lyft/good/2.png")
        assert text["birdview:sweeps"] == found


def test_times_that_do_not_increase_fail_all_images(project, points):
    """Of this drive."""
    rows = [f"170000000{time} 0 0 0 0 0 0 1\n" for time in ("1.0", "1.1", "1.05")]
    for drive in ("a", "b"):
        for number, name in enumerate(("10", "11", "12")):
            write(
                project.folder / f"scans/{drive}/170000000{name}00000000.bin",
                points[number],
            )
        path = project.folder / f"poses/{drive}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("# t x y z qx qy qz qw\n" + "".join(rows))
        rows = [row.replace("1.05", "1.2") for row in rows]
    sweeps = "sweeps={before: 1, poses: 'poses/{drive}.txt', format: tum}"
    output = project.run(*SETTINGS[:-1], sweeps, expect=1)
    line = (
        "poses/a.txt: line 4: the time 1700000001.05 is not after that of line 3, "
        "expected times that increase"
    )
    assert len(find_lines(output, line)) == 1
    assert {name[:7] for name in project.images()} == {"lyft/b/"}
    assert len(project.images()) == 3


def test_bad_labels_of_points_fail_their_images(project, points):
    """Those of another scan, and a class that the table does not name; with sweeps.

    Labels that a scan around does not have are counted; its own must exist.
    """
    labels = [np.full(len(some), 40, dtype="<u4") for some in points]

    def write_labels(number, content):
        path = project.folder / f"labels/a/{number}.label"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.tobytes())
        return path

    for number in range(3):
        write(project.folder / f"scans/a/{number}.bin", points[number])
        write_labels(number, labels[number])
    write_poses(project.folder / "poses/a.txt", POSES)
    wrong = labels[1].copy()
    wrong[-1] = 12345
    write_labels(1, wrong)
    settings = (
        *SETTINGS,
        "encodings=[lyft, semantic]",
        "point_labels={path: 'labels/{drive}'}",
    )
    output = project.run(*settings, expect=1)
    line = "labels/a/1.label: label 12345 of 1 point, the first of which is number "
    (line,) = find_lines(output, f"{line}{len(wrong) - 1}")
    assert line.endswith("or add it to a class or to `ignore` in semantickitti.yaml")
    lyft = {f"lyft/a/{number}.png" for number in range(3)}
    assert set(project.images()) == lyft | {"semantic/a/0.png"}
    write_labels(1, labels[0])
    write_labels(2, labels[2]).unlink()
    batches = *settings, "scans_per_job=5"
    output = project.run(*batches, expect=1)
    (line,) = find_lines(output, "labels/a/1.label: ")
    assert f"{len(labels[0])} labels" in line
    assert f"expected {len(labels[1])}" in line
    (line,) = find_lines(output, "[Errno 2]")
    assert line.endswith("'labels/a/2.label'")
    assert set(project.images()) == lyft | {"semantic/a/0.png"}
    write_labels(0, labels[0]).unlink()
    write_labels(1, labels[1])
    assert project.rendered_by(*batches, expect=1) == {"semantic/a/1.png"}
    text = read_text(project.folder / "results/semantic/a/1.png")
    assert text["birdview:labelled"] == "1 of 2"
    assert set(project.images()) == lyft | {"semantic/a/1.png"}
    # They come, in batches, and go, one by one.
    write_labels(0, labels[0])
    write_labels(2, labels[2])
    semantic = {f"semantic/a/{number}.png" for number in range(3)}
    assert project.rendered_by(*batches) == semantic
    project.run(*settings)
    write_labels(0, labels[0]).unlink()
    both = {"lyft/a/1.png", "semantic/a/1.png"}
    both.add("lyft/a/0.png")  # its own labels are missing
    assert project.rendered_by(*settings, expect=1) == both
    assert "semantic/a/0.png" not in project.images()


def test_missing_partner_is_counted(project, points):
    """And an error if warnings are; what the first sensor lacks is named."""
    for side, numbers in (("left", (0, 1)), ("right", (1, 2))):
        for number in numbers:
            write(project.folder / f"{side}/{number}.bin", points[number])
    settings = (
        *("--config", "sensors=[{scans: left}, {scans: right}]"),
        "encodings=[lyft]",
    )
    output = project.run(*settings)
    assert set(project.images()) == {"lyft/0.png", "lyft/1.png"}
    left, right = (project.folder / side for side in ("left", "right"))
    assert find_lines(output, "sensors: 1 scan of ") == [
        f"sensors: 1 scan of {right} in no image, as {left} has none of that name: 2"
    ]
    found = [
        read_text(project.folder / f"results/lyft/{k}.png")["birdview:sensors"]
        for k in range(2)
    ]
    assert found == ["1 of 2", "2 of 2"]
    assert "sensors: 1 scan, such as 0: 1 of 2" in project.run(
        *settings, "strict=true", expect=1
    )
    for batched in (("scans_per_job=9",), ()):
        write(project.folder / "right/0.bin", points[0])
        assert project.rendered_by(*settings, *batched) == {"lyft/0.png"}
    batched = ("scans_per_job=9",)
    write(project.folder / "right/0.bin", points[2])
    assert project.rendered_by(*settings, *batched) == {"lyft/0.png"}
    (project.folder / "right/0.bin").unlink()
    assert project.rendered_by(*settings) == {"lyft/0.png"}
