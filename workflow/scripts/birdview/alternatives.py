"""What others do in place of this package, as fast as their parts allow.

What it is measured against: the notebook's readers, and rasterisers that sort the
points with NumPy. The notebook's own rasteriser is in `birdview.reference`. The images
are as `cv2.imwrite` takes them: shape (1600, 1600, 3), uint8, blue, green, red.
"""

import struct

import numpy as np

SIZE, CELL = 1600, 0.1


def read_peeking(path):
    """Read points as the notebook first did: look ahead, then read 16 bytes."""
    points = []
    with open(path, "rb") as file:
        while file.peek(16):
            points.append(struct.unpack("<4f", file.read(16)))
    return np.array(points, dtype=np.float32).reshape(-1, 4)


def read_16_bytes(path):
    """Read points as the notebook did when in a hurry: 16 bytes at a time."""
    points = []
    with open(path, "rb") as file:
        while record := file.read(16):
            points.append(struct.unpack("<4f", record))
    return np.array(points, dtype=np.float32).reshape(-1, 4)


def read_at_once(path):
    """Read points as NumPy does, without a look at them."""
    return np.fromfile(path, dtype="<f4").reshape(-1, 4)


def sort_notebook(points):
    """Draw the encoding `notebook`: of points sorted by cell, the lowest of each."""
    points = points[np.isfinite(points).all(axis=1) & (points[:, 2] < 0)]
    x, y = points[:, :2].astype(np.float64).T
    row = SIZE // 2 - np.ceil(y / CELL).astype(np.int64)
    col = SIZE // 2 - np.ceil(x / CELL).astype(np.int64)
    cells, starts, points = _sort(row, col, points)
    image = np.zeros((SIZE * SIZE, 3), dtype=np.uint8)
    if len(cells):
        # A depth is positive, and so its bits are in the order of the depths.
        depth = -points[:, 2]
        is_first = np.zeros(len(points), dtype=np.int64)
        is_first[starts] = 1
        rank = np.cumsum(is_first) << 32 | depth.view(np.int32)
        is_record = np.ones(len(points), dtype=bool)
        is_record[1:] = rank[1:] > np.maximum.accumulate(rank)[:-1]
        records = np.add.reduceat(is_record, starts, dtype=np.int64)
        lowest = np.flatnonzero(is_record)[np.cumsum(records) - 1]
        full = len(cells) == len(image)  # if not, the empty cells count, as 0
        planes = [
            np.interp(values, limits or (full * values.min(), values.max()), (0, 255))
            for values, limits in (
                (depth[lowest], None),
                (points[lowest, 3], (0, 1)),
                (records, None),
            )
        ]
        image[cells] = np.rint(np.stack(planes, axis=1).astype(np.float32))
    return image.reshape(SIZE, SIZE, 3)


def sort_mv3d(points):
    """Draw the encoding `mv3d`: of points sorted by cell, the highest of each."""
    low, high = -2.73, 1.27
    z = points[:, 2].astype(np.float64)
    points = points[np.isfinite(points).all(axis=1) & (low <= z) & (z <= high)]
    x, y = points[:, :2].astype(np.float64).T
    row = SIZE - 1 - np.floor((x + 80) / CELL).astype(np.int64)
    col = SIZE - 1 - np.floor((y + 80) / CELL).astype(np.int64)
    cells, starts, points = _sort(row, col, points)
    image = np.zeros((SIZE * SIZE, 3), dtype=np.uint8)
    if len(cells):
        counts = np.diff(starts, append=len(points))
        tops = np.maximum.reduceat(points[:, 2], starts)
        is_top = np.flatnonzero(points[:, 2] == np.repeat(tops, counts))
        highest = is_top[np.searchsorted(is_top, starts)]  # the first of equals
        z, intensity = points[highest, 2:].astype(np.float64).T
        height = (z - low) / (high - low)
        density = np.minimum(1, np.log(counts + 1) / np.log(64))
        values = [height, np.clip(intensity, 0, 1), density]
        image[cells] = np.rint(255 * np.stack(values, axis=1))
    return image.reshape(SIZE, SIZE, 3)


def _sort(row, col, points):
    """Sort the points inside by cell, each cell's in the order of the file.

    Return the occupied cells, where the points of each start, and the points.
    """
    inside = (row >= 0) & (row < SIZE) & (col >= 0) & (col < SIZE)
    points, cells = points[inside], (row * SIZE + col)[inside]
    # One number for cell and place: NumPy sorts numbers faster than it sorts stably.
    keys = np.sort(cells << 32 | np.arange(len(cells)))
    cells, places = keys >> 32, keys & 0xFFFFFFFF
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    return cells[starts], starts, points[places]
