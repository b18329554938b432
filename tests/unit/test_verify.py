"""Compare images with their scans, and with the manifest of a colleague."""

import contextlib
import csv
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import birdview
from birdview import jobs, paths
from birdview.pixels.drawing import trace
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout
from birdview.pixels.png import read_text
from birdview.reproduce.manifest import read_manifest
from birdview.reproduce.verify import _shade_differences
from birdview.run import resolve

SETTINGS = {"scans": "scans", "encodings": ["lyft.yaml", "complex_yolo"]}
DIGITS = r"[0-9a-f]{12}"


def render():
    """Render all images of the run in the current folder."""
    run = resolve(SETTINGS)
    for image in run.images:
        Path(image.path).parent.mkdir(parents=True, exist_ok=True)
        jobs.render_image(run, image.scan, image.encoding.name, [], image.path)


@pytest.fixture(scope="module")
def original(compiled, make_scan, tmp_path_factory):
    """Render three scans in two encodings and make the manifest; return the folder."""
    folder = tmp_path_factory.mktemp("original")
    for seed, name in enumerate(("0", "1", "drive/2")):
        make_scan(folder / "scans" / f"{name}.bin", 2000, seed=seed)
    shutil.copy(paths.ENCODINGS / "lyft.yaml", folder)
    with contextlib.chdir(folder):
        render()
        jobs.write_manifest(resolve(SETTINGS), "results/manifest.tsv", threads=2)
    return folder


