"""List and verify images: `snakemake manifest` and `snakemake verify`.

tests/unit/test_verify.py has the other findings.
"""

import csv
from pathlib import Path

import numpy as np
import pytest
from helpers import Project

from birdview.reproduce.manifest import read_manifest

SETTINGS = ("--config", "scans=scans", "encodings=[lyft, complex_yolo]")


@pytest.fixture(scope="module")
def listed_once(compiled, tmp_path_factory, make_scan):
    """Render three scans in two encodings and make the manifest."""
    project = Project(tmp_path_factory.mktemp("reproduce"))
    for seed, name in enumerate(("0", "1", "drive/2")):
        make_scan(project.folder / "scans" / f"{name}.bin", 2000, seed=seed)
    project.run("manifest", *SETTINGS)
    return project


@pytest.fixture
def listed(listed_once, tmp_path):
    """Copy what is rendered; its folder has a space in its name."""
    return listed_once.copy(tmp_path / "a project")


@pytest.fixture
def drive(compiled, tmp_path, make_scan):
    """Return a project with four scans of a drive, their poses and labels of points."""
    project = Project(tmp_path)
    for number in range(4):
        make_scan(project.folder / f"scans/drive/{number}.bin", 2000, seed=number)
        labels = project.folder / f"labels/drive/{number}.label"
        labels.parent.mkdir(parents=True, exist_ok=True)
        np.full(2000, 10 + number % 2, "<u4").tofile(labels)
    write_poses(project, 0, 2, 4, 6)
    return project


def write_poses(project, *places):
    """Write the poses of a drive, straight ahead, as KITTI does."""
    rows = [f"1 0 0 {x} 0 1 0 0 0 0 1 0\n" for x in places]
    (project.folder / "poses.txt").write_text("".join(rows))


def manifest_of(project):
    return project.folder / "results" / "manifest.tsv"


def test_manifest_has_a_row_for_each_image(listed):
    """Missing images are rendered first; rows are sorted."""
    run, rows = read_manifest(manifest_of(listed))
    names = [f"{row.encoding}/{row.scan}.png" for row in rows]
    assert names == sorted(listed.images())
    assert len(names) == 6
    assert set(run) == {
        *("software", "code", "lock", "layout", "layout_sha256", "platform"),
        *("encoding complex_yolo", "encoding lyft"),
    }


def test_manifest_is_rewritten_only_when_an_image_changes(listed, make_scan):
    """After a change to a scan or an encoding; other rows stay the same."""
    time = manifest_of(listed).stat().st_mtime_ns
    assert "Nothing to be done" in listed.run("manifest", *SETTINGS)
    assert manifest_of(listed).stat().st_mtime_ns == time
    _, before = read_manifest(manifest_of(listed))
    make_scan(listed.folder / "scans" / "1.bin", 2000, seed=9)
    listed.run("manifest", *SETTINGS)
    run_before, after = read_manifest(manifest_of(listed))
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [(row.encoding, row.scan) for row in changed] == [
        ("complex_yolo", "1"),
        ("lyft", "1"),
    ]
    listed.edit("workflow/encodings/lyft.yaml", "range: [0, 16]", "range: [0, 8]")
    listed.run("manifest", *SETTINGS)
    run, rows = read_manifest(manifest_of(listed))
    assert run["encoding lyft"] != run_before["encoding lyft"]
    assert {row.encoding for row in set(rows) - set(after)} == {"lyft"}


