"""All variants that the benchmark compares give the same results."""

from functools import cache

import cv2
import numpy as np
import pytest
from test_raster import adversarial_points

from birdview.benchmark.reference import LOOPS
from birdview.benchmark.variants import (
    ENCODERS,
    ENCODINGS,
    OURS,
    RASTERISERS,
    READERS,
    RENDERERS,
    SEVERAL,
    TOGETHER,
    image_of,
)
from birdview.pixels.scan import read_scan

SCANS = {
    "edges": adversarial_points("mv3d"),
    "edges of the notebook": adversarial_points("notebook"),
    "none": np.zeros((0, 4)),
    "one": np.array([[10, -5, -1, 0.5]]),
    "NaN": np.full((3, 4), np.nan),
}


@cache
def draw_plainly(scan, encoding):
    """Return the image of the plain loop."""
    return LOOPS[encoding](read_scan(scan))


@pytest.fixture(scope="module", params=[*SCANS, "real 0", "real 1", "real 2"])
def scan(request, tmp_path_factory):
    """Return the path of a scan."""
    if request.param not in SCANS:
        scans = request.getfixturevalue("kitti_scans")
        return str(scans[int(request.param[-1]) % len(scans)])
    path = tmp_path_factory.mktemp("scans") / "a.bin"
    SCANS[request.param].astype("<f4").tofile(path)
    return str(path)


@pytest.mark.parametrize("variant", READERS)
def test_readers_read_the_same_points(scan, variant):
    """Bit by bit."""
    expected = read_scan(scan)
    points = READERS[variant](scan)
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, expected)


@pytest.mark.parametrize("encoding", RASTERISERS)
@pytest.mark.parametrize("variant", RASTERISERS["mv3d"])
def test_rasterisers_draw_the_same_pixels(scan, encoding, variant):
    """As the plain loop."""
    expected = draw_plainly(scan, encoding)
    np.testing.assert_array_equal(RASTERISERS[encoding][variant](scan), expected)


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("variant", ENCODERS["mv3d"])
def test_encoders_encode_the_same_pixels(tmp_path, scan, encoding, variant):
    """Decoded by OpenCV."""
    image = str(tmp_path / "a.png")
    ENCODERS[encoding][variant](scan, image)
    np.testing.assert_array_equal(cv2.imread(image), image_of(scan, encoding))


@pytest.mark.parametrize(
    ("encoding", "variant"), [(e, v) for e, of_e in RENDERERS.items() for v in of_e]
)
def test_renderers_make_the_same_image(tmp_path, scan, encoding, variant):
    """The floor too, which writes an image that was drawn before."""
    image = str(tmp_path / "a.png")
    RENDERERS[encoding][variant](scan, image)
    expected = draw_plainly(scan, encoding)
    np.testing.assert_array_equal(cv2.imread(image), expected)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("variant", ENCODINGS["mv3d"])
def test_encodings_equal_the_loop(tmp_path, scan, encoding, variant):
    """Decoded by OpenCV."""
    image = str(tmp_path / "a.png")
    ENCODINGS[encoding][variant](scan, image)
    expected = draw_plainly(scan, encoding)
    pixels = cv2.imread(image, cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("variant", TOGETHER)
def test_several_encodings_equal_those_made_singly(tmp_path, scan, variant):
    """Byte by byte, each in its own file."""
    TOGETHER[variant](scan, str(tmp_path / "a.png"))
    assert len(list(tmp_path.iterdir())) == len(SEVERAL)
    for name in SEVERAL:
        ENCODINGS[name][OURS](scan, str(tmp_path / "alone.png"))
        alone = (tmp_path / "alone.png").read_bytes()
        assert (tmp_path / f"a-{name}.png").read_bytes() == alone
