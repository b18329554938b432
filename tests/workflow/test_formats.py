"""Scans in other formats than records, in the workflow."""

import hashlib
import shutil
import zipfile

import cv2
import numpy as np
import pytest
from helpers import write_layout

from birdview.benchmark import formats
from birdview.pixels.scan import read_scan
from birdview.reproduce.manifest import read_manifest

FORMATS = {form.name: form for form in formats.FORMATS}
READERS = "workflow/scripts/birdview/pixels/readers"
LABEL = "Car 0.00 0 -1.57 0 0 0 0 1.5 2 4 -3 1.7 10 -1.57\n"
CALIB = "R0_rect: 1 0 0 0 1 0 0 0 1\nTr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"


def write(folder, name, form, records):
    """Write the points of records in another format; return the path."""
    path = folder / f"{name}{FORMATS[form].layout.suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    FORMATS[form].write(read_scan(records), path)
    return path


@pytest.fixture
def records(make_scan, tmp_path):
    """Return three files of records."""
    return [make_scan(tmp_path / f"{seed}.bin", 2000, seed=seed) for seed in range(3)]


def pixels_of(folder, name):
    image = cv2.imread(str(folder / "results" / name), cv2.IMREAD_UNCHANGED)
    assert image is not None, name
    return image


def test_every_target_works(project, records):
    """Digests are those of the files; pixels those of records, as are boxes."""
    for name, path in zip("012", records, strict=True):
        write(project.folder / "scans", f"drive/{name}", "pcd, binary", path)
        shutil.copy(path, project.folder / "scans" / "drive")
    for kind, text in (("label_2", LABEL), ("calib", CALIB)):
        (project.folder / "kitti" / kind / "drive").mkdir(parents=True)
        (project.folder / "kitti" / kind / "drive" / "0.txt").write_text(text)
    settings = ("--config", "scans=scans", "labels=kitti", "encodings=[lyft]")
    mounted = (*settings, "frame={height: 2.1}")
    targets = "all", "manifest", "gallery", "boxes", "bundle", "counts"
    output = project.run(*targets, *mounted, "layout=pcd", "strict=true")
    assert "3 .bin files beside the scans are not read" in output

    results = project.folder / "results"
    assert (results / "gallery" / "index.html").is_file()
    assert len(list(results.glob("birdview-*.zip"))) == 1
    run, rows = read_manifest(results / "manifest.tsv")
    assert (run["layout"], len(run["reader"])) == ("pcd", 64)
    for row in rows:
        content = (project.folder / f"scans/{row.scan}.pcd").read_bytes()
        assert row.scan_sha256 == hashlib.sha256(content).hexdigest()
    assert "layout" not in project.run("verify", *mounted, "layout=pcd")

    images = "lyft/drive/0.png", "lyft/drive/1.png", "lyft/boxes/drive/0.png"
    before = [pixels_of(project.folder, name) for name in images]
    # As records, in the same place: all images are others.
    assert len(project.rendered_by("all", "boxes", *mounted)) == 4
    for name, pixels in zip(images, before, strict=True):
        np.testing.assert_array_equal(pixels_of(project.folder, name), pixels)


def test_only_what_decides_pixels_makes_stale(project, records):
    """A reader counts for its own format alone."""
    for name, path in zip("01", records, strict=False):
        write(project.folder / "scans", name, "pcd, binary", path)
        shutil.copy(path, project.folder / f"scans/{name}.bin")
    own = project.folder / "my/own.yaml"
    fields = "x x", "y y", "z z", "i intensity"
    write_layout(own, *fields, format="pcd")
    settings = ("--config", "scans=scans", "encodings=[lyft]")
    as_pcd = (*settings, "layout=my/own.yaml")
    images = {"lyft/0.png", "lyft/1.png"}
    assert project.rendered_by(*as_pcd) == images

    scan = project.folder / "scans/0.pcd"
    scan.touch()
    project.edit(f"{READERS}/csv.py", "_MAX_SHOWN = 30", "_MAX_SHOWN = 31")
    project.edit(f"{READERS}/las.py", "_PIECE = 1 << 20", "_PIECE = 1 << 19")
    write_layout(own, *fields, format="pcd", source="A file.", description="Mine.")
    assert project.rendered_by(*as_pcd) == set()

    write(project.folder / "scans", "0", "pcd, ascii", records[2])
    assert project.rendered_by(*as_pcd) == {"lyft/0.png"}
    write_layout(own, *fields, format="pcd", origin=[0, 0, 1])
    assert project.rendered_by(*as_pcd) == images
    write_layout(own, "x x", "y -y", "z z", "i intensity", format="pcd")
    assert project.rendered_by(*as_pcd) == images
    project.edit(f"{READERS}/pcd.py", '_PADDING = "_"', '_PADDING = "__"')
    assert project.rendered_by(*as_pcd) == images

    assert project.rendered_by(*settings) == images
    project.edit(f"{READERS}/columns.py", "_MAX_NAMES = 20", "_MAX_NAMES = 21")
    assert project.rendered_by(*settings) == set()


