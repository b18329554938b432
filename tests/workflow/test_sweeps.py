"""Several sweeps in one image, through the real workflow: what is rendered again."""

import os
import shutil

import pytest
from helpers import Project
from sweeps import SENSOR_TO_CAMERA, make_camera_pose, thin_scans, write_poses

from birdview.pixels.png import read_text

SETTINGS = ("--config", "scans=scans", "encodings=[lyft]")
POSES = "poses: 'poses/{drive}.txt', calib: 'calib/{drive}.txt'"
SWEEPS = (*SETTINGS, f"sweeps={{before: 1, {POSES}}}")
BATCHES = (*SWEEPS, "scans_per_job=6")
WAYS = {"images": SWEEPS, "batches": BATCHES}


@pytest.fixture(scope="module")
def points():
    return thin_scans(6)


def other(points):
    """Return other points, which are another image."""
    return points[::2]


def write_scan(folder, drive, number, points):
    path = folder / f"scans/{drive}/{number:06}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    points.astype("<f4").tofile(path)
    return path


def change_scan(folder, drive, points):
    write_scan(folder, drive, 1, other(points[1]))


def touch_scan(folder, drive, points):
    os.utime(folder / f"scans/{drive}/000001.bin")


def replace_scan_by_older(folder, drive, points):
    os.utime(write_scan(folder, drive, 1, other(points[1])), (1, 1))


def add_scan(folder, drive, points):
    write_scan(folder, drive, 4, points[4])


def remove_scan(folder, drive, points):
    (folder / f"scans/{drive}/000001.bin").unlink()


def edit_rows(folder, drive, edit):
    """Let a function edit the rows of a drive's poses."""
    path = folder / f"poses/{drive}.txt"
    path.write_text("".join(edit(path.read_text().splitlines(keepends=True))))


def change_pose(folder, drive, points):
    edit_rows(folder, drive, lambda rows: [rows[0], rows[0], *rows[2:]])


def lengthen_poses(folder, drive, points):
    edit_rows(folder, drive, lambda rows: [*rows, rows[-1]])


def touch_poses(folder, drive, points):
    os.utime(folder / f"poses/{drive}.txt")


def rewrite_poses(folder, drive, points):
    """Other blanks, blank lines, and digits that make no difference."""
    edit_rows(folder, drive, lambda rows: [f"\n {row}".replace(" ", "  ").replace(
        "1.0 ", "1.00 ") for row in rows])  # fmt: skip


def change_mount(folder, drive, points):
    path = folder / f"calib/{drive}.txt"
    path.write_text(path.read_text().replace("-0.27", "-0.28"))


def comment_mount(folder, drive, points):
    path = folder / f"calib/{drive}.txt"
    path.write_text(f"calib_time: 09-Jan-2012\n{path.read_text()}P9: 0\n")


EVENTS = {
    # What happens in a drive of four scans, and the numbers of those whose images are
    # rendered again: in batches, and one by one.
    "nothing": (lambda *_: None, (), ()),
    "changed_scan": (change_scan, (1, 2), (1, 2)),
    "touched_scan": (touch_scan, (), ()),
    "older_scan": (replace_scan_by_older, (1, 2), ()),
    "added_scan": (add_scan, (4,), (4,)),
    "removed_scan": (remove_scan, (2,), (2,)),
    "changed_pose": (change_pose, (1, 2), (1, 2)),
    "longer_poses": (lengthen_poses, (), ()),
    "touched_poses": (touch_poses, (), ()),
    "rewritten_poses": (rewrite_poses, (), ()),
    "changed_mount": (change_mount, (0, 1, 2, 3), (0, 1, 2, 3)),
    "commented_mount": (comment_mount, (), ()),
}
ALL = {f"lyft/{drive}/{number:06}.png" for drive in EVENTS for number in range(4)}


def expect(column):
    """Return the images that are rendered again, by the column of `EVENTS`."""
    return {
        f"lyft/{drive}/{number:06}.png"
        for drive, (_, *ways) in EVENTS.items()
        for number in ways[column]
    }


