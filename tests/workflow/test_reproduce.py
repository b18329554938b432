"""`snakemake manifest` and `snakemake verify`: are these the images of these scans?"""

import csv
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import birdview
from birdview.encoding import load_encoding
from birdview.manifest import read_manifest
from birdview.png import Canvas, read_text

SETTINGS = ("--config", "scans=scans", "encodings=[lyft, complex_yolo]")


@pytest.fixture
def listed(project, make_scan):
    """Render three scans in two encodings and make the manifest."""
    for seed, name in enumerate(("0", "1", "drive/2")):
        make_scan(project.folder / "scans" / f"{name}.bin", 2000, seed=seed)
    project.run("manifest", *SETTINGS)
    return project


def manifest_of(project):
    return project.folder / "results" / "manifest.tsv"


def test_a_row_for_each_image(listed):
    """Renders what is missing first; sorted."""
    run, rows = read_manifest(manifest_of(listed))
    names = [f"{row.encoding}/{row.scan}.png" for row in rows]
    assert names == sorted(listed.images())
    assert len(names) == 6
    assert set(run) == {
        *("software", "code", "lock", "layout", "platform"),
        *("encoding complex_yolo", "encoding lyft"),
    }


def test_made_again_only_when_an_image_changes(listed, make_scan):
    """A scan, an encoding, a deleted image; the others' rows stay."""
    time = manifest_of(listed).stat().st_mtime_ns
    assert "Nothing to be done" in listed.run("manifest", *SETTINGS)
    assert manifest_of(listed).stat().st_mtime_ns == time
    _, before = read_manifest(manifest_of(listed))
    make_scan(listed.folder / "scans" / "1.bin", 2000, seed=9)
    listed.run("manifest", *SETTINGS)
    _, after = read_manifest(manifest_of(listed))
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [(row.encoding, row.scan) for row in changed] == [
        ("complex_yolo", "1"),
        ("lyft", "1"),
    ]
    listed.edit("workflow/encodings/lyft.yaml", "range: [0, 16]", "range: [0, 8]")
    listed.run("manifest", *SETTINGS)
    run, rows = read_manifest(manifest_of(listed))
    assert run != read_manifest(manifest_of(listed))[0] or rows != after


