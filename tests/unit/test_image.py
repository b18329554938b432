"""Read images back into planes."""

import re
import struct
import sys
import zlib

import cv2
import numpy as np
import pytest

import birdview
from birdview.benchmark.reference import LOOPS
from birdview.pixels.encoding import load_encoding
from birdview.pixels.raster import Raster
from birdview.pixels.render import render
from birdview.pixels.scan import read_scan


@pytest.mark.parametrize("name", LOOPS)
def test_planes_come_back_as_drawn(tmp_path, make_scan, name):
    """Shape (planes, rows, cols), in the order of the encoding's file, with names."""
    scan, encoding = make_scan(tmp_path / "a.bin", 5000), load_encoding(name)
    render(scan, tmp_path / "a.png", encoding)
    planes, channels = birdview.load(tmp_path / "a.png")
    drawn, _ = Raster(encoding).draw(read_scan(scan))
    assert planes.dtype == np.uint8
    assert planes.flags.c_contiguous
    np.testing.assert_array_equal(planes, drawn.transpose(2, 0, 1))
    assert channels == tuple(channel.name for channel in encoding.channels)


def test_stacked_planes_are_as_documented(tmp_path, make_scan):
    """One grey image, which OpenCV and `reshape` split into planes."""
    encoding = load_encoding("pixor")
    render(make_scan(tmp_path / "a.bin", 5000), tmp_path / "a.png", encoding)
    stacked = cv2.imread(str(tmp_path / "a.png"), 0).reshape(36, 800, 700)
    np.testing.assert_array_equal(stacked, birdview.load(tmp_path / "a.png").planes)


def test_image_of_another_program_is_rejected(tmp_path):
    """It has no names of channels."""
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((4, 4), np.uint8))
    message = f"{path}: no names of channels found, expected birdview's PNG"
    with pytest.raises(ValueError, match=re.escape(message)):
        birdview.load(path)


@pytest.fixture
def image(tmp_path, make_scan):
    """Render an image in the encoding `lyft`; return its path."""
    path = tmp_path / "a.png"
    render(make_scan(tmp_path / "a.bin", 5000), path, load_encoding("lyft"))
    return path


def test_cut_image_is_rejected(image):
    """Anywhere after the signature, up to the last byte."""
    content = image.read_bytes()
    for size in (9, 60, len(content) // 2, len(content) - 13, len(content) - 1):
        image.write_bytes(content[:size])
        message = f"{image}: ends too early, expected a whole PNG"
        with pytest.raises(ValueError, match=re.escape(message)):
            birdview.load(image)


def test_changed_byte_is_noticed(image):
    """In the text and in the pixels."""
    content = image.read_bytes()
    for offset in (content.index(b"birdview") + 3, len(content) - 100):
        changed = bytearray(content)
        changed[offset] ^= 1
        image.write_bytes(changed)
        message = f"{image}: the checksum of a chunk is wrong"
        with pytest.raises(ValueError, match=re.escape(message)):
            birdview.load(image)


def reassemble(content, change):
    """Write a PNG with other chunks: `change` maps kind and data to new data."""
    offset, out = 8, content[:8]
    while offset < len(content):
        length, kind = struct.unpack(">I4s", content[offset : offset + 8])
        data = change(kind, content[offset + 8 : offset + 8 + length])
        out += struct.pack(">I", len(data)) + kind + data
        out += struct.pack(">I", zlib.crc32(kind + data))
        offset += 12 + length
    return out


def test_changed_pixel_is_noticed_though_all_checksums_fit(image):
    """Someone edits a pixel and keeps the text."""

    def change(kind, data):
        if kind != b"IDAT":
            return data
        lines = bytearray(zlib.decompress(data))
        lines[100_000] ^= 1
        return zlib.compress(bytes(lines))

    image.write_bytes(reassemble(image.read_bytes(), change))
    message = f"{image}: its text was written for other pixels"
    with pytest.raises(ValueError, match=re.escape(message)):
        birdview.load(image)


def test_wrong_number_of_pixels_is_rejected(image):
    """A whole stream with data of another size."""

    def change(kind, data):
        return zlib.compress(bytes(1000)) if kind == b"IDAT" else data

    image.write_bytes(reassemble(image.read_bytes(), change))
    message = f"{image}: a damaged or cut zlib stream, or one of another size"
    with pytest.raises(ValueError, match=re.escape(message)):
        birdview.load(image)


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ((336, 336, 16, 2, 0, 0, 0), "336 x 336 pixels of 16 bits and colour type 2"),
        ((336, 336, 8, 6, 0, 0, 0), "336 x 336 pixels of 8 bits and colour type 6"),
        ((0, 336, 8, 2, 0, 0, 0), "0 x 336 pixels of 8 bits and colour type 2"),
        ((2**31, 2**31, 8, 2, 0, 0, 0), "2147483648 x 2147483648 pixels of 8 bits"),
    ],
)
def test_other_kinds_of_png_are_rejected(image, head, found):
    """More bits, transparency, no pixels, or more than fit into memory."""

    def change(kind, data):
        return struct.pack(">IIBBBBB", *head) if kind == b"IHDR" else data

    image.write_bytes(reassemble(image.read_bytes(), change))
    with pytest.raises(ValueError, match=re.escape(f"{image}: {found}")):
        birdview.load(image)


def test_text_of_other_programs_is_ignored(image):
    """Compressed, or not decodable: neither read nor an error."""
    content = image.read_bytes()
    for text in (b"a\0\1\0\0\0" + zlib.compress(b"b"), b"a\0\0\0\0\0\xff\xfe", b"a"):
        chunk = struct.pack(">I", len(text)) + b"iTXt" + text
        chunk += struct.pack(">I", zlib.crc32(b"iTXt" + text))
        image.write_bytes(content[:33] + chunk + content[33:])
        assert birdview.load(image).channels == ("count_0", "count_1", "count_2")


@pytest.mark.parametrize("name", ["lyft", "mv3d_slices"])
def test_images_that_another_program_wrote_again(
    tmp_path, make_scan, monkeypatch, name
):
    """With filters and the same text: the same planes; an error without OpenCV."""
    path = tmp_path / "a.png"
    render(make_scan(tmp_path / "a.bin", 5000), path, load_encoding(name))
    expected = birdview.load(path)
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    filters = [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH]
    filtered = cv2.imencode(".png", pixels, filters)[1].tobytes()
    streams = []
    reassemble(filtered, lambda kind, data: streams.append((kind, data)) or data)
    stream = b"".join(data for kind, data in streams if kind == b"IDAT")
    assert zlib.decompress(stream)[0] != 0

    def change(kind, data):
        return stream if kind == b"IDAT" else data

    path.write_bytes(reassemble(path.read_bytes(), change))
    planes, channels = birdview.load(path)
    np.testing.assert_array_equal(planes, expected.planes)
    assert channels == expected.channels

    monkeypatch.setitem(sys.modules, "cv2", None)
    message = (
        f"{path}: another program wrote this PNG, and decoding it needs OpenCV, which "
        f"is not installed: pip install opencv-python-headless"
    )
    with pytest.raises(ModuleNotFoundError, match=re.escape(message)):
        birdview.load(path)


def test_missing_image_is_named(tmp_path):
    """By the system's own message."""
    with pytest.raises(FileNotFoundError, match=r"no\.png"):
        birdview.load(tmp_path / "no.png")
