"""Scans and labels become a data set to train on, which stays as they are."""

import json
import os
import pickle
import shutil
import zipfile

import cv2
import numpy as np
import pytest
import yaml
from helpers import Project

import birdview
from birdview import dataset
from birdview.demo import write_scan
from birdview.jobs import digest_dataset
from birdview.pixels.encoding import load_encoding
from birdview.pixels.scan import read_scan
from birdview.run import resolve

SETTINGS = ("--config", "scans=scans", "labels=kitti", "encodings=[notebook]")
CALIB = """\
P2: 700 0 600 0 0 700 180 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0
"""
SCANS = ["a/0", "a/1", "b/0", "b/1", "c"]


def format_label(x, y, kind="Car", size=(4, 2, 1.6), z=-1.73, yaw=0.3):
    """Return a line of a label: the camera looks ahead from the sensor."""
    length, width, height = size
    numbers = height, width, length, -y, -z, x, -yaw - np.pi / 2
    return f"{kind} 0 0 0 0 0 50 50 {' '.join(f'{number:.4f}' for number in numbers)}\n"


@pytest.fixture(scope="module")
def labelled(compiled, tmp_path_factory):
    """Write scans and labels: in each scan a box around points of it."""
    folder = tmp_path_factory.mktemp("labelled")
    for number, scan in enumerate(SCANS):
        file = folder / f"scans/{scan}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_scan(file, number, 0)
        x, y, z, _ = read_scan(file).T
        i = np.flatnonzero((x > 10) & (x < 30) & (z > -1.5) & (z < 0))[number]
        label = folder / f"kitti/label_2/{scan}.txt"
        calib = folder / f"kitti/calib/{scan}.txt"
        for path in (label, calib):
            path.parent.mkdir(parents=True, exist_ok=True)
        calib.write_text(CALIB)
        label.write_text(
            format_label(x[i], y[i])
            + format_label(x[i], y[i], "Van")
            + format_label(x[i], y[i], "DontCare")
            + format_label(200, 0)
            + format_label(20, 0, "Cyclist", z=20)
        )
    (folder / "kitti/label_2/c.txt").write_text("")
    return folder


@pytest.fixture
def drive(project, labelled):
    """Copy scans and labels to a project."""
    for name in ("scans", "kitti"):
        shutil.copytree(labelled / name, project.folder / name)
    return project


@pytest.fixture(scope="module")
def made(labelled, tmp_path_factory):
    """Make the data sets of two encodings."""
    project = Project(tmp_path_factory.mktemp("made") / "a project")
    for name in ("scans", "kitti"):
        shutil.copytree(labelled / name, project.folder / name)
    encodings = "encodings=[notebook, pixor]"
    output = project.run("dataset", *SETTINGS[:-1], encodings, "scans_per_job=2")
    return project, output


def read_splits(folder):
    """Return the split of each scan."""
    index = json.loads((folder / "boxes.json").read_text())
    return {scan: name for name, scans in index["splits"].items() for scan in scans}


def test_each_image_has_a_label_file_that_fits(made):
    """The same pixels as in results/, and boxes where the points are."""
    project, _ = made
    results = project.folder / "results"
    folder = results / "dataset/notebook"
    data = yaml.safe_load((folder / "data.yaml").read_text())
    assert data["names"] == {0: "Car", 1: "Pedestrian", 2: "Cyclist"}
    assert data["channels"] == 3
    grid = load_encoding("notebook").grid
    splits = read_splits(folder)
    assert sorted(splits) == SCANS
    for scan, split in splits.items():
        image = folder / data[split] / f"{scan}.png"
        assert os.path.samefile(image, results / f"notebook/{scan}.png")
        text = (folder / f"labels/{split}/{scan}.txt").read_text()
        if scan == "c":
            assert text == ""
            continue
        number, *shares = map(float, text.split())
        assert number == 0
        rows, cols = grid.shape
        corners = np.reshape(shares, (4, 2)) * (cols, rows)
        mask = np.zeros(grid.shape, np.uint8)
        cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 1)
        occupied = cv2.imread(str(image)).any(axis=2)
        assert (occupied & (mask == 1)).any()


