"""Pack what a colleague needs to repeat a run: `snakemake bundle`.

tests/unit/test_bundled_inputs.py has more of what is packed, and what is put beside.
"""

import copy
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers import ROOT, Project, share_kernels, write_layout
from rocrate.rocrate import ROCrate

from birdview.reproduce.manifest import read_manifest

OWN = """\
description: How many points.
region:
  x: {min: 0, max: 50, closed: lower}
  y: {min: -25, max: 25, closed: lower}
grid: {cell: 0.5, rows: -x, cols: -y}
channels:
  - {name: count, statistic: count, range: [0, 16]}
"""
SETTINGS = """\
scans: {scans}
split: {split}
encodings: [lyft, {own}]
layout: [{{x: float32}}, {{y: float32}}, {{z: float32}}, {{intensity: float32}}]
bundle: {bundle}
dataset: {{splits: {{train: 0.5, val: {val}}}}}
"""


class Bundles:
    """A run to bundle, with a split, an encoding and a layout of its own."""

    def __init__(self, project, make_scan, root):
        self.project, self.root = project, root
        for seed, name in enumerate(("0", "a drive/1")):
            make_scan(root / "my scans" / f"{name}.bin", 2000, seed=seed)
        make_scan(root / "my scans" / "not in the split.bin", 10)
        (root / "train.txt").write_text(f"{root}/my scans/0.bin\na drive/1\n")
        (root / "val.txt").write_text(f"{root}/my scans/a drive/1.bin\n")
        (root / "own.yaml").write_text(OWN)

    def make(self, folder, bundle="digests", **options):
        """Write the bundle of a run in a folder; return its path."""
        folder.mkdir(exist_ok=True)
        text = SETTINGS.format(
            scans=self.root / "my scans",
            split=self.root / "train.txt",
            own=self.root / "own.yaml",
            bundle=bundle,
            val=self.root / "val.txt",
        )
        (folder / "my.yaml").write_text(text)
        self.project.run("bundle", "--configfile", "my.yaml", folder=folder, **options)
        (archive,) = (folder / "results").glob("birdview-*.zip")
        return archive

    def unpack(self, archive, folder):
        """Unpack a bundle elsewhere and link the scans there; return the folder."""
        unpack(archive, folder)
        (folder / "scans").symlink_to(self.root / "my scans")
        return folder


