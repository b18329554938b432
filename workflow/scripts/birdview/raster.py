"""Rasters: points become planes of pixels, as an encoding says."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numba import njit

STATISTICS = ("count", "records", "top_height", "top_intensity")
"""What is known of each cell: the columns of the kernels' table."""
_COUNT, _RECORDS, _TOP_HEIGHT, _TOP_INTENSITY = range(4)

_BY_TABLE, _BY_RANGE, _BY_SCAN = range(3)
"""The ways to scale a statistic to 0..255."""


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
        self._place, self._scales = _place(encoding), _scales(encoding)
        # A cell's slot is the row of its statistics, from 1 on; 0 is an empty cell.
        self._slots = np.zeros(planes.shape[0] * planes.shape[1], dtype=np.int32)
        self._occupied = self._slots[:0]

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
        self._occupied, nonfinite, outside = _draw(
            points,
            self._place,
            self._scales,
            self._slots,
            self._occupied,
            self._planes,
        )
        drawn = len(points) - nonfinite - outside
        cells = len(self._occupied)
        return self._planes, Counts(len(points), nonfinite, outside, drawn, cells)


def _place(encoding):
    """Say in plain numbers which pixel is whose: what `_locate` needs."""
    ends = [_closed_ends(interval) for interval in (encoding.x, encoding.y, encoding.z)]
    low, high = np.array(ends, dtype=np.float32).T.copy()
    return low, high, tuple(encoding.grid.rows), tuple(encoding.grid.cols), encoding.up


def _closed_ends(interval):
    """Return the least and the greatest float32 inside an interval of float64."""
    low, high = np.float32(interval.min), np.float32(interval.max)
    # As Python's numbers: NumPy would compare in float32.
    least, greatest = float(low), float(high)
    if least < interval.min or (least == interval.min and not interval.has_min):
        low = np.nextafter(low, np.float32(np.inf))
    if greatest > interval.max or (greatest == interval.max and not interval.has_max):
        high = np.nextafter(high, np.float32(-np.inf))
    return low, high


def _scales(encoding):
    """Say in arrays, an entry a channel, how to scale: what `_shade` needs."""
    channels = encoding.channels
    statistic = np.array([STATISTICS.index(channel.statistic) for channel in channels])
    how = np.empty(len(channels), dtype=np.int64)
    limits = np.zeros((len(channels), 2))
    tables = np.full((len(channels), max(c.log or 1 for c in channels)), 255.0)
    for i, channel in enumerate(channels):
        if channel.log:
            how[i] = _BY_TABLE
            tables[i, : channel.log] = 255 * _log_shares(channel.log)
        elif channel.range == "scan":
            how[i] = _BY_SCAN
        else:
            how[i] = _BY_RANGE
            limits[i] = channel.range
    return statistic, how, limits, tables, encoding.precision == "float32"


def _log_shares(base):
    """Return ln(n + 1) / ln(base) for n = 0 .. base - 1.

    Machines differ in the last bit of a logarithm, and for n = 1, 7 and 31 of base 64
    it decides: 255 times the share ends in a half. Those of Decimal never differ.
    """
    logs = np.array([float(Decimal(n + 1).ln()) for n in range(base)])
    return logs / logs[-1]


@njit(nogil=True, cache=True)
def _draw(points, place, scales, slots, occupied, planes):
    # One call, so that a thread asks for the interpreter's lock once a scan.
    for cell in occupied:
        slots[cell] = 0
        planes[cell // planes.shape[1], cell % planes.shape[1]] = 0
    cells, nonfinite, outside = _locate(points, place)
    occupied, table = _gather(points, cells, place[-1], slots)
    _shade(table, scales, occupied, planes)
    return occupied, nonfinite, outside


@njit(nogil=True, cache=True)
def _locate(points, place):
    """Return the cell of each point, -1 for none, and how many points have none."""
    low, high, rows, cols, _ = place
    cells = np.full(len(points), -1, dtype=np.int32)
    nonfinite = outside = 0
    for i in range(len(points)):
        x, y, z, reflectance = points[i, 0], points[i, 1], points[i, 2], points[i, 3]
        if not (
            np.isfinite(x)
            and np.isfinite(y)
            and np.isfinite(z)
            and np.isfinite(reflectance)
        ):
            nonfinite += 1
        elif not (
            low[0] <= x <= high[0] and low[1] <= y <= high[1] and low[2] <= z <= high[2]
        ):
            outside += 1
        else:
            row, col = _index(points[i], rows), _index(points[i], cols)
            if 0 <= row < rows[4] and 0 <= col < cols[4]:
                cells[i] = row * cols[4] + col
            else:
                outside += 1
    return cells, nonfinite, outside


@njit(nogil=True, cache=True)
def _index(point, axis):
    """As `birdview.grid.Axis.to_index`: here a cached kernel notices its changes."""
    column, origin, cell, first, size, ascending, upper = axis
    quotient = (point[column] - origin) / cell
    number = np.ceil(quotient) - 1 if upper else np.floor(quotient)
    index = int(number) - first
    return index if ascending else size - 1 - index


@njit(nogil=True, cache=True)
def _gather(points, cells, up, slots):
    """Return the occupied cells, in the order of their first points, and a table.

    Its rows are the statistics of these cells; `slots` then holds the row of each
    cell, counted from 1.
    """
    most = min(len(points), len(slots))
    occupied = np.empty(most, dtype=np.int32)
    table = np.empty((most, 4))
    count = 0
    for i in range(len(points)):
        cell = cells[i]
        if cell < 0:
            continue
        height = up * points[i, 2]
        slot = slots[cell] - 1
        if slot < 0:
            slot = count
            count += 1
            slots[cell] = count
            occupied[slot] = cell
            table[slot, _COUNT] = table[slot, _RECORDS] = 0
            table[slot, _TOP_HEIGHT] = -np.inf
        table[slot, _COUNT] += 1
        if height > table[slot, _TOP_HEIGHT]:
            table[slot, _RECORDS] += 1
            table[slot, _TOP_HEIGHT] = height
            table[slot, _TOP_INTENSITY] = points[i, 3]
    return occupied[:count], table[:count]


@njit(nogil=True, cache=True)
def _shade(table, scales, occupied, planes):
    """Scale the statistics of the occupied cells and put them into their pixels."""
    rows, cols, _ = planes.shape
    statistic, how, limits, tables, through_float32 = scales
    for channel in range(len(statistic)):
        values = table[:, statistic[channel]]
        low, high = limits[channel]
        if how[channel] == _BY_SCAN and len(values):
            low, high = values.min(), values.max()
            if len(values) < rows * cols:  # the empty cells count, as 0
                low, high = min(low, 0), max(high, 0)
        for slot in range(len(values)):
            value = values[slot]
            if how[channel] == _BY_TABLE:
                scaled = tables[channel, min(int(value), tables.shape[1] - 1)]
            elif how[channel] == _BY_RANGE:
                scaled = 255 * ((value - low) / (high - low))
            else:  # as numpy.interp
                scaled = 255 / (high - low) * (value - low) if value < high else 255.0
            if through_float32:
                scaled = float(np.float32(scaled))
            byte = np.rint(min(max(scaled, 0), 255))
            row, col = divmod(occupied[slot], cols)
            planes[row, col, channel] = np.uint8(byte)
