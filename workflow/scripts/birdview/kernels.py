"""The compiled kernels: points become pixels.

All in one module: a kernel that is kept compiled notices changes to its own file alone.
They take the points as one row of numbers, four for each: so the compiler knows how far
it is from one x to the next, and locates several points at a time. They are compiled
for each arithmetic, by the type of the numbers that they are given.
"""

import numpy as np
from numba import njit

COLUMNS = {
    "count": 0,
    "occupancy": 0,
    "records": 1,
    "top_height": 2,
    "top_intensity": 3,
    "lowest_height": 4,
    "mean_height": 5,
    "greatest_intensity": 6,
    "mean_intensity": 7,
}
"""The column of each statistic in the table that has a row for each cell or slice."""
_COUNT, _RECORDS, _TOP_HEIGHT, _TOP_INTENSITY = range(4)
_LOWEST, _MEAN_HEIGHT, _GREATEST, _MEAN_INTENSITY = range(4, 8)
BASIC = 4
"""How many of the columns are of the count and of the highest point."""

SCALES = {"linear": 0, "scan": 1, "log": 2}
_LINEAR, _SCAN, _LOG = range(3)


@njit(nogil=True, cache=True)
def draw(numbers, place, heights, starts, scales, members, slots, drawn, planes):
    """Draw a scan in place of the last one; see `birdview.raster` for the arguments.

    One call, so that a thread asks for the interpreter's lock once a scan.

    Returns
    -------
    drawn
        The cells and the slices of the pixels: those of whole cells, those of slices.
    occupied, nonfinite, outside : int
        Cells with a point; points without one.
    """
    for number in range(2):
        black = np.zeros((len(drawn[number][0]), members[number].shape[1]), np.uint8)
        _put(black, drawn[number], members[number], planes)

    cells, nonfinite, outside = _locate(numbers, place)
    rows, occupied = _number(cells, slots)
    for cell in occupied:
        slots[cell] = 0
    whole = occupied, np.zeros(len(occupied), dtype=np.int32)
    if members[0].size:
        table = _gather(numbers, rows, len(occupied), heights, scales)
        _shade(table, whole, scales, members[0], planes)

    sliced = whole[0][:0], whole[1][:0]
    if members[1].size:
        count = len(members[1])
        cells = _slice(numbers, rows, starts)
        rows, keys = _number(cells, np.zeros(len(occupied) * count, dtype=np.int32))
        sliced = _split(keys, occupied, count)
        table = _gather(numbers, rows, len(keys), heights, scales)
        _shade(table, sliced, scales, members[1], planes)
    return (whole, sliced), len(occupied), nonfinite, outside


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
def _number(keys, slots):
    """Return for each point the number of its key, and the keys in their order.

    Keys are numbered from 0, as they come; -1 is none. `slots`, zeros for all keys
    there may be, then holds their numbers, plus 1.
    """
    numbers = np.empty(len(keys), dtype=np.int32)
    found = np.empty(min(len(keys), len(slots)), dtype=np.int32)
    count = 0
    for i in range(len(keys)):
        key = keys[i]
        if key < 0:
            numbers[i] = -1
            continue
        if slots[key] == 0:
            found[count] = key
            count += 1
            slots[key] = count
        numbers[i] = slots[key] - 1
    return numbers, found[:count]


@njit(nogil=True, cache=True)
def _slice(numbers, rows, starts):
    """Return for each point a key of its cell's row and its slice, -1 for none."""
    count = np.int32(len(starts) - 1)
    keys = np.empty(len(rows), dtype=np.int32)
    part = np.int32(0)  # of the last point: that of the next one is not far from it
    for i in range(len(rows)):
        keys[i] = -1
        if rows[i] < 0:
            continue
        z = numbers[4 * i + 2]
        while part > 0 and z < starts[part]:
            part -= np.int32(1)
        while part < count and z >= starts[part + 1]:
            part += np.int32(1)
        if part < count and z >= starts[part]:
            keys[i] = rows[i] * count + part
    return keys


@njit(nogil=True, cache=True)
def _split(keys, occupied, count):
    """Return the cells and the slices of the keys that `_slice` made."""
    cells, parts = np.empty_like(keys), np.empty_like(keys)
    for i in range(len(keys)):
        row = np.uint32(keys[i]) // np.uint32(count)
        cells[i] = occupied[row]
        parts[i] = np.uint32(keys[i]) - row * np.uint32(count)
    return cells, parts