def test_pages_of_a_tiff_are_the_planes(made):
    """An encoding of 36 planes has no PNG that a trainer reads."""
    project, _ = made
    results = project.folder / "results"
    for scan, split in read_splits(results / "dataset/pixor").items():
        image = results / f"dataset/pixor/images/{split}/{scan}.tiff"
        _, pages = cv2.imreadmulti(str(image), flags=cv2.IMREAD_UNCHANGED)
        planes, names = birdview.load(results / f"pixor/{scan}.png")
        np.testing.assert_array_equal(pages, planes)
        assert len(names) == 36


def test_images_of_a_split_are_a_sequence(made):
    """Planes and boxes, for every format; also in another process."""
    project, _ = made
    folder = project.folder / "results/dataset"
    for name, suffix in (("notebook", "png"), ("pixor", "tiff")):
        count = 0
        for split in ("train", "val"):
            images = birdview.Images(folder / name, split)
            images = pickle.loads(pickle.dumps(images))  # as for a worker process
            for number, scan in enumerate(images.scans):
                planes, boxes = images[number]
                plain = birdview.load(project.folder / f"results/{name}/{scan}.png")
                np.testing.assert_array_equal(planes, plain.planes)
                assert boxes.pixels.shape == (len(boxes.classes), 4, 2)
                assert images.classes == ["Car", "Pedestrian", "Cyclist"]
                assert [*boxes.classes] == ([] if scan == "c" else [0])
                rows, cols = load_encoding(name).grid.to_pixel(*boxes.corners.T)
                np.testing.assert_array_equal(np.floor(boxes.pixels.T), [rows, cols])
                count += 1
            with pytest.raises(IndexError):
                images[len(images)]
        assert count == len(SCANS)
        assert (folder / f"{name}/images").rglob(f"*.{suffix}")


def test_what_is_left_out_is_counted(made):
    """At the terminal and in the README: by kind and reason."""
    project, output = made
    lines = [
        "4 boxes of no class of the data set: Van 4",
        "4 boxes with their centre outside the map: Car 4",
        "4 boxes with too few drawn points: Cyclist 4",
    ]
    readme = (project.folder / "results/dataset/notebook/README.md").read_text()
    for line in lines:
        assert output.splitlines().count(f"left out: {line}") == 2
        assert f"- {line}\n" in readme


def test_coco_has_the_same_boxes(made):
    """As polygons, with what turned boxes do not say."""
    project, _ = made
    folder = project.folder / "results/dataset/notebook"
    index = json.loads((folder / "boxes.json").read_text())
    for split, scans in index["splits"].items():
        coco = json.loads((folder / f"coco_{split}.json").read_text())
        assert [image["file_name"] for image in coco["images"]] == [
            f"images/{split}/{scan}.png" for scan in scans
        ]
        boxes = [box for boxes in scans.values() for box in boxes]
        for box, found in zip(boxes, coco["annotations"], strict=True):
            (polygon,) = found["segmentation"]
            corners = np.reshape(polygon, (4, 2))
            np.testing.assert_allclose(corners[:, ::-1], box["pixels"], atol=1e-3)
            assert found["area"] == pytest.approx(
                cv2.contourArea(np.float32(corners)), rel=1e-3
            )
            assert found["heading"] == pytest.approx(0.3, abs=1e-4)
            assert (found["z"], found["height"]) == (-1.73, 1.6)
            assert (found["line"], found["category_id"]) == (1, 1)


