"""List images in a manifest, and check what they say of themselves."""

import hashlib
import re

import cv2
import numpy as np
import pytest

from birdview.image import ImageFile
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout
from birdview.pixels.render import render
from birdview.reproduce.manifest import (
    Row,
    describe_image,
    describe_images,
    describe_run,
    read_manifest,
    write_manifest,
)


@pytest.fixture
def image(tmp_path, make_scan):
    """Render an image in the encoding `lyft`; return its path."""
    path = tmp_path / "a.png"
    render(make_scan(tmp_path / "a.bin", 5000), path, load_encoding("lyft"))
    return path


@pytest.mark.parametrize("name", ["lyft", "pixor"])
def test_row_of_an_image(tmp_path, make_scan, name):
    """The digests are those of other tools, such as OpenCV for the pixels."""
    scan, encoding = make_scan(tmp_path / "a.bin", 5000), load_encoding(name)
    counts = render(scan, tmp_path / "a.png", encoding)
    row = describe_image(ImageFile(tmp_path / "a.png", encoding, "drive/a", scan))
    pixels = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    assert row == Row(
        name,
        "drive/a",
        hashlib.sha256(scan.read_bytes()).hexdigest(),
        "",
        hashlib.sha256(pixels.tobytes()).hexdigest(),
        hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest(),
        counts,
    )


def test_image_of_another_encoding_is_rejected(image):
    """Its text has the digest of its encoding."""
    expected = load_encoding("birdnet")
    made = load_encoding("lyft").digest[:12]
    message = f"{image}: encoding {made}, expected {expected.digest[:12]} of birdnet"
    with pytest.raises(ValueError, match=re.escape(message)):
        describe_image(ImageFile(image, expected, "a", "a.bin"))


def test_image_of_another_program_is_rejected(tmp_path):
    """It has no text."""
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((4, 4), np.uint8))
    message = f"{path}: no read in its text, expected birdview's PNG"
    with pytest.raises(ValueError, match=re.escape(message)):
        describe_image(ImageFile(path, load_encoding("lyft"), "a", "a.bin"))


def test_rows_are_sorted_with_any_number_of_threads(tmp_path, make_scan):
    """By encoding, then by scan."""
    images = []
    for name in ("lyft", "complex_yolo"):
        for scan in ("b", "a"):
            path = tmp_path / f"{name}-{scan}.png"
            render(make_scan(tmp_path / f"{scan}.bin"), path, load_encoding(name))
            images.append(ImageFile(path, load_encoding(name), scan, f"{scan}.bin"))
    rows = describe_images(images, threads=4)
    names = [(row.encoding, row.scan) for row in rows]
    assert names == [
        ("complex_yolo", "a"),
        ("complex_yolo", "b"),
        ("lyft", "a"),
        ("lyft", "b"),
    ]
    assert describe_images(images[::-1], threads=1) == rows


def test_written_manifest_is_read_back(tmp_path, image):
    """The run and the rows."""
    encodings = {"lyft": load_encoding("lyft")}
    run = describe_run(encodings, load_layout("kitti"))
    assert run["encoding lyft"] == encodings["lyft"].digest
    assert run["layout"] == "kitti"
    assert run["layout_sha256"] == load_layout("kitti").digest
    files = [ImageFile(image, encodings["lyft"], scan, "x") for scan in ("a", "b c")]
    rows = describe_images(files, threads=1)
    write_manifest(tmp_path / "manifest.tsv", run, rows)
    assert read_manifest(tmp_path / "manifest.tsv") == (run, rows)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("encoding\tscan", "a\tb", "cut short, or of another version of birdview"),
        ("\n", "", "cut short, or of another version of birdview"),
        ("lyft\ta", "lyft a", "line 9: 'lyft a"),
        ("\t5000\t", "\tmany\t", "expected 17 columns, the last 11 of them numbers"),
    ],
)
def test_invalid_manifest_is_rejected(tmp_path, image, old, new, message):
    """The message names the line."""
    encodings = {"lyft": load_encoding("lyft")}
    path = tmp_path / "manifest.tsv"
    rows = [describe_image(ImageFile(image, encodings["lyft"], "a", "a.bin"))]
    write_manifest(path, describe_run(encodings, load_layout("kitti")), rows)
    before, _, after = path.read_text().rpartition(old)
    path.write_text(before + new + after)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}: ")
