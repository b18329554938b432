"""Write a movie of images."""

import cv2
import pytest

from birdview.pixels.encoding import load_encoding
from birdview.pixels.render import render
from birdview.view.movie import write_movie


@pytest.fixture
def images(tmp_path, make_scan):
    """Render two scans."""
    images = {}
    for seed, name in enumerate("ab"):
        scan = make_scan(tmp_path / f"{name}.bin", 500, seed=seed)
        images[name] = tmp_path / f"{name}.png"
        render(scan, images[name], load_encoding("lyft"))
    return images


def test_a_movie_is_written_without_a_word(tmp_path, images, capfd):
    """OpenCV warns about the codec of a .webm, although it writes it."""
    movie = tmp_path / "movie.webm"
    write_movie(movie, images, load_encoding("lyft"), rate=5)
    assert capfd.readouterr() == ("", "")
    assert {path.name for path in tmp_path.glob("*m*")} == {"movie.webm"}
    assert cv2.VideoCapture(str(movie)).get(cv2.CAP_PROP_FPS) == pytest.approx(5)


def test_a_movie_is_webm(tmp_path, images):
    """By the type in front: an EBML header with the document type webm."""
    movie = tmp_path / "movie.webm"
    write_movie(movie, images, load_encoding("lyft"), rate=5)
    head = movie.read_bytes()[:64]
    assert head.startswith(b"\x1a\x45\xdf\xa3")
    assert b"\x42\x82\x88webm\0\0\0\0" in head
    assert b"matroska" not in head