@njit(nogil=True, cache=True)
def _gather(numbers, rows, count, heights, scales):
    """Return a table of the statistics of each row's points; of means, the sums."""
    up, ground, is_more = heights
    table = np.zeros((count, 8 if is_more else BASIC), dtype=scales[2].dtype)
    table[:, _TOP_HEIGHT] = -np.inf
    for i in range(len(rows)):
        row = rows[i]
        if row < 0:
            continue
        height = up * (numbers[4 * i + 2] - ground)
        table[row, _COUNT] += 1
        if height > table[row, _TOP_HEIGHT]:
            table[row, _RECORDS] += 1
            table[row, _TOP_HEIGHT] = height
            table[row, _TOP_INTENSITY] = numbers[4 * i + 3]
    if is_more:
        table[:, _LOWEST] = np.inf
        table[:, _GREATEST] = -np.inf
        for i in range(len(rows)):
            row = rows[i]
            if row < 0:
                continue
            height, intensity = up * (numbers[4 * i + 2] - ground), numbers[4 * i + 3]
            table[row, _LOWEST] = min(table[row, _LOWEST], height)
            table[row, _MEAN_HEIGHT] += height
            table[row, _GREATEST] = max(table[row, _GREATEST], intensity)
            table[row, _MEAN_INTENSITY] += intensity
    return table


@njit(nogil=True, cache=True)
def _shade(table, pixels, scales, members, planes):
    """Scale the statistics and put them into their pixels."""
    order, ends = _sort(pixels[1], len(members))
    shades = np.empty((len(table), members.shape[1]), dtype=np.uint8)
    for part in range(len(members)):
        rows = order[ends[part] : ends[part + 1]]
        is_full = len(rows) == planes.shape[0] * planes.shape[1]
        for member in range(members.shape[1]):
            if members[part, member] >= 0:
                plane = members[part, member]
                _scale(table, rows, plane, scales, is_full, shades[:, member])
    _put(shades, pixels, members, planes)


@njit(nogil=True, cache=True)
def _sort(parts, count):
    """Return the rows in the order of their parts, and where each part ends."""
    ends = np.zeros(count + 2, dtype=np.int64)
    for part in parts:
        ends[part + 2] += 1
    for part in range(count):
        ends[part + 2] += ends[part + 1]
    order = np.empty(len(parts), dtype=np.int32)
    for row in range(len(parts)):
        order[ends[parts[row] + 1]] = row
        ends[parts[row] + 1] += 1
    return order, ends[:-1]


@njit(nogil=True, cache=True)
def _scale(table, rows, plane, scales, is_full, shades):
    """Scale one statistic of some rows to 0..255."""
    columns, how, lows, spans, tables, through_float32, truncates = scales
    column, low, span = columns[plane], lows[plane], spans[plane]
    is_mean = column in (_MEAN_HEIGHT, _MEAN_INTENSITY)
    least, greatest = np.inf, -np.inf
    if how[plane] == _SCAN:
        for row in rows:
            value = np.float64(_value(table, row, column, is_mean))
            least, greatest = min(least, value), max(greatest, value)
        if not is_full:  # the empty cells count, as 0
            least, greatest = min(least, 0.0), max(greatest, 0.0)
    for row in rows:
        value = _value(table, row, column, is_mean)
        if how[plane] == _LOG:
            scaled = tables[plane, min(int(value), tables.shape[1] - 1)]
        elif how[plane] == _LINEAR:
            scaled = 255 * np.float64((value - low) / span)
        elif value < greatest:  # as numpy.interp
            scaled = 255 / (greatest - least) * (np.float64(value) - least)
        else:
            scaled = 255.0
        if through_float32:
            scaled = np.float64(np.float32(scaled))
        scaled = min(max(scaled, 0.0), 255.0)
        shades[row] = np.uint8(scaled if truncates else np.rint(scaled))


@njit(nogil=True, cache=True)
def _value(table, row, column, is_mean):
    value = table[row, column]
    return value / table[row, _COUNT] if is_mean else value


@njit(nogil=True, cache=True)
def _put(shades, pixels, members, planes):
    cells, parts = pixels
    cols = np.uint32(planes.shape[1])
    for i in range(len(cells)):
        row = np.uint32(cells[i]) // cols
        col = np.uint32(cells[i]) - row * cols
        for member in range(members.shape[1]):
            plane = members[parts[i], member]
            if plane >= 0:
                planes[row, col, plane] = shades[i, member]
