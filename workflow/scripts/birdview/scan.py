"""Scans: the bytes of a file become points."""

import numpy as np
from numba import njit

RECORDS = {
    "kitti": np.dtype([(name, "<f4") for name in ("x", "y", "z", "reflectance")]),
}
"""The record layouts by name: what one point is in the file."""

FARTHEST = 100_000.0
"""Metres. No sensor sees so far: a larger coordinate is not a coordinate."""


def read_scan(path, layout="kitti"):
    """Read the points of a scan file.

    Parameters
    ----------
    path : path-like
        A file of records with nothing between them.
    layout : str
        The name of the record layout, a key of `RECORDS`.

    Returns
    -------
    ndarray of float32, shape (N, 4)
        x, y, z in metres (forward, left, up) and reflectance; (0, 4) for an empty
        file.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        For what `decode_scan` refuses.
    """
    return decode_scan(load(path), layout, path)


def load(path):
    """Read the bytes of a file, shape (size,) uint8, in one go."""
    return np.fromfile(path, dtype=np.uint8)


def decode_scan(data, layout, path):
    """Turn the bytes of a scan into points; `path` is for the messages alone.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        The content of the file.

    Returns
    -------
    ndarray of float32, shape (N, 4)
        As `read_scan`. Shares the memory of `data`.

    Raises
    ------
    ValueError
        If the layout is unknown, if the size is no multiple of its record's, or if a
        finite coordinate is farther away than any sensor sees, so that the file must
        hold something else.
    """
    if layout not in RECORDS:
        raise ValueError(f"unknown layout {layout}: known are {', '.join(RECORDS)}")
    record = RECORDS[layout]
    if data.size % record.itemsize:
        raise ValueError(
            f"{path}: {data.size} bytes found, expected a multiple of "
            f"{record.itemsize} (layout {layout}: {', '.join(record.names)})"
        )
    numbers = data.view("<f4").astype(np.float32, copy=False)
    if impossible := _count_beyond(numbers, np.float32(FARTHEST)):
        raise ValueError(
            f"{path}: {impossible} of {len(numbers) // 4} points have a coordinate "
            f"beyond {FARTHEST:g} m, expected metres (layout {layout}: "
            f"{', '.join(record.names)}); is it another layout?"
        )
    return numbers.reshape(-1, 4)


@njit(nogil=True, cache=True)
def _count_beyond(numbers, limit):
    count, infinity = 0, np.float32(np.inf)
    for i in range(len(numbers) // 4):
        x, y, z = abs(numbers[4 * i]), abs(numbers[4 * i + 1]), abs(numbers[4 * i + 2])
        # No branch: several points at a time.
        count += (
            ((limit < x) & (x < infinity))
            | ((limit < y) & (y < infinity))
            | ((limit < z) & (z < infinity))
        )
    return count