def test_the_data_set_follows_what_changes(drive):
    """Labels, images, scans that go: nothing else is written, nothing old stays."""
    folder = drive.folder / "results/dataset/notebook"
    drive.run("dataset", *SETTINGS)
    before = drive.files()
    assert "Nothing to be done" in drive.run("dataset", *SETTINGS)
    cache = folder / "labels/train.cache"
    cache.write_text("of a trainer")
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.txt")}
    splits = read_splits(folder)
    label = drive.folder / "kitti/label_2/a/1.txt"
    label.write_text(label.read_text().replace("Car", "Pedestrian", 1))
    drive.run("dataset", *SETTINGS)
    changed = {path for path, time in times.items() if path.stat().st_mtime_ns != time}
    (path,) = changed
    assert path == folder / f"labels/{splits['a/1']}/a/1.txt"
    assert path.read_text().startswith("1 ")
    # An image that is rendered again is linked again.
    write_scan(drive.folder / "scans/a/0.bin", 7, 0)
    (drive.folder / "scans/b/0.bin").unlink()
    drive.run("dataset", *SETTINGS)
    image = f"images/{splits['a/0']}/a/0.png"
    assert os.path.samefile(folder / image, drive.folder / "results/notebook/a/0.png")
    gone = {f"images/{splits['b/0']}/b/0.png", f"labels/{splits['b/0']}/b/0.txt"}
    assert not any((folder / name).exists() for name in gone)
    assert read_splits(folder).keys() == {*SCANS} - {"b/0"}
    assert cache.exists()
    # Everything comes back, to the same bytes.
    label.write_text(label.read_text().replace("Pedestrian", "Car", 1))
    write_scan(drive.folder / "scans/a/0.bin", 0, 0)
    write_scan(drive.folder / "scans/b/0.bin", 2, 0)
    cache.unlink()
    drive.run("dataset", *SETTINGS, "scans_per_job=2")
    after = drive.files()
    ours = {name for name in before if name.startswith("dataset/")}
    assert {name: after.get(name) for name in ours} == {
        name: before[name] for name in ours
    }
    assert ours == {name for name in after if name.startswith("dataset/")}


def test_a_manifest_tells_of_another_data_set(drive):
    """Of other labels, or of label files that somebody changed."""
    arguments = (*SETTINGS, "bundle=images")
    drive.run("manifest", "bundle", *arguments)
    manifest = drive.folder / "results/manifest.tsv"
    digests = [
        line for line in manifest.read_text().splitlines() if "# dataset" in line
    ]
    assert len(digests) == 1
    theirs = drive.folder / "theirs.tsv"
    shutil.copy(manifest, theirs)
    compare = (*SETTINGS, "compare_with=theirs.tsv")
    assert "all pixels are as they should be" in drive.run("verify", *compare)
    folder = drive.folder / "results/dataset/notebook"
    (archive,) = (drive.folder / "results").glob("birdview-*.zip")
    with zipfile.ZipFile(archive) as bundle:
        packed = {
            name.removeprefix("reference/dataset/notebook/"): bundle.read(name)
            for name in bundle.namelist()
            if name.startswith("reference/dataset/")
        }
        assert "labels: labels\n" in bundle.read("config.yaml").decode()
    ours = ("README.md", "*.json", "data.yaml", "labels/**/*.txt")
    assert packed == {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for pattern in ours
        for path in folder.glob(pattern)
    }
    (folder / "labels/train.cache").write_text("of a trainer")
    assert "all pixels are as they should be" in drive.run("verify", *compare)
    label = next(path for path in folder.rglob("*.txt") if path.read_text())
    label.write_text(label.read_text() * 2)
    output = drive.run("verify", *compare, expect=1)
    digest = digests[0].split("\t")[1][:12]
    assert "dataset: notebook: " in output
    assert (
        f" here, {digest} there: other labels or settings, or files that were changed"
    ) in output


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["dataset={classes: {Tram: Tram}}"],
            "dataset: classes: no box is a Tram, expected kinds that the labels have: "
            "Car (8), Van (4), Cyclist (4)",
        ),
        (
            ["dataset={format: png}", "encodings=[mv3d_slices]"],
            "dataset: format: png for the {planes} planes of mv3d_slices, expected "
            "tiff or npy: a trainer finds one or three planes in a PNG",
        ),
        (
            ["labels=null"],
            "labels: null, expected the folder of label_2 and calib, or labels in "
            "another format",
        ),
        (
            ["dataset={splits: {train: no.txt}}"],
            "dataset: splits: train: no file no.txt, expected one with the name of a "
            "scan in each line",
        ),
    ],
)
def test_settings_that_fit_no_label_are_one_line(drive, settings, message):
    planes = len(load_encoding("mv3d_slices").channels)
    output = drive.run("dataset", *SETTINGS, *settings, expect=1)
    assert message.format(planes=planes) in output.splitlines()
    assert "Traceback" not in output