def test_another_clone_with_other_cores_has_the_same(listed, tmp_path):
    """But for the words of the platform, byte for byte, wherever it is made."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "scans").symlink_to(listed.folder / "scans")
    listed.run("manifest", *SETTINGS, cores=8, folder=elsewhere)
    texts = [
        Path(folder / "results/manifest.tsv").read_bytes()
        for folder in (listed.folder, elsewhere)
    ]
    assert texts[0] == texts[1]


def test_an_image_that_was_edited_is_named(listed):
    """In one line; and there is no manifest."""
    image = listed.folder / "results/lyft/1.png"
    content = image.read_bytes()
    image.write_bytes(content[:-20])
    output = listed.run("manifest", *SETTINGS, expect=1)
    line = "results/lyft/1.png: ends too early, expected a whole PNG"
    assert line in output.splitlines()
    assert not manifest_of(listed).exists()


FIGURES = r"[0-9a-f]{12}"


def verify(project, *more, expect=0):
    """Verify; return what was found, by kind, encoding and scan, and the output."""
    output = project.run("verify", *SETTINGS, *more, expect=expect)
    with open(project.folder / "results" / "verify.tsv", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    assert rows[0] == ["kind", "encoding", "scan", "what"]
    return {tuple(row[:3]): row[3] for row in rows[1:]}, output.splitlines()


def edit_pixel(path):
    """Change one pixel and write the image anew, with the text as it was."""
    text, planes = read_text(path), birdview.load(path).planes
    canvas = Canvas((*planes.shape[1:], len(planes)))
    canvas.planes[:] = planes.transpose(1, 2, 0)
    canvas.planes[100, 50, 0] ^= 1
    path.write_bytes(canvas.encode(text))


def test_verify_finds_nothing_where_nothing_is_wrong(listed):
    """And says so, each time that it is asked."""
    for _ in range(2):
        findings, lines = verify(listed)
        assert findings == {}
        assert "6 images verified: all pixels are as they should be" in lines


def test_verify_names_an_image_that_is_missing(listed):
    """And does not make it."""
    image = listed.folder / "results/lyft/1.png"
    image.unlink()
    findings, lines = verify(listed, expect=1)
    assert findings == {("image", "lyft", "1"): "there is none"}
    assert "image: lyft/1: there is none" in lines
    assert "differences: 1, in 6 images: see results/verify.tsv" in lines
    assert not image.exists()


def test_verify_names_an_image_that_is_cut(listed):
    """By what is wrong with it."""
    image = listed.folder / "results/lyft/1.png"
    image.write_bytes(image.read_bytes()[:-30])
    findings, _ = verify(listed, expect=1)
    what = "results/lyft/1.png: ends too early, expected a whole PNG"
    assert findings == {("image", "lyft", "1"): what}


def test_verify_names_images_that_were_swapped(listed):
    """By whose they are."""
    one, two = (listed.folder / "results/lyft" / f"{name}.png" for name in "01")
    one.rename(one.with_name("x"))
    two.rename(one)
    one.with_name("x").rename(two)
    findings, _ = verify(listed, expect=1)
    assert list(findings) == [("image", "lyft", "0"), ("image", "lyft", "1")]
    for (_, _, mine), other in zip(findings, "10", strict=True):
        what = rf"it is that of {other}, expected that of {mine} \({FIGURES}\)"
        assert re.fullmatch(what, findings["image", "lyft", mine])


def test_verify_names_a_pixel_that_was_changed(listed):
    """Where it is; though the file is whole, and its text fits its pixels."""
    edit_pixel(listed.folder / "results/complex_yolo/drive/2.png")
    findings, _ = verify(listed, expect=1)
    assert findings == {
        (
            "pixels",
            "complex_yolo",
            "drive/2",
        ): "1 of 369664 pixels, the first in row 100 "
        "and column 50, are not those that the scan gives"
    }


def test_verify_names_a_scan_that_was_changed(listed, make_scan):
    """Its images are of other bytes."""
    make_scan(listed.folder / "scans" / "1.bin", 2000, seed=9)
    findings, _ = verify(listed, expect=1)
    assert list(findings) == [("image", "complex_yolo", "1"), ("image", "lyft", "1")]
    what = rf"it is of a scan {FIGURES}, expected that of 1 \({FIGURES}\)"
    assert all(re.fullmatch(what, found) for found in findings.values())


def test_verify_names_a_scan_that_cannot_be_read(listed):
    """In the words of the render that fails."""
    (listed.folder / "scans" / "1.bin").write_bytes(bytes(33))
    findings, _ = verify(listed, expect=1)
    assert list(findings) == [("scan", "complex_yolo", "1"), ("scan", "lyft", "1")]
    assert "33 bytes found" in findings["scan", "lyft", "1"]


def test_verify_names_an_encoding_that_was_changed(listed):
    """Its images are of other numbers."""
    listed.edit("workflow/encodings/lyft.yaml", "range: [0, 16]", "range: [0, 8]")
    findings, _ = verify(listed, expect=1)
    names = [("image", "lyft", name) for name in ("0", "1", "drive/2")]
    what = "it is of other numbers than the encoding has"
    assert findings == dict.fromkeys(names, what)


def test_verify_lets_an_image_pass_that_was_written_again(listed):
    """By another program, without the text: other bytes, the same pixels."""
    image = str(listed.folder / "results/lyft/1.png")
    cv2.imwrite(image, cv2.imread(image))
    findings, lines = verify(listed)
    what = "the file has other bytes than it would have here, but the same pixels"
    assert findings == {("bytes", "lyft", "1"): what}
    assert "6 images verified: all pixels are as they should be" in lines


@pytest.fixture
def theirs(listed, tmp_path):
    """Copy our results to a colleague; return the setting that names them."""
    shutil.copytree(listed.folder / "results", tmp_path / "theirs")
    return f"reference={tmp_path / 'theirs' / 'manifest.tsv'}"


def test_two_clones_verify_as_identical(listed, theirs):
    """Nothing differs."""
    assert verify(listed, theirs)[0] == {}


def test_their_scans_differ(listed, theirs, make_scan):
    """One has other bytes, one is only here, one only there; no image is blamed."""
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
    what = rf"other bytes: {FIGURES} here, {FIGURES} there"
    assert re.fullmatch(what, findings["scan", "", "1"])


def test_their_encoding_differs(listed, theirs):
    """One number; no image is blamed."""
    before = load_encoding("lyft").digest[:12]
    listed.edit("workflow/encodings/lyft.yaml", "range: [0, 16]", "range: [0, 8]")
    listed.run(*SETTINGS)
    findings, _ = verify(listed, theirs, expect=1)
    assert list(findings) == [("encoding", "lyft", "")]
    what = rf"{FIGURES} here, {before} there"
    assert re.fullmatch(what, findings["encoding", "lyft", ""])


def test_their_scan_differs_in_one_encoding(listed, theirs, tmp_path):
    """It was replaced while they rendered: the scan is to blame, in any order."""
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
    """Then nothing else is to blame."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    text = manifest.read_text()
    assert "# layout\tkitti\n" in text
    manifest.write_text(text.replace("# layout\tkitti", "# layout\twaymo6"))
    findings, lines = verify(listed, theirs, expect=1)
    assert findings == {("encoding", "", ""): "layout kitti here, waymo6 there"}
    assert "encoding: layout kitti here, waymo6 there" in lines