def test_manifest_is_the_same_in_another_folder(listed, tmp_path):
    """And with another number of cores, byte for byte."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "scans").symlink_to(listed.folder / "scans")
    listed.run("manifest", *SETTINGS, cores=8, folder=elsewhere)
    texts = [
        Path(folder / "results/manifest.tsv").read_bytes()
        for folder in (listed.folder, elsewhere)
    ]
    assert texts[0] == texts[1]


def test_a_damaged_image_stops_the_manifest(listed):
    """The error names the image in one line."""
    image = listed.folder / "results/lyft/1.png"
    content = image.read_bytes()
    image.write_bytes(content[:-20])
    output = listed.run("manifest", *SETTINGS, expect=1)
    line = "results/lyft/1.png: ends too early, expected a whole PNG"
    assert line in output.splitlines()
    assert not manifest_of(listed).exists()


def verify(project, settings=SETTINGS, expect=0):
    """Verify; return the findings by kind, encoding and scan, and the output."""
    output = project.run("verify", *settings, expect=expect)
    with open(project.folder / "results" / "verify.tsv", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    assert rows[0] == ["kind", "encoding", "scan", "what"]
    return {tuple(row[:3]): row[3] for row in rows[1:]}, output.splitlines()


def test_verify_finds_no_difference_after_rendering(listed):
    """It runs, and says so, every time."""
    for _ in range(2):
        findings, lines = verify(listed)
        assert findings == {}
        assert "6 images verified: all pixels are as they should be" in lines


def test_verify_names_a_missing_image(listed):
    """It does not render it."""
    image = listed.folder / "results/lyft/1.png"
    image.unlink()
    findings, lines = verify(listed, expect=1)
    assert findings == {("image", "lyft", "1"): "there is none"}
    assert "image: lyft/1: there is none" in lines
    assert "differences: 1, in 6 images: see results/verify.tsv" in lines
    assert not image.exists()


def test_verify_names_the_images_of_a_changed_encoding(listed):
    """They were rendered with other numbers."""
    listed.edit("workflow/encodings/lyft.yaml", "range: [0, 16]", "range: [0, 8]")
    findings, _ = verify(listed, expect=1)
    names = [("image", "lyft", name) for name in ("0", "1", "drive/2")]
    what = "it was rendered with other numbers than the encoding has"
    assert findings == dict.fromkeys(names, what)


JOINED = (
    "--config",
    *("scans=scans", "encodings=[lyft, semantic]", "point_labels={path: labels}"),
    "sweeps={before: 1, poses: poses.txt}",
)
"""Settings of images that show several scans, and labels of points."""


def test_images_of_several_files_are_listed_and_verified(drive, make_scan):
    """A changed scan, pose or file of labels changes the rows that show it alone."""
    rows = []

    def names_of_changed():
        drive.run("manifest", *JOINED)
        before = rows[:]
        rows[:] = read_manifest(manifest_of(drive))[1]
        pairs = zip(before, rows, strict=True)
        return [f"{new.encoding} {new.scan[-1]}" for old, new in pairs if old != new]

    drive.run("manifest", *JOINED)
    run, rows[:] = read_manifest(manifest_of(drive))
    assert run["sweeps"] == "-1, vehicle 1 m"
    assert len(run["classes"]) == 64
    assert {row.scan: row.counts.read for row in rows} == {
        f"drive/{number}": 4000 if number else 2000 for number in range(4)
    }
    make_scan(drive.folder / "scans/drive/1.bin", 2000, seed=9)
    findings, _ = verify(drive, JOINED, expect=1)
    names = [(name, f"drive/{n}") for name in ("lyft", "semantic") for n in (1, 2)]
    assert list(findings) == [("image", *name) for name in names]
    assert names_of_changed() == ["lyft 1", "lyft 2", "semantic 1", "semantic 2"]
    write_poses(drive, 0, 2, 4, 6.5, 8)  # one is changed, and one more
    assert names_of_changed() == ["lyft 3", "semantic 3"]
    np.full(2000, 40, "<u4").tofile(drive.folder / "labels/drive/0.label")
    assert names_of_changed() == ["semantic 0", "semantic 1"]
    assert verify(drive, JOINED)[0] == {}
    text = manifest_of(drive).read_bytes()
    drive.run("manifest", *JOINED, "scans_per_job=3", "--forcerun", "manifest")
    assert manifest_of(drive).read_bytes() == text
