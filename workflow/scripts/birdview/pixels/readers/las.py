"""Read LAS files and compressed ones, LAZ."""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.readers.columns import (
    Column,
    check_decoded,
    name_start,
    pick,
)

_AXES = {"x": "X", "y": "Y", "z": "Z"}
"""Coordinates, and the whole numbers that they are stored as."""
_PIECE = 1 << 20
"""Points that are decoded at once: a damaged file may say that it has many more."""
_COMPRESSED = 0x80
"""The bit of the point format that says so."""


def read(
    data: NDArray[np.uint8], wanted: Sequence[str], path: PathLike
) -> list[Column]:
    """Return dimensions of points.

    Parameters
    ----------
    data, path
        As `birdview.pixels.readers.npy.read`.
    wanted : sequence of str
        ``x``, ``y`` and ``z`` in the units of the file, or names of other dimensions
        as laspy has them, such as ``intensity`` and ``classification``.

    Returns
    -------
    list of ndarray, shape (N,)

    Raises
    ------
    ValueError
        If this is no such file, is cut short or damaged, or has no such dimension.
    ModuleNotFoundError
        If laspy or lazrs is not installed.
    """
    with _open(data, path) as file:
        header = file.header
        pieces = [*file.chunk_iterator(_PIECE)] or [file.read_points(0)]
    names = [*_AXES, *header.point_format.dimension_names]

    def column_of(name: str) -> Column:
        if name not in _AXES:
            return np.concatenate([points[name] for points in pieces])
        axis = "xyz".index(name)
        stored = column_of(_AXES[name]).astype(np.float64)
        scaled: Column = stored * header.scales[axis] + header.offsets[axis]
        return scaled

    return pick(wanted, names, column_of, path)


def list_columns(data: NDArray[np.uint8], path: PathLike) -> list[str]:
    """Return the names of all dimensions, with x, y and z in the units of the file.

    Parameters and errors are those of `read`.
    """
    with _open(data, path) as file:
        names = [*file.header.point_format.dimension_names]
    return [*_AXES, *(name for name in names if name not in _AXES.values())]


@contextmanager
def _open(data: NDArray[np.uint8], path: PathLike) -> Iterator[Any]:
    """Open a file with laspy; raise ValueError for whatever is wrong with it."""
    _check_sizes(data, path)
    import laspy
    import lazrs  # noqa: F401 (laspy says less clearly that it is missing)

    try:
        # Not all of laspy.read: a wrong number of notes behind the points would keep it
        # busy for hours. And in one thread: several allocate what a chunk says.
        with laspy.open(
            BytesIO(data.data), laz_backend=laspy.LazBackend.Lazrs, read_evlrs=False
        ) as file:
            yield file
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the decoder is no Exception
        why = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path}: damaged, expected a whole LAS or LAZ file: {why}"
        ) from None


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
    is_laz = _has_laszip_note(data[:start], header_size, notes, path)
    if kind & _COMPRESSED:
        if not is_laz:
            raise ValueError(
                f"{path}: compressed points without a note of laszip, expected one "
                f"among the {notes} before the points"
            )
        check_decoded(count * size, path)
        _check_chunks(data, start, count, path)
    elif count * size > data.size - start:
        raise ValueError(
            f"{path}: {data.size - start} bytes after the header, expected "
            f"{count * size} for {count} points of {size} bytes"
        )


def _has_laszip_note(
    data: NDArray[np.uint8], offset: int, notes: int, path: PathLike
) -> bool:
    """Return whether a note (VLR) tells how points are compressed.

    Raise ValueError if one goes on where points begin, the end of `data`.
    """
    is_laz = False
    for number in range(notes):
        note = data[offset : offset + 54].tobytes()
        size = struct.unpack_from("<H", note, 20)[0] if len(note) == 54 else 0
        offset += 54 + size
        if offset > data.size:
            raise ValueError(
                f"{path}: note {number + 1} of {notes} ends at byte {offset}, expected "
                f"it before the points from byte {data.size} on"
            )
        is_laz |= note[2:18].rstrip(b"\0") == b"laszip encoded"
    return is_laz


def _check_chunks(
    data: NDArray[np.uint8], start: int, count: int, path: PathLike
) -> None:
    """Compare the number of chunks with that of points.

    The decoder allocates as many, and a failure to do so would end the process.
    """
    if not count:
        return
    if data.size < start + 16:
        raise ValueError(
            f"{path}: {data.size - start} bytes after the header, expected {count} "
            f"points and a table of their chunks"
        )
    (table,) = struct.unpack("<q", data[start : start + 8].tobytes())
    if table <= start:  # written at the end, by a program that could not go back
        (table,) = struct.unpack("<q", data[-8:].tobytes())
    if not start + 8 < table <= data.size - 8:
        raise ValueError(
            f"{path}: a table of chunks at byte {table}, expected it after points from "
            f"byte {start + 8} on, and before the end at {data.size}"
        )
    (chunks,) = struct.unpack("<I", data[table + 4 : table + 8].tobytes())
    if chunks > count + 1:
        raise ValueError(
            f"{path}: {chunks} chunks found, expected no more than the {count} points"
        )
