"""The compiled kernels that turn points into pixels.

They are all in this module, because a cached kernel only notices changes to its own
file. They take the points as a flat array, four numbers each, so that the compiler
knows the stride and locates several points at once. Numba compiles them once for each
arithmetic, float32 and float64, by the types of the arguments.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from birdview.pixels.figures import CLOSE, DIM, NEAR, TINY

Real: TypeAlias = np.floating[Any]

STATISTIC_COLUMNS = (
    "count",
    "record_highs",
    "max_height",
    "intensity_at_max",
    # These take a second pass over the points.
    "min_height",
    "mean_height",
    "max_intensity",
    "mean_intensity",
    "height_range",
)
"""The statistic in each column of the table that has a row for each cell or slice."""
_COUNT, _RECORD_HIGHS, _MAX_HEIGHT, _INTENSITY_AT_MAX = range(4)
_MIN_HEIGHT, _MEAN_HEIGHT, _MAX_INTENSITY, _MEAN_INTENSITY, _HEIGHT_RANGE = range(4, 9)
_FIRST_PASS_COLUMNS = 4
_COLUMNS = len(STATISTIC_COLUMNS)

SCALE_CODES = {"linear": 0, "scan": 1, "log": 2}
_LINEAR, _SCAN, _LOG = range(3)

_SAMPLE, _RUN = 2048, 4
"""About as many points are looked at to judge a scan, some in a row: each row is one
access to the memory, which takes longer than the rest."""
_TINY, _DIM = np.float32(TINY), np.float32(DIM)
_NEAR, _CLOSE = (NEAR[0] ** 2, NEAR[1] ** 2), CLOSE**2
_BINS, _BINS_PER_METRE = 256, 5
"""Of the heights among which the road is looked for."""
_LEAST_ON_ROAD = 20
_FEW = 3
"""Cells that do not count when the use of a plane's range is judged."""
_CHOSEN, _BLOCK = np.uint32(1 << 26), 64
"""One in 64 points is compared with the others; points that are looked at at once."""
_MIX, _MIX_64 = np.uint32(0x9E3779B1), np.uint64(0x9E3779B97F4A7C15)


class AxisParams(NamedTuple):
    """What turns a coordinate into the index of a row or a column.

    As `birdview.pixels.grid.Axis.to_index`, which is written out here because cached
    kernels would not notice a change there.

    Attributes
    ----------
    along_x : bool
        Whether the index follows x rather than y.
    origin, cell : float
        In metres, in the encoding's arithmetic, as the following are.
    mirror, direction, start : float
        The index is ``direction * floor(mirror * (metres - origin) / cell) + start``.
    size : int
        The number of cells.
    """

    along_x: bool
    origin: Real
    cell: Real
    mirror: Real
    direction: Real
    start: Real
    size: int


