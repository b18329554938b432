"""The compiled kernels that turn points into pixels.

They are all in this module, because a cached kernel only notices changes to its own
file. They take the points as a flat array, four numbers each, so that the compiler
knows the stride and locates several points at once. Numba compiles them once for each
arithmetic, float32 and float64, by the types of the arguments.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Real: TypeAlias = np.floating[Any]

_COUNT, _RECORD_HIGHS, _MAX_HEIGHT, _INTENSITY_AT_MAX = range(4)
_MIN_HEIGHT, _MEAN_HEIGHT, _MAX_INTENSITY, _MEAN_INTENSITY, _HEIGHT_RANGE = range(4, 9)
STATISTIC_CODES = {
    "count": _COUNT,
    "occupancy": _COUNT,  # scaled so that 1 is white
    "record_highs": _RECORD_HIGHS,
    "max_height": _MAX_HEIGHT,
    "intensity_at_max": _INTENSITY_AT_MAX,
    # These take a second pass over the points.
    "min_height": _MIN_HEIGHT,
    "mean_height": _MEAN_HEIGHT,
    "max_intensity": _MAX_INTENSITY,
    "mean_intensity": _MEAN_INTENSITY,
    "height_range": _HEIGHT_RANGE,
}

_COUNT_OF, _MAX, _MIN, _MEAN, _MAJORITY, _AT_MAX, _PRIORITY = range(7)
FIELD_CODES = {
    "count": _COUNT_OF,
    "max": _MAX,
    "min": _MIN,
    "mean": _MEAN,
    "majority": _MAJORITY,
    "at_max": _AT_MAX,
    "priority": _PRIORITY,
}
"""Of statistics of a field."""

FIRST_REQUEST = len(set(STATISTIC_CODES.values()))
"""The code of a plane that shows the first of `Requests`; the next has the next one."""

SCALE_CODES = {"linear": 0, "scan": 1, "log": 2}
_LINEAR, _SCAN, _LOG = range(3)

_BLOCK = 1024
"""Points that are located at once: those that are inside are still close by then."""

_FEW = 3
"""Cells that do not count when the use of a plane's range is judged."""

