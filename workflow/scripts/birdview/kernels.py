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

    # The cells of the points; then their rows in the table.
    rows, nonfinite, outside = _locate(numbers, place)
    cells, table = _gather(numbers, rows, slots, heights, scales)
    for cell in cells:
        slots[cell] = 0
    count = np.int64(len(cells))
    whole = cells, np.arange(count).astype(np.int32), np.array([0, count])
    _shade(table, whole, scales, members[0], planes)

    sliced = cells[:0], whole[1][:0], np.zeros(len(members[1]) + 1, dtype=np.int64)
    if members[1].size:
        keys = _slice(numbers, rows, starts)
        slots = np.zeros(count * len(members[1]), dtype=np.int32)
        keys, table = _gather(numbers, keys, slots, heights, scales)
        sliced = _split(keys, cells, len(members[1]))
        _shade(table, sliced, scales, members[1], planes)
    return (whole, sliced), count, nonfinite, outside


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
def _gather(numbers, keys, slots, heights, scales):
    """Return the keys of the points as they first come, and a table of statistics.

    It has a row for each key; of means, it holds the sums. In `keys`, the number of its
    row then takes the place of each point's key; -1 is none. `slots`, zeros for all
    keys there may be, then holds their rows, plus 1.
    """
    up, ground, is_more = heights
    most = min(len(keys), len(slots))
    found = np.empty(most, dtype=np.int32)
    table = np.empty((most, 8 if is_more else BASIC), dtype=scales[2].dtype)
    count = 0
    for i in range(len(keys)):
        key = keys[i]
        if key < 0:
            continue
        height = up * (numbers[4 * i + 2] - ground)
        row = slots[key] - 1
        if row < 0:
            row = count
            count += 1
            slots[key] = count
            found[row] = key
            table[row, _COUNT] = table[row, _RECORDS] = 0
            table[row, _TOP_HEIGHT] = -np.inf
        keys[i] = row
        table[row, _COUNT] += 1
        if height > table[row, _TOP_HEIGHT]:
            table[row, _RECORDS] += 1
            table[row, _TOP_HEIGHT] = height
            table[row, _TOP_INTENSITY] = numbers[4 * i + 3]
    if is_more:
        _gather_more(numbers, keys, up, ground, table[:count])
    return found[:count], table[:count]


@njit(nogil=True, cache=True)
def _gather_more(numbers, rows, up, ground, table):
    for row in range(len(table)):
        table[row, _LOWEST], table[row, _GREATEST] = np.inf, -np.inf
        table[row, _MEAN_HEIGHT] = table[row, _MEAN_INTENSITY] = 0
    for i in range(len(rows)):
        row = rows[i]
        if row >= 0:
            height, intensity = up * (numbers[4 * i + 2] - ground), numbers[4 * i + 3]
            table[row, _LOWEST] = min(table[row, _LOWEST], height)
            table[row, _MEAN_HEIGHT] += height
            table[row, _GREATEST] = max(table[row, _GREATEST], intensity)
            table[row, _MEAN_INTENSITY] += intensity


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
def _split(keys, cells, count):
    """Take the keys that `_slice` made apart.

    Returns
    -------
    cells : ndarray of int32
        That of each key.
    order, ends : ndarray of int
        The places of the keys in the order of their slices, and where each slice ends.
    """
    cells_of_keys, parts = np.empty_like(keys), np.empty_like(keys)
    ends = np.zeros(count + 2, dtype=np.int64)
    for i in range(len(keys)):
        row = np.uint32(keys[i]) // np.uint32(count)
        cells_of_keys[i] = cells[row]
        parts[i] = np.uint32(keys[i]) - row * np.uint32(count)
        ends[parts[i] + 2] += 1
    for part in range(count):
        ends[part + 2] += ends[part + 1]
    order = np.empty_like(keys)
    for i in range(len(keys)):
        order[ends[parts[i] + 1]] = i
        ends[parts[i] + 1] += 1
    return cells_of_keys, order, ends[:-1]


@njit(nogil=True, cache=True)
def _shade(table, pixels, scales, members, planes):
    """Scale the statistics and put them into their pixels."""
    _, order, ends = pixels
    through_float32, truncates = scales[-2:]
    scaled = np.empty(len(table))
    shades = np.empty((len(table), members.shape[1]), dtype=np.uint8)
    for part in range(len(members)):
        rows = order[ends[part] : ends[part + 1]]
        is_full = len(rows) == planes.shape[0] * planes.shape[1]
        for member in range(members.shape[1]):
            if members[part, member] < 0:
                continue
            _scale(table, rows, members[part, member], scales, is_full, scaled)
            for i in range(len(rows)):
                value = scaled[i]
                if through_float32:
                    value = np.float64(np.float32(value))
                value = min(max(value, 0.0), 255.0)
                value = np.floor(value) if truncates else np.rint(value)
                shades[rows[i], member] = np.uint8(value)
    _put(shades, pixels, members, planes)


@njit(nogil=True, cache=True, error_model="numpy")
def _scale(table, rows, plane, scales, is_full, scaled):
    """Scale one statistic of some rows so that 0 is black and 255 white."""
    columns, how, lows, spans, tables, _, _ = scales
    column, low, span = columns[plane], lows[plane], spans[plane]
    if how[plane] == _LOG:
        for i in range(len(rows)):
            count = min(int(table[rows[i], column]), tables.shape[1] - 1)
            scaled[i] = tables[plane, count]
        return
    is_mean = column in (_MEAN_HEIGHT, _MEAN_INTENSITY)
    is_linear = how[plane] == _LINEAR
    least, greatest = np.inf, -np.inf
    for i in range(len(rows)):
        value = table[rows[i], column]
        if is_mean:
            value /= table[rows[i], _COUNT]
        scaled[i] = 255 * np.float64((value - low) / span) if is_linear else value
    if is_linear:
        return
    for value in scaled[: len(rows)]:
        least, greatest = min(least, value), max(greatest, value)
    if not is_full:  # the empty cells count, as 0
        least, greatest = min(least, 0.0), max(greatest, 0.0)
    for i in range(len(rows)):  # as numpy.interp
        share = 255 / (greatest - least) * (scaled[i] - least)
        scaled[i] = share if scaled[i] < greatest else 255.0


@njit(nogil=True, cache=True)
def _put(shades, pixels, members, planes):
    cells, order, ends = pixels
    cols = np.uint32(planes.shape[1])
    for part in range(len(members)):
        for i in order[ends[part] : ends[part + 1]]:
            row = np.uint32(cells[i]) // cols
            col = np.uint32(cells[i]) - row * cols
            for member in range(members.shape[1]):
                if members[part, member] >= 0:
                    planes[row, col, members[part, member]] = shades[i, member]
