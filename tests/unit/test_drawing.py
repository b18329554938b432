"""Drawings are encoded to the bytes that their lines have with the dense encoder."""

import zlib

import numpy as np
import pytest
from dense import deflate as deflate_densely
from hypothesis import given, settings
from hypothesis import strategies as st

from birdview import paths
from birdview.demo import write_scan
from birdview.pixels.deflate import BLOCK_TOKENS, MAX_STRETCH, deflate
from birdview.pixels.drawing import trace
from birdview.pixels.encoding import load_encoding
from birdview.pixels.plotter import Plotter
from birdview.pixels.raster import Raster
from birdview.pixels.scan import read_scan

ALL = sorted(path.stem for path in paths.ENCODINGS.glob("*.yaml"))
BUILT_IN = [name for name in ALL if not load_encoding(name).fields]
SHADES = st.sampled_from([0, 1, 7, 255])


def lines_of(planes):
    """Return the lines of the PNG, each with the number of its filter in front."""
    rows, _, count = planes.shape
    if count != 3:
        planes, rows = planes.transpose(2, 0, 1), rows * count
    lines = np.zeros((rows, 1 + planes.size // rows), dtype=np.uint8)
    lines[:, 1:] = planes.reshape(rows, -1)
    return lines.ravel()


def compress(drawing):
    return deflate(
        *drawing.lines, drawing.background, drawing.pixels, drawing.shades
    ).tobytes()


def check(drawing, planes):
    """Compare with the dense encoder, with zlib, and with the planes."""
    lines = lines_of(planes)
    stream = compress(drawing)
    assert stream == deflate_densely(lines).tobytes()
    assert zlib.decompress(stream) == lines.tobytes()
    filled = np.full_like(planes, 3)
    drawing.fill(filled)
    np.testing.assert_array_equal(filled, planes)


@pytest.fixture(scope="module")
def demo_scans(tmp_path_factory):
    """Write two scans of the demo."""
    folder = tmp_path_factory.mktemp("demo")
    for number in range(2):
        write_scan(folder / f"{number}.bin", number, 0)
    return sorted(folder.iterdir())


@pytest.mark.parametrize("background", [0, 255])
@pytest.mark.parametrize("name", BUILT_IN)
def test_encodings_of_demo_scans(demo_scans, name, background):
    """As the raster draws them, on any background."""
    encoding = load_encoding(name)._replace(background=background)
    plotter, raster = Plotter(encoding), Raster(encoding)
    for scan in demo_scans:
        points = read_scan(scan)
        planes, counts = raster.draw(points)
        drawing, drawn, _ = plotter.draw(points)
        assert counts == drawn
        check(drawing, planes)


@pytest.mark.parametrize("name", BUILT_IN)
def test_encodings_of_real_scans(kitti_scans, name):
    """As the raster draws them."""
    encoding = load_encoding(name)
    plotter, raster = Plotter(encoding), Raster(encoding)
    for scan in kitti_scans[:3]:
        points = read_scan(scan)
        drawing, _, _ = plotter.draw(points)
        check(drawing, raster.draw(points)[0])


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("count", [0, 1, 5])
def test_few_points(name, count):
    """No point, one, and several in one cell."""
    encoding = load_encoding(name)
    points = np.tile(np.array([[10.04, -5.02, -1.5, 0.5]], np.float32), (count, 1))
    drawing, counts, _ = Plotter(encoding).draw(points)
    assert counts.cells == min(count, 1)
    planes, _ = Raster(encoding).draw(points)
    assert planes.any() == (count > 0)
    check(drawing, planes)


@settings(max_examples=300, deadline=None)
@given(
    shape=st.tuples(
        st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2, 3, 4])
    ),
    background=SHADES,
    data=st.data(),
)
def test_any_drawing(shape, background, data):
    """Runs across lines, shades like the background or the filter, full and empty."""
    share = data.draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    shades = data.draw(st.lists(SHADES, min_size=1, max_size=4))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    planes = np.where(
        rng.random((*shape[:2], 1)) < share, rng.choice(shades, shape), background
    ).astype(np.uint8)
    check(trace(planes, background), planes)
    check(trace(planes, 255 - background), planes)  # of which each pixel is listed


@pytest.mark.parametrize("background", [0, 200])
@pytest.mark.parametrize(
    "shape",
    [
        (1, 3 * MAX_STRETCH + 5, 1),
        (3 * MAX_STRETCH, 1, 1),
        (300, 300, 3),
        (90, 100, 36),
        (1, 1, 36),
        (1, 70_000, 2),
    ],
)
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 1.0])
def test_large_drawings(shape, background, share):
    """Runs longer than `MAX_STRETCH`, and more tokens than a block holds."""
    rng = np.random.default_rng(0)
    planes = np.full(shape, background, dtype=np.uint8)
    is_drawn = rng.random(shape) < share
    planes[is_drawn] = rng.integers(256, size=is_drawn.sum())
    check(trace(planes, background), planes)


@pytest.mark.parametrize("extra", range(-6, 7))
@pytest.mark.parametrize("run", [2, 3, 4, 300, MAX_STRETCH + 2])
def test_run_where_a_block_ends(extra, run):
    """The block ends before, inside and after a run, and with the image."""
    noise = np.arange(BLOCK_TOKENS + extra, dtype=np.uint32).astype(np.uint8)
    for after in (0, 5):
        data = [noise, np.full(run, noise[-1]), np.arange(after, dtype=np.uint8)]
        planes = np.concatenate(data).reshape(1, -1, 1)
        check(trace(planes), planes)