@pytest.fixture
def folder(original, tmp_path, monkeypatch):
    """Copy the rendered folder, and work in it."""
    folder = tmp_path / "run"
    shutil.copytree(original, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def verify(folder, capsys):
    """Verify; return the findings by kind, encoding and scan, and what is said."""

    def verify(differs=False, **more):
        run, ends = resolve(SETTINGS | more), contextlib.nullcontext()
        if differs:
            ends = pytest.raises(ValueError, match=r"^differences: ")
        with ends as error:
            jobs.verify_images(run, threads=2)
        lines = capsys.readouterr().out.splitlines()
        if differs:
            lines.append(str(error.value))
        with open(folder / "results" / "verify.tsv", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t"))
        assert rows[0] == ["kind", "encoding", "scan", "what"]
        return {tuple(row[:3]): row[3] for row in rows[1:]}, lines

    return verify


def edit_encoding(folder):
    """Change a number of the encoding `lyft`."""
    path = folder / "lyft.yaml"
    text = path.read_text()
    assert "range: [0, 16]" in text
    path.write_text(text.replace("range: [0, 16]", "range: [0, 8]", 1))


def edit_pixel(path):
    """Change one pixel and write the image again, with the same text."""
    text, planes = read_text(path), birdview.load(path).planes
    planes = planes.transpose(1, 2, 0).copy()
    planes[100, 50, 0] ^= 1
    path.write_bytes(trace(planes).encode(text))


def test_verify_names_a_cut_image(folder, verify):
    """It says what is wrong with the file."""
    image = folder / "results/lyft/1.png"
    image.write_bytes(image.read_bytes()[:-30])
    findings, _ = verify(differs=True)
    what = "results/lyft/1.png: ends too early, expected a whole PNG"
    assert findings == {("image", "lyft", "1"): what}


def test_verify_names_swapped_images(folder, verify):
    """It says which scan each of them shows."""
    one, two = (folder / "results/lyft" / f"{name}.png" for name in "01")
    one.rename(one.with_name("x"))
    two.rename(one)
    one.with_name("x").rename(two)
    findings, _ = verify(differs=True)
    assert list(findings) == [("image", "lyft", "0"), ("image", "lyft", "1")]
    for (_, _, mine), other in zip(findings, "10", strict=True):
        what = rf"it shows the scan {other}, expected {mine} \({DIGITS}\)"
        assert re.fullmatch(what, findings["image", "lyft", mine])


def test_verify_names_a_changed_pixel(folder, verify):
    """Even if the file is whole, and its text was written for its pixels."""
    edit_pixel(folder / "results/complex_yolo/drive/2.png")
    findings, _ = verify(differs=True)
    what = (
        "1 of 369664 pixels, the first in row 100 and column 50, are not those that "
        "the scan gives"
    )
    assert findings == {("pixels", "complex_yolo", "drive/2"): what}


def test_verify_names_the_images_of_a_changed_scan(folder, verify, make_scan):
    """They show other bytes."""
    make_scan(folder / "scans" / "1.bin", 2000, seed=9)
    findings, _ = verify(differs=True)
    assert list(findings) == [("image", "complex_yolo", "1"), ("image", "lyft", "1")]
    what = rf"it shows the scan with the digest {DIGITS}, expected 1 \({DIGITS}\)"
    assert all(re.fullmatch(what, found) for found in findings.values())


def test_verify_names_an_invalid_scan(folder, verify):
    """The message is that of a failed rendering."""
    (folder / "scans" / "1.bin").write_bytes(bytes(33))
    findings, _ = verify(differs=True)
    assert list(findings) == [("scan", "complex_yolo", "1"), ("scan", "lyft", "1")]
    assert "33 bytes found" in findings["scan", "lyft", "1"]


def test_verify_names_the_images_of_a_changed_encoding(folder, verify):
    """They were rendered with other numbers."""
    edit_encoding(folder)
    findings, _ = verify(differs=True)
    names = [("image", "lyft", name) for name in ("0", "1", "drive/2")]
    what = "it was rendered with other numbers than the encoding has"
    assert findings == dict.fromkeys(names, what)


def test_verify_accepts_an_image_saved_by_another_program(folder, verify):
    """It has other bytes and no text, but the same pixels."""
    image = str(folder / "results/lyft/1.png")
    cv2.imwrite(image, cv2.imread(image))
    findings, lines = verify()
    what = "the file has other bytes than it would have here, but the same pixels"
    assert findings == {("bytes", "lyft", "1"): what}
    assert "6 images verified: all pixels are as they should be" in lines


@pytest.fixture
def theirs(folder, tmp_path):
    """Copy the results to a colleague; return the setting with their manifest."""
    shutil.copytree(folder / "results", tmp_path / "theirs")
    return {"compare_with": str(tmp_path / "theirs" / "manifest.tsv")}


def test_copied_results_are_identical(folder, theirs, verify):
    """There is no finding."""
    assert verify(**theirs)[0] == {}


def test_their_scans_differ(folder, theirs, verify, make_scan):
    """One has other bytes, one is only here, one only there; no image is reported."""
    scans = folder / "scans"
    data = bytearray((scans / "1.bin").read_bytes())
    data[3] ^= 1
    (scans / "1.bin").write_bytes(data)
    (scans / "0.bin").unlink()
    make_scan(scans / "new.bin", 500)
    render()
    findings, _ = verify(differs=True, **theirs)
    assert list(findings) == [("scan", "", name) for name in ("0", "1", "new")]
    assert findings["scan", "", "0"] == "only in their manifest, not here"
    assert findings["scan", "", "new"] == "only here, not in their manifest"
    what = rf"other bytes: {DIGITS} here, {DIGITS} there"
    assert re.fullmatch(what, findings["scan", "", "1"])


def test_their_encoding_differs(folder, theirs, verify):
    """One number does; no image is reported."""
    before = load_encoding("lyft").digest[:12]
    edit_encoding(folder)
    render()
    findings, _ = verify(differs=True, **theirs)
    assert list(findings) == [("encoding", "lyft", "")]
    what = rf"{DIGITS} here, {before} there"
    assert re.fullmatch(what, findings["encoding", "lyft", ""])


def test_their_scan_differs_in_one_encoding(folder, theirs, verify, tmp_path):
    """It was replaced while they rendered: the scan is reported, in any order."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    _, rows = read_manifest(manifest)
    for row in rows[:1], rows[-1:]:
        shutil.copy(manifest, tmp_path / "kept.tsv")
        (one,) = row
        old = f"{one.encoding}\t{one.scan}\t{one.scan_sha256}"
        new = f"{one.encoding}\t{one.scan}\t{'f' * 64}"
        manifest.write_text(manifest.read_text().replace(old, new))
        findings, _ = verify(differs=True, **theirs)
        assert list(findings) == [("scan", "", one.scan)]
        shutil.copy(tmp_path / "kept.tsv", manifest)


def test_their_layout_differs(folder, theirs, verify, tmp_path):
    """Then nothing else is reported."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    text = manifest.read_text()
    assert "# layout\tkitti\n" in text
    here, there = (load_layout(name).digest for name in ("kitti", "waymo6"))
    text = text.replace("# layout\tkitti", "# layout\town").replace(here, there)
    manifest.write_text(text)
    findings, lines = verify(differs=True, **theirs)
    what = f"layout kitti ({here[:12]}) here, own ({there[:12]}) there"
    assert findings == {("encoding", "", ""): what}
    assert f"encoding: {what}" in lines


def test_their_camera_view_differs(theirs, verify, tmp_path):
    """Then nothing else is reported: other points are drawn."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    text = f"# camera_view\t1242 x 375\n{manifest.read_text()}"
    manifest.write_text(text)
    findings, _ = verify(differs=True, **theirs)
    assert findings == {
        ("encoding", "", ""): "camera_view: null here, 1242 x 375 there"
    }


def test_name_of_their_layout_does_not_count(theirs, verify, tmp_path):
    """What it says decides the pixels."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    text = manifest.read_text().replace("# layout\tkitti", "# layout\town")
    manifest.write_text(text)
    findings, _ = verify(**theirs)
    assert findings == {}


def test_manifest_of_0_1_has_the_name_alone(theirs, verify, tmp_path):
    """And fewer counts."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    lines = manifest.read_text().splitlines()
    header = [one for one in lines if one[0] == "#" and "layout_sha256" not in one]
    old = "read", "nonfinite", "outside", "drawn", "cells"
    columns, *rows = [line.split("\t") for line in lines if line[0] != "#"]
    old += "encoding", "scan", "scan_sha256", "pixels_sha256", "file_sha256"
    kept = [i for i, name in enumerate(columns) if name in old]
    table = ["\t".join(row[i] for i in kept) for row in (columns, *rows)]
    manifest.write_text("".join(f"{line}\n" for line in (*header, *table)))
    assert verify(**theirs)[0] == {}
    other = manifest.read_text().replace("# layout\tkitti", "# layout\twaymo6")
    manifest.write_text(other)
    findings, _ = verify(differs=True, **theirs)
    digest = load_layout("kitti").digest[:12]
    what = f"layout kitti ({digest}) here, waymo6 there"
    assert findings == {("encoding", "", ""): what}


def test_their_pixels_differ(folder, theirs, verify, tmp_path):
    """It says how many, and saves a picture of where."""
    image = tmp_path / "theirs" / "lyft" / "1.png"
    edit_pixel(image)
    manifest = tmp_path / "theirs" / "manifest.tsv"
    _, rows = read_manifest(manifest)
    (row,) = (row for row in rows if (row.encoding, row.scan) == ("lyft", "1"))
    text = manifest.read_text()
    text = re.sub("# lock\t.*", "# lock\tanother", text)
    manifest.write_text(text.replace(row.pixels_sha256, "0" * 64))
    findings, _ = verify(differs=True, **theirs)
    assert list(findings) == [("pixels", "lyft", "1")]
    what = findings["pixels", "lyft", "1"]
    assert what.startswith("other pixels, of the same scan and the same encoding")
    assert "1 of 112896 pixels, the first in row 100 and column 50" in what
    assert what.endswith("; other there: lock")
    assert "results/verify/lyft/1.png shows where, and how much: grey 64" in what
    picture = cv2.imread(str(folder / "results/verify/lyft/1.png"), 0)
    assert np.argwhere(picture).tolist() == [[100, 50]]
    assert picture[100, 50] == 255


def test_pictures_of_differences_show_how_much():
    """Shades rise from that of a difference of 1, which is seen, to white."""
    here = np.full((2, 3), 100, dtype=np.uint8)
    there = np.array([[100, 101, 99], [201, 200, 50]], dtype=np.uint8)
    shades, greatest = _shade_differences(here, there)
    assert greatest == 101
    np.testing.assert_array_equal(
        shades, [[0, 64, 64], [255, 253, round(64 + 191 * 49 / 100)]]
    )
    shades, greatest = _shade_differences(here[:1], there[:1])
    assert (greatest, shades.tolist()) == (1, [[0, 255, 255]])
    # Of three planes, the one that differs most counts; 0 and 255 are far apart.
    here, there = np.zeros((2, 1, 1, 3), dtype=np.uint8)
    there[...] = 3, 255, 0
    shades, greatest = _shade_differences(here, there)
    assert (greatest, shades.tolist()) == (255, [[255]])


def test_their_manifest_does_not_fit_their_image(folder, theirs, verify, tmp_path):
    """It has another digest of the pixels than the image beside it."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    _, rows = read_manifest(manifest)
    manifest.write_text(manifest.read_text().replace(rows[0].pixels_sha256, "0" * 64))
    findings, _ = verify(differs=True, **theirs)
    what = "other pixels in their manifest, but the same in their image"
    assert findings == {("pixels", rows[0].encoding, rows[0].scan): what}


def test_their_manifest_lacks_an_image(folder, theirs, verify, tmp_path):
    """It has the scan and the encoding, but no image of both."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    text = manifest.read_text()
    manifest.write_text(re.sub("\nlyft\t1\t.*", "", text))
    findings, _ = verify(differs=True, **theirs)
    assert findings == {("image", "lyft", "1"): "not in their manifest"}


def test_their_bytes_differ(folder, theirs, verify, tmp_path):
    """With the same pixels that is reported, but harmless."""
    manifest = tmp_path / "theirs" / "manifest.tsv"
    _, rows = read_manifest(manifest)
    text = manifest.read_text()
    manifest.write_text(text.replace(rows[0].file_sha256, "0" * 64))
    findings, _ = verify(**theirs)
    assert list(findings) == [("bytes", rows[0].encoding, rows[0].scan)]


def test_their_manifest_is_missing(folder):
    """The error names the setting, in one line."""
    message = "compare_with: [Errno 2] No such file or directory: 'no.tsv'"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        jobs.verify_images(resolve(SETTINGS | {"compare_with": "no.tsv"}), threads=2)


SEVERAL = {
    "encodings": ["lyft", "semantic"],
    "sweeps": {"before": 1, "poses": "poses.tsv", "format": "table"},
    "point_labels": {"path": "labels"},
}
"""Settings of images that are made of several files."""


def write_poses(folder, y=0.0):
    """Write poses 2 m apart; the last is that far to the left."""
    rows = [
        f"drive/{number} 1 0 0 {2 * number} 0 1 0 {y if number == 3 else 0} 0 0 1 0"
        for number in range(4)
    ]
    (folder / "poses.tsv").write_text("\n".join(rows))


def write_labels(folder, number, seed):
    """Write the labels of a scan, of three classes."""
    labels = np.random.default_rng(seed).choice([10, 40, 70], 2000)
    labels.astype("<u4").tofile(folder / f"labels/drive/{number}.label")


def render_joined(more):
    """Render all images of a run with `SEVERAL` and other settings."""
    run = resolve(SETTINGS | SEVERAL | more)
    for image in run.images:
        encoding, path = image.encoding.name, Path(image.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        files = jobs.list_inputs(run, image.scan, encoding)
        jobs.render_image(run, image.scan, encoding, files, path)


@pytest.fixture
def joined(compiled, make_scan, tmp_path, monkeypatch):
    """Render four scans of a drive with sweeps and labels; work in their folder."""
    folder = tmp_path / "run"
    for number in range(4):
        make_scan(folder / f"scans/drive/{number}.bin", 2000, seed=number)
        make_scan(folder / f"right/drive/{number}.bin", 1000, seed=10 + number)
    (folder / "labels/drive").mkdir(parents=True)
    for number in range(4):
        write_labels(folder, number, seed=number)
    write_poses(folder)
    monkeypatch.chdir(folder)
    render_joined({})
    return folder


@pytest.fixture
def verify_joined(joined, capsys):
    """Verify with `SEVERAL`; return the findings by encoding and scan."""

    def verify(**more):
        with contextlib.suppress(ValueError):
            jobs.verify_images(resolve(SETTINGS | SEVERAL | more), threads=2)
        with open(joined / "results" / "verify.tsv", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t"))
        return {"/".join(filter(None, row[1:3])): f"{row[0]}: {row[3]}" for row in rows}

    def check(**more):
        findings = verify(**more)
        assert findings.pop("encoding/scan") == "kind: what"
        return findings

    return check


def test_images_of_several_files_are_verified(joined, verify_joined):
    """Nothing differs; swapped ones are named by the scans that they show."""
    assert verify_joined() == {}
    one, two = (joined / f"results/lyft/drive/{number}.png" for number in (1, 3))
    one.rename(two.with_name("x"))
    two.rename(one)
    two.with_name("x").rename(two)
    findings = verify_joined()
    assert list(findings) == ["lyft/drive/1", "lyft/drive/3"]
    for (mine, found), other in zip(findings.items(), (3, 1), strict=True):
        what = (
            rf"image: it shows the scan drive/{other}, expected {mine[5:]} \({DIGITS}\)"
        )
        assert re.fullmatch(what, found)


def test_verify_names_the_images_of_a_changed_neighbour(
    joined, verify_joined, make_scan
):
    """Those of the scan itself, and of the one that it is drawn with."""
    make_scan(joined / "scans/drive/1.bin", 2000, seed=9)
    findings = verify_joined()
    names = [f"{name}/drive/{n}" for name in ("lyft", "semantic") for n in (1, 2)]
    assert list(findings) == names
    for name, found in findings.items():
        scan = name.partition("/")[2]
        what = (
            rf"image: it shows other bytes of {scan} or of scans drawn with it "
            rf"\({DIGITS}, expected {DIGITS}\)"
        )
        assert re.fullmatch(what, found)


def test_verify_names_the_images_of_a_missing_neighbour(joined, verify_joined):
    """They show more scans than there are."""
    (joined / "scans/drive/2.bin").unlink()
    what = "image: it shows 2 of 2 sweeps, expected 1 of 2"
    assert verify_joined() == dict.fromkeys(["lyft/drive/3", "semantic/drive/3"], what)


def test_verify_names_the_images_of_a_changed_pose(joined, verify_joined):
    """Only the last one is drawn with it."""
    write_poses(joined, y=0.5)
    what = (
        "image: it was rendered with other sweeps than the settings and the poses say"
    )
    assert verify_joined() == dict.fromkeys(["lyft/drive/3", "semantic/drive/3"], what)


def test_verify_names_the_images_of_changed_labels(joined, verify_joined):
    """Only those that show classes; labels of a scan drawn with it may be missing."""
    write_labels(joined, 1, seed=9)
    findings = verify_joined()
    assert list(findings) == ["semantic/drive/1", "semantic/drive/2"]
    what = rf"image: it shows other labels of points \({DIGITS}, expected {DIGITS}\)"
    assert all(re.fullmatch(what, found) for found in findings.values())
    (joined / "labels/drive/1.label").unlink()
    findings = verify_joined()
    assert list(findings) == ["semantic/drive/1", "semantic/drive/2"]
    assert findings["semantic/drive/1"].startswith("scan: ")
    what = "image: it shows 2 of 2 files of labels, expected 1 of 2"
    assert findings["semantic/drive/2"] == what


def test_verify_names_images_of_other_settings(joined, verify_joined):
    """It says which of them the images were not rendered with."""
    found = verify_joined(sweeps=None)
    assert len(found) == 8
    assert found["lyft/drive/0"] == "image: it shows 1 of 2 sweeps, expected none"
    assert found["lyft/drive/1"] == "image: it shows 2 of 2 sweeps, expected none"
    level = {"poses": "poses.tsv", "format": "table"}
    found = verify_joined(level=level)
    what = "image: it was rendered with another pose to level it than there is"
    assert len(found) == 8
    assert {*found.values()} == {what}
    shutil.copy(paths.CLASSES / "semantickitti.yaml", "own.yaml")
    text = Path("own.yaml").read_text()
    Path("own.yaml").write_text(text.replace("[10, 252]", "[10]"))
    found = verify_joined(point_labels={"path": "labels", "map": "own.yaml"})
    assert list(found) == [f"semantic/drive/{number}" for number in range(4)]
    what = "image: it was rendered with other classes of labels than the settings say"
    assert {*found.values()} == {what}


def test_images_of_several_sensors_are_verified(joined, verify_joined, make_scan):
    """A changed or missing partner is told from other frames."""
    right = {"scans": "right", "frame": {"yaw": 90}}
    settings = {"scans": None, "sensors": [{"scans": "scans"}, right], "sweeps": None}
    render_joined(settings)
    assert verify_joined(**settings) == {}
    make_scan(joined / "right/drive/0.bin", 1000, seed=99)
    (joined / "right/drive/1.bin").unlink()
    found = verify_joined(**settings)
    assert found["lyft/drive/0"].startswith("image: it shows other bytes of drive/0 or")
    what = "image: it shows 2 of 2 files of sensors, expected 1 of 2"
    assert found["semantic/drive/1"] == what
    assert len(found) == 4
    turned = settings | {"sensors": [{"scans": "scans"}, right | {"frame": None}]}
    what = (
        "image: it was rendered with other layouts or frames of sensors than the "
        "settings say"
    )
    assert verify_joined(**turned)["lyft/drive/3"] == what


def test_their_poses_and_labels_differ(joined, verify_joined):
    """Their manifest tells for each image; the other images are compared."""
    jobs.write_manifest(resolve(SETTINGS | SEVERAL), "theirs.tsv", threads=2)
    theirs = {"compare_with": "theirs.tsv"}
    assert verify_joined(**theirs) == {}
    write_poses(joined, y=0.5)
    write_labels(joined, 0, seed=9)
    render_joined({})
    found = verify_joined(**theirs)
    assert list(found) == [
        "lyft/drive/3",
        *(f"semantic/drive/{number}" for number in (0, 1, 3)),
    ]
    what = rf"scan: other poses or labels of points: {DIGITS} here, {DIGITS} there"
    assert all(re.fullmatch(what, one) for one in found.values())


def test_their_sweeps_differ(joined, verify_joined):
    """Then no scan is called another: the digests are those of other files."""
    jobs.write_manifest(resolve(SETTINGS | SEVERAL), "theirs.tsv", threads=2)
    more = {"sweeps": SEVERAL["sweeps"] | {"before": 2}}
    render_joined(more)
    found = verify_joined(compare_with="theirs.tsv", **more)
    what = "encoding: sweeps: -1 -2, vehicle 1 m here, -1, vehicle 1 m there"
    assert found == {"": what}
    more = {"point_labels": None, "encodings": ["lyft"]}
    render_joined(more)
    found = verify_joined(compare_with="theirs.tsv", **more)
    assert list(found) == ["semantic"]
