"""Only points that the camera sees, through the real workflow."""

import json
import os
import shutil
import zipfile

import cv2
import numpy as np
import pytest
import yaml
from helpers import Project

from birdview.demo import write_scan
from birdview.pixels.png import read_text
from birdview.reproduce.manifest import read_manifest

SCANS = ("0", "1", "drive/2")
SETTINGS = ("--config", "scans=scans", "encodings=[mv3d]")
VIEW = (*SETTINGS, "camera_view={path: kitti, image: [1242, 375]}")
BATCHES = (*VIEW, "scans_per_job=2")
ALL = {f"mv3d/{scan}.png" for scan in SCANS}
# KITTI's 000008, rounded.
CALIB = """\
P2: 721.5 0 609.6 44.9 0 721.5 172.9 0.2 0 0 1 0.003
R0_rect: 1 0.01 -0.007 -0.01 1 -0.004 0.007 0.004 1
Tr_velo_to_cam: 0.008 -1 -0.01 -0.004 0.015 0.001 -1 -0.08 1 0.008 0.015 -0.27
"""


@pytest.fixture(scope="module")
def rendered_once(compiled, tmp_path_factory):
    """Render three scans with calibrations."""
    project = Project(tmp_path_factory.mktemp("camera_view"))
    for number, scan in enumerate(SCANS):
        for path in ("scans/{}.bin", "kitti/calib/{}.txt"):
            (project.folder / path.format(scan)).parent.mkdir(
                parents=True, exist_ok=True
            )
        write_scan(project.folder / f"scans/{scan}.bin", number, seed=0)
        (project.folder / f"kitti/calib/{scan}.txt").write_text(CALIB)
    project.run(*VIEW)
    assert set(project.images()) == ALL
    return project


@pytest.fixture
def rendered(rendered_once, tmp_path):
    """Copy what is rendered; its folder has a space in its name."""
    return rendered_once.copy(tmp_path / "a project")


def edit(path, old, new):
    """Replace text in a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_counts_say_what_is_hidden(rendered):
    """In the manifest, the summary of counts and the images; there is no warning."""
    output = rendered.run("counts", "bundle", *VIEW)
    assert "warning" not in output
    results = rendered.folder / "results"
    run, rows = read_manifest(results / "manifest.tsv")
    assert run["camera_view"] == "1242 x 375"
    for row in rows:
        *_, cells = counts = row.counts
        assert sum(counts[1:8]) + row.counts.drawn == row.counts.read
        assert 0.7 < row.counts.hidden / row.counts.read < 0.95
        assert row.counts.drawn > cells > 1000
        text = read_text(results / f"mv3d/{row.scan}.png")
        assert text["birdview:hidden"] == str(row.counts.hidden)
    assert "points that the camera does not see" in (results / "counts.svg").read_text()
    assert "\thidden\t3\t" in (results / "counts.tsv").read_text()
    with zipfile.ZipFile(*results.glob("birdview-*.zip")) as bundle:
        settings = yaml.safe_load(bundle.read("config.yaml"))
        readme = bundle.read("README.md").decode()
    view = {"image": [1242, 375], "path": "cameras"}
    assert (settings["camera_view"], settings["labels"]) == (view, None)
    assert "beside this file, and call it `cameras`" in readme


@pytest.mark.parametrize("settings", [VIEW, BATCHES], ids=["images", "batches"])
def test_numbers_of_a_calibration_make_its_image_stale(rendered, settings):
    """Not its time and what else is in it; a scan without one fails alone."""
    calib, other = (rendered.folder / f"kitti/calib/{k}.txt" for k in (0, 1))
    os.utime(calib)
    edit(other, "P2:", "# of the left camera\nP3: 0\nP2:")
    assert rendered.rendered_by(*settings) == set()
    edit(calib, "721.5 0 609.6", "721.5 0 609.7")
    assert rendered.rendered_by(*settings) == {"mv3d/0.png"}
    other.unlink()
    output = rendered.run(*settings, expect=1)
    message = "kitti/calib/1.txt: no such file, expected the calibration of the scan's"
    assert output.count(message) == 1
    assert set(rendered.images()) == ALL - {"mv3d/1.png"}


@pytest.mark.parametrize(
    "settings", [(), ("scans_per_job=2",)], ids=["images", "batches"]
)
def test_setting_makes_all_images_stale(rendered, settings):
    """Off, on, and with the sizes of images; the same sizes make nothing stale."""
    before = rendered.files()["mv3d/0.png"]
    assert rendered.rendered_by(*SETTINGS, *settings) == ALL
    text = read_text(rendered.folder / "results/mv3d/0.png")
    assert not {"birdview:hidden", "birdview:camera_sha256"} & set(text)
    assert rendered.rendered_by(*VIEW, *settings) == ALL
    assert rendered.files()["mv3d/0.png"] == before
    lower = *SETTINGS, "camera_view={path: kitti, image: [1242, 374]}"
    assert rendered.rendered_by(*lower, *settings) == ALL
    for scan in SCANS:
        image = rendered.folder / f"kitti/image_2/{scan}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        rows = 375 if scan == "0" else 374
        cv2.imwrite(str(image), np.zeros((rows, 1242), np.uint8))
    headers = *SETTINGS, "camera_view={path: kitti}"
    assert rendered.rendered_by(*headers, *settings) == {"mv3d/0.png"}


def test_batches_give_the_same_files(rendered):
    """In processes of their own; verify renders them again, and compares."""
    before = {name: rendered.files()[name] for name in ALL}
    shutil.rmtree(rendered.folder / "results")
    rendered.run(*BATCHES, "--force", "all")
    assert {name: rendered.files()[name] for name in ALL} == before
    assert "3 images verified" in rendered.run("verify", *VIEW)
    output = rendered.run("verify", *SETTINGS, expect=1)
    assert "image: mv3d/0: it was rendered with" in output


def test_recipe_of_a_camera_is_beside_that_of_an_encoding(rendered):
    """To look at: the numbers that are used, or why there are none."""
    folder = rendered.folder / "results/.birdview"
    recipe = json.loads((folder / "recipes/mv3d.json").read_text())
    assert recipe["conditions"] == "those of each scan, in ../conditions"
    conditions = json.loads((folder / "conditions/drive/2.json").read_text())
    camera = conditions["camera"]
    assert (camera["width"], camera["height"]) == (1242, 375)
    assert conditions["scans"] == {"drive/2": 0}
