"""The planes of an image become the pages of a TIFF, with the same pixels."""

import hashlib

import cv2
import numpy as np
import pytest

from birdview.training.tiff import format_tiff, read_tiff


@pytest.fixture
def planes():
    """Return five planes: one empty, one full, three of a few pixels."""
    planes = np.zeros((5, 33, 21), dtype=np.uint8)
    rng = np.random.default_rng(0)
    planes[1] = rng.integers(1, 256, (33, 21))
    for plane in planes[2:]:
        plane[rng.integers(0, 33, 40), rng.integers(0, 21, 40)] = 200
    return planes


NAMES = ["a", "height_1", "height_22", "density", "occupancy"]


@pytest.mark.parametrize("background", [0, 200])
def test_pages_are_the_planes(tmp_path, planes, background):
    """For OpenCV, and for `read_tiff`, which also knows their names."""
    path = tmp_path / "a.tiff"
    path.write_bytes(format_tiff(planes, NAMES, background))
    whole, pages = cv2.imreadmulti(str(path), flags=cv2.IMREAD_UNCHANGED)
    assert whole
    np.testing.assert_array_equal(pages, planes)
    read, names = read_tiff(path)
    np.testing.assert_array_equal(read, planes)
    assert names == tuple(NAMES)


def test_bytes_are_the_same_everywhere(planes):
    """They are those of this test, and not of a library."""
    digest = hashlib.sha256(format_tiff(planes, NAMES)).hexdigest()
    assert digest == (
        "c6c90e0e9567898a44bda5195d8c8128113dcea918286efc7ac3c7cacb1649f5"
    )


@pytest.mark.parametrize("size", [0, 7, 100, -1])
def test_a_file_that_is_cut_is_refused(tmp_path, planes, size):
    path = tmp_path / "a.tiff"
    path.write_bytes(format_tiff(planes, NAMES)[:size])
    with pytest.raises(ValueError, match="no TIFF") as error:
        read_tiff(path)
    assert str(error.value) == (
        f"{path}: no TIFF file of birdview's, or cut short, expected one of `snakemake "
        f"dataset`"
    )
