"""Count the points of a scan that are in its boxes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from birdview.training.labels.box import Box

_SIDE = 64
"""Cells of the square grid that is laid over all boxes, along each axis."""
_BLOCK = 1024
"""Points that are located at once."""
_WIDER = 0.05
"""By how much of its edges a box's bounds are wider: of some calibrations, bottoms are
no exact rectangles."""


_EVERYWHERE = np.array([[-np.inf] * 3, [np.inf] * 3], dtype=np.float32)


class Sides(NamedTuple):
    """The sides of boxes, as the kernel takes them.

    Attributes
    ----------
    origins : ndarray of float64, shape (boxes, 3)
        A corner of each bottom.
    edges : ndarray of float64, shape (boxes, 3, 3)
        The edges from there: ahead, to the left, and upwards, which is 1 m long.
    ends : ndarray of float64, shape (boxes, 3)
        A point is inside if its product with each edge is from 0 to this.
    """

    origins: NDArray[np.float64]
    edges: NDArray[np.float64]
    ends: NDArray[np.float64]


def count_inside(
    points: NDArray[np.float32],
    boxes: Sequence[Box],
    bounds: NDArray[np.float32] = _EVERYWHERE,
) -> list[int]:
    """Count the points in each box: in its footprint, and between bottom and top.

    Points on a side count. One that is in several boxes counts for each of them.

    Parameters
    ----------
    points : ndarray of float32, shape (N, 4)
        x, y, z in metres in the frame of the boxes, and intensity. Those that are not
        finite are in no box.
    boxes : sequence of Box
    bounds : ndarray of float32, shape (2, 3), optional
        The least and the greatest x, y and z of points that count.

    Returns
    -------
    list of int
        In the order of the boxes.
    """
    if not boxes:
        return []
    corners = np.array([box.corners for box in boxes], dtype=np.float64)
    heights = np.array([box.height for box in boxes], dtype=np.float64)
    flat_points = np.ascontiguousarray(points, dtype=np.float32).reshape(-1)
    counts: list[int] = _count(flat_points, corners, heights, bounds).tolist()
    return counts


@njit(nogil=True, cache=True)
def _count(flat_points, corners, heights, bounds):
    """Return how many points are in each box.

    Most points are in none. The others are compared with the boxes that are in their
    cell of a grid.
    """
    sides = _measure(corners, heights)
    low, high = _bounds(sides)
    left, right = low[:, 0].min(), high[:, 0].max()
    near, far = low[:, 1].min(), high[:, 1].max()
    per_x = np.float32(_SIDE - 1) / (right - left)
    per_y = np.float32(_SIDE - 1) / (far - near)
    ranges = np.empty((len(low), 4), dtype=np.int32)
    for k in range(len(low)):
        ranges[k, 0] = _index(low[k, 0], left, per_x)
        ranges[k, 1] = _index(high[k, 0], left, per_x) + 1
        ranges[k, 2] = _index(low[k, 1], near, per_y)
        ranges[k, 3] = _index(high[k, 1], near, per_y) + 1
    first, following, members = _list_boxes(ranges)
    counts = np.zeros(len(low), dtype=np.int64)
    cells = np.empty(_BLOCK, dtype=np.int32)
    chosen = np.empty(_BLOCK + 1, dtype=np.int32)
    for start in range(0, len(flat_points), 4 * _BLOCK):
        block = flat_points[start : start + 4 * _BLOCK]
        for i in range(len(block) // 4):
            x, y = block[4 * i], block[4 * i + 1]
            # Without a branch, so that several points are located at once.
            is_near = (left <= x) & (x <= right) & (near <= y) & (y <= far)
            x, y = x if is_near else left, y if is_near else near
            cell = _index(x, left, per_x) * _SIDE + _index(y, near, per_y)
            cells[i] = cell if is_near else _SIDE * _SIDE
        count = 0
        for i in range(len(block) // 4):
            chosen[count] = i
            count += first[np.uint32(cells[i])] >= 0
        for i in chosen[:count]:
            x, y, z = block[4 * i], block[4 * i + 1], block[4 * i + 2]
            if not (
                bounds[0, 0] <= x <= bounds[1, 0]
                and bounds[0, 1] <= y <= bounds[1, 1]
                and bounds[0, 2] <= z <= bounds[1, 2]
            ):
                continue
            entry = first[cells[i]]
            while entry >= 0:
                k = members[entry]
                if (
                    _is_between(x, y, z, sides, k, 0)
                    and _is_between(x, y, z, sides, k, 1)
                    and _is_between(x, y, z, sides, k, 2)
                ):
                    counts[k] += 1
                entry = following[entry]
    return counts


@njit(nogil=True, cache=True)
def _measure(corners, heights):
    origins = corners[:, 2].copy()
    edges = np.empty((len(corners), 3, 3))
    ends = np.empty((len(corners), 3))
    for k in range(len(corners)):
        edges[k, 0] = corners[k, 1] - origins[k]
        edges[k, 1] = corners[k, 3] - origins[k]
        up = np.cross(edges[k, 0], edges[k, 1])
        edges[k, 2] = up / np.sqrt((up * up).sum())
        ends[k, 0], ends[k, 1] = (edges[k, 0] ** 2).sum(), (edges[k, 1] ** 2).sum()
        ends[k, 2] = heights[k]
    return Sides(origins, edges, ends)


@njit(nogil=True, cache=True)
def _bounds(sides):
    """Return the least and the greatest x and y of each box, not too tight."""
    low = np.empty((len(sides.origins), 2), dtype=np.float32)
    high = np.empty((len(sides.origins), 2), dtype=np.float32)
    for k in range(len(sides.origins)):
        edges = sides.edges[k].copy()
        edges[2] *= sides.ends[k, 2]
        wider = _WIDER * np.sqrt((edges * edges).sum())
        for axis in range(2):
            least = np.minimum(edges[:, axis], 0).sum()
            most = np.maximum(edges[:, axis], 0).sum()
            low[k, axis] = sides.origins[k, axis] + least - wider
            high[k, axis] = sides.origins[k, axis] + most + wider
    return low, high


@njit(nogil=True, cache=True)
def _list_boxes(ranges):
    """Return linked lists of the boxes in each cell.

    Parameters
    ----------
    ranges : ndarray of int32, shape (boxes, 4)
        First row, last row + 1, first column and last column + 1 of each box.

    Returns
    -------
    first : ndarray of int32, shape (cells + 1,)
        The first entry of each list, -1 if it is empty; the last is that of points
        that are in no cell.
    following, members : ndarray of int32, shape (entries,)
        The entry after each, or -1; and its box.
    """
    size = 0
    for k in range(len(ranges)):
        size += (ranges[k, 1] - ranges[k, 0]) * (ranges[k, 3] - ranges[k, 2])
    first = np.full(_SIDE * _SIDE + 1, -1, dtype=np.int32)
    following = np.empty(size, dtype=np.int32)
    members = np.empty(size, dtype=np.int32)
    entry = 0
    for k in range(len(ranges)):
        for row in range(ranges[k, 0], ranges[k, 1]):
            for col in range(ranges[k, 2], ranges[k, 3]):
                cell = row * _SIDE + col
                following[entry], members[entry] = first[cell], k
                first[cell] = entry
                entry += 1
    return first, following, members


@njit(nogil=True, cache=True)
def _index(value, start, per_metre):
    return np.int32((value - start) * per_metre)


@njit(nogil=True, cache=True)
def _is_between(x, y, z, sides, k, edge):
    """Whether a point is between the two sides of a box that an edge connects."""
    along = (x - sides.origins[k, 0]) * sides.edges[k, edge, 0]
    along += (y - sides.origins[k, 1]) * sides.edges[k, edge, 1]
    along += (z - sides.origins[k, 2]) * sides.edges[k, edge, 2]
    return (along >= 0) & (along <= sides.ends[k, edge])
