"""What a manifest says of images, and what it does not believe of them."""

import hashlib
import re

import cv2
import numpy as np
import pytest

from birdview.encoding import load_encoding
from birdview.layout import find_layout
from birdview.manifest import (
    Row,
    describe_image,
    describe_images,
    describe_run,
    read_manifest,
    write_manifest,
)
from birdview.render import render


@pytest.fixture
def image(tmp_path, make_scan):
    """Render an image in the encoding `lyft`; return its path."""
    path = tmp_path / "a.png"
    render(make_scan(tmp_path / "a.bin", 5000), path, load_encoding("lyft"))
    return path


@pytest.mark.parametrize("name", ["lyft", "pixor"])
def test_row_of_an_image(tmp_path, make_scan, name):
    """The digests are those of any other tool: of the pixels, by OpenCV."""
    scan, encoding = make_scan(tmp_path / "a.bin", 5000), load_encoding(name)
    counts = render(scan, tmp_path / "a.png", encoding)
    row = describe_image(tmp_path / "a.png", encoding, "drive/a")
    pixels = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    assert row == Row(
        name,
        "drive/a",
        hashlib.sha256(scan.read_bytes()).hexdigest(),
        hashlib.sha256(pixels.tobytes()).hexdigest(),
        hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest(),
        *counts,
    )


def test_image_of_another_encoding(image):
    """Its text says by which numbers it was made."""
    expected = load_encoding("birdnet")
    made = load_encoding("lyft").digest[:12]
    message = f"{image}: encoding {made}, expected {expected.digest[:12]} of birdnet"
    with pytest.raises(ValueError, match=re.escape(message)):
        describe_image(image, expected, "a")


def test_image_of_others(tmp_path):
    """A PNG without text."""
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((4, 4), np.uint8))
    message = f"{path}: no read in its text, expected birdview's PNG"
    with pytest.raises(ValueError, match=re.escape(message)):
        describe_image(path, load_encoding("lyft"), "a")


def test_rows_are_sorted_however_many_threads(tmp_path, make_scan):
    """By encoding, then scan."""
    images = []
    for name in ("lyft", "complex_yolo"):
        for scan in ("b", "a"):
            path = tmp_path / f"{name}-{scan}.png"
            render(make_scan(tmp_path / f"{scan}.bin"), path, load_encoding(name))
            images.append((path, load_encoding(name), scan))
    rows = describe_images(images, threads=4)
    names = [(row.encoding, row.scan) for row in rows]
    assert names == [
        ("complex_yolo", "a"),
        ("complex_yolo", "b"),
        ("lyft", "a"),
        ("lyft", "b"),
    ]
    assert describe_images(images[::-1], threads=1) == rows


def test_what_is_written_is_read(tmp_path, image):
    """The run and the rows."""
    encodings = {"lyft": load_encoding("lyft")}
    run = describe_run(encodings, find_layout("kitti"))
    assert run["encoding lyft"] == encodings["lyft"].digest
    assert run["layout"] == "kitti"
    rows = [describe_image(image, encodings["lyft"], scan) for scan in ("a", "b c")]
    write_manifest(tmp_path / "manifest.tsv", run, rows)
    assert read_manifest(tmp_path / "manifest.tsv") == (run, rows)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("encoding\tscan", "a\tb", "no line with the columns' names, or cut short"),
        ("\n", "", "no line with the columns' names, or cut short"),
        ("lyft\ta", "lyft a", "line 8: 'lyft a"),
        ("\t5000\t", "\tmany\t", "columns, the last five of them numbers"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path, image, old, new, message):
    """By the line that is wrong."""
    encodings = {"lyft": load_encoding("lyft")}
    path = tmp_path / "manifest.tsv"
    rows = [describe_image(image, encodings["lyft"], "a")]
    write_manifest(path, describe_run(encodings, find_layout("kitti")), rows)
    before, _, after = path.read_text().rpartition(old)
    path.write_text(before + new + after)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}: ")
