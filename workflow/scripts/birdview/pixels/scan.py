"""Read the file of a scan as points."""

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.layout import (
    LAYOUTS,
    MAX_RANGE,
    Layout,
    LayoutLike,
    load_layout,
)

MIN_REFLECTANCE, MAX_BAD_SHARE = -1.0, 0.2
"""A scan is rejected if more than this share of its reflectances are below the minimum:
the layout is probably wrong."""

_TEXT = bytes(range(32, 127)) + b"\t\n\r"
_TEXT_SAMPLE = 32, 1024
"""Smallest and largest number of bytes inspected to detect text."""
_PIECE = 1 << 14
"""Points that are inspected at once: huge scans must not need more memory."""


def read_scan(path: PathLike, layout: LayoutLike = "kitti") -> NDArray[np.float32]:
    """Read the points of a scan file.

    Parameters
    ----------
    path : path-like
        A file of records without gaps.
    layout : str, Layout or list of mapping
        The layout of the records, for `birdview.load_layout`.

    Returns
    -------
    ndarray of float32, shape (N, 4)
        x, y, z in metres (forward, left, up) and intensity, 0 where the record has
        none; (0, 4) for an empty file.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If its bytes cannot be points: see `decode_scan`.
    """
    return decode_scan(read_bytes(path), load_layout(layout), path)


def read_bytes(path: PathLike) -> NDArray[np.uint8]:
    """Read the bytes of a file at once, shape (size,) uint8."""
    try:
        return np.fromfile(path, dtype=np.uint8)
    except MemoryError as error:
        raise MemoryError(f"{path}: out of memory: {error}") from None


def decode_scan(
    data: NDArray[np.uint8], layout: Layout, path: PathLike
) -> NDArray[np.float32]:
    """Turn the bytes of a scan into points.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        The content of the file.
    layout : Layout
        The layout of the records.
    path : path-like
        For error messages.

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
    least, most = _TEXT_SAMPLE
    if data.size >= least and not data[:most].tobytes().strip(_TEXT):
        raise ValueError(
            f"{path}: text found, expected records of {size} bytes ({layout})"
        )
    if data.size % size:
        raise ValueError(
            f"{path}: {data.size} bytes found, expected a multiple of {size} ({layout})"
        )
    if layout.fields == LAYOUTS["kitti"].fields:
        points = data.view("<f4").astype(np.float32, copy=False).reshape(-1, 4)
        beyond = _count_beyond(points)
    else:
        points, beyond = _select(data.view(layout.record), layout)
    if beyond:
        raise ValueError(
            f"{path}: {beyond} of {len(points)} points have a coordinate beyond "
            f"{MAX_RANGE:g} m, expected metres ({layout}); is `layout` right?"
        )
    dark = int(np.count_nonzero(points[:, 3] < MIN_REFLECTANCE))
    if dark > MAX_BAD_SHARE * len(points):
        raise ValueError(
            f"{path}: {dark} of {len(points)} points have a reflectance below "
            f"{MIN_REFLECTANCE:g}, expected none below 0 ({layout}); is `layout` right?"
        )
    return points


def _select(records: np.ndarray, layout: Layout) -> tuple[NDArray[np.float32], int]:
    """Return the points of records, and how many of them are impossibly far away."""
    points = np.zeros((len(records), 4), dtype=np.float32)
    is_beyond = np.zeros(len(records), dtype=bool)
    for column, number in enumerate(layout.columns):
        if number is not None:
            values = records[f"f{number}"] / np.float64(layout.fields[number].divisor)
            if column < 3:
                distances = np.abs(values)
                is_beyond |= (distances > MAX_RANGE) & (distances < np.inf)
            with np.errstate(over="ignore"):  # then it is infinite, and counted as such
                points[:, column] = values
    return points, int(np.count_nonzero(is_beyond))


def _count_beyond(points: NDArray[np.float32]) -> int:
    """Return how many points are impossibly far away."""
    low, high = points.min(initial=0), points.max(initial=0)
    if low >= -MAX_RANGE and high <= MAX_RANGE:  # neither if there is a NaN
        return 0
    return sum(
        _count_beyond_in_piece(points[start : start + _PIECE])
        for start in range(0, len(points), _PIECE)
    )


def _count_beyond_in_piece(points: NDArray[np.float32]) -> int:
    distances = np.abs(points)
    x, y, z, _ = ((distances > MAX_RANGE) & (distances < np.inf)).T
    return int(np.count_nonzero(x | y | z))
