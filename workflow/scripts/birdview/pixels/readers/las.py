"""Read LAS files and compressed ones, LAZ."""

import struct
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.readers.columns import (
    Column,
    check_decoded,
    load_library,
    name_start,
    pick,
)

_AXES = {"x": "X", "y": "Y", "z": "Z"}
"""Coordinates, and the whole numbers that they are stored as."""
_COMPRESSED = 0x80
"""The bit of the point format that says so."""


def read(
    data: NDArray[np.uint8], wanted: Sequence[str], path: PathLike
) -> list[Column]:
    """Return dimensions of points.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        The content of the file.
    wanted : sequence of str
        ``x``, ``y`` and ``z`` in the units of the file, or names of other dimensions
        as laspy has them, such as ``intensity`` and ``classification``.
    path : path-like
        For error messages.

    Returns
    -------
    list of ndarray, shape (N,)

    Raises
    ------
    ValueError
        If this is no such file, is cut short or damaged, or has no such dimension, or
        if laspy is not installed.
    """
    _check_sizes(data, path)
    laspy = load_library("laspy", path)
    try:
        cloud = laspy.read(BytesIO(data.data))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the decoder is no Exception
        why = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path}: damaged, expected a whole LAS or LAZ file: {why}"
        ) from None
    names = [*_AXES, *cloud.point_format.dimension_names]

    def column_of(name: str) -> Column:
        if name not in _AXES:
            return np.asarray(cloud[name])
        axis = "xyz".index(name)
        stored = np.asarray(cloud[_AXES[name]], dtype=np.float64)
        scaled: Column = stored * cloud.header.scales[axis] + cloud.header.offsets[axis]
        return scaled

    return pick(wanted, names, column_of, path)


def _check_sizes(data: NDArray[np.uint8], path: PathLike) -> None:
    """Compare what the header says with the bytes that are there."""
    head = data[:375].tobytes()
    if len(head) < 227 or not head.startswith(b"LASF"):
        raise ValueError(f"{path}: {name_start(data)} found, expected a LAS file")
    minor = head[25]
    header_size, start, notes, kind, size, count = struct.unpack_from(
        "<HIIBHI", head, 94
    )
    if minor >= 4 and len(head) == 375:
        (count,) = struct.unpack_from("<Q", head, 247)
    if not 227 <= header_size <= start <= data.size or notes * 54 > start - header_size:
        raise ValueError(
            f"{path}: points from byte {start} on, after {notes} notes and a header of "
            f"{header_size} bytes, expected all of this in {data.size} bytes"
        )
    if kind & _COMPRESSED:
        check_decoded(count * size, path)
    elif count * size > data.size - start:
        raise ValueError(
            f"{path}: {data.size - start} bytes after the header, expected "
            f"{count * size} for {count} points of {size} bytes"
        )
