"""Class maps become the masks of a segmentation data set, which stays as they are."""

import json
import os
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from helpers import Project

import birdview
from birdview.demo import write_labelled_scan
from birdview.pixels.classes import load_classes

DEMO = ("--config", "demo={scans: 3}", "dataset={masks: semantic}")
OWN = ("--config", "scans=scans", "point_labels={path: points}", "encodings=[mv3d, "
       "semantic]", "dataset={masks: semantic}")  # fmt: skip
CALIB = """\
P2: 700 0 600 0 0 700 180 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0
"""
CLASSES = load_classes("semantickitti")


@pytest.fixture(scope="module")
def made(compiled, tmp_path_factory):
    """Make the data sets of two encodings of the demo."""
    project = Project(tmp_path_factory.mktemp("made") / "a project")
    encodings = "encodings=[mv3d, mv3d_slices, semantic]"
    output = project.run("dataset", "statistics", *DEMO, encodings)
    return project, output


@pytest.fixture
def drive(project):
    """Write labelled scans to a project."""
    for number, scan in enumerate(("a/0", "a/1", "b/0", "c")):
        write_scan(project, scan, number)
    return project


def write_scan(project, scan, number):
    file = project.folder / f"scans/{scan}.bin"
    labels = project.folder / f"points/{scan}.label"
    for path in (file, labels):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_labelled_scan(file, labels, number, 0)


def read_like_mmsegmentation(folder, split, suffix):
    """Yield images and masks as `BaseSegDataset` pairs them: by their paths."""
    images, masks = folder / "images" / split, folder / "masks" / split
    for image in sorted(images.rglob(f"*{suffix}")):
        name = str(image.relative_to(images)).replace(suffix, ".png")
        yield image, masks / name


def read_like_ultralytics(folder, split):
    """Yield images and masks as `SemanticDataset` pairs them: by `masks_dir`."""
    data = yaml.safe_load((folder / "masks.yaml").read_text())
    for image in sorted((folder / data[split]).rglob("*.*")):
        path = f"/{data['masks_dir']}/".join(str(image).rsplit("/images/", 1))
        yield image, Path(path).with_suffix(".png")


def read_index(folder):
    return json.loads((folder / "boxes.json").read_text())


@pytest.mark.parametrize(
    ("name", "suffix", "planes"), [("mv3d", ".png", 3), ("mv3d_slices", ".tiff", 7)]
)
def test_trainers_find_a_mask_for_each_image(made, name, suffix, planes):
    """Of its name and size, with a byte for each pixel: a class, or 255 for none."""
    project, _ = made
    folder = project.folder / "results/demo/dataset" / name
    metainfo = json.loads((folder / "classes.json").read_text())
    data = yaml.safe_load((folder / "masks.yaml").read_text())
    assert metainfo["classes"] == [*data["names"].values()] == [*CLASSES.names]
    assert len(metainfo["palette"]) == len(metainfo["classes"])
    assert data["channels"] == planes
    scans = read_index(folder)["splits"]
    for split in ("train", "val"):
        pairs = [*read_like_mmsegmentation(folder, split, suffix)]
        assert pairs == [*read_like_ultralytics(folder, split)]
        assert len(pairs) == len(scans[split])
        for image, mask in pairs:
            pixels = cv2.imread(str(mask), cv2.IMREAD_UNCHANGED)
            assert (pixels.dtype, pixels.ndim) == (np.uint8, 2)
            assert pixels.shape == cv2.imread(str(image)).shape[:2]
            assert set(np.unique(pixels)) <= {*range(len(metainfo["classes"])), 255}
            assert (pixels == CLASSES.names.index("car")).any()
            scan = mask.relative_to(folder / "masks" / split).with_suffix("")
            made_of = project.folder / f"results/semantic/{scan}.png"
            assert os.path.samefile(mask, made_of)
    assert sum(map(len, scans.values())) == 3


def test_a_set_of_masks_has_nothing_of_boxes(made):
    """No labels, no COCO, no table of their classes; and masks have no set."""
    project, output = made
    folder = project.folder / "results/demo/dataset"
    assert sorted(path.name for path in folder.iterdir()) == ["mv3d", "mv3d_slices"]
    assert sorted(path.name for path in (folder / "mv3d").iterdir()) == sorted(
        ["README.md", "boxes.json", "classes.json", "images", "masks", "masks.yaml"]
    )
    readme = (folder / "mv3d/README.md").read_text()
    assert "| 0 | car | 100, 150, 245 |\n" in readme
    assert "box" not in readme.replace("boxes.json", "")
    assert "masks: semantic, with 19 classes of semantickitti" in output.splitlines()
    index = read_index(folder / "mv3d")
    assert (index["classes"], index["masks"]["encoding"]) == ({}, "semantic")


