"""Baselines for the benchmark: the notebook's readers, and rasterisers in plain NumPy.

The rasterisers sort the points by cell. The notebook's own rasteriser is in
`birdview.benchmark.reference`. Images are as `cv2.imwrite` takes them: shape (rows,
cols, 3), uint8, blue, green, red.
"""

import struct
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float32]
Pixels: TypeAlias = NDArray[np.uint8]

SIZE, CELL = 1600, 0.1


def read_peeking(path: str) -> Points:
    """Read points as the notebook did at first: look ahead, then read 16 bytes."""
    points = []
    with open(path, "rb") as file:
        while file.peek(16):
            points.append(struct.unpack("<4f", file.read(16)))
    return np.array(points, dtype=np.float32).reshape(-1, 4)


def read_16_bytes(path: str) -> Points:
    """Read points as the notebook did later: 16 bytes at a time."""
    points = []
    with open(path, "rb") as file:
        while record := file.read(16):
            points.append(struct.unpack("<4f", record))
    return np.array(points, dtype=np.float32).reshape(-1, 4)


def read_at_once(path: str) -> Points:
    """Read points with NumPy, without checking them."""
    return np.fromfile(path, dtype="<f4").reshape(-1, 4)


def sort_notebook(points: Points) -> Pixels:
    """Draw the encoding `notebook`: the lowest point of each cell, by sorting."""
    points = points[np.isfinite(points).all(axis=1) & (points[:, 2] < 0)]
    x, y = points[:, :2].astype(np.float64).T
    row = SIZE // 2 - np.ceil(y / CELL).astype(np.int64)
    col = SIZE // 2 - np.ceil(x / CELL).astype(np.int64)
    cells, starts, points = _sort(row, col, points)
    image = np.zeros((SIZE * SIZE, 3), dtype=np.uint8)
    if len(cells):
        # Depths are positive, so their bits have the order of the depths.
        depth = -points[:, 2]
        is_first = np.zeros(len(points), dtype=np.int64)
        is_first[starts] = 1
        rank = np.cumsum(is_first) << 32 | depth.view(np.int32)
        is_record_high = np.ones(len(points), dtype=bool)
        is_record_high[1:] = rank[1:] > np.maximum.accumulate(rank)[:-1]
        record_highs = np.add.reduceat(is_record_high, starts, dtype=np.int64)
        lowest = np.flatnonzero(is_record_high)[np.cumsum(record_highs) - 1]
        full = len(cells) == len(image)  # if not, empty cells count, as 0
        planes = [
            np.interp(values, limits or (full * values.min(), values.max()), (0, 255))
            for values, limits in (
                (depth[lowest], None),
                (points[lowest, 3], (0, 1)),
                (record_highs, None),
            )
        ]
        image[cells] = np.rint(np.stack(planes, axis=1).astype(np.float32))
    return image.reshape(SIZE, SIZE, 3)


def sort_mv3d(points: Points) -> Pixels:
    """Draw the encoding `mv3d`: the highest point of each cell, by sorting."""
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
        highest = is_top[np.searchsorted(is_top, starts)]  # the first of several
        z, intensity = points[highest, 2:].astype(np.float64).T
        height = (z - low) / (high - low)
        density = np.minimum(1, np.log(counts + 1) / np.log(64))
        values = [height, np.clip(intensity, 0, 1), density]
        image[cells] = np.rint(255 * np.stack(values, axis=1))
    return image.reshape(SIZE, SIZE, 3)


def sort_complex_yolo(points: Points) -> Pixels:
    """Draw the encoding `complex_yolo` with the algorithm of SFA3D.

    SFA3D (github.com/maudzung/SFA3D, sfa/data_process/kitti_bev_utils.py, functions
    `get_filtered_lidar` and `makeBEVMap`) has it from Complex-YOLO's `makeBVFeature`:
    sort the points by row, column and falling height with `np.lexsort`, find the first
    of each cell with `np.unique` of rows, and fill three maps in float64, one row and
    one column larger than the image. This leaves out points that are not finite and
    clamps reflectances to 0..1, as the encoding does, so that the pixels are the same.
    """
    rows, cell = 608, 50 / 608
    x, y, z, _ = points.T
    inside = (x >= 0) & (x <= 50) & (y >= -25) & (y <= 25) & (z >= -2.73) & (z <= 1.27)
    points = points[inside & np.isfinite(points).all(axis=1)]
    points[:, 2] -= -2.73
    points[:, 0] = np.floor(points[:, 0] / cell)
    points[:, 1] = np.floor(points[:, 1] / cell) + rows // 2
    points = points[np.lexsort((-points[:, 2], points[:, 1], points[:, 0]))]
    _, firsts, counts = np.unique(
        points[:, :2], axis=0, return_index=True, return_counts=True
    )
    tops = points[firsts]
    maps = np.zeros((3, rows + 1, rows + 1))
    row, col = tops[:, :2].T.astype(np.int64)
    maps[0, row, col] = np.clip(tops[:, 3], 0, 1)
    maps[1, row, col] = tops[:, 2] / 4
    maps[2, row, col] = np.minimum(1, np.log(counts + 1) / np.log(64))
    return (255 * maps[:, :rows, :rows].transpose(1, 2, 0)).astype(np.uint8)


def _sort(
    row: NDArray[np.int64], col: NDArray[np.int64], points: Points
) -> tuple[NDArray[np.int64], NDArray[np.int64], Points]:
    """Sort the points inside the image by cell, and within a cell as in the file.

    Return the occupied cells, where the points of each start, and the points.
    """
    inside = (row >= 0) & (row < SIZE) & (col >= 0) & (col < SIZE)
    points, cells = points[inside], (row * SIZE + col)[inside]
    # One number for cell and index: NumPy sorts numbers faster than it sorts stably.
    keys = np.sort(cells << 32 | np.arange(len(cells)))
    cells, order = keys >> 32, keys & 0xFFFFFFFF
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    return cells[starts], starts, points[order]
