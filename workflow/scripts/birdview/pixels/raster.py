"""Draw points as planes of pixels, the way an encoding says."""

from decimal import Decimal
from functools import cache

import numpy as np
from numpy.typing import NDArray

from birdview.counts import Counts
from birdview.pixels.encoding import Encoding
from birdview.pixels.figures import Figures
from birdview.pixels.grid import Axis, Interval
from birdview.pixels.kernels import (
    SCALE_CODES,
    STATISTIC_COLUMNS,
    AxisParams,
    Heights,
    Real,
    Region,
    Scales,
    Touched,
    draw,
)
from birdview.pixels.statistic import STATISTICS

_COLUMN_OF = {name: column for column, name in enumerate(STATISTIC_COLUMNS)}
_COLUMN_OF["occupancy"] = _COLUMN_OF["count"]  # scaled so that 1 is white


class Raster:
    """Draws one scan after another with the same encoding, in the same work arrays.

    Allocating new arrays for each scan would take longer than drawing it. So they are
    kept, and only the pixels of the last scan are cleared. Not safe to share between
    threads.

    Parameters
    ----------
    encoding : Encoding
        How points become pixels.
    planes : ndarray of uint8, shape (rows, cols, channels), optional
        Where to draw: zeros, of any memory layout. Allocated unless given.

    Attributes
    ----------
    figures : Figures
        What the points of the last scan look like.

    Examples
    --------
    >>> import numpy as np
    >>> from birdview import Raster, load_encoding
    >>> raster = Raster(load_encoding("mv3d"))
    >>> points = np.array([[10.04, -5.02, -1.73, 0.5]], dtype=np.float32)
    >>> planes, counts = raster.draw(points)
    >>> planes[699, 850].tolist()
    [43, 128, 64]
    >>> counts  # doctest: +NORMALIZE_WHITESPACE
    Counts(read=1, nonfinite=0, no_return=0, dropped=0, vehicle=0, duplicate=0,
           outside=0, outside_height=0, drawn=1, cells=1)
    """

    def __init__(
        self, encoding: Encoding, planes: NDArray[np.uint8] | None = None
    ) -> None:
        if planes is None:
            planes = np.zeros(encoding.shape, dtype=np.uint8)
        self.figures = Figures()
        self._planes = planes
        self._region = _region(encoding)
        self._heights = _heights(encoding, of_slices=False)
        self._slice_heights = _heights(encoding, of_slices=True)
        self._slice_starts, self._scales = _slice_starts(encoding), _scales(encoding)
        self._planes_of_cells = _planes_of_cells(encoding)
        self._planes_of_slices = _planes_of_slices(encoding)
        self._row_of_cell = np.zeros(planes.shape[0] * planes.shape[1], dtype=np.int32)
        nothing = np.empty(0, dtype=np.int32)
        slices = len(self._planes_of_slices)
        self._touched = (
            Touched(nothing, nothing, np.zeros(2, dtype=np.int64)),
            Touched(nothing, nothing, np.zeros(slices + 1, dtype=np.int64)),
        )

    def draw(self, points: NDArray[np.float32]) -> tuple[NDArray[np.uint8], Counts]:
        """Draw the points of a scan.

        Parameters
        ----------
        points : ndarray of float32, shape (N, 4)
            x, y, z in metres and intensity, in the order of the file.

        Returns
        -------
        planes : ndarray of uint8, shape (rows, cols, channels)
            The image, 0 where no point is. Valid until the next call.
        counts : Counts
        """
        self._touched, cells, nonfinite, outside, outside_height, figures = draw(
            points.reshape(-1),
            self._region,
            self._heights,
            self._slice_heights,
            self._slice_starts,
            self._scales,
            self._planes_of_cells,
            self._planes_of_slices,
            self._row_of_cell,
            self._touched,
            self._planes,
        )
        self.figures = Figures(*figures)
        return self._planes, Counts(
            read=len(points),
            nonfinite=nonfinite,
            outside=outside,
            outside_height=outside_height,
            drawn=len(points) - nonfinite - outside,
            cells=cells,
        )


def _real(encoding: Encoding) -> type[Real]:
    return np.float32 if encoding.arithmetic == "float32" else np.float64