_FEW_VALUES = 32
"""Values that are sorted by insertion."""


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
    needs_heights, needs_second_pass : bool
        Whether a channel shows more than a count; whether one takes a second pass.
    """

    up: Real
    ground: Real
    needs_heights: bool
    needs_second_pass: bool


class Requests(NamedTuple):
    """The statistics of fields that planes show, each of them once.

    Attributes
    ----------
    codes : ndarray of int, shape (n,)
        One of `FIELD_CODES`.
    fields : ndarray of int, shape (n,)
        0 to 3 for a point's x, y, z and intensity; 4 and more for further columns.
    ends : ndarray of int, shape (n + 1,)
        Statistic `k` asks for ``values[ends[k] : ends[k + 1]]``.
    values : ndarray of float32
    """

    codes: NDArray[np.int64]
    fields: NDArray[np.int64]
    ends: NDArray[np.int64]
    values: NDArray[np.float32]


class Scales(NamedTuple):
    """How the statistic of each plane is scaled to 0..255.

    Attributes
    ----------
    statistics : ndarray of int, shape (planes,)
        One of `STATISTIC_CODES`, or the number of a request after `FIRST_REQUEST`.
    codes : ndarray of int, shape (planes,)
        One of `SCALE_CODES`.
    lows, spans : ndarray of float32 or float64, shape (planes,)
        If linear: `low` becomes 0 and ``low + span`` becomes 255.
    log_tables : ndarray of float64, shape (planes, n)
        If logarithmic: what a count from 0 to n - 1 becomes.
    slices : ndarray of int, shape (planes,)
        The slice that the plane shows; -1 for whole cells.
    through_float32 : bool
        Whether the result is rounded to float32 before it is rounded to a whole number.
    truncates : bool
        Whether it is truncated instead of rounded half to even.
    """

    statistics: NDArray[np.int64]
    codes: NDArray[np.int64]
    lows: NDArray[Real]
    spans: NDArray[Real]
    log_tables: NDArray[np.float64]
    slices: NDArray[np.int64]
    through_float32: bool
    truncates: bool


class Statistics(NamedTuple):
    """What is known of each cell or slice that has a point; see `STATISTIC_CODES`.

    Attributes
    ----------
    counts, record_highs : ndarray of int32, shape (n,)
    max_height, min_height, height_sum, intensity_sum : ndarray of float, shape (n,)
        In the encoding's arithmetic.
    intensity_at_max, max_intensity : ndarray of float32, shape (n,)
        All but `counts` are empty if no channel shows what they are for.
    """

    counts: NDArray[np.int32]
    record_highs: NDArray[np.int32]
    max_height: NDArray[Real]
    intensity_at_max: NDArray[np.float32]
    min_height: NDArray[Real]
    height_sum: NDArray[Real]
    max_intensity: NDArray[np.float32]
    intensity_sum: NDArray[Real]


@njit(nogil=True, cache=True)
def draw(
    flat_points: NDArray[np.float32],
    columns: NDArray[np.float32],
    region: Region,
    heights: Heights,
    slice_heights: Heights,
    slice_starts: NDArray[np.float32],
    requests: Requests,
    slice_requests: Requests,
    scales: Scales,
    samples: int,
    background: int,
) -> Any:  # ndarray, ndarray, int, int, int, int, float
    """Draw a scan.

    A single call, so that a thread takes the interpreter's lock once for each scan.

    Parameters
    ----------
    flat_points : ndarray of float32, shape (4 * N,)
        x, y, z and intensity of each point.
    columns : ndarray of float32, shape (fields, N)
        Further fields of the points.
    region : Region
    heights, slice_heights : Heights
        For whole cells, and for slices.
    slice_starts : ndarray of float32, shape (slices + 1,)
        As `birdview.pixels.channel.Slices.starts`; empty without slices.
    requests, slice_requests : Requests
        For whole cells, and for slices.
    scales : Scales
    samples : int
        3 if the planes are red, green and blue, 1 if they are stacked.
    background : int
        The shade of a pixel without a point.

    Returns
    -------
    pixels : ndarray of int32, shape (n,)
    shades : ndarray of uint8, shape (n, samples)
        As `birdview.pixels.drawing.Drawing` has them.
    occupied : int
        The number of cells with a point.
    nonfinite, outside, outside_height : int
        The number of points that are not drawn, as `birdview.counts.Counts` has them.
    scale_share : float
        As `birdview.pixels.figures.Figures` has it.
    """
    area = region.rows.size * region.cols.size
    needs_fields = len(requests.codes) + len(slice_requests.codes) > 0
    inside, rows, numbers, nonfinite, outside_height = _locate(
        flat_points, region, needs_fields
    )
    cells = _rank(rows, area)
    occupied = len(cells)
    statistics = _gather(inside, rows, occupied, heights)
    gathered = _gather_fields(
        flat_points, columns, numbers, rows, occupied, heights, requests
    )
    of_cells = cells, statistics, gathered, np.array([0, occupied])
    of_slices = of_cells
    slices = len(slice_starts) - 1
    if slices > 0:
        in_slices, keys = _find_slices(inside, rows, slice_starts, occupied)
        if len(slice_requests.codes):
            numbers = _number_slices(inside, numbers, slice_starts)
        found = _rank(keys, occupied * slices)
        statistics = _gather(in_slices, keys, len(found), slice_heights)
        gathered = _gather_fields(
            flat_points, columns, numbers, keys, len(found), heights, slice_requests
        )
        ends = np.zeros(slices + 1, dtype=np.int64)
        for key in found:
            ends[key // occupied + 1] += 1
        of_slices = found, statistics, gathered, np.cumsum(ends)
    pixels, shades, scale_share = _paint(
        of_cells, of_slices, scales, area, samples, background
    )
    outside = len(flat_points) // 4 - nonfinite - len(inside)
    return pixels, shades, occupied, nonfinite, outside, outside_height, scale_share


@njit(nogil=True, cache=True)
def _locate(flat_points, region, needs_numbers):
    """Return z and intensity of each point that is inside, and its cell.

    Also its number among all points, if needed; how many points are not finite, and how
    many are outside because of their height alone.
    """
    low, high, rows, cols = region
    count = len(flat_points) // 4
    inside = np.empty((count + 1, 2), dtype=np.float32)
    cells = np.empty(count + 1, dtype=np.int32)
    numbers = np.empty(count + 1 if needs_numbers else 0, dtype=np.int32)
    found = np.empty(_BLOCK, dtype=np.int32)
    nonfinite = drawn = outside_height = numbered = 0
    for start in range(0, count, _BLOCK):
        block = flat_points[4 * start : 4 * min(start + _BLOCK, count)]
        for i in range(len(block) // 4):
            x, y, z = block[4 * i], block[4 * i + 1], block[4 * i + 2]
            is_finite = (
                (abs(x) < np.inf)
                & (abs(y) < np.inf)
                & (abs(z) < np.inf)
                & (abs(block[4 * i + 3]) < np.inf)
            )
            # No branches, and so only these operators: a branch would stop the compiler
            # from handling several points at once.
            is_inside = is_finite & (low[0] <= x) & (x <= high[0])
            is_inside &= (low[1] <= y) & (y <= high[1])
            # The index of others would be undefined if they are NaN, and that of the
            # least number above 0, a subnormal one, takes as long as a hundred others.
            x, y = x if is_inside else np.float32(0), y if is_inside else np.float32(0)
            row, col = _index(x, y, rows), _index(x, y, cols)
            is_inside &= (row >= 0) & (row < rows.size) & (col >= 0) & (col < cols.size)
            at_height = (low[2] <= z) & (z <= high[2])
            outside_height += is_inside & (not at_height)
            is_inside &= at_height
            found[i] = row * cols.size + col if is_inside else -1
            nonfinite += not is_finite
        # Without a branch; and what follows has no need to ask which are inside.
        for i in range(len(block) // 4):
            inside[drawn, 0] = block[4 * i + 2]
            inside[drawn, 1] = block[4 * i + 3]
            cells[drawn] = found[i]
            drawn += found[i] >= 0
        if needs_numbers:
            some = found[: len(block) // 4]
            numbered = _number(some, start, numbers, numbered)
    numbers = numbers[:numbered]
    return inside[:drawn], cells[:drawn], numbers, nonfinite, outside_height


@njit(nogil=True, cache=True)
def _number(found, start, numbers, numbered):
    """Append the numbers of the points that were found, from `start` on."""
    for i in range(len(found)):
        numbers[numbered] = start + i
        numbered += found[i] >= 0
    return numbered


@njit(nogil=True, cache=True)
def _index(x, y, axis):
    quotient = ((x if axis.along_x else y) - axis.origin) / axis.cell
    return np.int32(axis.direction * np.floor(axis.mirror * quotient) + axis.start)


@intrinsic
def _count_ones(context, word):
    """Return how many bits of a word are set."""

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@njit(nogil=True, cache=True)
def _rank(keys, size):
    """Replace each key by its rank among all; return those that occur, sorted.

    Keys are below `size`. A set with one bit for each possible key is small enough to
    stay close to the processor, which a table of ranks is not.
    """
    words = np.zeros(size // 64 + 1, dtype=np.uint64)
    for key in keys:
        words[np.uint32(key) >> np.uint32(6)] |= np.uint64(1) << np.uint64(key & 63)
    ranks = np.empty(len(words), dtype=np.int32)
    count = 0
    for i in range(len(words)):
        ranks[i] = count
        count += np.int64(_count_ones(words[i]))
    found = np.empty(count, dtype=np.int32)
    rank = 0
    for i in range(len(words)):
        word = words[i]
        while word:
            below = word & (~word + np.uint64(1))
            found[rank] = 64 * i + np.int32(_count_ones(below - np.uint64(1)))
            rank += 1
            word ^= below
    for i in range(len(keys)):
        bit = np.uint64(1) << np.uint64(keys[i] & 63)
        word = np.uint32(keys[i]) >> np.uint32(6)
        keys[i] = ranks[word] + np.int32(
            _count_ones(words[word] & (bit - np.uint64(1)))
        )
    return found


@njit(nogil=True, cache=True)
def _gather(inside, rows, count, heights):
    """Return `Statistics` of `count` cells or slices; `rows` has that of each point."""
    up, ground, needs_heights, needs_second_pass = heights
    real = np.array([ground]).dtype
    counts = np.zeros(count, dtype=np.int32)
    for row in rows:
        counts[row] += 1
    some = count if needs_heights else 0
    record_highs = np.zeros(some, dtype=np.int32)
    max_height = np.full(some, -np.inf, dtype=real)
    intensity_at_max = np.zeros(some, dtype=np.float32)
    for k in range(len(rows) if some else 0):
        row = rows[k]
        height = up * (inside[k, 0] - ground)
        # Without a branch, which no processor could predict.
        highest = max_height[row]
        is_higher = height > highest
        record_highs[row] += is_higher
        max_height[row] = height if is_higher else highest
        intensity_at_max[row] = inside[k, 1] if is_higher else intensity_at_max[row]
    some = count if needs_second_pass else 0
    min_height = np.full(some, np.inf, dtype=real)
    height_sum = np.zeros(some, dtype=real)
    max_intensity = np.full(some, -np.inf, dtype=np.float32)
    intensity_sum = np.zeros(some, dtype=real)
    for k in range(len(rows) if some else 0):
        row = rows[k]
        height = up * (inside[k, 0] - ground)
        intensity = inside[k, 1]
        min_height[row] = min(min_height[row], height)
        height_sum[row] += height
        max_intensity[row] = max(max_intensity[row], intensity)
        intensity_sum[row] += intensity
    return Statistics(
        counts,
        record_highs,
        max_height,
        intensity_at_max,
        min_height,
        height_sum,
        max_intensity,
        intensity_sum,
    )


@njit(nogil=True, cache=True)
def _values(statistics, code, first, last):
    """Return a statistic of some cells or slices."""
    values = np.empty(last - first, dtype=statistics.max_height.dtype)
    for k in range(len(values)):
        i = first + k
        if code == _COUNT:
            values[k] = statistics.counts[i]
        elif code == _RECORD_HIGHS:
            values[k] = statistics.record_highs[i]
        elif code == _MAX_HEIGHT:
            values[k] = statistics.max_height[i]
        elif code == _INTENSITY_AT_MAX:
            values[k] = statistics.intensity_at_max[i]
        elif code == _MIN_HEIGHT:
            values[k] = statistics.min_height[i]
        elif code == _MAX_INTENSITY:
            values[k] = statistics.max_intensity[i]
        elif code == _HEIGHT_RANGE:
            values[k] = statistics.max_height[i] - statistics.min_height[i]
        else:
            values[k] = statistics.counts[i]
            is_height = code == _MEAN_HEIGHT
            total = (
                statistics.height_sum[i] if is_height else statistics.intensity_sum[i]
            )
            values[k] = total / values[k]
    return values


@njit(nogil=True, cache=True, error_model="numpy")
def _gather_fields(flat_points, columns, numbers, rows, count, heights, requests):
    """Return the requested statistics of fields, shape (requests, count).

    They are NaN where no point has a value. `rows` has the cell or slice, below
    `count`, of each point in `numbers`.
    """
    gathered = np.empty((len(requests.codes), count), np.array([heights.ground]).dtype)
    for k in range(len(requests.codes)):
        code, result = requests.codes[k], gathered[k]
        wanted = requests.values[requests.ends[k] : requests.ends[k + 1]]
        result[:] = 0 if code in (_COUNT_OF, _MEAN) else np.nan
        values, of_values, places = _take(
            flat_points, columns, requests.fields[k], numbers, rows
        )
        if code == _COUNT_OF:
            for i in range(len(values)):
                result[places[i]] += _find(values[i], wanted) < len(wanted)
        elif code == _MAX:
            for i in range(len(values)):
                if not values[i] <= result[places[i]]:
                    result[places[i]] = values[i]
        elif code == _MIN:
            for i in range(len(values)):
                if not values[i] >= result[places[i]]:
                    result[places[i]] = values[i]
        elif code == _MEAN:
            counts = np.zeros(count, dtype=result.dtype)
            for i in range(len(values)):
                result[places[i]] += values[i]
                counts[places[i]] += 1
            for i in range(count):
                result[i] /= counts[i]
        elif code == _AT_MAX:
            highest = np.full(count, np.nan, dtype=result.dtype)
            for i in range(len(values)):
                z = flat_points[4 * of_values[i] + 2]
                height = heights.up * (z - heights.ground)
                place = places[i]
                # Without a branch, as in _gather.
                is_higher = not height <= highest[place]
                highest[place] = height if is_higher else highest[place]
                result[place] = values[i] if is_higher else result[place]
        else:
            _find_majorities(values, places, result)
            if code == _PRIORITY:
                firsts = np.full(count, len(wanted))
                for i in range(len(values)):
                    found = _find(values[i], wanted[: firsts[places[i]]])
                    if found < firsts[places[i]]:
                        firsts[places[i]] = found
                        result[places[i]] = wanted[found]
    return gathered


@njit(nogil=True, cache=True)
def _take(flat_points, columns, field, numbers, rows):
    """Return the values of a field that are not NaN, their points, and their rows."""
    values = np.empty(len(rows) + 1, dtype=np.float32)
    of_values = np.empty(len(rows) + 1, dtype=np.int32)
    places = np.empty(len(rows) + 1, dtype=np.int32)
    count = 0
    for i in range(len(rows)):
        number = numbers[i]
        value = (
            flat_points[4 * number + field] if field < 4 else columns[field - 4, number]
        )
        values[count], of_values[count], places[count] = value, number, rows[i]
        count += value == value  # not NaN
    return values[:count], of_values[:count], places[:count]


@njit(nogil=True, cache=True)
def _find(value, wanted):
    """Return the index of a value among the wanted ones; their number if it is not."""
    for k in range(len(wanted)):
        if wanted[k] == value:
            return k
    return len(wanted)


@njit(nogil=True, cache=True)
def _find_majorities(values, places, result):
    """Set the most frequent value of each place that has one, of several the least."""
    size = len(result)
    counts = np.zeros(size, dtype=np.int32)
    least = np.full(size, np.inf, dtype=np.float32)
    greatest = np.full(size, -np.inf, dtype=np.float32)
    for i in range(len(values)):
        counts[places[i]] += 1
        least[places[i]] = min(least[places[i]], values[i])
        greatest[places[i]] = max(greatest[places[i]], values[i])
    # Of one value, or of two points, it is the least; the others are sorted.
    ends = np.zeros(size, dtype=np.int32)
    end = 0
    for i in range(size):
        result[i] = least[i] if counts[i] else result[i]
        counts[i] = 0 if counts[i] < 3 or least[i] == greatest[i] else counts[i]
        ends[i] = end
        end += counts[i]
    buckets = np.empty(end + 1, dtype=np.float32)
    for i in range(len(values)):
        place = places[i]
        is_wanted = counts[place] > 0
        buckets[ends[place] if is_wanted else end] = values[i]
        ends[place] += is_wanted
    for i in range(size):
        if counts[i]:
            some = buckets[ends[i] - counts[i] : ends[i]]
            _sort(some)
            result[i] = _find_longest_run(some)


@njit(nogil=True, cache=True)
def _sort(values):
    """Sort values in place; most cells have a few, mostly sorted already."""
    if len(values) > _FEW_VALUES:
        values.sort()
        return
    for i in range(1, len(values)):
        value, k = values[i], i
        while k > 0 and values[k - 1] > value:
            values[k] = values[k - 1]
            k -= 1
        values[k] = value


@njit(nogil=True, cache=True)
def _find_longest_run(values):
    """Return the value that occurs most often in sorted ones, of several the least."""
    longest, start, found = 0, 0, values[0]
    for i in range(len(values)):
        if values[i] != values[start]:
            start = i
        if i + 1 - start > longest:
            longest, found = i + 1 - start, values[i]
    return found


@njit(nogil=True, cache=True)
def _find_slices(inside, rows, slice_starts, occupied):
    """Return the points that are in a slice, and keys made of their slice and row."""
    slices = np.int32(len(slice_starts) - 1)
    found = np.empty((len(rows) + 1, 2), dtype=np.float32)
    keys = np.empty(len(rows) + 1, dtype=np.int32)
    count = 0
    # The search starts at the slice of the last point, which is not far away.
    slice_index = np.int32(0)
    for k in range(len(rows)):
        z = inside[k, 0]
        while slice_index > 0 and z < slice_starts[slice_index]:
            slice_index -= np.int32(1)
        while slice_index < slices and z >= slice_starts[slice_index + 1]:
            slice_index += np.int32(1)
        found[count, 0], found[count, 1] = z, inside[k, 1]
        keys[count] = slice_index * occupied + rows[k]
        count += slice_index < slices and z >= slice_starts[slice_index]
    return found[:count], keys[:count]


@njit(nogil=True, cache=True)
def _number_slices(inside, numbers, slice_starts):
    """Return the numbers of the points that are in a slice."""
    found = np.empty(len(numbers) + 1, dtype=np.int32)
    count = 0
    for k in range(len(numbers)):
        found[count] = numbers[k]
        count += (slice_starts[0] <= inside[k, 0]) & (inside[k, 0] < slice_starts[-1])
    return found[:count]


@njit(nogil=True, cache=True)
def _paint(of_cells, of_slices, scales, area, samples, background):
    """Return the pixels and their shades, and the least `scale_share` of the planes."""
    cells, _, _, _ = of_cells
    occupied, planes = len(cells), len(scales.codes)
    most = occupied
    if samples == 1:
        most = 0
        for plane in range(planes):
            first, last = _range_of(plane, of_cells, of_slices, scales)
            most += last - first
    pixels = np.empty(most, dtype=np.int32) if samples == 1 else cells
    shades = np.full((most, samples), background, dtype=np.uint8)
    scale_share, start = 1.0, 0
    for plane in range(planes):
        first, last = _range_of(plane, of_cells, of_slices, scales)
        is_slice = scales.slices[plane] >= 0
        found, statistics, gathered, _ = of_slices if is_slice else of_cells
        code = scales.statistics[plane]
        valued = last - first
        if code < FIRST_REQUEST:
            values = _values(statistics, code, first, last)
        else:
            values = gathered[code - FIRST_REQUEST, first:last].copy()
            for value in values:
                valued -= value != value
        scaled, share = _scale(values, plane, scales, valued == area)
        if valued < last - first:
            for i in range(len(values)):
                scaled[i] = scaled[i] if values[i] == values[i] else background
        scale_share = min(scale_share, share)
        if samples == 1:
            _round(scaled, scales, shades[start : start + last - first, 0])
            offset = occupied * scales.slices[plane]
            for i in range(first, last):
                cell = cells[found[i] - offset] if is_slice else found[i]
                pixels[start + i - first] = plane * area + cell
            start += last - first
        elif is_slice:
            values = np.empty((last - first, 1), dtype=np.uint8)
            _round(scaled, scales, values[:, 0])
            offset = occupied * scales.slices[plane]
            for i in range(first, last):
                shades[found[i] - offset, plane] = values[i - first, 0]
        else:
            _round(scaled, scales, shades[:, plane])
    return pixels, shades, scale_share


@njit(nogil=True, cache=True)
def _range_of(plane, of_cells, of_slices, scales):
    _, _, _, ends = of_slices if scales.slices[plane] >= 0 else of_cells
    k = max(scales.slices[plane], 0)
    return ends[k], ends[k + 1]


@njit(nogil=True, cache=True)
def _round(scaled, scales, shades):
    for i in range(len(scaled)):
        value = scaled[i]
        if scales.through_float32:
            value = np.float64(np.float32(value))
        value = min(max(value, 0.0), 255.0)
        shades[i] = np.uint8(np.floor(value) if scales.truncates else np.rint(value))


@njit(nogil=True, cache=True, error_model="numpy")
def _scale(values, plane, scales, is_full):
    """Scale a statistic so that 0 is black and 255 white.

    An infinite value is beyond the range of a scan. Also return which share of this
    range all but a few cells use.
    """
    low, span = scales.lows[plane], scales.spans[plane]
    scaled = np.empty(len(values))
    if scales.codes[plane] == _LOG:
        longest = scales.log_tables.shape[1] - 1
        for i in range(len(values)):
            scaled[i] = scales.log_tables[plane, min(int(values[i]), longest)]
        return scaled, 1.0
    if scales.codes[plane] == _LINEAR:
        for i in range(len(values)):
            scaled[i] = 255 * np.float64((values[i] - low) / span)
        return scaled, 1.0
    highest, lowest = _find_ends(values)
    if max(highest[-1], lowest[-1]) == np.inf:
        highest, lowest = _find_ends(values[np.isfinite(values)])
    least, greatest = -lowest[-1], highest[-1]
    low, high = -lowest[0], highest[0]
    if not (is_full and least <= greatest):  # empty cells count, as 0
        least, greatest = min(least, 0.0), max(greatest, 0.0)
        low, high = min(low, 0.0), max(high, 0.0)
    for i in range(len(values)):  # as numpy.interp computes it
        value = np.float64(values[i])
        share = 255 / (greatest - least) * (value - least)
        scaled[i] = share if value < greatest else 255.0
    return scaled, (high - low) / (greatest - least) if greatest > least else 1.0


@njit(nogil=True, cache=True)
def _find_ends(values):
    """Return the greatest values, and the greatest of them with the other sign.

    Ascending: the last is the greatest, the first is it but for a few cells.
    """
    highest, lowest = np.full(_FEW + 1, -np.inf), np.full(_FEW + 1, -np.inf)
    for value in values:
        if value > highest[0]:
            _insert(value, highest)
        if -value > lowest[0]:
            _insert(-value, lowest)
    return highest, lowest


@njit(nogil=True, cache=True)
def _insert(value, values):
    """Put a value among others in ascending order; the least of them goes."""
    k = 0
    while k + 1 < len(values) and values[k + 1] < value:
        values[k] = values[k + 1]
        k += 1
    values[k] = value
