"""Draw scans as settings render them, to see whether they are right."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.counts import Counts
from birdview.inspect.sample import spread
from birdview.pixels.encoding import Encoding
from birdview.pixels.frame import HEIGHT
from birdview.pixels.layout import Layout
from birdview.pixels.raster import Raster
from birdview.pixels.scan import decode_scan
from birdview.view.picture import make_picture

_SCANS, _PICTURES = 8, 3
_SIDE = 420
"""Pixels: the longest side of a picture."""
_LARGE = 1 << 26
"""Bytes: of larger files, the first ones are drawn."""
_AHEAD, _BELOW, _ABOVE = 40.0, 4.0, 4.0
"""Metres that a picture from the side shows: ahead and behind, below and above the
origin."""
_PER_METRE = 5
_ROAD, _SENSOR = (217, 164, 65), (92, 200, 255)


class Share(NamedTuple):
    """How much of scans an encoding draws.

    Attributes
    ----------
    inside : float
        The share of points that are drawn.
    height : float
        The share of points that are outside by their height alone.
    pixels : float
        The share of pixels with a point.
    """

    inside: float
    height: float
    pixels: float


class Picture(NamedTuple):
    """What one scan looks like.

    Attributes
    ----------
    scan : str
    top, side : ndarray of uint8, shape (height, width, 3)
        An image from above, forward up; and all points from the right, forward to the
        right, with a line where the road should be.
    """

    scan: str
    top: NDArray[np.uint8]
    side: NDArray[np.uint8]


class View(NamedTuple):
    """How some scans are rendered.

    Attributes
    ----------
    shares : dict of str to Share
        By the name of the encoding.
    pictures : list of Picture
        In the first encoding.
    error : str
        Why a scan cannot be read, if one cannot.
    """

    shares: dict[str, Share]
    pictures: list[Picture]
    error: str


def draw_view(
    files: Mapping[str, NDArray[np.uint8]],
    layout: Layout,
    encodings: Sequence[Encoding],
) -> View:
    """Draw some of the files.

    Parameters
    ----------
    files : mapping of str to ndarray of uint8
        The contents of files, by their names.
    layout : Layout
        With the frame.
    encodings : sequence of Encoding
    """
    scans, error = {}, ""
    for name in spread(list(files), _SCANS):
        try:
            scans[name], _ = decode_scan(_cut(files[name], layout), layout, name)
        except ValueError as problem:
            error = error or str(problem)
    shares, pictures = {}, []
    shown = spread(list(scans), _PICTURES)
    for encoding in encodings:
        raster, counts = Raster(encoding), []
        for name, points in scans.items():
            planes, counted = raster.draw(points)
            counts.append(counted)
            if encoding is encodings[0] and name in shown:
                top = make_picture(planes.transpose(2, 0, 1), encoding, _SIDE)
                pictures.append(Picture(name, top, draw_side(points)))
        if counts:
            shares[encoding.name] = _share(counts, encoding)
    return View(shares, pictures, error)


def _cut(data: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    if data.size <= _LARGE or layout.order != "records":
        return data
    size = layout.record.itemsize
    return data[: layout.skip + _LARGE // size * size]


def _share(counts: Sequence[Counts], encoding: Encoding) -> Share:
    read = max(1, sum(one.read - one.nonfinite for one in counts))
    rows, cols = encoding.grid
    return Share(
        sum(one.drawn for one in counts) / read,
        sum(one.outside_height for one in counts) / read,
        sum(one.cells for one in counts) / (len(counts) * rows.size * cols.size),
    )


def draw_side(points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw points from the right, with a line where encodings expect the road.

    Parameters
    ----------
    points : ndarray of float32, shape (N, 4)

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    width = int(2 * _AHEAD * _PER_METRE)
    height = int((_BELOW + _ABOVE) * _PER_METRE)
    x, z = points[np.abs(points[:, 1]) < _AHEAD / 4][:, [0, 2]].T
    counts, _, _ = np.histogram2d(
        z, x, (height, width), ((-_BELOW, _ABOVE), (-_AHEAD, _AHEAD))
    )
    bright = np.log1p(counts) / max(1.0, np.log1p(counts).max())
    picture = np.repeat((255 * bright[..., None]).astype(np.uint8), 3, axis=2)
    picture[int((_BELOW - HEIGHT) * _PER_METRE)] = _ROAD
    middle = int(_BELOW * _PER_METRE), width // 2
    picture[middle[0] - 1 : middle[0] + 2, middle[1] - 1 : middle[1] + 2] = _SENSOR
    return picture[::-1]