def test_images_of_a_split_have_masks(made):
    """Beside planes and boxes, of which there are none."""
    project, _ = made
    for name in ("mv3d", "mv3d_slices"):
        images = birdview.Images(
            project.folder / "results/demo/dataset" / name, "train"
        )
        assert images.mask_classes == [*CLASSES.names]
        assert images.classes == []
        for number, scan in enumerate(images.scans):
            planes, boxes = images[number]
            mask = images.read_mask(number)
            assert (mask.shape, len(boxes.classes)) == (planes.shape[1:], 0)
            path = project.folder / f"results/semantic/{scan}.png"
            np.testing.assert_array_equal(mask, birdview.load(path).planes[0])


def test_statistics_count_the_pixels_of_each_class(made):
    """Of each split, as NumPy counts them in the masks."""
    project, _ = made
    folder = project.folder / "results/demo"
    found = json.loads((folder / "statistics/semantic.json").read_text())
    for split in ("train", "val"):
        pairs = read_like_mmsegmentation(folder / "dataset/mv3d", split, ".png")
        masks = [cv2.imread(str(mask), cv2.IMREAD_UNCHANGED) for _, mask in pairs]
        counts = np.bincount(np.ravel(masks), minlength=256)[: len(CLASSES.names)]
        assert found["splits"][split]["classes"] == {
            "class": dict(zip(CLASSES.names, counts.tolist(), strict=True))
        }
    other = json.loads((folder / "statistics/mv3d.json").read_text())
    assert "classes" not in other["all"]


def test_the_data_set_follows_labels_classes_and_settings(drive):
    """A changed file of labels changes one mask; names and colours no image."""
    table = drive.folder / "own.yaml"
    table.write_text((drive.source / "workflow/classes/semantickitti.yaml").read_text())
    arguments = (*OWN, "point_labels={path: points, map: own.yaml}")
    drive.run("dataset", *arguments)
    before, folder = drive.files(), drive.folder / "results/dataset/mv3d"
    assert "Nothing to be done" in drive.run("dataset", *arguments)
    split_of = {
        scan: name
        for name, scans in read_index(folder)["splits"].items()
        for scan in scans
    }
    cache = folder / "masks/train.cache"
    cache.write_text("of a trainer")
    # Other names and colours: nothing is rendered.
    text = table.read_text()
    table.write_text(text.replace("name: car, colour: [100", "name: Auto, colour: [99"))
    rendered = drive.rendered_by("dataset", *arguments)
    assert not rendered
    assert json.loads((folder / "classes.json").read_text())["classes"][0] == "Auto"
    assert "Auto" in (folder / "masks.yaml").read_text()
    assert "| 0 | Auto | 99, 150, 245 |" in (folder / "README.md").read_text()
    # Other labels: one mask, which is linked again.
    labels = drive.folder / "points/a/1.label"
    numbers = np.fromfile(labels, "<u4")
    numbers[:] = 50
    numbers.tofile(labels)
    mask = f"masks/{split_of['a/1']}/a/1.png"
    assert drive.rendered_by("dataset", *arguments) == {
        "semantic/a/1.png",
        f"dataset/mv3d/{mask}",
    }
    building = CLASSES.names.index("building")
    pixels = cv2.imread(str(folder / mask), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(pixels)) == {building, 255}
    # A scan that is gone, and no masks any more.
    (drive.folder / "scans/b/0.bin").unlink()
    drive.run("dataset", *arguments)
    assert not (folder / f"masks/{split_of['b/0']}/b/0.png").exists()
    assert cache.exists()
    # Everything comes back, to the same bytes, by other jobs.
    write_scan(drive, "a/1", 1)
    write_scan(drive, "b/0", 2)
    table.write_text(text)
    cache.unlink()
    drive.run("dataset", *arguments, "scans_per_job=2")
    after = drive.files()
    ours = {name for name in before if name.startswith("dataset/")}
    assert {name: after.get(name) for name in ours} == {
        name: before[name] for name in ours
    }
    assert ours == {name for name in after if name.startswith("dataset/")}


