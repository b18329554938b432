"""What makes an image anew, and what does not: by the times of the files."""

import os
import shutil

import pytest

SCANS = ("0", "1", "drive/2")
SETTINGS = ("--config", "scans=scans", "encodings=[notebook, mv3d]")
# Larger than Snakemake's own limit for comparing content, as real scans are.
POINTS = 115_000
ALL = {f"{encoding}/{scan}.png" for encoding in ("notebook", "mv3d") for scan in SCANS}


@pytest.fixture
def rendered(project, make_scan):
    """Render three scans of real size in two encodings."""
    for seed, name in enumerate(SCANS):
        make_scan(project.folder / "scans" / f"{name}.bin", POINTS, seed=seed)
    project.run(*SETTINGS)
    assert set(project.images()) == ALL
    return project


def test_a_second_run_does_nothing(rendered):
    """Nor does a third."""
    assert rendered.remade(*SETTINGS) == set()
    assert "Nothing to be done" in rendered.run(*SETTINGS)


def test_scans(rendered, make_scan):
    """New bytes make their images anew, the same bytes do not; a new scan is added."""
    scans = rendered.folder / "scans"
    os.utime(scans / "1.bin")
    assert rendered.remade(*SETTINGS) == set()
    make_scan(scans / "1.bin", POINTS, seed=7)
    assert rendered.remade(*SETTINGS) == {"notebook/1.png", "mv3d/1.png"}
    make_scan(scans / "drive" / "3.bin", POINTS, seed=3)
    assert rendered.remade(*SETTINGS) == {"notebook/drive/3.png", "mv3d/drive/3.png"}


def test_a_deleted_image_is_made_again(rendered):
    """That one alone."""
    (rendered.folder / "results/mv3d/drive/2.png").unlink()
    assert rendered.remade(*SETTINGS) == {"mv3d/drive/2.png"}


def test_encodings(rendered):
    """A number makes its own encoding anew, also when two swap; words do not."""
    mv3d = "workflow/encodings/mv3d.yaml"
    rendered.edit(mv3d, "# The bird's-eye view", "# A bird's-eye view")
    rendered.edit(mv3d, "The highest point of", "The top of")
    assert rendered.remade(*SETTINGS) == set()
    of_mv3d = {name for name in ALL if name.startswith("mv3d")}
    rendered.edit(mv3d, "log: 64", "log: 32")
    assert rendered.remade(*SETTINGS) == of_mv3d
    rendered.edit(mv3d, "min: -2.73, max: 1.27", "min: -1.27, max: 2.73")
    rendered.edit(mv3d, "[-2.73, 1.27]", "[-1.27, 2.73]")
    assert rendered.remade(*SETTINGS) == of_mv3d
    # The same numbers, in each other's places.
    rendered.edit(mv3d, "rows: -x ", "rows: -y ")
    rendered.edit(mv3d, "cols: -y ", "cols: -x ")
    assert rendered.remade(*SETTINGS) == of_mv3d


def test_code(rendered):
    """An edit to what decides pixels makes all anew, an edit elsewhere nothing."""
    package = "workflow/scripts/birdview"
    rendered.edit(f"{package}/demo.py", '"""Demo scans:', '"""Some demo scans:')
    rendered.edit(f"{package}/dataset.py", '"""Data sets:', '"""All data sets:')
    rendered.edit("config.yaml", "# The demo:", "# The demo is")
    assert rendered.remade(*SETTINGS) == set()
    rendered.edit(f"{package}/raster.py", '"""Rasters:', '"""The rasters:')
    assert rendered.remade(*SETTINGS) == ALL


def test_a_copy_of_the_finished_folder(rendered):
    """Neither another place nor the new times of a copy make anything anew."""
    for number, copy in enumerate((shutil.copy2, shutil.copyfile)):
        # The workflow goes to another place too.
        place = rendered.source.parent.parent / f"copy {number}"
        shutil.copytree(rendered.source.parent, place, copy_function=copy)
        rendered.source, rendered.folder = place / "source", place / "run"
        assert set(rendered.images()) == ALL
        assert rendered.remade(*SETTINGS) == set()