def test_batches_and_their_readers(project, records):
    """The same images as one by one; a reader of another format counts for none."""
    for name, path in zip("012", records, strict=True):
        write(project.folder / "scans", name, "csv", path)
    own = write_layout(
        project.folder / "own.yaml", *(f"{n} {n}" for n in formats.NAMES), format="csv"
    )
    settings = ("--config", "scans=scans", f"layout={own}", "encodings=[lyft]")
    batched = (*settings, "scans_per_job=2")
    images = {f"lyft/{name}.png" for name in "012"}
    assert project.rendered_by(*batched) == images
    project.run("--directory", "alone", *settings, "scans=../scans")
    for name in images:
        batched_image = (project.folder / "results" / name).read_bytes()
        assert (project.folder / "alone/results" / name).read_bytes() == batched_image
    project.edit(f"{READERS}/pcd.py", '_PADDING = "_"', '_PADDING = "__"')
    assert project.rendered_by(*batched) == set()
    project.edit(f"{READERS}/csv.py", "_MAX_SHOWN = 30", "_MAX_SHOWN = 31")
    assert project.rendered_by(*batched) == images


def test_scan_is_the_file_with_the_suffix(project, records):
    """Of files with the same name, that of the layout; another layout renders anew."""
    for form, path in zip(("pcd, ascii", "ply, ascii", "bin"), records, strict=True):
        write(project.folder / "scans", "a", form, path)
    expected = {}
    for layout, others in (
        ("pcd", "1 .bin and 1 .ply files"),
        ("ply", "1 .bin and 1 .pcd files"),
        ("kitti", "1 .pcd and 1 .ply files"),
    ):
        arguments = ("--config", "scans=scans", f"layout={layout}", "encodings=[lyft]")
        output = project.run(*arguments)
        assert output.count(f"scans: {others} beside the scans are not read") == 1
        assert set(project.images()) == {"lyft/a.png"}
        expected[layout] = pixels_of(project.folder, "lyft/a.png")
    first, second, third = expected.values()
    assert (first != second).any()
    assert (second != third).any()


def test_bad_file_fails_alone(project, records):
    """With one line, which is also in its log."""
    folder = project.folder / "scans"
    for name, path in zip("012", records, strict=True):
        write(folder, name, "ply, binary", path)
    content = (folder / "1.ply").read_bytes()
    (folder / "1.ply").write_bytes(content[:-5])
    (folder / "2.ply").write_bytes(content.replace(b"float intensity", b"float i"))
    settings = ("--config", "scans=scans", "layout=ply", "encodings=[lyft]")
    output = project.run(*settings, expect=1)
    fields = "no field intensity, expected one of those in the file: x, y, z, i"
    for line in (
        "scans/1.ply: 31995 bytes found for 2000 points of 16 bytes, expected 32000",
        f"scans/2.ply: {fields}",
    ):
        assert line in output.splitlines()
    assert "Traceback" not in output
    assert set(project.images()) == {"lyft/0.png"}


def test_library_that_is_missing_is_named(project, records, tmp_path):
    """LAS needs one; points are chosen by its classification otherwise."""
    write(project.folder / "scans", "0", "las", records[0])
    own = write_layout(
        project.folder / "own.yaml",
        *("x x", "y y", "z z", "i intensity/65535", "kind classification"),
        format="las",
        drop={"kind": [0]},
    )
    settings = ("--config", "scans=scans", f"layout={own}", "encodings=[lyft]")
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "laspy.py").write_text(
        "raise ModuleNotFoundError('none', name='laspy')\n"
    )
    missing = {"PYTHONPATH": str(tmp_path / "none")}
    output = project.run(*settings, expect=1, environment=missing)
    assert (
        "scans/0.las: laspy is not installed, expected it to read the format las: "
        "pip install -r envs/formats.txt"
    ) in output.splitlines()
    output = project.run(*settings, expect=1)
    (line,) = [one for one in output.splitlines() if one.startswith("scans/0.las: ")]
    assert "2000 points" in line
    write_layout(
        own,
        *("x x", "y y", "z z", "i intensity/65535", "kind classification"),
        format="las",
        keep={"kind": [0]},
    )
    project.run("all", "bundle", *settings)
    (bundle,) = (project.folder / "results").glob("birdview-*.zip")
    with zipfile.ZipFile(bundle) as archive:
        readme = archive.read("README.md").decode()
        assert "pip install -r envs/formats.txt" in readme
        assert "envs/formats.txt" in archive.namelist()