def write_boxes(project, scans):
    """Write KITTI's labels: a box of each scan that is larger than most."""
    label = "Car 0 0 0 0 0 50 50 3 40 40 0 2 20 0\n"
    for scan in scans:
        for kind, text in (("label_2", label), ("calib", CALIB)):
            path = project.folder / f"kitti/{kind}/{scan}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def test_boxes_and_masks_are_in_one_set(drive):
    """Of the scans that have both; without masks or boxes, the rest is removed."""
    write_boxes(drive, ["a/0", "a/1", "c"])
    folder = drive.folder / "results/dataset/mv3d"
    output = drive.run("dataset", *OWN, "labels=kitti")
    assert "left out: 1 scan without labels" in output.splitlines()
    for split, scans in read_index(folder)["splits"].items():
        assert "b/0" not in scans
        for scan, boxes in scans.items():
            assert len(boxes) == 1
            assert (folder / f"masks/{split}/{scan}.png").exists()
            assert (folder / f"labels/{split}/{scan}.txt").read_text()
        assert (folder / f"coco_{split}.json").exists()
    names = {path.name for path in folder.iterdir()}
    assert names >= {"data.yaml", "masks.yaml", "classes.json", "labels", "masks"}
    drive.run("dataset", *OWN, "labels=kitti", "dataset=null", "encodings=[mv3d]")
    names = {path.name for path in folder.iterdir()}
    assert names.isdisjoint({"masks.yaml", "classes.json", "masks"})
    assert names >= {"data.yaml", "labels"}
    drive.run("dataset", *OWN)
    names = {path.name for path in folder.iterdir()}
    assert names.isdisjoint({"data.yaml", "labels", "coco_train.json"})
    members = read_index(folder)["splits"].values()
    assert "b/0" in {scan for scans in members for scan in scans}


def test_sweeps_make_denser_masks(drive):
    """Of all sweeps; the same bytes, whether a job renders an image or more."""
    sets, sweeps = [], "sweeps={before: 2}"
    for more in ((), (sweeps,), (sweeps, "scans_per_job=2")):
        arguments = (*DEMO, "encodings=[mv3d, semantic]", *more)
        drive.run("dataset", *arguments)
        sets.append(
            {
                name: content
                for name, content in drive.files().items()
                if name.startswith("demo/dataset/mv3d/masks/")
            }
        )
    assert "Nothing to be done" in drive.run("dataset", *arguments)
    counts = [
        [
            np.count_nonzero(cv2.imdecode(np.frombuffer(one, np.uint8), 0) != 255)
            for _, one in sorted(files.items())
        ]
        for files in sets
    ]
    assert counts[0][2] * 1.5 < counts[1][2]
    assert sets[1] == sets[2]


def test_manifest_and_bundle_have_the_set(drive):
    """Also without boxes; masks are images, of which the manifest has rows."""
    arguments = (*OWN, "bundle=images")
    drive.run("manifest", "bundle", *arguments)
    manifest = drive.folder / "results/manifest.tsv"
    lines = manifest.read_text().splitlines()
    (digest,) = [line for line in lines if line.startswith("# dataset")]
    assert digest.startswith("# dataset mv3d\t")
    (archive,) = (drive.folder / "results").glob("birdview-*.zip")
    with zipfile.ZipFile(archive) as bundle:
        names = {
            name.removeprefix("reference/dataset/mv3d/")
            for name in bundle.namelist()
            if name.startswith("reference/dataset/")
        }
        assert "masks: semantic\n" in bundle.read("config.yaml").decode()
        assert "reference/semantic/a/0.png" in bundle.namelist()
    assert names == {"README.md", "boxes.json", "classes.json", "masks.yaml"}
    theirs = drive.folder / "theirs.tsv"
    theirs.write_text(manifest.read_text())
    compare = (*OWN, "compare_with=theirs.tsv")
    assert "all pixels are as they should be" in drive.run("verify", *compare)
    classes = drive.folder / "results/dataset/mv3d/classes.json"
    classes.write_text(classes.read_text().replace("car", "Auto"))
    assert "dataset: mv3d: " in drive.run("verify", *compare, expect=1)


def test_a_scan_without_labels_of_points_fails_alone(drive):
    """In one line; there is no data set that lacks it."""
    (drive.folder / "points/b/0.label").unlink()
    output = drive.run("dataset", *OWN, "--keep-going", expect=1)
    assert len([line for line in output.splitlines() if "points/b/0" in line]) >= 1
    assert "Traceback" not in output
    assert {name for name in drive.images() if name.startswith("mv3d/")} == {
        f"mv3d/{scan}.png" for scan in ("a/0", "a/1", "b/0", "c")
    }
    assert not (drive.folder / "results/dataset/mv3d/boxes.json").exists()


def test_settings_that_are_no_masks_are_one_line(project):
    """Whatever is rendered."""
    output = project.run(
        "dataset", "--config", "encodings=[mv3d]", "dataset={masks: semantic}", expect=1
    )
    assert (
        "dataset: masks: semantic: no encoding of this run, expected one of mv3d"
    ) in output.splitlines()
    assert "Traceback" not in output
