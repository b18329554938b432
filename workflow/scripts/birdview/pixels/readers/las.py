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
_MAX_RATIO = 16_384
"""Of decoded bytes to those of the file: millions of equal points reach 6,000."""
_LASZIP = 22204
"""The number of the note that says how points are compressed, in items."""
_LAYERED = 3
"""The compressor that stores chunks in layers, and the first version of its items."""
_VARIABLE = 0xFFFF_FFFF
"""The size of chunks that have any number of points."""
_LAYERS = {10: (30, 9), 11: (6, 1), 12: (8, 2), 13: (29, 1)}
"""Bytes and layers of such items: a point, colours, colours and infrared, a wave."""
_EXTRA_BYTES = 14
"""An item with a layer for each of its bytes."""


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

    # Not all of laspy.read: a wrong number of notes behind the points would keep it
    # busy for hours. And in one thread: several allocate what a chunk says.
    with (
        _naming_damage(path),
        laspy.open(
            BytesIO(data.data), laz_backend=laspy.LazBackend.Lazrs, read_evlrs=False
        ) as file,
    ):
        yield file


@contextmanager
def _naming_damage(path: PathLike) -> Iterator[None]:
    """Make a ValueError of whatever the decoder says."""
    try:
        yield
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
    note = _find_laszip_note(data[:start], header_size, notes, path)
    if kind & _COMPRESSED:
        if note is None:
            raise ValueError(
                f"{path}: compressed points without a note of laszip, expected one "
                f"among the {notes} before the points"
            )
        check_decoded(count * size, path)
        if count * size > _MAX_RATIO * data.size:
            raise ValueError(
                f"{path}: {count * size} bytes when it is decoded, expected at most "
                f"{_MAX_RATIO} times the {data.size} of the file"
            )
        _check_chunks(data, start, count, size, note, path)
    elif count * size > data.size - start:
        raise ValueError(
            f"{path}: {data.size - start} bytes after the header, expected "
            f"{count * size} for {count} points of {size} bytes"
        )


def _find_laszip_note(
    data: NDArray[np.uint8], offset: int, notes: int, path: PathLike
) -> bytes | None:
    """Return the first note (VLR) that tells how points are compressed.

    Raise ValueError if one goes on where points begin, the end of `data`.
    """
    found = None
    for number in range(notes):
        note = data[offset : offset + 54].tobytes()
        kind, size = struct.unpack_from("<HH", note, 18) if len(note) == 54 else (0, 0)
        start = offset + 54
        offset = start + size
        if offset > data.size:
            raise ValueError(
                f"{path}: note {number + 1} of {notes} ends at byte {offset}, expected "
                f"it before the points from byte {data.size} on"
            )
        user, _, _ = note[2:18].partition(b"\0")
        if found is None and user == b"laszip encoded" and kind == _LASZIP:
            found = data[start:offset].tobytes()
    return found


def _count_layers(note: bytes, size: int, path: PathLike) -> int:
    """Return how many layers each chunk has; 0 if chunks are not stored in layers.

    Raise ValueError if the items of the note are not those of such points: the decoder
    allocates some KiB for each extra byte.
    """
    number = int.from_bytes(note[32:34], "little")
    listed = note[34 : 34 + 6 * number]
    items = [*struct.iter_unpack("<HHH", listed[: len(listed) // 6 * 6])]
    is_layered = bool(items) and items[0][2] >= _LAYERED
    counts = [
        _LAYERS.get(kind, (length, length if kind == _EXTRA_BYTES else 0))
        for kind, length, _ in items
    ]
    described = sum(length for length, _ in counts)
    if described != size or not size:
        raise ValueError(
            f"{path}: a note of laszip about points of {described} bytes, expected "
            f"{size}, as the header says"
        )
    compressor = int.from_bytes(note[:2], "little")
    if is_layered and compressor != _LAYERED:
        raise ValueError(
            f"{path}: compressor {compressor} with points in layers, expected "
            f"{_LAYERED}"
        )
    return sum(layers for _, layers in counts) if is_layered else 0


def _check_chunks(
    data: NDArray[np.uint8],
    start: int,
    count: int,
    size: int,
    note: bytes,
    path: PathLike,
) -> None:
    """Compare the chunks of points, and the layers in each, with the bytes there are.

    The decoder allocates what they say, and a failure to do so would end the process.
    """
    layers = _count_layers(note, size, path)
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
    most = (table - start - 8) // size + 1  # each has a whole point; one may be empty
    if chunks > most:
        raise ValueError(
            f"{path}: {chunks} chunks found, expected at most {most} in "
            f"{table - start - 8} bytes"
        )
    import lazrs

    with _naming_damage(path):
        entries = lazrs.read_chunk_table_only(
            BytesIO(data[table:].data), lazrs.LazVlr(note)
        )
    (usual,) = struct.unpack_from("<I", note, 12)
    offset, left = start + 8, count
    for number, (points, length) in enumerate(entries, 1):
        if left <= 0:
            break
        where = f"{path}: chunk {number}"
        _check_chunk(data[offset:table], length, size, layers, where)
        offset += length
        left -= points if usual == _VARIABLE else usual
    if left > 0:
        raise ValueError(
            f"{path}: {len(entries)} chunks of {count - left} points found, expected "
            f"{count} points"
        )


def _check_chunk(
    data: NDArray[np.uint8], length: int, size: int, layers: int, where: str
) -> None:
    """Compare the layers of a chunk with its length: `data` begins with the chunk."""
    # In front are a point as it is, four bytes, and the size of each layer.
    sizes = slice(size + 4, size + 4 + 4 * layers)
    if not sizes.stop <= length <= data.size:
        raise ValueError(
            f"{where} has {length} bytes, expected {sizes.stop} or more, and no more "
            f"than the {data.size} before the table of chunks"
        )
    if layers:
        found = sizes.stop + int(data[sizes].view("<u4").sum(dtype=np.uint64))
        if found != length:
            raise ValueError(
                f"{where} has layers that end at its byte {found}, expected {length}, "
                f"as the table of chunks says"
            )
