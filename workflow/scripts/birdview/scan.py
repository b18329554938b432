"""Scans: the bytes of a file become points."""

import numpy as np
from numba import njit

from birdview.layout import LAYOUTS, find_layout

FARTHEST = 100_000.0
"""Metres. No sensor sees so far: a larger coordinate is not a coordinate."""
DARKEST, SHARE = -1.0, 0.2
"""No reflectance is negative: if more than this share are below that, none is one."""
TEXT = bytes(range(32, 127)) + b"\t\n\r"
SAMPLE = 32, 1024
"""Bytes: so many of a file, if it has the fewer, tell whether it is text."""


def read_scan(path, layout="kitti"):
    """Read the points of a scan file.

    Parameters
    ----------
    path : path-like
        A file of records with nothing between them.
    layout : str, Layout or list of mapping
        The record layout, for `birdview.layout.find_layout`.

    Returns
    -------
    ndarray of float32, shape (N, 4)
        x, y, z in metres (forward, left, up) and reflectance, 0 where the record has
        none; (0, 4) for an empty file.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        For what `decode_scan` refuses.
    """
    return decode_scan(load(path), find_layout(layout), path)


def load(path):
    """Read the bytes of a file, shape (size,) uint8, in one go."""
    try:
        return np.fromfile(path, dtype=np.uint8)
    except MemoryError as error:
        raise MemoryError(f"{path}: out of memory: {error}") from None


def decode_scan(data, layout, path):
    """Turn the bytes of a scan into points; `path` is for the messages alone.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        The content of the file.
    layout : Layout
        The record layout.

    Returns
    -------
    ndarray of float32, shape (N, 4)
        As `read_scan`. May share the memory of `data`.

    Raises
    ------
    ValueError
        If the file must hold something else: it is text, its size is no multiple of the
        record's, a finite coordinate is farther away than any sensor sees, or many
        reflectances are far below 0.
    """
    size = layout.record.itemsize
    least, most = SAMPLE
    if data.size >= least and not data[:most].tobytes().strip(TEXT):
        raise ValueError(
            f"{path}: text found, expected records of {size} bytes ({layout})"
        )
    if data.size % size:
        raise ValueError(
            f"{path}: {data.size} bytes found, expected a multiple of {size} ({layout})"
        )
    if layout.fields == LAYOUTS["kitti"].fields:
        points = data.view("<f4").astype(np.float32, copy=False).reshape(-1, 4)
        limits = np.float32(FARTHEST), np.float32(DARKEST)
        beyond, dark = _count_wrong(points.reshape(-1), *limits)
    else:
        points, beyond = _pick(data.view(layout.record), layout)
        dark = np.count_nonzero(points[:, 3] < DARKEST)
    if beyond:
        raise ValueError(
            f"{path}: {beyond} of {len(points)} points have a coordinate beyond "
            f"{FARTHEST:g} m, expected metres ({layout}); is it another layout?"
        )
    if dark > SHARE * len(points):
        raise ValueError(
            f"{path}: {dark} of {len(points)} points have a reflectance below "
            f"{DARKEST:g}, expected none below 0 ({layout}); is it another layout?"
        )
    return points


def _pick(records, layout):
    """Return the points of records, and how many of them are impossible."""
    points = np.zeros((len(records), 4), dtype=np.float32)
    is_beyond = np.zeros(len(records), dtype=bool)
    for column, place in enumerate(layout.columns):
        if place is not None:
            numbers = records[f"f{place}"] / np.float64(layout.fields[place].divisor)
            if column < 3:
                distances = np.abs(numbers)
                is_beyond |= (distances > FARTHEST) & (distances < np.inf)
            with np.errstate(over="ignore"):  # then it is infinite, and counted as such
                points[:, column] = numbers
    return points, np.count_nonzero(is_beyond)


@njit(nogil=True, cache=True)
def _count_wrong(numbers, limit, darkest):
    """Return how many points are beyond the limit, and how many are too dark."""
    beyond, dark, infinity = 0, 0, np.float32(np.inf)
    for i in range(len(numbers) // 4):
        x, y, z = abs(numbers[4 * i]), abs(numbers[4 * i + 1]), abs(numbers[4 * i + 2])
        # No branch: several points at a time.
        beyond += (
            ((limit < x) & (x < infinity))
            | ((limit < y) & (y < infinity))
            | ((limit < z) & (z < infinity))
        )
        dark += numbers[4 * i + 3] < darkest
    return beyond, dark
