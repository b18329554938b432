"""Write PNG files that other programs read."""

import io
import re
import shutil
import subprocess
import zlib

import cv2
import numpy as np
import pytest
from helpers import as_opencv
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from birdview.pixels.drawing import trace
from birdview.pixels.png import CHECK, idat, read_chunks, read_text

shapes = st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 7))


def decode(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


@settings(max_examples=100, deadline=None)
@given(shape=shapes, seed=st.integers(0, 9))
def test_opencv_and_pillow_read_the_same_pixels(shape, seed):
    """Of any size from 1 x 1: three planes in colour, others as stacked grey planes."""
    pixels = np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)
    content = trace(pixels).encode({})
    decoded = decode(content)
    np.testing.assert_array_equal(decoded, as_opencv(pixels))
    other = np.asarray(Image.open(io.BytesIO(content)))
    np.testing.assert_array_equal(other[..., ::-1] if shape[2] == 3 else other, decoded)
    if shape[2] != 3:
        stacked = decoded.reshape(shape[2], shape[0], shape[1])
        np.testing.assert_array_equal(stacked, pixels.transpose(2, 0, 1))


def test_same_input_gives_same_bytes():
    """There is no time in the file."""
    planes = np.full((5, 7, 3), 7, dtype=np.uint8)
    first, second = (trace(planes.copy()).encode({"a": "b"}) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("background", [0, 1, 9])
def test_drawing_has_only_pixels_that_are_not_background(background):
    """Those of which one sample differs from it; red is the first."""
    planes = np.full((2, 2, 3), background, dtype=np.uint8)
    assert not len(trace(planes, background).pixels)
    planes[1, 0] = 1, 2, 3
    drawing = trace(planes, background)
    assert drawing.pixels.tolist() == [2]
    assert decode(drawing.encode({})).tolist() == planes[..., ::-1].tolist()


def test_text_comes_back(tmp_path):
    """Any text, in order; and OpenCV still reads the image."""
    text = {
        "Software": "birdview",
        "birdview:name": "Straße 道 \N{DROMEDARY CAMEL}",
        "e": "",
    }
    path = tmp_path / "a.png"
    path.write_bytes(trace(np.zeros((1, 1, 1), np.uint8)).encode(text))
    check = {CHECK: f"{zlib.adler32(bytes(2)):08x}"}
    assert list(read_text(path).items()) == list((text | check).items())
    assert cv2.imread(str(path)).shape == (1, 1, 3)


latin = st.characters(
    codec="latin-1", exclude_categories=["Cc"], exclude_characters=" "
)
keywords = st.text(latin, min_size=1, max_size=79).filter(lambda word: word != CHECK)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("text")


@settings(max_examples=100, deadline=None)
@given(
    text=st.dictionaries(keywords, st.text(st.characters(codec="utf-8")), max_size=5)
)
def test_any_text_comes_back(folder, text):
    """With any keyword, and as Pillow reads it."""
    path = folder / "a.png"
    path.write_bytes(trace(np.zeros((1, 1, 1), np.uint8)).encode(text))
    check = {CHECK: f"{zlib.adler32(bytes(2)):08x}"}
    assert read_text(path) == text | check
    with Image.open(path) as image:
        assert image.text == text | check


def test_pngcheck_finds_no_error(tmp_path):
    """In images of many sizes, with text."""
    if shutil.which("pngcheck") is None:
        pytest.skip("pngcheck is not installed")
    rng = np.random.default_rng(0)
    for number in range(60):
        shape = *(int(n) for n in rng.integers(1, 300, 2)), int(rng.integers(1, 6))
        planes = rng.integers(256, size=shape) * (rng.random(shape) < 0.1)
        text = {"Software": "birdview", "birdview:channels": "ä b c"}
        (tmp_path / f"{number}.png").write_bytes(
            trace(planes.astype(np.uint8)).encode(text)
        )
    files = sorted(tmp_path.iterdir())
    done = subprocess.run(["pngcheck", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("OK: ") == 60


def test_png_of_another_program_has_no_text(tmp_path):
    """Written by OpenCV."""
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 4), np.uint8))
    assert read_text(tmp_path / "a.png") == {}


def test_file_that_is_not_a_png_is_rejected(tmp_path):
    """The message names the file."""
    path = tmp_path / "a.png"
    path.write_bytes(b"no picture")
    message = f"{path}: no PNG signature found, expected a PNG file"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_text(path)


def test_truncated_and_damaged_text_is_rejected(tmp_path):
    """A file cut before its pixels, and one with a changed letter."""
    path = tmp_path / "a.png"
    content = trace(np.zeros((1, 1, 1), np.uint8)).encode({"Software": "birdview"})
    path.write_bytes(content[:33])
    message = f"{path}: ends too early, expected a whole PNG"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_text(path)
    path.write_bytes(content.replace(b"birdview", b"Birdview"))
    message = f"{path}: the checksum of a chunk is wrong"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_text(path)


def test_chunks_are_read_up_to_a_kind(tmp_path):
    """The text of an image is read without its pixels; `idat` gives these alone."""
    content = trace(np.zeros((3, 4, 1), np.uint8)).encode({"Software": "birdview"})
    kinds = [kind for kind, _ in read_chunks(io.BytesIO(content), "a.png")]
    assert kinds == [b"IHDR", b"iTXt", b"iTXt", b"IDAT", b"IEND"]
    file = io.BytesIO(content)
    kinds = [kind for kind, _ in read_chunks(file, "a.png", before=b"IDAT")]
    assert kinds == [b"IHDR", b"iTXt", b"iTXt"]
    assert file.tell() == content.index(b"IDAT") + 4
    assert zlib.decompress(idat(content, "a.png")) == bytes(3 * 5)