def _region(encoding: Encoding) -> Region:
    real, slices = _real(encoding), encoding.slices
    intervals = encoding.x, encoding.y, encoding.z
    ends = [_closed_ends(interval, real) for interval in intervals]
    low, high = np.array(ends, dtype=np.float32).T.copy()
    if slices and slices.reaches_top and slices.starts[-1] <= high[2]:
        # Rounding puts what is just below an open end beyond the last slice.
        high[2] = np.nextafter(np.float32(slices.starts[-1]), np.float32(-np.inf))
    rows, cols = encoding.grid
    return Region(low, high, _axis_params(rows, real), _axis_params(cols, real))


def _axis_params(axis: Axis, real: type[Real]) -> AxisParams:
    # An axis with closed upper ends is one with closed lower ends, seen from behind.
    mirror = -1 if axis.upper else 1
    turn = 1 if axis.ascending else -1
    start = -turn * (axis.first + axis.upper) + (not axis.ascending) * (axis.size - 1)
    return AxisParams(
        along_x=axis.column == 0,
        origin=real(axis.origin),
        cell=real(axis.cell),
        mirror=real(mirror),
        direction=real(turn * mirror),
        start=real(start),
        size=axis.size,
    )


def _closed_ends(interval: Interval, real: type[Real]) -> tuple[np.float32, np.float32]:
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


def _heights(encoding: Encoding, of_slices: bool) -> Heights:
    real = _real(encoding)
    statistics = [
        STATISTICS[channel.statistic]
        for channel in encoding.channels
        if (channel.slice_index is not None) == of_slices
    ]
    return Heights(
        up=real(encoding.up),
        ground=real(encoding.ground),
        needs_second_pass=any(entry.second_pass for entry in statistics),
    )


def _slice_starts(encoding: Encoding) -> NDArray[np.float32]:
    starts = encoding.slices.starts if encoding.slices else ()
    return np.array(starts, dtype=np.float32)


def _planes_of_cells(encoding: Encoding) -> NDArray[np.int64]:
    """Return the planes that show whole cells, shape (1, n)."""
    return np.array([_planes_of_slice(encoding, None)], dtype=np.int64).reshape(1, -1)


def _planes_of_slices(encoding: Encoding) -> NDArray[np.int64]:
    """Return the planes of each slice, shape (slices, m), filled up with -1."""
    count = len(encoding.slices.lows) if encoding.slices else 0
    planes = [_planes_of_slice(encoding, k) for k in range(count)]
    most = max(map(len, planes), default=0)
    filled = [some + [-1] * (most - len(some)) for some in planes]
    return np.array(filled, dtype=np.int64).reshape(count, most)


def _planes_of_slice(encoding: Encoding, slice_index: int | None) -> list[int]:
    return [
        plane
        for plane, channel in enumerate(encoding.channels)
        if channel.slice_index == slice_index
    ]


def _scales(encoding: Encoding) -> Scales:
    channels, real = encoding.channels, _real(encoding)
    tables = np.full((len(channels), max(1, *(c.base for c in channels))), 255.0)
    for table, channel in zip(tables, channels, strict=True):
        if channel.base:
            table[: channel.base] = 255 * _log_shares(channel.base)
    return Scales(
        columns=np.array([_COLUMN_OF[channel.statistic] for channel in channels]),
        codes=np.array([SCALE_CODES[channel.scale] for channel in channels]),
        lows=np.array([channel.low for channel in channels], dtype=real),
        spans=np.array([channel.span for channel in channels], dtype=real),
        log_tables=tables,
        through_float32=encoding.precision == "float32",
        truncates=encoding.rounding == "truncate",
    )


@cache
def _log_shares(base: int) -> NDArray[np.float64]:
    """Return ln(n + 1) / ln(base) for n = 0 .. base - 1.

    Machines differ in the last bit of a logarithm, and for n = 1, 7 and 31 of base 64
    it decides: 255 times the share ends in a half. Those of Decimal never differ.
    """
    logs = np.array([float(Decimal(n + 1).ln()) for n in range(base)])
    return np.asarray(logs / logs[-1])
