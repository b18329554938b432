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
        self._up = np.float32(encoding.up)
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
            points.reshape(-1),
            self._up,
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
    return low, high, _steps(encoding.grid.rows), _steps(encoding.grid.cols)


def _steps(axis):
    """Say in plain numbers what `birdview.grid.Axis.to_index` does, for `_index`."""
    # An axis with closed upper ends is one with closed lower ends, seen from behind.
    mirror = -1.0 if axis.upper else 1.0
    turn = 1.0 if axis.ascending else -1.0
    start = -turn * (axis.first + axis.upper) + (not axis.ascending) * (axis.size - 1)
    along_x = axis.column == 0
    return along_x, axis.origin, axis.cell, mirror, turn * mirror, start, axis.size


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


# The kernels take the points as one row of numbers, four for each: so the compiler
# knows how far it is from one x to the next, and locates several points at a time.


@njit(nogil=True, cache=True)
def _draw(numbers, up, place, scales, slots, occupied, planes):
    # One call, so that a thread asks for the interpreter's lock once a scan.
    cols = np.uint32(planes.shape[1])
    for cell in occupied:
        slots[cell] = 0
        row = np.uint32(cell) // cols
        planes[row, np.uint32(cell) - row * cols] = 0
    cells, nonfinite, outside = _locate(numbers, place)
    occupied, table = _gather(numbers, cells, up, slots)
    _shade(table, scales, occupied, planes)
    return occupied, nonfinite, outside


@njit(nogil=True, cache=True)
def _locate(numbers, place):
    """Return the cell of each point, -1 for none, and how many points have none."""
    low, high, row_steps, col_steps = place
    rows, cols = row_steps[-1], col_steps[-1]
    cells = np.empty(len(numbers) // 4, dtype=np.int32)
    nonfinite = drawn = 0
    for i in range(len(cells)):
        x, y, z = numbers[4 * i], numbers[4 * i + 1], numbers[4 * i + 2]
        finite = (
            (abs(x) < np.inf)
            & (abs(y) < np.inf)
            & (abs(z) < np.inf)
            & (abs(numbers[4 * i + 3]) < np.inf)
        )
        # No branch, and so nothing but these operators: with one, a point at a time.
        inside = (
            finite
            & (low[0] <= x)
            & (x <= high[0])
            & (low[1] <= y)
            & (y <= high[1])
            & (low[2] <= z)
            & (z <= high[2])
        )
        row = _index(x if inside else low[0], y if inside else low[1], row_steps)
        col = _index(x if inside else low[0], y if inside else low[1], col_steps)
        inside &= (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
        cells[i] = row * cols + col if inside else -1
        nonfinite += not finite
        drawn += inside
    return cells, nonfinite, len(cells) - nonfinite - drawn


@njit(nogil=True, cache=True)
def _index(x, y, steps):
    """As `birdview.grid.Axis.to_index`: here a cached kernel notices its changes."""
    along_x, origin, cell, mirror, direction, start, _ = steps
    quotient = ((x if along_x else y) - origin) / cell
    return np.int32(direction * np.floor(mirror * quotient) + start)


@njit(nogil=True, cache=True)
def _gather(numbers, cells, up, slots):
    """Return the occupied cells, in the order of their first points, and a table.

    Its rows are the statistics of these cells; `slots` then holds the row of each
    cell, counted from 1.
    """
    most = min(len(cells), len(slots))
    occupied = np.empty(most, dtype=np.int32)
    table = np.empty((most, 4))
    count = 0
    for i in range(len(cells)):
        cell = cells[i]
        if cell < 0:
            continue
        height = up * numbers[4 * i + 2]
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
            table[slot, _TOP_INTENSITY] = numbers[4 * i + 3]
    return occupied[:count], table[:count]


@njit(nogil=True, cache=True)
def _shade(table, scales, occupied, planes):
    """Scale the statistics of the occupied cells and put them into their pixels."""
    rows, cols, channels = planes.shape
    statistic, how, limits, tables, through_float32 = scales
    shades = np.empty((len(occupied), channels), dtype=np.uint8)
    for channel in range(channels):
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
            shades[slot, channel] = np.uint8(np.rint(min(max(scaled, 0), 255)))
    for slot in range(len(occupied)):
        row = np.uint32(occupied[slot]) // np.uint32(cols)
        col = np.uint32(occupied[slot]) - row * np.uint32(cols)
        for channel in range(channels):
            planes[row, col, channel] = shades[slot, channel]
