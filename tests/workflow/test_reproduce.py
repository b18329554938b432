"""List and verify images: `snakemake manifest` and `snakemake verify`."""

import csv
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import Project

import birdview
from birdview.pixels.canvas import Canvas
from birdview.pixels.encoding import load_encoding
from birdview.pixels.png import read_text
from birdview.reproduce.manifest import read_manifest

SETTINGS = ("--config", "scans=scans", "encodings=[lyft, complex_yolo]")
DIGITS = r"[0-9a-f]{12}"


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


def manifest_of(project):
    return project.folder / "results" / "manifest.tsv"


def test_manifest_has_a_row_for_each_image(listed):
    """Missing images are rendered first; rows are sorted."""
    run, rows = read_manifest(manifest_of(listed))
    names = [f"{row.encoding}/{row.scan}.png" for row in rows]
    assert names == sorted(listed.images())
    assert len(names) == 6
    assert set(run) == {
        *("software", "code", "lock", "layout", "platform"),
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


def verify(project, *more, expect=0):
    """Verify; return the findings by kind, encoding and scan, and the output."""
    output = project.run("verify", *SETTINGS, *more, expect=expect)
    with open(project.folder / "results" / "verify.tsv", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    assert rows[0] == ["kind", "encoding", "scan", "what"]
    return {tuple(row[:3]): row[3] for row in rows[1:]}, output.splitlines()


def edit_pixel(path):
    """Change one pixel and write the image again, with the same text."""
    text, planes = read_text(path), birdview.load(path).planes
    canvas = Canvas((*planes.shape[1:], len(planes)))
    canvas.planes[:] = planes.transpose(1, 2, 0)
    canvas.planes[100, 50, 0] ^= 1
    path.write_bytes(canvas.encode(text))


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


def test_verify_names_a_cut_image(listed):
    """It says what is wrong with the file."""
    image = listed.folder / "results/lyft/1.png"
    image.write_bytes(image.read_bytes()[:-30])
    findings, _ = verify(listed, expect=1)
    what = "results/lyft/1.png: ends too early, expected a whole PNG"
    assert findings == {("image", "lyft", "1"): what}


def test_verify_names_swapped_images(listed):
    """It says which scan each of them shows."""
    one, two = (listed.folder / "results/lyft" / f"{name}.png" for name in "01")
    one.rename(one.with_name("x"))
    two.rename(one)
    one.with_name("x").rename(two)
    findings, _ = verify(listed, expect=1)
    assert list(findings) == [("image", "lyft", "0"), ("image", "lyft", "1")]
    for (_, _, mine), other in zip(findings, "10", strict=True):
        what = rf"it shows the scan {other}, expected {mine} \({DIGITS}\)"
        assert re.fullmatch(what, findings["image", "lyft", mine])


def test_verify_names_a_changed_pixel(listed):
    """Even if the file is whole, and its text was written for its pixels."""
    edit_pixel(listed.folder / "results/complex_yolo/drive/2.png")
    findings, _ = verify(listed, expect=1)
    what = (
        "1 of 369664 pixels, the first in row 100 and column 50, are not those that "
        "the scan gives"
    )
    assert findings == {("pixels", "complex_yolo", "drive/2"): what}


def test_verify_names_the_images_of_a_changed_scan(listed, make_scan):
    """They show other bytes."""
    make_scan(listed.folder / "scans" / "1.bin", 2000, seed=9)
    findings, _ = verify(listed, expect=1)
    assert list(findings) == [("image", "complex_yolo", "1"), ("image", "lyft", "1")]
    what = rf"it shows the scan with the digest {DIGITS}, expected 1 \({DIGITS}\)"
    assert all(re.fullmatch(what, found) for found in findings.values())


def test_verify_names_an_invalid_scan(listed):
    """The message is that of a failed rendering."""
    (listed.folder / "scans" / "1.bin").write_bytes(bytes(33))
    findings, _ = verify(listed, expect=1)
    assert list(findings) == [("scan", "complex_yolo", "1"), ("scan", "lyft", "1")]
    assert "33 bytes found" in findings["scan", "lyft", "1"]


def test_verify_names_the_images_of_a_changed_encoding(listed):
    """They were rendered with other numbers."""
    listed.edit("workflow/encodings/lyft.yaml", "range: [0, 16]", "range: [0, 8]")
    findings, _ = verify(listed, expect=1)
    names = [("image", "lyft", name) for name in ("0", "1", "drive/2")]
    what = "it was rendered with other numbers than the encoding has"
    assert findings == dict.fromkeys(names, what)


def test_verify_accepts_an_image_saved_by_another_program(listed):
    """It has other bytes and no text, but the same pixels."""
    image = str(listed.folder / "results/lyft/1.png")
    cv2.imwrite(image, cv2.imread(image))
    findings, lines = verify(listed)
    what = "the file has other bytes than it would have here, but the same pixels"
    assert findings == {("bytes", "lyft", "1"): what}
    assert "6 images verified: all pixels are as they should be" in lines


@pytest.fixture
def theirs(listed, tmp_path):
    """Copy the results to a colleague; return the setting that names their manifest."""
    shutil.copytree(listed.folder / "results", tmp_path / "theirs")
    return f"compare_with={tmp_path / 'theirs' / 'manifest.tsv'}"


def test_copied_results_are_identical(listed, theirs):
    """There is no finding."""
    assert verify(listed, theirs)[0] == {}


def test_their_scans_differ(listed, theirs, make_scan):
    """One has other bytes, one is only here, one only there; no image is reported."""
    scans = listed.folder / "scans"
    data = bytearray((scans / "1.bin").read_bytes())
    data[3] ^= 1
    (scans / "1.bin").write_bytes(data)
    (scans / "0.bin").unlink()
    make_scan(scans / "new.bin", 500)
    listed.run(*SETTINGS)
    findings, _ = verify(listed, theirs, expect=1)
    assert list(findings) == [("scan", "", name) for name in ("0", "1", "new")]
    assert findings["scan", "", "0"] == "only in their manifest, not here"
    assert findings["scan", "", "new"] == "only here, not in their manifest"
    what = rf"other bytes: {DIGITS} here, {DIGITS} there"
    assert re.fullmatch(what, findings["scan", "", "1"])


def test_their_encoding_differs(listed, theirs):
    """One number does; no image is reported."""
    before = load_encoding("lyft").digest[:12]
    listed.edit("workflow/encodings/lyft.yaml", "range: [0, 16]", "range: [0, 8]")
    listed.run(*SETTINGS)
    findings, _ = verify(listed, theirs, expect=1)
    assert list(findings) == [("encoding", "lyft", "")]
    what = rf"{DIGITS} here, {before} there"
    assert re.fullmatch(what, findings["encoding", "lyft", ""])


def test_their_scan_differs_in_one_encoding(listed, theirs, tmp_path):
    """It was replaced while they rendered: the scan is reported, in any order."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    _, rows = read_manifest(manifest)
    for row in rows[:1], rows[-1:]:
        shutil.copy(manifest, tmp_path / "kept.tsv")
        (one,) = row
        old = f"{one.encoding}\t{one.scan}\t{one.scan_sha256}"
        new = f"{one.encoding}\t{one.scan}\t{'f' * 64}"
        manifest.write_text(manifest.read_text().replace(old, new))
        findings, _ = verify(listed, theirs, expect=1)
        assert list(findings) == [("scan", "", one.scan)]
        shutil.copy(tmp_path / "kept.tsv", manifest)


def test_their_layout_differs(listed, theirs, tmp_path):
    """Then nothing else is reported."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    text = manifest.read_text()
    assert "# layout\tkitti\n" in text
    manifest.write_text(text.replace("# layout\tkitti", "# layout\twaymo6"))
    findings, lines = verify(listed, theirs, expect=1)
    assert findings == {("encoding", "", ""): "layout kitti here, waymo6 there"}
    assert "encoding: layout kitti here, waymo6 there" in lines


def test_their_pixels_differ(listed, theirs, tmp_path):
    """It says how many, and saves a picture of where."""
    image = tmp_path / "theirs" / "lyft" / "1.png"
    edit_pixel(image)
    manifest = tmp_path / "theirs" / "manifest.tsv"
    _, rows = read_manifest(manifest)
    (row,) = (row for row in rows if (row.encoding, row.scan) == ("lyft", "1"))
    text = manifest.read_text()
    text = re.sub("# lock\t.*", "# lock\tanother", text)
    manifest.write_text(text.replace(row.pixels_sha256, "0" * 64))
    findings, _ = verify(listed, theirs, expect=1)
    assert list(findings) == [("pixels", "lyft", "1")]
    what = findings["pixels", "lyft", "1"]
    assert what.startswith("other pixels, of the same scan and the same encoding")
    assert "1 of 112896 pixels, the first in row 100 and column 50" in what
    assert what.endswith("; other there: lock")
    picture = cv2.imread(str(listed.folder / "results/verify/lyft/1.png"), 0)
    assert np.argwhere(picture).tolist() == [[100, 50]]


def test_their_manifest_does_not_fit_their_image(listed, theirs, tmp_path):
    """It has another digest of the pixels than the image beside it."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    _, rows = read_manifest(manifest)
    manifest.write_text(manifest.read_text().replace(rows[0].pixels_sha256, "0" * 64))
    findings, _ = verify(listed, theirs, expect=1)
    what = "other pixels in their manifest, but the same in their image"
    assert findings == {("pixels", rows[0].encoding, rows[0].scan): what}


def test_their_manifest_lacks_an_image(listed, theirs, tmp_path):
    """It has the scan and the encoding, but no image of both."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    text = manifest.read_text()
    manifest.write_text(re.sub("\nlyft\t1\t.*", "", text))
    findings, _ = verify(listed, theirs, expect=1)
    assert findings == {("image", "lyft", "1"): "not in their manifest"}


def test_their_bytes_differ(listed, theirs, tmp_path):
    """With the same pixels that is reported, but harmless."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    _, rows = read_manifest(manifest)
    text = manifest.read_text()
    manifest.write_text(text.replace(rows[0].file_sha256, "0" * 64))
    findings, _ = verify(listed, theirs)
    assert list(findings) == [("bytes", rows[0].encoding, rows[0].scan)]


def test_their_manifest_is_missing(listed):
    """The error is one line."""
    output = listed.run("verify", *SETTINGS, "compare_with=no.tsv", expect=1)
    line = "compare_with: [Errno 2] No such file or directory: 'no.tsv'"
    assert line in output.splitlines()
