"""The real snakemake, in an empty folder: every scan becomes an image."""

import re

import cv2
import numpy as np
import pytest

from birdview.png import read_text
from birdview.reference import LOOPS, draw_notebook
from birdview.scan import read_scan


def test_default_renders_the_demo(project):
    """8 simulated scans, 8 images of a street, without any setting."""
    project.run()
    names = [f"notebook/{number:06}.png" for number in range(8)]
    assert sorted(project.images()) == names
    for name in names[:2]:
        image = cv2.imread(str(project.folder / "results" / name))
        assert image.shape == (1600, 1600, 3)
        assert 15_000 < image.any(axis=2).sum() < 60_000
    scan = project.folder / "results/demo/000003.bin"
    image = cv2.imread(str(project.folder / "results/notebook/000003.png"))
    np.testing.assert_array_equal(image, draw_notebook(read_scan(scan)))


def test_demo_follows_its_settings(project):
    """More scans are added to the drive; another seed is another drive."""
    own = project.folder / "own.yaml"
    own.write_text("demo: {scans: 2}")
    project.run("--configfile", own)
    own.write_text("demo: {scans: 3}")
    assert project.remade("--configfile", own) == {"notebook/000002.png"}
    own.write_text("demo: {scans: 3, seed: 1}")
    remade = project.remade("--configfile", own)
    assert remade == {f"notebook/{number:06}.png" for number in range(3)}


def test_real_scans_in_all_encodings(project, kitti_scans):
    """Decoded by OpenCV, every pixel equals the plain loop's."""
    folder = kitti_scans[0].parent
    project.run("--config", f"scans={folder}", f"encodings=[{', '.join(LOOPS)}]")
    assert len(project.images()) == len(LOOPS) * len(kitti_scans)
    for name, loop in LOOPS.items():
        for scan in kitti_scans:
            image = project.folder / "results" / name / f"{scan.stem}.png"
            pixels = cv2.imread(str(image), cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(pixels, loop(read_scan(scan)))
            assert read_text(image)["birdview:encoding"] == name


def test_scans_in_sub_folders_and_names_with_spaces(project, make_scan):
    """The scan's path below `scans`, without suffix, is kept; scans may be relative."""
    scans = project.folder / "my scans"
    for name in ("0", "drive_0001/velodyne_points/data/0000000000", "a b/c d.pcd"):
        make_scan(scans / f"{name}.bin")
    project.run("--config", "scans=my scans", "encodings=[mv3d]")
    assert sorted(project.images()) == [
        "mv3d/0.png",
        "mv3d/a b/c d.pcd.png",
        "mv3d/drive_0001/velodyne_points/data/0000000000.png",
    ]


def test_one_image_on_demand(project):
    """A target by name makes what it needs, and nothing else."""
    project.run("results/notebook/000005.png", cores=1)
    assert list(project.images()) == ["notebook/000005.png"]
    assert len(list(project.folder.rglob("*.bin"))) == 1


def test_from_another_folder(project, tmp_path, make_scan):
    """--directory: the shipped settings hold, and results are made there."""
    make_scan(tmp_path / "scans" / "0.bin")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run = tmp_path / "my_run"
    arguments = ("--directory", run, "--config", f"scans={tmp_path / 'scans'}")
    project.run(*arguments, folder=elsewhere)
    assert list(project.images(run)) == ["notebook/0.png"]
    assert not list(elsewhere.iterdir())


def test_settings_from_the_file(project, make_scan):
    """config.yaml is what a user edits."""
    make_scan(project.folder / "here" / "0.bin")
    project.edit("config.yaml", "scans: null", "scans: here")
    project.edit("config.yaml", "[notebook]", "[mv3d, notebook]")
    project.run()
    assert sorted(project.images()) == ["mv3d/0.png", "notebook/0.png"]


def test_plain_lines_where_there_is_no_terminal(project, make_scan):
    """A few lines, not some for each image."""
    for number in range(40):
        make_scan(project.folder / "scans" / f"{number}.bin", 10)
    output = project.run("--config", "scans=scans")
    assert len(output.splitlines()) < 30
    assert "\x1b" not in output
    assert re.search(r"render +40", output)


def test_any_number_of_cores_gives_the_same_files(project, make_scan):
    """Byte for byte."""
    for number in range(6):
        make_scan(project.folder / "scans" / f"{number}.bin", 5000, seed=number)
    files = []
    for cores in (1, 8):
        arguments = ("--directory", f"run{cores}", "--config", "scans=../scans")
        project.run(*arguments, cores=cores)
        images = sorted((project.folder / f"run{cores}").rglob("*.png"))
        files.append([image.read_bytes() for image in images])
    assert len(files[0]) == 6
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["scanz=a"], "config: Additional properties are not allowed ('scanz' was "
         "unexpected); allowed: scans, split, layout, labels, reference, bundle, "
         "encodings, part_size, frame_rate, demo"),
        (["encodings=mv3d"], "config: encodings: 'mv3d' is not of type 'array'"),
        (["encodings=[]"], "config: encodings: [] should be non-empty"),
        (["encodings=[mv4d]"], "unknown encoding mv4d: shipped are {shipped}; any "
         "other is the path of its .yaml file"),
        (["encodings=[a/b.yaml]"], "a/b.yaml: no such file, expected that of an "
         "encoding"),
        (["layout=pcd"], "config: layout: 'pcd' is not one of ['kitti', 'nuscenes', "
         "'waymo6']"),
        (["layout=[{x: float32}, {y: float}]"], "layout: y: float, expected one of "
         "float32, float64, float16, uint8, uint16, uint32, uint64, int8, int16, "
         "int32, int64, or one and a divisor, as uint16/65535"),
        (["layout={x: float32}"], "config: layout: {'x': 'float32'} is not of type "
         "'string', 'array'"),
        (["layout=[x]"], "config: layout: 0: 'x' is not of type 'object'"),
        (["layout=[{x: float32}]"], "layout: 0 fields y, expected one"),
        (["layout=nuscenes"], "scans: null, expected a folder for the layout nuscenes: "
         "-y, x, z, intensity, ring"),
        (["labels=nowhere"], "labels: no folder at {folder}/nowhere/label_2, expected "
         "KITTI's labels"),
        (["demo={scans: 0}"], "config: demo: scans: '0' is not of type 'integer'"),
        (["demo={size: 1}"], "config: demo: Additional properties are not allowed "
         "('size' was unexpected); allowed: scans, seed"),
        (["scans=12"], "config: scans: 12 is not of type 'string', 'null'"),
        (["scans=nowhere"], "scans: no folder at {folder}/nowhere, expected one with "
         "scans"),
        (["scans=."], "scans: no .bin file in {folder} or below, expected one for each "
         "scan"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named_in_one_line(project, settings, message):
    """File or key, what was found, what was expected; and nothing is made."""
    output = project.run("--config", *settings, expect=1)
    names = {"folder": project.folder, "shipped": ", ".join(sorted(LOOPS))}
    for name, value in names.items():
        message = message.replace(f"{{{name}}}", str(value))
    assert message in output.splitlines()
    assert not (project.folder / "results").exists()