@pytest.fixture(scope="module")
def rendered_once(compiled, points, tmp_path_factory):
    """Render drives of four scans, in both ways."""
    both = {}
    for way, settings in WAYS.items():
        project = both[way] = Project(tmp_path_factory.mktemp("sweeps"))
        for drive in EVENTS:
            for number in range(4):
                write_scan(project.folder, drive, number, points[number])
            write_poses(
                project.folder / f"poses/{drive}.txt", map(make_camera_pose, range(5))
            )
            calib = project.folder / f"calib/{drive}.txt"
            calib.parent.mkdir(exist_ok=True)
            calib.write_text(f"Tr: {SENSOR_TO_CAMERA}\n")
        project.run(*settings)
        assert project.images().keys() == ALL
    return both


@pytest.fixture(params=WAYS)
def rendered(request, rendered_once, tmp_path):
    """Copy what was rendered in one of the ways."""
    copy = rendered_once[request.param].copy(tmp_path / "a project")
    copy.way = request.param
    return copy


def sweeps_of(project, scan):
    """Return how many sweeps the text of an image says that it has."""
    return read_text(project.folder / f"results/lyft/{scan}.png")["birdview:sweeps"]


def let_happen(folder, points):
    for drive, (event, *_) in EVENTS.items():
        event(folder, drive, points)


def test_both_ways_give_the_same_files(rendered_once):
    """Of the first scan of a drive with one sweep, which the text says."""
    both = [project.files() for project in rendered_once.values()]
    assert {name: both[0][name] for name in ALL} == {
        name: both[1][name] for name in ALL
    }
    project = rendered_once["images"]
    assert sweeps_of(project, "nothing/000000") == "1 of 2"
    assert sweeps_of(project, "nothing/000003") == "2 of 2"


def test_what_is_rendered_again_in_batches(rendered, points):
    """Whichever way made the images."""
    rendered.run(*BATCHES)
    let_happen(rendered.folder, points)
    assert rendered.rendered_by(*BATCHES) == expect(0)
    assert sweeps_of(rendered, "removed_scan/000002") == "1 of 2"
    assert sweeps_of(rendered, "added_scan/000004") == "2 of 2"
    assert rendered.rendered_by(*BATCHES) == set()


def test_what_is_rendered_again_one_by_one(rendered, points):
    """Whichever way made the images.

    Snakemake has no checksums of scans that were rendered in batches. What is not
    noticed, because its time is old, is rendered in batches.
    """
    assert rendered.rendered_by(*SWEEPS) == set()
    touched = {"lyft/touched_scan/000001.png", "lyft/touched_scan/000002.png"}
    more = touched if rendered.way == "batches" else set()
    let_happen(rendered.folder, points)
    assert rendered.rendered_by(*SWEEPS) == expect(1) | more
    assert rendered.rendered_by(*BATCHES) == expect(0) - expect(1)


@pytest.mark.parametrize(
    ("way", "first", "second"),
    [
        ("images", "before: 2", "before: 1, vehicle: 2"),
        ("batches", "after: 1", "before: 1, step: 2"),
    ],
)
def test_setting_makes_all_images_stale(few, way, first, second):
    """Other numbers of sweeps, another square, another step; off, and on again."""
    batched = WAYS[way][len(SWEEPS) :]
    before = {name: few.files()[name] for name in few.images()}
    for keys in (first, second):
        more = f"sweeps={{{keys}, {POSES}}}"
        assert few.rendered_by(*SETTINGS, more, *batched) == before.keys(), keys
    assert sweeps_of(few, "nothing/000002") == "2 of 2"
    assert few.rendered_by(*SETTINGS, *batched) == before.keys()
    text = read_text(few.folder / "results/lyft/nothing/000002.png")
    assert not {"birdview:sweeps", "birdview:sweeps_sha256"} & text.keys()
    assert few.rendered_by(*SWEEPS, *batched) == before.keys()
    assert {name: few.files()[name] for name in before} == before


@pytest.fixture
def few(rendered_once, tmp_path, way):
    """Copy two drives of what was rendered, to be faster."""
    project = rendered_once[way].copy(tmp_path / "a project")
    for drive in [*EVENTS][2:]:
        shutil.rmtree(project.folder / f"scans/{drive}")
        shutil.rmtree(project.folder / f"results/lyft/{drive}")
    return project
