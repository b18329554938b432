"""The file of a scan becomes the file of an image."""

import hashlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

import birdview
from birdview.encoding import load_encoding
from birdview.png import CHECK, read_text
from birdview.provenance import PIXEL_MODULES, digest_code
from birdview.reference import LOOPS
from birdview.render import render
from birdview.scan import read_scan


def test_image_says_where_it_comes_from(tmp_path, make_scan):
    """The text of the PNG, all of it: no time, no path."""
    points = [[1, 2, -1, 0.5], [1, 2, -1, 0.5], [90, 0, 0, 0], [np.nan, 0, 0, 0]]
    scan = make_scan(tmp_path / "a.bin", points)
    encoding = load_encoding("notebook")
    counts = render(scan, tmp_path / "a.png", encoding)
    text = read_text(tmp_path / "a.png")
    assert re.fullmatch("[0-9a-f]{8}", text.pop(CHECK))
    assert text == {
        "Software": f"birdview {birdview.__version__}",
        "birdview:encoding": "notebook",
        "birdview:encoding_sha256": encoding.digest,
        "birdview:channels": "density intensity height",
        "birdview:layout": "kitti",
        "birdview:scan_sha256": hashlib.sha256(scan.read_bytes()).hexdigest(),
        "birdview:read": "4",
        "birdview:nonfinite": "1",
        "birdview:outside": "1",
        "birdview:drawn": "2",
        "birdview:cells": "1",
    }
    assert counts == (4, 1, 1, 2, 1)


def test_same_scan_same_file(tmp_path, make_scan):
    """Byte for byte, under any name."""
    for name in ("a", "b"):
        render(
            make_scan(tmp_path / f"{name}.bin"), tmp_path / name, load_encoding("mv3d")
        )
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("name", LOOPS)
def test_real_scans_equal_the_loop(tmp_path, kitti_scans, name):
    """Decoded by OpenCV, every pixel."""
    for scan in kitti_scans:
        render(scan, tmp_path / "a.png", load_encoding(name))
        image = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(image, LOOPS[name](read_scan(scan)))


@pytest.mark.parametrize("name", LOOPS)
def test_empty_scan_is_a_black_image(tmp_path, make_scan, name):
    """0 bytes are a valid scan."""
    scan = make_scan(tmp_path / "a.bin", 0)
    assert scan.stat().st_size == 0
    encoding = load_encoding(name)
    render(scan, tmp_path / "a.png", encoding)
    planes, channels = birdview.load(tmp_path / "a.png")
    assert planes.shape == (len(channels), *encoding.grid.shape)
    assert not planes.any()


def test_failure_leaves_nothing_and_keeps_what_was_there(tmp_path, make_scan):
    """Neither a partial file, nor a change to an older image."""
    image = tmp_path / "out" / "a.png"
    image.parent.mkdir()
    image.write_bytes(b"older")
    scan = tmp_path / "a.bin"
    scan.write_bytes(bytes(33))
    with pytest.raises(ValueError, match="33 bytes found"):
        render(scan, image, load_encoding("mv3d"))
    # An image cannot take the place of a folder.
    with pytest.raises(OSError, match="out"):
        render(make_scan(scan), image.parent, load_encoding("mv3d"))
    assert os.listdir(image.parent) == ["a.png"]
    assert image.read_bytes() == b"older"
    assert sorted(os.listdir(tmp_path)) == ["a.bin", "out"]


def test_image_has_the_usual_permissions(tmp_path, make_scan):
    """Colleagues can read it, if the umask says so."""
    render(make_scan(tmp_path / "a.bin"), tmp_path / "a.png", load_encoding("mv3d"))
    (tmp_path / "other").touch()
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_threads_do_not_share_work_arrays(tmp_path, make_scan):
    """8 threads, all encodings, 10 scans: the same files as one by one."""
    scans = [make_scan(tmp_path / f"{i}.bin", 500 * i, seed=i) for i in range(10)]
    jobs = [(scan, load_encoding(name)) for scan in scans for name in LOOPS]

    def run(job, suffix):
        scan, encoding = job
        image = scan.with_suffix(f".{encoding.name}.{suffix}")
        render(scan, image, encoding)
        return image.read_bytes()

    alone = [run(job, "alone") for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda job: run(job, "threads"), jobs)) == alone


def test_all_that_render_imports_is_in_the_digest_of_the_code():
    """Or an edit to it would leave stale images."""
    code = "import sys, birdview.render, birdview.encoding; print(*sys.modules)"
    folder = os.path.dirname(os.path.dirname(birdview.__file__))
    output = subprocess.check_output(
        [sys.executable, "-c", code], cwd=folder, text=True
    )
    imported = {
        name.partition(".")[2] for name in output.split() if "birdview." in name
    }
    # What provenance says is beside the pixels.
    assert imported - {"provenance"} == set(PIXEL_MODULES)


def test_digest_of_the_code_changes_with_any_module():
    """Each has its part in it, and the order has too."""
    digests = {digest_code([module]) for module in PIXEL_MODULES}
    assert len(digests) == len(PIXEL_MODULES)
    assert digest_code() not in digests
