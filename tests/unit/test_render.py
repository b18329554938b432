"""Render the file of a scan to the file of an image."""

import hashlib
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

import birdview
from birdview.benchmark.reference import LOOPS
from birdview.pixels import drawing, plotter
from birdview.pixels.assembly import assemble_scan
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout
from birdview.pixels.png import CHECK, read_text
from birdview.pixels.recipe import digest_recipe
from birdview.pixels.render import Renderer, ScanRenderer, render
from birdview.pixels.scan import ScanBuffer, read_scan


def test_image_says_what_it_was_made_from(tmp_path, make_scan):
    """The whole text of the PNG: there is no time and no path in it."""
    points = [[1, 2, -1, 0.5], [1, 2, -1, 0.5], [90, 0, -9, 0], [np.nan, 0, 0, 0]]
    points += [[0, 0, 0, 1], [0, 0, 9, 1]]
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
        "birdview:layout_sha256": load_layout("kitti").digest,
        "birdview:recipe": digest_recipe(encoding, load_layout("kitti")),
        "birdview:scan_sha256": hashlib.sha256(scan.read_bytes()).hexdigest(),
        "birdview:read": "6",
        "birdview:nonfinite": "1",
        "birdview:no_return": "1",
        "birdview:dropped": "0",
        "birdview:vehicle": "0",
        "birdview:duplicate": "0",
        "birdview:outside": "2",
        "birdview:outside_height": "1",
        "birdview:drawn": "2",
        "birdview:cells": "1",
        "birdview:figures": "sampled=4 negative=0 bright=0 dim=1 least=0 greatest=1 "
        "odd=1 tiny=0 reach=2.82843 far=90.5097 near=0 on_road=0 below=0 road=nan "
        "ahead=nan behind=nan left=nan right=nan compared=0 repeated=0 scale_share=0 "
        "zero_bytes=0",
    }
    assert counts == (6, 1, 1, 0, 0, 0, 0, 2, 1, 2, 1)


def test_same_scan_gives_the_same_file(tmp_path, make_scan):
    """Byte for byte, whatever its name."""
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
    """A file of 0 bytes is a valid scan."""
    scan = make_scan(tmp_path / "a.bin", 0)
    assert scan.stat().st_size == 0
    encoding = load_encoding(name)
    render(scan, tmp_path / "a.png", encoding)
    planes, channels = birdview.load(tmp_path / "a.png")
    assert planes.shape == (len(channels), *encoding.grid.shape)
    assert not planes.any()


def test_failure_leaves_nothing_behind_and_keeps_the_old_image(tmp_path, make_scan):
    """Neither a partial file, nor a change to the old image."""
    image = tmp_path / "out" / "a.png"
    image.parent.mkdir()
    image.write_bytes(b"older")
    scan = tmp_path / "a.bin"
    scan.write_bytes(bytes(33))
    with pytest.raises(ValueError, match="33 bytes found"):
        render(scan, image, load_encoding("mv3d"))
    # An image cannot replace a folder.
    with pytest.raises(OSError, match="out"):
        render(make_scan(scan), image.parent, load_encoding("mv3d"))
    assert os.listdir(image.parent) == ["a.png"]
    assert image.read_bytes() == b"older"
    assert sorted(os.listdir(tmp_path)) == ["a.bin", "out"]


def test_image_has_the_usual_permissions(tmp_path, make_scan):
    """Colleagues can read it if the umask says so."""
    render(make_scan(tmp_path / "a.bin"), tmp_path / "a.png", load_encoding("mv3d"))
    (tmp_path / "other").touch()
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_renderers_in_threads_do_not_share_work_arrays(tmp_path, make_scan):
    """8 threads, all encodings, 10 scans: the same files as one by one."""
    scans = [make_scan(tmp_path / f"{i}.bin", 500 * i, seed=i) for i in range(10)]
    jobs = [(scan, load_encoding(name)) for scan in scans for name in LOOPS]
    alone = [Renderer(encoding).make_image(scan) for scan, encoding in jobs]
    kept = threading.local()

    def make_image(job):
        scan, encoding = job
        renderers = vars(kept)
        if encoding.name not in renderers:
            renderers[encoding.name] = Renderer(encoding)
        return renderers[encoding.name].make_image(scan)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(make_image, jobs)) == alone


@pytest.mark.parametrize("name", LOOPS)
def test_renderer_makes_the_same_files_in_any_order(tmp_path, make_scan, name):
    """As `render` does, from full scans to empty ones and back."""
    scans = [make_scan(tmp_path / f"{n}.bin", n, seed=n) for n in (5000, 0, 50, 1)]
    encoding, image = load_encoding(name), tmp_path / "a.png"
    expected = {}
    for scan in scans:
        counts = render(scan, image, encoding)
        expected[scan] = image.read_bytes(), counts
    renderer = Renderer(encoding)
    for scan in (*scans, *scans[::-1], scans[0], scans[2], scans[0]):
        assert renderer.make_image(scan) == expected[scan]
    assert renderer.render(scans[2], image) == expected[scans[2]][1]
    assert image.read_bytes() == expected[scans[2]][0]


