"""A bad scan stops nobody but itself."""

import os

import pytest

from birdview.scan import FARTHEST


def render_beside_nine(project, make_scan):
    """Render a folder with nine good scans; return what snakemake printed."""
    for number in range(9):
        make_scan(project.folder / "scans" / f"{number}.bin")
    output = project.run("--config", "scans=scans", expect=1)
    assert sorted(project.images()) == [f"notebook/{number}.png" for number in range(9)]
    assert sorted(os.listdir(project.folder / "results" / "notebook")) == [
        *(f"{number}.png" for number in range(9)),
        "grid.json",
    ]
    assert "Traceback" not in output
    return output.splitlines()


def test_one_bad_scan_among_ten(project, make_scan):
    """Nine images, one line that names the scan, no partial file; then it is mended."""
    bad = make_scan(project.folder / "scans" / "bad.bin", 0)
    bad.write_bytes(bytes(33))
    lines = render_beside_nine(project, make_scan)
    assert [line for line in lines if "bad.bin" in line] == [
        "scans/bad.bin: 33 bytes found, expected a multiple of 16 "
        "(layout kitti: x, y, z, reflectance)"
    ]
    make_scan(bad)
    assert project.remade("--config", "scans=scans") == {"notebook/bad.png"}


def test_numbers_that_cannot_be_coordinates(project, make_scan):
    """A file of another layout, whose size happens to fit."""
    make_scan(project.folder / "scans" / "bad.bin", [[2 * FARTHEST, 0, 0, 0]])
    lines = render_beside_nine(project, make_scan)
    assert [line for line in lines if "bad.bin" in line] == [
        "scans/bad.bin: 1 of 1 points have a coordinate beyond 100000 m, expected "
        "metres (layout kitti: x, y, z, reflectance); is it another layout?"
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable_scan(project, make_scan):
    """The system's own message."""
    make_scan(project.folder / "scans" / "bad.bin").chmod(0)
    lines = render_beside_nine(project, make_scan)
    assert "[Errno 13] Permission denied: 'scans/bad.bin'" in lines


def test_a_scan_that_turns_bad_loses_its_image(project, make_scan):
    """An image that no longer fits its scan is not kept."""
    scan = make_scan(project.folder / "scans" / "0.bin")
    make_scan(project.folder / "scans" / "1.bin")
    project.run("--config", "scans=scans")
    scan.write_bytes(bytes(17))
    project.run("--config", "scans=scans", expect=1)
    assert list(project.images()) == ["notebook/1.png"]


def test_empty_scan_is_no_error(project, make_scan):
    """A blank image."""
    make_scan(project.folder / "scans" / "0.bin", 0)
    project.run("--config", "scans=scans")
    assert list(project.images()) == ["notebook/0.png"]