def test_their_pixels_differ(listed, theirs, tmp_path):
    """Of the same scan and encoding: how many, and a picture of where."""
    image = tmp_path / "theirs" / "lyft" / "1.png"
    edit_pixel(image)
    manifest = tmp_path / "theirs" / "manifest.tsv"
    _, rows = read_manifest(manifest)
    (row,) = (row for row in rows if (row.encoding, row.scan) == ("lyft", "1"))
    text = manifest.read_text()
    text = re.sub("# lock\t.*", "# lock\tof another time", text)
    manifest.write_text(text.replace(row.pixels_sha256, "0" * 64))
    findings, _ = verify(listed, theirs, expect=1)
    assert list(findings) == [("pixels", "lyft", "1")]
    what = findings["pixels", "lyft", "1"]
    assert what.startswith("other pixels, of the same scan and the same encoding")
    assert "1 of 112896 pixels, the first in row 100 and column 50" in what
    assert what.endswith("; other there: lock")
    picture = cv2.imread(str(listed.folder / "results/verify/lyft/1.png"), 0)
    assert np.argwhere(picture).tolist() == [[100, 50]]


def test_their_manifest_is_not_of_their_image(listed, theirs, tmp_path):
    """It says other pixels than the image beside it has."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    _, rows = read_manifest(manifest)
    manifest.write_text(manifest.read_text().replace(rows[0].pixels_sha256, "0" * 64))
    findings, _ = verify(listed, theirs, expect=1)
    assert findings == {
        (
            "pixels",
            rows[0].encoding,
            rows[0].scan,
        ): "other pixels, of the same scan and "
        "the same encoding, says their manifest; but their image has the same pixels"
    }


def test_their_manifest_lacks_an_image(listed, theirs, tmp_path):
    """It has the scan and the encoding, but not the two together."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    text = manifest.read_text()
    manifest.write_text(re.sub("\nlyft\t1\t.*", "", text))
    findings, _ = verify(listed, theirs, expect=1)
    assert findings == {("image", "lyft", "1"): "not in their manifest"}


def test_their_bytes_differ(listed, theirs, tmp_path):
    """With the same pixels it is harmless, and said."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    _, rows = read_manifest(manifest)
    text = manifest.read_text()
    manifest.write_text(text.replace(rows[0].file_sha256, "0" * 64))
    findings, _ = verify(listed, theirs)
    assert list(findings) == [("bytes", rows[0].encoding, rows[0].scan)]


def test_there_is_no_such_manifest(listed):
    """One line."""
    output = listed.run("verify", *SETTINGS, "reference=no.tsv", expect=1)
    line = "reference: [Errno 2] No such file or directory: 'no.tsv'"
    assert line in output.splitlines()
