"""Render all scans in an empty folder, with the real snakemake."""

import json
import re

import cv2
import numpy as np
import pytest

from birdview.benchmark.reference import LOOPS, draw_notebook
from birdview.files import read_table
from birdview.pixels.encoding import load_encoding
from birdview.pixels.png import read_text
from birdview.pixels.scan import read_scan
from birdview.reproduce.manifest import read_manifest


def test_default_renders_the_demo(project):
    """8 simulated scans become 8 images of a street, without any setting."""
    project.run()
    names = [f"notebook/demo/{number:06}.png" for number in range(8)]
    assert sorted(project.images()) == names
    assert (project.folder / "results/notebook/demo/grid.json").exists()
    assert not (project.folder / "results/notebook/grid.json").exists()
    for name in names[:2]:
        image = cv2.imread(str(project.folder / "results" / name))
        assert image.shape == (1600, 1600, 3)
        assert 15_000 < image.any(axis=2).sum() < 60_000
    scan = project.folder / "results/demo/000003.bin"
    image = cv2.imread(str(project.folder / "results/notebook/demo/000003.png"))
    np.testing.assert_array_equal(image, draw_notebook(read_scan(scan)))


def test_demo_has_settings(project):
    """More scans continue the drive; another seed is another drive."""
    own = project.folder / "own.yaml"
    own.write_text("demo: {scans: 2}")
    project.run("--configfile", own)
    own.write_text("demo: {scans: 3}")
    assert project.rendered_by("--configfile", own) == {"notebook/demo/000002.png"}
    own.write_text("demo: {scans: 3, seed: 1}")
    rendered = project.rendered_by("--configfile", own)
    assert rendered == {f"notebook/demo/{number:06}.png" for number in range(3)}