class Region(NamedTuple):
    """Which points are drawn, and where.

    Attributes
    ----------
    low, high : ndarray of float32, shape (3,)
        The least and the greatest x, y and z that are inside.
    rows, cols : AxisParams
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    rows: AxisParams
    cols: AxisParams


class Heights(NamedTuple):
    """How z becomes a height.

    Attributes
    ----------
    up : float
        1 or -1; ``up * (z - ground)`` is the height.
    ground : float
        In metres.
    needs_second_pass : bool
        Whether a channel shows a statistic that takes one.
    """

    up: Real
    ground: Real
    needs_second_pass: bool


class Scales(NamedTuple):
    """How the statistic of each plane is scaled to 0..255.

    Attributes
    ----------
    columns : ndarray of int, shape (planes,)
        Its column in the table of statistics.
    codes : ndarray of int, shape (planes,)
        One of `SCALE_CODES`.
    lows, spans : ndarray of float32 or float64, shape (planes,)
        If linear: `low` becomes 0 and ``low + span`` becomes 255.
    log_tables : ndarray of float64, shape (planes, n)
        If logarithmic: what a count from 0 to n - 1 becomes.
    through_float32 : bool
        Whether the result is rounded to float32 before it is rounded to a whole number.
    truncates : bool
        Whether it is truncated instead of rounded half to even.
    """

    columns: NDArray[np.int64]
    codes: NDArray[np.int64]
    lows: NDArray[Real]
    spans: NDArray[Real]
    log_tables: NDArray[np.float64]
    through_float32: bool
    truncates: bool


class Touched(NamedTuple):
    """The pixels of a scan, slice by slice: what the next scan has to clear.

    Attributes
    ----------
    cells : ndarray of int32, shape (n,)
        The cell, ``row * cols + col``, of each row of the table.
    order : ndarray of int32, shape (n,)
        The rows of the table, sorted by slice.
    ends : ndarray of int64, shape (slices + 1,)
        Rows ``order[ends[k]:ends[k + 1]]`` are those of slice k.
    """

    cells: NDArray[np.int32]
    order: NDArray[np.int32]
    ends: NDArray[np.int64]


@njit(nogil=True, cache=True)
def draw(
    flat_points: NDArray[np.float32],
    region: Region,
    heights: Heights,
    slice_heights: Heights,
    slice_starts: NDArray[np.float32],
    scales: Scales,
    planes_of_cells: NDArray[np.int64],
    planes_of_slices: NDArray[np.int64],
    row_of_cell: NDArray[np.int32],
    touched: tuple[Touched, Touched],
    planes: NDArray[np.uint8],
) -> Any:  # (Touched, Touched), int, int, int, int, tuple
    """Draw a scan over the last one.

    A single call, so that a thread takes the interpreter's lock once for each scan.

    Parameters
    ----------
    flat_points : ndarray of float32, shape (4 * N,)
        x, y, z and intensity of each point.
    region : Region
    heights, slice_heights : Heights
        For whole cells, and for slices, which may do without the second pass.
    slice_starts : ndarray of float32, shape (slices + 1,)
        As `birdview.pixels.channel.Slices.starts`; empty without slices.
    scales : Scales
    planes_of_cells : ndarray of int64, shape (1, n)
        The planes that show whole cells.
    planes_of_slices : ndarray of int64, shape (slices, m)
        The planes that show each slice; -1 fills up where a slice has fewer.
    row_of_cell : ndarray of int32, shape (rows * cols,)
        Work array: zeros before and after.
    touched : (Touched, Touched)
        What the last call returned: pixels of whole cells, and of slices.
    planes : ndarray of uint8, shape (rows, cols, planes)
        Drawn on in place.

    Returns
    -------
    touched : (Touched, Touched)
        For the next call.
    occupied : int
        The number of cells with a point.
    nonfinite, outside, outside_height : int
        The number of points that are not drawn, as `birdview.counts.Counts` has them.
    figures : tuple
        The first of `birdview.pixels.figures.Figures`, up to `scale_share`.
    """
    of_cells, of_slices = touched
    _put(_black(of_cells, planes_of_cells), of_cells, planes_of_cells, planes)
    _put(_black(of_slices, planes_of_slices), of_slices, planes_of_slices, planes)

    cells_of_points, nonfinite, outside, outside_height = _locate(flat_points, region)
    cells, table = _gather(flat_points, cells_of_points, row_of_cell, heights, scales)
    rows_of_points = cells_of_points  # which `_gather` has written over
    for cell in cells:
        row_of_cell[cell] = 0
    occupied = np.int64(len(cells))
    all_rows = np.arange(occupied).astype(np.int32)
    of_cells = Touched(cells, all_rows, np.array([0, occupied]))
    scale_share = _shade(table, of_cells, scales, planes_of_cells, planes)

    slices = len(planes_of_slices)
    of_slices = Touched(cells[:0], all_rows[:0], np.zeros(slices + 1, dtype=np.int64))
    if planes_of_slices.size:
        keys = _find_slices(flat_points, rows_of_points, slice_starts)
        row_of_key = np.zeros(occupied * slices, dtype=np.int32)
        keys, table = _gather(flat_points, keys, row_of_key, slice_heights, scales)
        of_slices = _sort_by_slice(keys, cells, slices)
        share = _shade(table, of_slices, scales, planes_of_slices, planes)
        scale_share = min(scale_share, share)
    figures = (
        _look_at_sample(flat_points) + _count_repeated(flat_points) + (scale_share,)
    )
    return (of_cells, of_slices), occupied, nonfinite, outside, outside_height, figures


@njit(nogil=True, cache=True)
def _black(touched, planes_of_slices):
    return np.zeros((len(touched.cells), planes_of_slices.shape[1]), np.uint8)


@njit(nogil=True, cache=True)
def _locate(flat_points, region):
    """Return the cell of each point, -1 for none, and how many points have none.

    Those that are not finite; others; and those of them that have none because of their
    height alone.
    """
    low, high, rows, cols = region
    cells = np.empty(len(flat_points) // 4, dtype=np.int32)
    nonfinite = drawn = outside_height = 0
    for i in range(len(cells)):
        x, y, z = flat_points[4 * i], flat_points[4 * i + 1], flat_points[4 * i + 2]
        finite = (
            (abs(x) < np.inf)
            & (abs(y) < np.inf)
            & (abs(z) < np.inf)
            & (abs(flat_points[4 * i + 3]) < np.inf)
        )
        # No branches, and so only these operators: a branch would stop the compiler
        # from handling several points at once.
        inside = (
            finite & (low[0] <= x) & (x <= high[0]) & (low[1] <= y) & (y <= high[1])
        )
        row = _index(x if inside else low[0], y if inside else low[1], rows)
        col = _index(x if inside else low[0], y if inside else low[1], cols)
        inside &= (row >= 0) & (row < rows.size) & (col >= 0) & (col < cols.size)
        at_height = (low[2] <= z) & (z <= high[2])
        outside_height += inside & (not at_height)
        inside &= at_height
        cells[i] = row * cols.size + col if inside else -1
        nonfinite += not finite
        drawn += inside
    return cells, nonfinite, len(cells) - nonfinite - drawn, outside_height


@njit(nogil=True, cache=True)
def _index(x, y, axis):
    quotient = ((x if axis.along_x else y) - axis.origin) / axis.cell
    return np.int32(axis.direction * np.floor(axis.mirror * quotient) + axis.start)


@njit(nogil=True, cache=True)
def _gather(flat_points, keys, row_of_key, heights, scales):
    """Return the keys of the points as they first come, and a table of statistics.

    The table has a row for each key. In `keys`, the row of each point replaces its key;
    -1 is none. `row_of_key`, zeros for all possible keys, then holds the rows plus 1.
    """
    up, ground, needs_second_pass = heights
    most = min(len(keys), len(row_of_key))
    found = np.empty(most, dtype=np.int32)
    columns = _COLUMNS if needs_second_pass else _FIRST_PASS_COLUMNS
    table = np.empty((most, columns), dtype=scales.lows.dtype)
    count = 0
    for i in range(len(keys)):
        key = keys[i]
        if key < 0:
            continue
        height = up * (flat_points[4 * i + 2] - ground)
        row = row_of_key[key] - 1
        if row < 0:
            row = count
            count += 1
            row_of_key[key] = count
            found[row] = key
            table[row, _COUNT] = table[row, _RECORD_HIGHS] = 0
            table[row, _MAX_HEIGHT] = -np.inf
        keys[i] = row
        table[row, _COUNT] += 1
        if height > table[row, _MAX_HEIGHT]:
            table[row, _RECORD_HIGHS] += 1
            table[row, _MAX_HEIGHT] = height
            table[row, _INTENSITY_AT_MAX] = flat_points[4 * i + 3]
    if needs_second_pass:
        _gather_second_pass(flat_points, keys, up, ground, table[:count])
    return found[:count], table[:count]


@njit(nogil=True, cache=True)
def _gather_second_pass(flat_points, rows, up, ground, table):
    for row in range(len(table)):
        table[row, _MIN_HEIGHT], table[row, _MAX_INTENSITY] = np.inf, -np.inf
        table[row, _MEAN_HEIGHT] = table[row, _MEAN_INTENSITY] = 0
    for i in range(len(rows)):
        row = rows[i]
        if row >= 0:
            height = up * (flat_points[4 * i + 2] - ground)
            intensity = flat_points[4 * i + 3]
            table[row, _MIN_HEIGHT] = min(table[row, _MIN_HEIGHT], height)
            table[row, _MEAN_HEIGHT] += height
            table[row, _MAX_INTENSITY] = max(table[row, _MAX_INTENSITY], intensity)
            table[row, _MEAN_INTENSITY] += intensity
    for row in range(len(table)):
        table[row, _MEAN_HEIGHT] /= table[row, _COUNT]
        table[row, _MEAN_INTENSITY] /= table[row, _COUNT]
        table[row, _HEIGHT_RANGE] = table[row, _MAX_HEIGHT] - table[row, _MIN_HEIGHT]


@njit(nogil=True, cache=True)
def _find_slices(flat_points, rows, slice_starts):
    """Return a key for each point, made of its row and its slice; -1 for none."""
    count = np.int32(len(slice_starts) - 1)
    keys = np.empty(len(rows), dtype=np.int32)
    # The search starts at the slice of the last point, which is not far away.
    slice_index = np.int32(0)
    for i in range(len(rows)):
        keys[i] = -1
        if rows[i] < 0:
            continue
        z = flat_points[4 * i + 2]
        while slice_index > 0 and z < slice_starts[slice_index]:
            slice_index -= np.int32(1)
        while slice_index < count and z >= slice_starts[slice_index + 1]:
            slice_index += np.int32(1)
        if slice_index < count and z >= slice_starts[slice_index]:
            keys[i] = rows[i] * count + slice_index
    return keys


@njit(nogil=True, cache=True)
def _sort_by_slice(keys, cells, count):
    """Split the keys of `_find_slices` into cells and slices, sorted by slice."""
    cells_of_keys, slices_of_keys = np.empty_like(keys), np.empty_like(keys)
    ends = np.zeros(count + 2, dtype=np.int64)
    for i in range(len(keys)):
        row = np.uint32(keys[i]) // np.uint32(count)
        cells_of_keys[i] = cells[row]
        slices_of_keys[i] = np.uint32(keys[i]) - row * np.uint32(count)
        ends[slices_of_keys[i] + 2] += 1
    for k in range(count):
        ends[k + 2] += ends[k + 1]
    order = np.empty_like(keys)
    for i in range(len(keys)):
        order[ends[slices_of_keys[i] + 1]] = i
        ends[slices_of_keys[i] + 1] += 1
    return Touched(cells_of_keys, order, ends[:-1])


@njit(nogil=True, cache=True)
def _shade(table, touched, scales, planes_of_slices, planes):
    """Scale the statistics and put them into their pixels.

    Return `scale_share` of `birdview.pixels.figures.Figures`.
    """
    scale_share = 1.0
    slices, members = planes_of_slices.shape
    scaled = np.empty(len(table))
    shades = np.empty((len(table), members), dtype=np.uint8)
    for k in range(slices):
        rows = touched.order[touched.ends[k] : touched.ends[k + 1]]
        is_full = len(rows) == planes.shape[0] * planes.shape[1]
        for member in range(members):
            if planes_of_slices[k, member] < 0:
                continue
            plane = planes_of_slices[k, member]
            share = _scale(table, rows, plane, scales, is_full, scaled)
            scale_share = min(scale_share, share)
            for i in range(len(rows)):
                value = scaled[i]
                if scales.through_float32:
                    value = np.float64(np.float32(value))
                value = min(max(value, 0.0), 255.0)
                value = np.floor(value) if scales.truncates else np.rint(value)
                shades[rows[i], member] = np.uint8(value)
    _put(shades, touched, planes_of_slices, planes)
    return scale_share


@njit(nogil=True, cache=True, error_model="numpy")
def _scale(table, rows, plane, scales, is_full, scaled):
    """Scale one statistic of some rows so that 0 is black and 255 white.

    Return which share of the range of a scan all but a few cells use.
    """
    column, code = scales.columns[plane], scales.codes[plane]
    low, span = scales.lows[plane], scales.spans[plane]
    if code == _LOG:
        longest = scales.log_tables.shape[1] - 1
        for i in range(len(rows)):
            count = min(int(table[rows[i], column]), longest)
            scaled[i] = scales.log_tables[plane, count]
        return 1.0
    is_linear = code == _LINEAR
    for i in range(len(rows)):
        value = table[rows[i], column]
        scaled[i] = 255 * np.float64((value - low) / span) if is_linear else value
    if is_linear:
        return 1.0
    # Ascending: the last is the greatest, the first is it but for a few cells.
    highest, lowest = np.full(_FEW + 1, -np.inf), np.full(_FEW + 1, -np.inf)
    for value in scaled[: len(rows)]:
        if value > highest[0]:
            _insert(value, highest)
        if -value > lowest[0]:
            _insert(-value, lowest)
    least, greatest = -lowest[-1], highest[-1]
    low, high = -lowest[0], highest[0]
    if not is_full:  # empty cells count, as 0
        least, greatest = min(least, 0.0), max(greatest, 0.0)
        low, high = min(low, 0.0), max(high, 0.0)
    for i in range(len(rows)):  # as numpy.interp computes it
        share = 255 / (greatest - least) * (scaled[i] - least)
        scaled[i] = share if scaled[i] < greatest else 255.0
    return (high - low) / (greatest - least) if greatest > least else 1.0


@njit(nogil=True, cache=True)
def _insert(value, values):
    """Put a value among others in ascending order; the least of them goes."""
    k = 0
    while k + 1 < len(values) and values[k + 1] < value:
        values[k] = values[k + 1]
        k += 1
    values[k] = value


@njit(nogil=True, cache=True)
def _put(shades, touched, planes_of_slices, planes):
    """Set the pixels of each slice, in those of its planes that are not -1."""
    cols = np.uint32(planes.shape[1])
    for k in range(len(planes_of_slices)):
        for i in touched.order[touched.ends[k] : touched.ends[k + 1]]:
            row = np.uint32(touched.cells[i]) // cols
            col = np.uint32(touched.cells[i]) - row * cols
            for member in range(planes_of_slices.shape[1]):
                if planes_of_slices[k, member] >= 0:
                    planes[row, col, planes_of_slices[k, member]] = shades[i, member]


@njit(nogil=True, cache=True)
def _look_at_sample(flat_points):
    """Return the figures about a sample; see `birdview.pixels.figures.Figures`."""
    count = len(flat_points) // 4
    run, step = (1, 1) if count <= _SAMPLE else (_RUN, count * _RUN // _SAMPLE)
    # Such a step meets all beams of a sensor, and all of what a wrong record mixes.
    while step % 2 == 0 or step % 3 == 0 or step % 5 == 0:
        step += 1
    sampled = negative = bright = dim = odd = tiny = 0
    least, greatest = np.float32(np.inf), np.float32(-np.inf)
    squares = np.empty((count // step + 1) * run, dtype=np.float32)
    layers = np.zeros((5, _BINS), dtype=np.int64)
    heights = np.zeros((5, _BINS))
    for number in range((count + step - 1) // step * run):
        i = 4 * (number // run * step + number % run)
        if i >= 4 * count:
            break
        x, y, z = flat_points[i], flat_points[i + 1], flat_points[i + 2]
        intensity = flat_points[i + 3]
        if not abs(x) + abs(y) + abs(z) + abs(intensity) < np.inf:
            continue
        square = x * x + y * y
        squares[sampled] = square
        sampled += 1
        negative += intensity < 0
        bright += intensity > 1
        dim += intensity < _DIM
        least, greatest = min(least, intensity), max(greatest, intensity)
        odd += (x == y) | (y == z) | (z == x)
        tiny += _is_tiny(x) | _is_tiny(y) | _is_tiny(z)
        layer = int(np.floor(_BINS_PER_METRE * z)) + _BINS // 2
        if not (_NEAR[0] <= square <= _NEAR[1] and 0 <= layer < _BINS):
            continue
        layers[0, layer] += 1
        heights[0, layer] += z
        if square <= _CLOSE:
            along, across = 1 + (x <= 0), 3 + (y <= 0)
            quarter = along if abs(x) >= abs(y) else across
            layers[quarter, layer] += 1
            heights[quarter, layer] += z
    if not sampled:
        least = greatest = np.float32(0)
    reach, far = _reaches(squares[:sampled])
    on_road, road, below = _find_road(layers[0], heights[0])
    return (
        sampled,
        negative,
        bright,
        dim,
        np.float64(least),
        np.float64(greatest),
        odd,
        tiny,
        reach,
        far,
        layers[0].sum(),
        on_road,
        below,
        road,
        _find_road(layers[1], heights[1])[1],
        _find_road(layers[2], heights[2])[1],
        _find_road(layers[3], heights[3])[1],
        _find_road(layers[4], heights[4])[1],
    )


@njit(nogil=True, cache=True)
def _is_tiny(value):
    return (abs(value) < _TINY) & (value != 0)


@njit(nogil=True, cache=True)
def _reaches(squares):
    """Return what half, and nine tenths, of the squares are below, as distances."""
    exponents = np.zeros(256, dtype=np.int64)
    for bits in squares.view(np.uint32):
        exponents[bits >> np.uint32(23)] += 1
    return _reach(exponents, 5), _reach(exponents, 9)


@njit(nogil=True, cache=True)
def _reach(exponents, tenths):
    """Return what some tenths of squares are below, as a distance."""
    below, exponent = exponents[0], 0
    while exponent < 255 and 10 * below <= tenths * exponents.sum():
        exponent += 1
        below += exponents[exponent]
    return np.sqrt(2.0 ** (exponent - 126)) if exponent else 0.0


@njit(nogil=True, cache=True)
def _find_road(layers, heights):
    """Return the points in the lowest three bins with many, their mean z, those below.

    The mean is NaN if they are too few to tell.
    """
    sums = layers[:-2] + layers[1:-1] + layers[2:]
    most = sums.max()
    if most < _LEAST_ON_ROAD:
        return most, np.nan, 0
    k = 0
    while 2 * sums[k] < most:
        k += 1
    while k + 1 < len(sums) and sums[k + 1] > sums[k]:
        k += 1
    road = (heights[k] + heights[k + 1] + heights[k + 2]) / sums[k]
    return sums[k], road, layers[:k].sum()


@njit(nogil=True, cache=True)
def _count_repeated(flat_points):
    """Return how many points were compared, and how many of them equal another.

    A file that holds all points twice has them one after the other, packet by packet,
    or all once more at the end: some at its start and after its middle will do.
    """
    count = len(flat_points) // 4
    keys = np.empty(_SAMPLE, dtype=np.uint64)
    compared = 0
    for start in (0, count // 2):
        part = flat_points[4 * start : 4 * (start + -(-count // 16))]
        compared = _choose(part.view(np.uint32), keys, compared)
    keys = np.sort(keys[:compared])
    repeated = 0
    for k in range(1, compared):
        repeated += keys[k] == keys[k - 1]
    return compared, repeated


@njit(nogil=True, cache=True)
def _choose(bits, keys, count):
    """Add the keys of points chosen by their x to some; return how many there are."""
    for start in range(0, len(bits) // 4, _BLOCK):
        end = min(start + _BLOCK, len(bits) // 4)
        # Most blocks have none, and the least number is found without a branch.
        least = _CHOSEN
        for i in range(start, end):
            least = min(least, _mix(bits[4 * i]))
        if least == _CHOSEN:
            continue
        for i in range(start, end):
            # Equal points are chosen together, wherever they are.
            if _mix(bits[4 * i]) < _CHOSEN and count < len(keys):
                key = np.uint64(0)
                for k in range(4 * i, 4 * i + 4):
                    key = (key ^ np.uint64(bits[k])) * _MIX_64
                    key ^= key >> np.uint64(29)
                keys[count] = key
                count += 1
    return count


@njit(nogil=True, cache=True)
def _mix(x):
    return np.uint32(x * _MIX)