@pytest.mark.parametrize(
    ("module", "function"),
    [(plotter, "_region"), (plotter, "draw"), (drawing, "deflate")],
)
def test_image_after_a_lack_of_memory_is_right(
    tmp_path, make_scan, monkeypatch, module, function
):
    """Nothing of the scan that did not fit is in the next image."""
    full, sparse = (make_scan(tmp_path / f"{n}.bin", n) for n in (5000, 50))
    encoding = load_encoding("lyft")
    renderer = Renderer(encoding)
    if function != "_region":  # which is called for the first scan only
        renderer.make_image(sparse)
    work = getattr(module, function)

    def work_and_fail(*arguments):
        work(*arguments)
        raise MemoryError("no more")

    with monkeypatch.context() as patch:
        patch.setattr(module, function, work_and_fail)
        with pytest.raises(MemoryError, match=r"5000\.bin: out of memory: no more"):
            renderer.make_image(full)
    assert renderer.make_image(sparse) == Renderer(encoding).make_image(sparse)


def test_image_after_a_bad_scan_is_right(tmp_path, make_scan):
    """An error between two scans changes neither."""
    bad = tmp_path / "bad.bin"
    bad.write_bytes(bytes(33))
    scan = make_scan(tmp_path / "a.bin")
    renderer = Renderer(load_encoding("lyft"))
    expected = renderer.make_image(scan)
    with pytest.raises(ValueError, match="33 bytes found"):
        renderer.make_image(bad)
    assert renderer.make_image(scan) == expected


def assembly_of(scan):
    """Return what the image of a scan of KITTI is made of."""
    return assemble_scan(scan, load_layout("kitti"))


def test_several_encodings_of_a_scan_are_those_made_one_by_one(tmp_path, make_scan):
    """Of long scans, short ones, and an empty one, with a bad one between."""
    encodings = [load_encoding(name) for name in LOOPS]
    bad = tmp_path / "bad.bin"
    bad.write_bytes(bytes(33))
    renderer = ScanRenderer()
    for number, count in enumerate((5000, 50, 0, 6000, 1)):
        scan = make_scan(tmp_path / f"{number}.bin", count, seed=number)
        alone = [Renderer(encoding).make_image(scan) for encoding in encodings]
        assert list(renderer.make_images(assembly_of(scan), encodings)) == alone
        with pytest.raises(ValueError, match="33 bytes found"):
            list(renderer.make_images(assembly_of(bad), encodings))


def test_scans_may_be_rendered_in_between(tmp_path, make_scan):
    """What is left of one scan is not drawn with the points of the next."""
    encodings = [load_encoding(name) for name in ("mv3d", "lyft")]
    scans = [make_scan(tmp_path / f"{n}.bin", 500, seed=n) for n in range(2)]
    expected = [
        [Renderer(encoding).make_image(scan) for encoding in encodings]
        for scan in scans
    ]
    renderer = ScanRenderer()
    list(renderer.make_images(assembly_of(scans[1]), encodings))
    iterators = [renderer.make_images(assembly_of(scan), encodings) for scan in scans]
    found = list(zip(*iterators, strict=True))
    assert found == list(zip(*expected, strict=True))


# NumPy leaves the pipe open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_file_that_is_no_file_is_read_as_ever(tmp_path):
    """A pipe, a folder, and none at all."""
    buffer, pipe = ScanBuffer(), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"",))
    writer.start()
    with pytest.raises(OSError, match="file position"):
        buffer.read(pipe)
    writer.join()
    with pytest.raises(IsADirectoryError):
        buffer.read(tmp_path)
    with pytest.raises(FileNotFoundError):
        buffer.read(tmp_path / "none")


def test_fields_of_the_encoding_are_of_the_layout(tmp_path, make_scan):
    """An image of fields that no point has would be empty."""
    scan, encoding = make_scan(tmp_path / "a.bin"), load_encoding("semantic")
    expected = (
        "encoding semantic: of: class: no such field in the layout kitti; "
        "birdview.Raster draws points with fields from elsewhere"
    )
    with pytest.raises(ValueError, match=f"^{expected}$"):
        render(scan, tmp_path / "a.png", encoding)
    own = [{name: "float32"} for name in ("x", "y", "z", "class")]
    render(scan, tmp_path / "a.png", encoding, own)


def test_points_that_are_kept_stay(tmp_path, make_scan):
    """`read_scan` has an array of its own each time."""
    first = read_scan(make_scan(tmp_path / "a.bin", seed=1))
    copy = first.copy()
    read_scan(make_scan(tmp_path / "b.bin", seed=2))
    Renderer(load_encoding("mv3d")).make_image(tmp_path / "b.bin")
    np.testing.assert_array_equal(first, copy)
