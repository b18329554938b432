"""Scans without roll and pitch, by their poses, and boxes with them."""

import cv2
import numpy as np
import pytest
from helpers import Project
from sweeps import as_row, thin_scans

from birdview.jobs import render_image
from birdview.pixels.png import read_text
from birdview.run import resolve
from birdview.view.boxes import COLOURS

PITCHES = (0, 6, 12)
"""In degrees: nose down."""


def turn(degrees):
    """Return the rotation from a pitched sensor's axes to level ones."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


@pytest.fixture
def pitched(compiled, tmp_path):
    """Write one scan with three pitches, its poses and a labelled box.

    Poses have a heading and a place, too, which stay in the images.
    """
    project = Project(tmp_path)
    (points,) = thin_scans(1, every=4)
    for folder in ("scans", "boxes"):
        (project.folder / folder).mkdir()
    rows = []
    for number, pitch in enumerate(PITCHES):
        scan = points.astype(np.float64)
        scan[:, :3] = scan[:, :3] @ turn(pitch)
        scan.astype("<f4").tofile(project.folder / f"scans/{number}.bin")
        # What stands upright leans in the scan, but not its label: only bottoms agree.
        bottom = np.array([40, -10, -1.7]) @ turn(pitch)
        (project.folder / f"boxes/{number}.txt").write_text(
            f"{as_row(bottom)} 6 3 1.5 0.4 Car\n"
        )
        heading = np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]])
        pose = np.column_stack([heading @ turn(pitch), (1000, 50 * number, 7)])
        rows.append(f"{number}\t{as_row(pose)}\n")
    (project.folder / "poses.tsv").write_text("".join(rows))
    return project


def count_drawn(path):
    return int(read_text(path)["birdview:drawn"])


def find_box(picture):
    """Return the first and last rows and columns of a car's outline."""
    red, green, blue = COLOURS["Car"]
    pixels = cv2.imread(str(picture))
    found = np.argwhere((pixels == (blue, green, red)).all(axis=2))
    return np.array([found.min(axis=0), found.max(axis=0)])


def test_levelled_scans_show_as_many_points(pitched):
    """And boxes are at the same pixels; without poses, many points are cut."""
    settings = (
        *("boxes", "--config", "scans=scans", "encodings=[mv3d]"),
        "labels={format: boxes, path: boxes, origin: bottom}",
    )
    results = pitched.folder / "results/mv3d"
    images, pictures = (
        [folder / f"{number}.png" for number in range(3)]
        for folder in (results, results / "boxes")
    )
    pitched.run(*settings)
    tilted = [*map(count_drawn, images)]
    assert tilted[2] < 0.85 * tilted[0]
    tilted_box = find_box(pictures[2])
    pitched.run(*settings, "level={poses: poses.tsv, format: table}")
    assert count_drawn(images[0]) == tilted[0]
    boxes = [*map(find_box, pictures)]
    assert np.abs(tilted_box - boxes[0]).max() > 1
    for image, box in zip(images, boxes, strict=True):
        assert count_drawn(image) == pytest.approx(tilted[0], rel=0.02)
        assert np.abs(box - boxes[0]).max() <= 1
    # Poses are of this image alone: another's changes nothing.
    rows = (pitched.folder / "poses.tsv").read_text().splitlines(keepends=True)
    rows[1] = rows[2].replace("2\t", "1\t", 1)
    (pitched.folder / "poses.tsv").write_text("".join(rows))
    settings = (*settings[1:], "level={poses: poses.tsv, format: table}")
    assert pitched.rendered_by(*settings, "scans_per_job=9") == {"mv3d/1.png"}


def test_levelled_real_scans_show_as_many_points(kitti_scans, tmp_path):
    """Of cases/attitude: pitch 0, 6 and 12 degrees."""
    folder = kitti_scans[0].parents[1] / "cases/attitude"
    if not folder.is_dir():
        pytest.skip(f"no {folder}, scans with a pitch of 0, 6 and 12 degrees")
    level = {"poses": str(folder / "poses.tsv"), "format": "table"}
    drawn = []
    for settings in ({}, {"level": level}):
        run = resolve({"scans": str(folder), "encodings": ["mv3d"], **settings})
        for scan in run.scans:
            render_image(run, scan, "mv3d", [], tmp_path / "0.png")
            drawn.append(count_drawn(tmp_path / "0.png"))
    flat, _, cut, *levelled = drawn
    assert cut < 0.8 * flat
    assert levelled == pytest.approx([flat] * 3, rel=0.02)
