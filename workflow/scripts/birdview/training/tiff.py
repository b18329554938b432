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
_WIDTH, _LENGTH, _OFFSET, _ROWS, _COUNT, _NAME = 256, 257, 273, 278, 279, 285
_FIXED = {258: 8, 259: 8, 262: 1, 277: 1}
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
    parts, place = [_HEADER], 8
    for plane, (start, stop) in enumerate(pairwise(ends.tolist())):
        own = pixels[start:stop]
        numbers = (own - plane * rows * cols).astype(np.int32)
        stream = deflate(
            rows, cols, background, numbers, shades[own, None], filters=False
        ).tobytes()
        # Five bytes at least: fewer would be in the page itself, and not behind it.
        name = names[plane].encode("ascii", "replace").ljust(4, b"\0") + b"\0"
        padded = _pad(stream)
        data = padded + _pad(name)
        values = {
            **{tag: (_LONG, 1, value) for tag, value in _FIXED.items()},
            _WIDTH: (_LONG, 1, cols),
            _LENGTH: (_LONG, 1, rows),
            _OFFSET: (_LONG, 1, place),
            _ROWS: (_LONG, 1, rows),
            _COUNT: (_LONG, 1, len(stream)),
            _NAME: (_ASCII, len(name), place + len(padded)),
        }
        page = struct.pack("<H", len(values)) + b"".join(
            struct.pack("<HHII", tag, *value) for tag, value in sorted(values.items())
        )
        # In front of each page's data, the one before says where the page is.
        parts += [struct.pack("<I", place + len(data)), data, page]
        place += len(data) + len(page) + 4
    return b"".join([*parts, struct.pack("<I", 0)])


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