def test_real_scans_in_all_encodings(project, kitti_scans):
    """Decoded by OpenCV, they equal the images of the plain loops."""
    folder = kitti_scans[0].parent
    project.run("--config", f"scans={folder}", f"encodings=[{', '.join(LOOPS)}]")
    assert len(project.images()) == len(LOOPS) * len(kitti_scans)
    for name, loop in LOOPS.items():
        for scan in kitti_scans:
            image = project.folder / "results" / name / f"{scan.stem}.png"
            pixels = cv2.imread(str(image), cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(pixels, loop(read_scan(scan)))
            assert read_text(image)["birdview:encoding"] == name


def test_images_have_the_names_of_the_scans(project, make_scan):
    """In the same sub-folders, with spaces and dots; `scans` may be relative."""
    scans = project.folder / "my scans"
    for name in ("0", "drive_0001/velodyne_points/data/0000000000", "a b/c d.pcd"):
        make_scan(scans / f"{name}.bin")
    project.run("--config", "scans=my scans", "encodings=[mv3d]")
    assert sorted(project.images()) == [
        "mv3d/0.png",
        "mv3d/a b/c d.pcd.png",
        "mv3d/drive_0001/velodyne_points/data/0000000000.png",
    ]


def test_target_can_be_one_image(project):
    """Then only its scan is simulated, and nothing else; what pixels mean is said."""
    project.run("results/notebook/demo/000005.png", cores=1)
    assert (project.folder / "results/notebook/demo/grid.json").is_file()
    assert list(project.images()) == ["notebook/demo/000005.png"]
    assert len(list(project.folder.rglob("*.bin"))) == 1


def test_directory_is_where_results_go(project, tmp_path, make_scan):
    """With the default settings; nothing is written to the current folder."""
    make_scan(tmp_path / "scans" / "0.bin")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run = tmp_path / "my_run"
    arguments = ("--directory", run, "--config", f"scans={tmp_path / 'scans'}")
    project.run(*arguments, folder=elsewhere)
    assert list(project.images(run)) == ["notebook/0.png"]
    assert not list(elsewhere.iterdir())


def test_config_yaml_has_the_settings(project, make_scan):
    """A user edits it."""
    make_scan(project.folder / "here" / "0.bin")
    project.edit("config.yaml", "scans: null", "scans: here")
    project.edit("config.yaml", "[notebook]", "[mv3d, notebook]")
    project.run()
    assert sorted(project.images()) == ["mv3d/0.png", "notebook/0.png"]


def test_output_without_a_terminal_is_short(project, make_scan):
    """Not several lines per image, and no escape sequences."""
    for number in range(40):
        make_scan(project.folder / "scans" / f"{number}.bin", 10)
    output = project.run("--config", "scans=scans")
    assert len(output.splitlines()) < 30
    assert "\x1b" not in output
    assert re.search(r"render +40", output)


def test_files_do_not_depend_on_the_number_of_cores(project, make_scan):
    """They are the same byte for byte."""
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


def test_nested_settings_on_the_command_line(project):
    """Snakemake passes nested values, and null, as text."""
    arguments = ("--config", "demo={scans: 2, seed: 1}", "labels=null", "split=null")
    project.run(*arguments, "encodings=[lyft]")
    assert sorted(project.images()) == ["lyft/demo/000000.png", "lyft/demo/000001.png"]
    (project.folder / "own.yaml").write_text(
        "{demo: {scans: 2, seed: 1}, labels: null, split: null, encodings: [lyft]}"
    )
    assert project.rendered_by("--configfile", "own.yaml") == set()
    assert project.rendered_by("--config", "demo={scans: 2}", "encodings=[lyft]") == {
        "lyft/demo/000000.png",
        "lyft/demo/000001.png",
    }


def test_targets_without_scans_do_not_need_any(project):
    """The scans that cannot be found are an error of other targets only."""
    settings = ("--config", "scans=nowhere", "encodings=[mv3d]")
    project.run("results/mv3d/grid.json", "results/benchmark/machine.tsv", *settings)
    grid = json.loads((project.folder / "results/mv3d/grid.json").read_text())
    assert grid["digest"] == load_encoding("mv3d").digest
    machine = (project.folder / "results/benchmark/machine.tsv").read_text()
    assert len(machine.splitlines()) > 1
    line = f"scans: no folder at {project.folder}/nowhere, expected one with scans"
    # tests/unit/test_run.py has what the other targets ask for.
    for target in ("all", "results/mv3d/0.png"):
        output = project.run(target, *settings, expect=1)
        assert line in output.splitlines(), output
        assert "Traceback" not in output
    assert project.images() == {}


def test_old_name_of_a_setting_works(project, make_scan):
    """`reference` is now `compare_with`."""
    make_scan(project.folder / "scans" / "0.bin")
    settings = ("--config", "scans=scans", "encodings=[lyft]")
    project.run("manifest", *settings)
    manifest = project.folder / "results" / "manifest.tsv"
    pixels = read_manifest(manifest)[1][0].pixels_sha256
    text = manifest.read_text().replace(pixels, pixels[::-1])
    (project.folder / "theirs.tsv").write_text(text)
    findings = []
    for name in ("reference", "compare_with"):
        project.run("verify", *settings, f"{name}=theirs.tsv", expect=1)
        findings.append(read_table(project.folder / "results" / "verify.tsv"))
    assert findings[0] == findings[1]
    assert "lyft" in [row["encoding"] for row in findings[0]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["demo={size: 1}"], "config: demo: Additional properties are not allowed "
         "('size' was unexpected); allowed: scans, seed"),
        (["encodings=[a/b.yaml]"], "a/b.yaml: no such file, expected an encoding's "
         "yaml"),
        (["scans=nowhere"], "scans: no folder at {folder}/nowhere, expected one with "
         "scans"),
    ],
)  # fmt: skip
def test_error_in_the_settings_is_one_line(project, settings, message):
    """With file or key, what was found and what was expected; nothing is written.

    tests/unit/test_run.py has the other messages.
    """
    output = project.run("--config", *settings, expect=1)
    message = message.format(folder=project.folder)
    assert message in output.splitlines(), output
    assert not (project.folder / "results").exists()