def unpack(archive, folder):
    """Unpack a bundle, and add what its kernels would be compiled to."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    share_kernels(folder / "workflow/scripts/birdview")


@pytest.fixture(scope="module")
def bundles(compiled, make_scan, tmp_path_factory):
    root = tmp_path_factory.mktemp("bundles")
    return Bundles(Project(root / "a project"), make_scan, root)


@pytest.fixture(scope="module")
def with_images(bundles):
    """Write the bundle of a run with its images; return its path."""
    return bundles.make(bundles.root / "with images", bundle="images")


def follow(folder, number, expect=0):
    """Run a command of the unpacked README, in this environment."""
    commands = re.findall(r"^    (.*)$", (folder / "README.md").read_text(), re.M)
    assert len(commands) == 3
    words = commands[number].split()
    assert words[0] == ".venv/bin/snakemake"
    process = subprocess.run(
        [sys.executable, "-m", "snakemake", *words[1:]],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.returncode == expect, process.stdout
    return process.stdout.splitlines()


def test_a_bundle_can_be_repeated_elsewhere(bundles, tmp_path):
    """It renders, verifies, and gives the same bundle; it holds no path."""
    archive = bundles.make(tmp_path / "here")
    again = bundles.make(tmp_path / "there", cores=8)
    assert again.name == archive.name
    assert again.read_bytes() == archive.read_bytes()
    for folder in (tmp_path, bundles.root):
        assert str(folder).encode() not in archive.read_bytes()

    folder = bundles.unpack(archive, tmp_path / "unpacked")
    assert not list(folder.rglob("*.png"))
    follow(folder, 1)
    assert len(list((folder / "results").rglob("*.png"))) == 4
    assert "4 images verified: all pixels are as they should be" in follow(folder, 2)
    assert (folder / "splits" / "val.txt").read_text() == "a drive/1\n"
    unpacked = copy.copy(bundles.project)
    unpacked.source = unpacked.folder = folder
    unpacked.run("bundle")
    assert (folder / "results" / archive.name).read_bytes() == archive.read_bytes()


def test_a_bundle_with_images_shows_where_others_differ(bundles, with_images, tmp_path):
    """They are beside the manifest, where `verify` looks for them."""
    folder = bundles.unpack(with_images, tmp_path / "unpacked")
    _, rows = read_manifest(folder / "reference" / "manifest.tsv")
    images = {f"{row.encoding}/{row.scan}.png": row.file_sha256 for row in rows}
    assert len(images) == 4
    for name, digest in images.items():
        image = (folder / "reference" / name).read_bytes()
        assert hashlib.sha256(image).hexdigest() == digest
        assert image == (with_images.parent / name).read_bytes()
    # Another image under this name, as if it had been rendered there.
    manifest = folder / "reference" / "manifest.tsv"
    first, second = (folder / "reference/own" / f"{n}.png" for n in ("0", "a drive/1"))
    text, digests = manifest.read_text(), [row.pixels_sha256 for row in rows[2:]]
    first.write_bytes(second.read_bytes())
    manifest.write_text(text.replace(*digests))
    follow(folder, 1)
    lines = follow(folder, 2, expect=1)
    assert any(line.startswith("pixels: own/0: other pixels") for line in lines)
    assert (folder / "results/verify/own/0.png").is_file()


def test_crate_describes_everything_in_the_bundle(with_images):
    """The RO-Crate library reads files with digests, the workflow and the run."""
    crate = ROCrate(with_images)
    root, workflow = crate.root_dataset, crate.mainEntity
    profiles = {profile.id for profile in root["conformsTo"]}
    assert "https://w3id.org/ro/wfrun/workflow/0.5" in profiles
    assert workflow.id == "Snakefile"
    assert workflow["programmingLanguage"]["name"] == "Snakemake"
    run = root["mentions"]
    assert run["instrument"] is workflow
    assert {entity["name"] for entity in run["object"]} == {"config.yaml", "scans"}
    manifest, images = run["result"]
    assert (manifest.id, images.id) == ("reference/manifest.tsv", "reference/")
    with zipfile.ZipFile(with_images) as opened:
        names = {name for name in opened.namelist() if not name.endswith(".png")}
        listed = {entity.id for entity in root["hasPart"]} - {"reference/"}
        assert listed == names - {"ro-crate-metadata.json"}
        for name in listed:
            content = opened.read(name)
            assert crate.get(name)["sha256"] == hashlib.sha256(content).hexdigest()
            assert crate.get(name)["contentSize"] == str(len(content))
    assert {"encodings/own.yaml", "LICENSE", "envs/requirements.txt"} <= listed


def test_demo_is_bundled_without_scans(project, tmp_path):
    """Its scans are simulated again; its set-up is that of the project's README.md."""
    project.run("bundle", "--config", "encodings=[lyft]")
    (archive,) = (project.folder / "results" / "demo").glob("birdview-*.zip")
    unpack(archive, tmp_path / "unpacked")
    text = (tmp_path / "unpacked" / "README.md").read_text()
    assert "The scans are simulated" in text
    command = re.search("^    (python3 .*)$", text, re.M)[1]
    assert f"{command} && .venv/bin/snakemake" in (ROOT / "README.md").read_text()
    follow(tmp_path / "unpacked", 1)
    follow(tmp_path / "unpacked", 2)


