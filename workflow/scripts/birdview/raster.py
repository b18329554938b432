"""Rasters: points become planes of pixels, as an encoding says."""

from decimal import Decimal
from functools import cache
from typing import NamedTuple

import numpy as np

from birdview.kernels import BASIC, COLUMNS, SCALES, draw


class Counts(NamedTuple):
    """What became of the points of a scan: read = nonfinite + outside + drawn.

    Attributes
    ----------
    read : int
        Points in the file.
    nonfinite : int
        Points left out because one of their four numbers is NaN or infinite.
    outside : int
        Other points left out because they are outside the encoding's region.
    drawn : int
        Points in the image.
    cells : int
        Pixels with a point.
    """

    read: int
    nonfinite: int
    outside: int
    drawn: int
    cells: int


class Raster:
    """Draws one scan after another with the same encoding, in the same work arrays.

    New arrays for each scan would cost more time than the points do; so they are kept,
    and only what the last scan touched is cleared. Not to be shared between threads.

    Parameters
    ----------
    encoding : Encoding
        How points become pixels.
    planes : ndarray of uint8, shape (rows, cols, channels), optional
        Where to draw: zeros, in memory of any layout. Made here unless given.

    Examples
    --------
    >>> import numpy as np
    >>> from birdview.encoding import load_encoding
    >>> raster = Raster(load_encoding("mv3d"))
    >>> points = np.array([[10.04, -5.02, -1.73, 0.5]], dtype=np.float32)
    >>> planes, counts = raster.draw(points)
    >>> planes[699, 850].tolist()
    [43, 128, 64]
    >>> counts
    Counts(read=1, nonfinite=0, outside=0, drawn=1, cells=1)
    """

    def __init__(self, encoding, planes=None):
        if planes is None:
            planes = np.zeros(encoding.shape, dtype=np.uint8)
        self._planes = planes
        self._place, self._heights = _place(encoding), _heights(encoding)
        self._starts, self._members = _starts(encoding), _members(encoding)
        self._scales = _scales(encoding)
        self._slots = np.zeros(planes.shape[0] * planes.shape[1], dtype=np.int32)
        nothing = np.empty(0, dtype=np.int32)
        self._drawn = tuple(
            (nothing, nothing, np.zeros(len(members) + 1, dtype=np.int64))
            for members in self._members
        )

    def draw(self, points):
        """Draw the points of a scan.

        Parameters
        ----------
        points : ndarray of float32, shape (N, 4)
            x, y, z in metres and reflectance, in the order of the file.

        Returns
        -------
        planes : ndarray of uint8, shape (rows, cols, channels)
            The image, 0 where no point is. Valid until the next call.
        counts : Counts
        """
        self._drawn, cells, nonfinite, outside = draw(
            points.reshape(-1),
            self._place,
            self._heights,
            self._starts,
            self._scales,
            self._members,
            self._slots,
            self._drawn,
            self._planes,
        )
        drawn = len(points) - nonfinite - outside
        return self._planes, Counts(len(points), nonfinite, outside, drawn, cells)


def _real(encoding):
    return np.dtype(encoding.arithmetic).type


def _place(encoding):
    """Say in plain numbers which pixel is whose: what locates a point."""
    real, slices = _real(encoding), encoding.slices
    intervals = encoding.x, encoding.y, encoding.z
    ends = [_closed_ends(interval, real) for interval in intervals]
    low, high = np.array(ends, dtype=np.float32).T.copy()
    if slices and slices.reaches_top and slices.starts[-1] <= high[2]:
        # Rounding takes what is below an open end beyond the last slice.
        high[2] = np.nextafter(np.float32(slices.starts[-1]), np.float32(-np.inf))
    return low, high, _steps(encoding.grid.rows, real), _steps(encoding.grid.cols, real)


def _steps(axis, real):
    """Say in plain numbers what `birdview.grid.Axis.to_index` does."""
    # An axis with closed upper ends is one with closed lower ends, seen from behind.
    mirror = -1 if axis.upper else 1
    turn = 1 if axis.ascending else -1
    start = -turn * (axis.first + axis.upper) + (not axis.ascending) * (axis.size - 1)
    numbers = axis.origin, axis.cell, mirror, turn * mirror, start
    return axis.column == 0, *map(real, numbers), axis.size


def _closed_ends(interval, real):
    """Return the least and the greatest float32 inside an interval."""
    ends = real(interval.min), real(interval.max)
    low, high = map(np.float32, ends)
    # As Python's numbers: NumPy would compare in float32.
    (least, greatest), (lowest, highest) = map(float, (low, high)), map(float, ends)
    if least < lowest or (least == lowest and not interval.has_min):
        low = np.nextafter(low, np.float32(np.inf))
    if greatest > highest or (greatest == highest and not interval.has_max):
        high = np.nextafter(high, np.float32(-np.inf))
    return low, high


def _heights(encoding):
    """Say how heights are made, and whether more than the highest point counts."""
    real = _real(encoding)
    is_more = any(COLUMNS[c.statistic] >= BASIC for c in encoding.channels)
    return real(encoding.up), real(encoding.ground), is_more


def _starts(encoding):
    starts = encoding.slices.starts if encoding.slices else ()
    return np.array(starts, dtype=np.float32)


def _members(encoding):
    """Return the planes of whole cells, shape (1, n), and of each slice, (slices, m).

    Where a slice has fewer planes than another, -1 takes their place.
    """
    parts = [channel.slice for channel in encoding.channels]
    count = len(encoding.slices.lows) if encoding.slices else 0
    whole = [plane for plane, part in enumerate(parts) if part is None]
    sliced = [
        [plane for plane, part in enumerate(parts) if part == k] for k in range(count)
    ]
    most = max(map(len, sliced), default=0)
    sliced = [planes + [-1] * (most - len(planes)) for planes in sliced]
    return (
        np.array(whole, dtype=np.int64).reshape(1, -1),
        np.array(sliced, dtype=np.int64).reshape(count, most),
    )


def _scales(encoding):
    """Say in arrays, an entry a channel, how to scale."""
    channels = encoding.channels
    tables = np.full((len(channels), max(1, *(c.base for c in channels))), 255.0)
    for table, channel in zip(tables, channels, strict=True):
        if channel.base:
            table[: channel.base] = 255 * _log_shares(channel.base)
    return (
        np.array([COLUMNS[channel.statistic] for channel in channels]),
        np.array([SCALES[channel.scale] for channel in channels]),
        np.array([channel.low for channel in channels], dtype=encoding.arithmetic),
        np.array([channel.span for channel in channels], dtype=encoding.arithmetic),
        tables,
        encoding.precision == "float32",
        encoding.rounding == "truncate",
    )


@cache
def _log_shares(base):
    """Return ln(n + 1) / ln(base) for n = 0 .. base - 1.

    Machines differ in the last bit of a logarithm, and for n = 1, 7 and 31 of base 64
    it decides: 255 times the share ends in a half. Those of Decimal never differ.
    """
    logs = np.array([float(Decimal(n + 1).ln()) for n in range(base)])
    return logs / logs[-1]