def test_results_need_a_camera(drive):
    """What Snakemake asks before the job fails in one line, too."""
    labels = "labels={format: boxes, path: kitti/label_2, origin: center}"
    settings = (*SETTINGS, labels, "predictions=kitti/label_2")
    output = drive.run("kitti_results", *settings, expect=1)
    assert (
        "labels: {'format': 'boxes', 'path': 'kitti/label_2', 'origin': 'center'}, "
        "expected KITTI's, whose calib says where the camera is"
    ) in output.splitlines()
    assert "Traceback" not in output


def test_another_origin_makes_another_data_set(tmp_path, monkeypatch):
    """Although the files of the labels are the same."""
    monkeypatch.chdir(tmp_path)
    for path in ("scans/0.bin", "boxes/0.txt"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_bytes(b"")
    labels = {"format": "boxes", "path": "boxes"}
    one, other, again = (
        digest_dataset(resolve({"scans": "scans", "labels": labels | {"origin": z}}))
        for z in ("center", "bottom", "center")
    )
    assert one == again != other


def test_bad_labels_are_all_told_before_anything_is_written(drive):
    """With file and line; there is no partial data set."""
    labels = drive.folder / "kitti/label_2"
    (labels / "a/0.txt").write_text(format_label(10, 0).replace("1.6000", "0.0000"))
    (labels / "b/1.txt").write_text(format_label(10, 0).replace("1.6000", "nan"))
    (drive.folder / "kitti/calib/a/1.txt").unlink()
    output = drive.run("dataset", *SETTINGS, expect=1)
    for line in (
        "kitti/label_2/a/0.txt: line 1: a box of 4 x 2 x 0 m, expected sizes above 0",
        "kitti/label_2/b/1.txt: line 1: nan, expected a finite number",
        "kitti/calib/a/1.txt: no such file, expected the calibration of "
        "kitti/label_2/a/1.txt",
    ):
        assert line in output.splitlines()
    folder = drive.folder / "results/dataset"
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_scans_in_a_bucket_are_read_by_this_process(labelled, monkeypatch):
    """No other has the connections; a folder's are read by several."""
    monkeypatch.chdir(labelled)

    def start(count, module):
        raise AssertionError("workers")

    monkeypatch.setattr(dataset, "Workers", start)
    run = resolve({"scans": "scans", "labels": "kitti"})
    encoding, scans = run.encodings["notebook"], ["a/0", "c"] * 100
    with pytest.raises(AssertionError, match="workers"):
        dataset.examine_all(run, encoding, scans, 2)
    monkeypatch.setattr(run.source, "is_remote", True)
    assert len(dataset.examine_all(run, encoding, scans, 2)) == 200


def test_of_many_errors_none_is_lost():
    """The terminal shows 20 lines: the first says how many there are."""
    with pytest.raises(ValueError, match="error 0") as caught:
        dataset.raise_errors(f"error {number % 30}" for number in range(60))
    first, *lines = str(caught.value).splitlines()
    assert first == "30 errors, all in the log of this job: the first"
    assert lines == [f"error {number}" for number in range(30)]
    with pytest.raises(ValueError, match=r"^error 1$"):
        dataset.raise_errors(["", "error 1", "error 1"])
    dataset.raise_errors(["", ""])


def test_scans_without_labels_are_left_out_and_counted(drive):
    """A missing file is no empty one. Of other splits and formats nothing stays."""
    drive.run("dataset", *SETTINGS)
    (drive.folder / "kitti/label_2/b/1.txt").unlink()
    output = drive.run("dataset", *SETTINGS, "dataset={format: npy, splits: {all: 1}}")
    assert "left out: 1 scan without labels" in output.splitlines()
    folder = drive.folder / "results/dataset/notebook"
    assert read_splits(folder) == dict.fromkeys({*SCANS} - {"b/1"}, "all")
    planes, _ = birdview.load(drive.folder / "results/notebook/a/0.png")
    np.testing.assert_array_equal(np.load(folder / "images/all/a/0.npy"), planes)
    # YOLO reads no such images, so there are no files for it.
    names = "README.md", "boxes.json", "coco_all.json", "images"
    assert sorted(path.name for path in folder.iterdir()) == [*names]
    images = birdview.Images(folder, "all")
    np.testing.assert_array_equal(images[0][0], planes)
    with pytest.raises(ValueError, match="no split train") as error:
        birdview.Images(folder, "train")
    assert str(error.value) == f"{folder}: no split train, expected one of all"