def repeat(project, archive, folder, **links):
    """Follow the README of a bundle, and bundle again; return what verifying says.

    Parameters
    ----------
    project : Project
    archive, folder : Path
        The bundle, and where to unpack it.
    **links : Path
        What belongs beside the README, by its name there, with _ for /.
    """
    unpack(archive, folder)
    for name, target in links.items():
        link = folder / name
        if name.startswith("sensors_"):
            link = folder / "sensors" / name.removeprefix("sensors_")
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(target)
    follow(folder, 1)
    lines = follow(folder, 2)
    unpacked = copy.copy(project)
    unpacked.source = unpacked.folder = folder
    unpacked.run("bundle")
    (again,) = (folder / "results").rglob("birdview-*.zip")
    assert again.name == archive.name
    assert again.read_bytes() == archive.read_bytes()
    return lines


def write_poses(path, name="", count=3):
    """Write poses 2 m apart, as KITTI does; or as a table, with names of scans."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"1 0 0 0 0 1 0 0 0 0 1 {2 * number}" for number in range(count)]
    if name:
        rows = [f"{name.format(number)} {row}" for number, row in enumerate(rows)]
    path.write_text("\n".join(rows))


def test_demo_with_sweeps_and_classes_needs_no_file(project, tmp_path):
    """It knows its poses, and simulates the labels of its points."""
    project.run(
        "bundle",
        "--config",
        *("sweeps={before: 2}", "level={}", "demo={scans: 3}"),
        "encodings=[mv3d, semantic]",
    )
    (archive,) = (project.folder / "results" / "demo").glob("birdview-*.zip")
    lines = repeat(project, archive, tmp_path / "unpacked")
    assert "6 images verified: all pixels are as they should be" in lines
    text = (tmp_path / "unpacked" / "README.md").read_text()
    assert "The scans are simulated" in text
    assert "poses" not in text


def test_drives_are_bundled_with_their_poses(project, make_scan, tmp_path):
    """So is a table of classes of one's own; labels of points are put beside it."""
    drives = tmp_path / "my drives"
    for seed, drive in enumerate(("00", "07")):
        for number in range(3):
            make_scan(drives / drive / f"velodyne/{number:06}.bin", 500, seed=seed)
            labels = drives / drive / f"labels/{number:06}.label"
            labels.parent.mkdir(exist_ok=True)
            np.full(500, 10 + seed, "<u4").tofile(labels)
        write_poses(drives / drive / "our-poses.txt")
        (drives / drive / "calib.txt").write_text(
            "P2: 700 0 600 0 0 700 180 0 0 0 1 0\nTr: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
        )
    write_poses(tmp_path / "level.tsv", "00/velodyne/{:06}")
    level = (tmp_path / "level.tsv").read_text()
    (tmp_path / "level.tsv").write_text(f"{level}\n{level.replace('00/v', '07/v')}\n")
    shutil.copy(ROOT / "workflow/classes/semantickitti.yaml", tmp_path / "mine.yaml")
    settings = {
        "scans": str(drives),
        "match": "*/velodyne/*.bin",
        "encodings": ["lyft", "semantic"],
        "sweeps": {
            "before": 1,
            "poses": f"{drives}/{{drive}}/our-poses.txt",
            "calib": f"{drives}/{{drive}}/calib.txt",
        },
        "level": {"poses": str(tmp_path / "level.tsv"), "format": "table"},
        "point_labels": {
            "path": f"{drives}/{{drive}}/labels",
            "map": str(tmp_path / "mine.yaml"),
        },
    }
    (project.folder / "my.yaml").write_text(yaml.safe_dump(settings))
    project.run("bundle", "--configfile", "my.yaml")
    (archive,) = (project.folder / "results").glob("birdview-*.zip")
    for name in (str(tmp_path), "my drives", "our-poses"):
        assert name.encode() not in archive.read_bytes()

    folder = tmp_path / "unpacked"
    lines = repeat(project, archive, folder, scans=drives, point_labels=drives)
    assert "12 images verified: all pixels are as they should be" in lines
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["sweeps"]["poses"] == "sweeps/{drive}/poses.txt"
    assert config["sweeps"]["calib"] == "sweeps/{drive}/calib.txt"
    assert config["level"] == {
        "poses": "level/poses.tsv",
        "format": "table",
        "calib": None,
    }
    assert config["point_labels"]["path"] == "point_labels/{drive}/labels"
    assert config["point_labels"]["map"] == "classes/mine.yaml"
    text = (folder / "README.md").read_text()
    assert "`point_labels/{drive}/labels`." in text
    assert "The poses are included: `sweeps/{drive}/poses.txt` and" in text

    # Another pose, and other labels, which are told from the images of before.
    write_poses(folder / "sweeps/07/poses.txt", count=3)
    poses = (folder / "sweeps/07/poses.txt").read_text()
    (folder / "sweeps/07/poses.txt").write_text(poses.replace("1 4", "1 5"))
    lines = follow(folder, 2, expect=1)
    what = "it was rendered with other sweeps than the settings and the poses say"
    changed = [line for line in lines if line.startswith("image: ")]
    assert changed == [
        f"image: {name}/07/velodyne/000002: {what}" for name in ("lyft", "semantic")
    ]
    follow(folder, 1)
    lines = follow(folder, 2, expect=1)
    what = "other poses or labels of points: "
    changed = [line[:-37] for line in lines if line.startswith("scan: ")]
    assert [line.partition(what)[0] for line in changed] == [
        f"scan: {name}/07/velodyne/000002: " for name in ("lyft", "semantic")
    ]


