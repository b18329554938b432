"""What makes an image stale and what does not, by the modification times of images."""

import os
import shutil

import pytest
from helpers import Project

SCANS = ("0", "1", "drive/2")
SETTINGS = ("--config", "scans=scans", "encodings=[notebook, mv3d]")
# Larger than Snakemake's own limit for comparing content, as real scans are.
POINTS = 115_000
ALL = {f"{encoding}/{scan}.png" for encoding in ("notebook", "mv3d") for scan in SCANS}
PACKAGE = "workflow/scripts/birdview"


@pytest.fixture(scope="module")
def rendered_once(compiled, tmp_path_factory, make_scan):
    """Render three scans of real size in two encodings."""
    project = Project(tmp_path_factory.mktemp("stale"))
    for seed, name in enumerate(SCANS):
        make_scan(project.folder / "scans" / f"{name}.bin", POINTS, seed=seed)
    project.run(*SETTINGS)
    assert set(project.images()) == ALL
    return project


@pytest.fixture
def rendered(rendered_once, tmp_path):
    """Copy what is rendered; its folder has a space in its name."""
    return rendered_once.copy(tmp_path / "a project")


def test_second_run_does_nothing(rendered):
    """Nor does a third."""
    assert rendered.rendered_by(*SETTINGS) == set()
    assert "Nothing to be done" in rendered.run(*SETTINGS)


def test_changed_and_new_scans_are_rendered(rendered, make_scan):
    """A newer file with the same bytes is not a change."""
    scans = rendered.folder / "scans"
    os.utime(scans / "1.bin")
    assert rendered.rendered_by(*SETTINGS) == set()
    make_scan(scans / "1.bin", POINTS, seed=7)
    assert rendered.rendered_by(*SETTINGS) == {"notebook/1.png", "mv3d/1.png"}
    make_scan(scans / "drive" / "3.bin", POINTS, seed=3)
    new = {"notebook/drive/3.png", "mv3d/drive/3.png"}
    assert rendered.rendered_by(*SETTINGS) == new


def test_deleted_image_is_rendered_again(rendered):
    """And no other."""
    (rendered.folder / "results/mv3d/drive/2.png").unlink()
    assert rendered.rendered_by(*SETTINGS) == {"mv3d/drive/2.png"}


def test_numbers_of_an_encoding_make_its_images_stale(rendered):
    """Also when two numbers swap; comments and descriptions do not."""
    mv3d = "workflow/encodings/mv3d.yaml"
    rendered.edit(mv3d, "# The bird's-eye view", "# A bird's-eye view")
    rendered.edit(mv3d, "The highest point of", "The top of")
    assert rendered.rendered_by(*SETTINGS) == set()
    of_mv3d = {name for name in ALL if name.startswith("mv3d")}
    rendered.edit(mv3d, "log: 64", "log: 32")
    assert rendered.rendered_by(*SETTINGS) == of_mv3d
    rendered.edit(mv3d, "min: -2.73, max: 1.27", "min: -1.27, max: 2.73")
    rendered.edit(mv3d, "[-2.73, 1.27]", "[-1.27, 2.73]")
    assert rendered.rendered_by(*SETTINGS) == of_mv3d
    # Two keys swap their values.
    rendered.edit(mv3d, "rows: -x ", "rows: -y ")
    rendered.edit(mv3d, "cols: -y ", "cols: -x ")
    assert rendered.rendered_by(*SETTINGS) == of_mv3d


def test_code_outside_of_pixels_makes_nothing_stale(rendered):
    """An edit to what decides no pixel, even if rendering imports it."""
    rendered.edit("config.yaml", "# The demo:", "# The demo is")
    for name in ("demo", "scans", "run", "jobs", "files", "image", "view/picture"):
        rendered.edit(f"{PACKAGE}/{name}.py", '"""', '"""In other words: ')
    assert rendered.rendered_by(*SETTINGS) == set()


@pytest.mark.parametrize("name", ["raster", "scan", "deflate", "recipe"])
def test_code_in_pixels_makes_all_stale(rendered, name):
    """Any edit in that folder, even to a docstring."""
    rendered.edit(f"{PACKAGE}/pixels/{name}.py", '"""', '"""In other words: ')
    assert rendered.rendered_by(*SETTINGS) == ALL


RENAMED = {
    "record_highs": "records",
    "max_height": "top_height",
    "min_height": "lowest_height",
    "intensity_at_max": "top_intensity",
    "max_intensity": "greatest_intensity",
}
OWN = """
description: The statistics that had other names.
region:
  x: {min: 0, max: 40, closed: lower}
  y: {min: -20, max: 20, closed: lower}
grid: {cell: 0.5, rows: -x, cols: -y}
channels:
  - {name: highs, statistic: record_highs, log: 8}
  - {name: top, statistic: max_height, range: [-3, 1]}
  - {name: bottom, statistic: min_height, range: [-3, 1]}
  - {name: at_top, statistic: intensity_at_max, range: [0, 1]}
  - {name: brightest, statistic: max_intensity, range: [0, 1]}
"""


def test_new_names_of_statistics_make_nothing_stale(rendered):
    """The old names still work, and give the same files byte for byte."""
    own, old = rendered.folder / "own.yaml", OWN
    for name, former in RENAMED.items():
        assert f"statistic: {name}," in old
        old = old.replace(f"statistic: {name},", f"statistic: {former},")
    arguments = (*SETTINGS[:2], "encodings=[own.yaml]")
    images = {f"own/{scan}.png" for scan in SCANS}
    own.write_text(old)
    assert rendered.rendered_by(*arguments) == images
    contents = read_images(rendered, images)
    own.write_text(OWN)
    assert rendered.rendered_by(*arguments) == set()
    assert "Nothing to be done" in rendered.run(*arguments)
    assert rendered.rendered_by("--forceall", *arguments) == images
    assert read_images(rendered, images) == contents
    assert len(set(contents.values())) == len(SCANS)


def read_images(project, names):
    """Return the bytes of images by name."""
    return {name: (project.folder / "results" / name).read_bytes() for name in names}


def test_copies_of_the_finished_folder_are_not_stale(rendered):
    """Neither another path nor new modification times trigger a re-render."""
    for number, copy in enumerate((shutil.copy2, shutil.copyfile)):
        # The workflow moves as well.
        moved = rendered.source.parent.parent / f"copy {number}"
        shutil.copytree(rendered.source.parent, moved, copy_function=copy)
        rendered.source, rendered.folder = moved / "source", moved / "run"
        assert set(rendered.images()) == ALL
        assert rendered.rendered_by(*SETTINGS) == set()
