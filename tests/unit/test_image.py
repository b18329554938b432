"""The file of an image becomes planes again."""

import re

import cv2
import numpy as np
import pytest

import birdview
from birdview.encoding import load_encoding
from birdview.raster import Raster
from birdview.reference import LOOPS
from birdview.render import render
from birdview.scan import read_scan


@pytest.mark.parametrize("name", LOOPS)
def test_gives_back_what_was_drawn(tmp_path, make_scan, name):
    """Planes first, in the order of the encoding's file, with their names."""
    scan, encoding = make_scan(tmp_path / "a.bin", 5000), load_encoding(name)
    render(scan, tmp_path / "a.png", encoding)
    planes, channels = birdview.load(tmp_path / "a.png")
    drawn, _ = Raster(encoding).draw(read_scan(scan))
    assert planes.dtype == np.uint8
    assert planes.flags.c_contiguous
    np.testing.assert_array_equal(planes, drawn.transpose(2, 0, 1))
    assert channels == tuple(channel.name for channel in encoding.channels)


def test_stacked_planes_are_as_documented(tmp_path, make_scan):
    """One grey image, which OpenCV and `reshape` take apart."""
    encoding = load_encoding("pixor")
    render(make_scan(tmp_path / "a.bin", 5000), tmp_path / "a.png", encoding)
    stacked = cv2.imread(str(tmp_path / "a.png"), 0).reshape(36, 800, 700)
    np.testing.assert_array_equal(stacked, birdview.load(tmp_path / "a.png").planes)


def test_images_of_others_have_no_channels(tmp_path):
    """A PNG by OpenCV."""
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((4, 4), np.uint8))
    message = f"{path}: no names of channels found, expected birdview's PNG"
    with pytest.raises(ValueError, match=re.escape(message)):
        birdview.load(path)


def test_damaged_images_are_refused(tmp_path, make_scan):
    """Cut anywhere behind the text, or a byte of the pixels changed."""
    path = tmp_path / "a.png"
    render(make_scan(tmp_path / "a.bin", 5000), path, load_encoding("lyft"))
    content = path.read_bytes()
    middle = len(content) // 2
    changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    message = f"{path}: the pixels cannot be decoded, expected a whole PNG"
    for damaged in (content[:middle], content[:-13], changed):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=re.escape(message)):
            birdview.load(path)


def test_missing_image_is_named(tmp_path):
    """The system's own message is enough."""
    with pytest.raises(FileNotFoundError, match=r"no\.png"):
        birdview.load(tmp_path / "no.png")