def test_sensors_are_bundled_with_their_layouts(project, make_scan, tmp_path):
    """Two of them have the same name, and a bundle has no folder of this machine."""
    sensors = []
    for number, side in enumerate(("left", "right")):
        for scan in range(2):
            make_scan(tmp_path / side / "scans" / f"{scan}.bin", 500, seed=number)
        fields = ("x float32", "y float32", "z float32", "intensity float32")
        own = write_layout(
            tmp_path / side / "own.yaml",
            *fields,
        )
        sensors.append({"scans": str(tmp_path / side / "scans"), "layout": str(own)})
    write_poses(tmp_path / "poses.txt", "{}", count=2)
    settings = {
        "sensors": sensors,
        "encodings": ["lyft"],
        "sweeps": {
            "before": 1,
            "poses": str(tmp_path / "poses.txt"),
            "format": "table",
        },
    }
    (project.folder / "my.yaml").write_text(yaml.safe_dump(settings))
    project.run("bundle", "--configfile", "my.yaml")
    (archive,) = (project.folder / "results").glob("birdview-*.zip")
    folder = tmp_path / "unpacked"
    links = {
        f"sensors_{number}": tmp_path / side / "scans"
        for number, side in enumerate(("left", "right"))
    }
    lines = repeat(project, archive, folder, **links)
    assert "2 images verified: all pixels are as they should be" in lines
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["scans"] is None
    moved = [(one["scans"], one["layout"]) for one in config["sensors"]]
    assert moved == [
        ("sensors/0", "layouts/own.yaml"),
        ("sensors/1", "layouts/1/own.yaml"),
    ]
    text = (folder / "README.md").read_text()
    assert "with the names `0` and `1`" in text
    assert "whole drives are needed" in text


def test_what_differs_from_the_run_is_rejected(bundles, with_images, tmp_path):
    """A bundle's name with another digest, and an image changed unnoticed."""
    folder = tmp_path / "here"
    shutil.copytree(with_images.parents[1], folder)
    archive = folder / "results" / with_images.name
    arguments = ("--configfile", "my.yaml")
    other = "results/birdview-000000000000.zip"
    output = bundles.project.run(other, *arguments, folder=folder, expect=1)
    line = f"{other}: expected the name {archive.name}, by what is in it"
    assert line in output.splitlines()

    archive.unlink()
    image = folder / "results" / "lyft" / "0.png"
    times = image.stat()
    image.write_bytes((folder / "results" / "own" / "0.png").read_bytes())
    os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))
    output = bundles.project.run("bundle", *arguments, folder=folder, expect=1)
    line = "lyft/0.png: not the image that results/manifest.tsv lists"
    assert line in output.splitlines()
    assert not list(Path(folder / "results").glob("*.zip"))
    assert not list(Path(folder / "results").glob(".*.partial"))
