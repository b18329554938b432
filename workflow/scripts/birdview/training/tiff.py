"""Write the planes of an image as the pages of a TIFF file, and read them again.

Trainers read images of more than three channels from such files.

Source of the format: TIFF, revision 6.0, of Adobe (1992), and its second supplement.
"""

import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike

_HEADER = b"II*\0"
_WIDTH, _LENGTH, _COMPRESSION, _OFFSET, _COUNT, _NAME = 256, 257, 259, 273, 279, 285
_FIXED = {258: 8, _COMPRESSION: 8, 262: 1, 277: 1}
"""Tags that all pages share: 8 bits, deflate, 0 is black, one sample."""
_ASCII, _LONG = 2, 4


def format_tiff(
    planes: NDArray[np.uint8], names: Sequence[str], background: int = 0
) -> bytes:
    """Return a TIFF file with a page for each plane: the same bytes on every machine.

    Parameters
    ----------
    planes : ndarray of uint8, shape (planes, rows, cols)
    names : sequence of str
        What becomes the name of each page.
    background : int
        The value that most pixels have.
    """
    # Here, because reading needs no compiler.
    from birdview.pixels.deflate import deflate

    count, rows, cols = planes.shape
    shades = planes.reshape(-1)
    pixels = np.flatnonzero(shades != background)
    ends = np.searchsorted(pixels, np.arange(count + 1) * rows * cols)
    parts, place = [_HEADER, struct.pack("<I", 0)], 8
    for plane, (start, stop) in enumerate(pairwise(ends.tolist())):
        own = pixels[start:stop]
        stream = deflate(
            rows,
            cols,
            background,
            (own - plane * rows * cols).astype(np.int32),
            shades[own, None],
            filters=False,
        ).tobytes()
        name = names[plane].encode("ascii", "replace") + b"\0"
        stream_at = place + 0
        data = _pad(stream) + _pad(name.ljust(5, b"\0"))
        name_at = stream_at + len(_pad(stream))
        page_at = place + len(data)
        parts[-1] = struct.pack("<I", page_at)  # where the page before says this one is
        tags = _FIXED | {_WIDTH: cols, _LENGTH: rows, 278: rows}
        tags |= {_OFFSET: stream_at, _COUNT: len(stream), _NAME: name_at}
        page = struct.pack("<H", len(tags)) + b"".join(
            struct.pack("<HHII", tag, _ASCII, len(name.ljust(5, b"\0")), value)
            if tag == _NAME
            else struct.pack("<HHII", tag, _LONG, 1, value)
            for tag, value in sorted(tags.items())
        )
        parts += [data, page, struct.pack("<I", 0)]
        place = page_at + len(page) + 4
    return b"".join(parts)


def _pad(data: bytes) -> bytes:
    """Return data of an even length: what follows starts at a word."""
    return data + b"\0" * (len(data) % 2)


def read_tiff(path: PathLike) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Read a file that `format_tiff` made.

    Returns
    -------
    planes : ndarray of uint8, shape (planes, rows, cols)
    names : tuple of str

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is no such file, or is cut short.
    """
    data = Path(path).read_bytes()
    pages, names = [], []
    try:
        if not data.startswith(_HEADER):
            raise ValueError
        (place,) = struct.unpack_from("<I", data, 4)
        while place:
            (count,) = struct.unpack_from("<H", data, place)
            tags = {
                tag: (size, value)
                for tag, _, size, value in struct.iter_unpack(
                    "<HHII", data[place + 2 : place + 2 + 12 * count]
                )
            }
            (place,) = struct.unpack_from("<I", data, place + 2 + 12 * count)
            (_, start), (_, size) = tags[_OFFSET], tags[_COUNT]
            shape = tags[_LENGTH][1], tags[_WIDTH][1]
            page = zlib.decompress(
                data[start : start + size], bufsize=shape[0] * shape[1]
            )
            pages.append(np.frombuffer(page, dtype=np.uint8).reshape(shape))
            length, start = tags[_NAME]
            names.append(data[start : start + length].rstrip(b"\0").decode("ascii"))
        return np.stack(pages), tuple(names)
    except (KeyError, ValueError, struct.error, zlib.error):
        raise ValueError(
            f"{path}: no TIFF file of birdview's, or cut short, expected one of "
            f"`snakemake dataset`"
        ) from None
