"""The PNG file format: chunks, and the text that says where an image is from.

Source of the format: https://www.w3.org/TR/png-3/
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import BinaryIO

from birdview.files import PathLike

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB = 0, 2
"""Colour types."""
CHECK = "birdview:adler32"
"""The keyword of the checksum of the pixels, which ties the text to them."""
MAX_SIDE, MAX_PIXELS = 2**20, 2**30
"""Largest images. OpenCV reads no larger one, and each thread holds one in memory."""

_SEPARATOR = b"\0\0\0\0\0"
"""Between keyword and text: not compressed, no language, no translated keyword."""


def write_png(
    shape: tuple[int, int], colour: int, stream: bytes, text: Mapping[str, str]
) -> bytes:
    """Return a PNG file of 8-bit pixels, with text in front of them.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    colour : int
        `GREY` or `RGB`.
    stream : bytes
        A zlib stream of the lines, each with the number of its filter in front.
    text : mapping of str to str
        Keywords (1 to 79 characters of Latin-1) and what they say, in order.
    """
    rows, cols = shape
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, colour, 0, 0, 0)),
        *(_chunk(b"iTXt", _encode_text(*item)) for item in text.items()),
        _chunk(b"IDAT", stream),
        _chunk(b"IEND", b""),
    ]
    return b"".join([SIGNATURE, *chunks])


def _encode_text(keyword: str, content: str) -> bytes:
    return keyword.encode("latin-1") + _SEPARATOR + content.encode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(kind))
    return b"".join(
        [struct.pack(">I4s", len(data), kind), data, struct.pack(">I", check)]
    )


def read_chunks(
    file: BinaryIO, path: PathLike, before: bytes = b""
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the data of each chunk, up to the end of the image.

    Parameters
    ----------
    file : binary file
    path : path-like
        For error messages.
    before : bytes, optional
        A kind of chunk to stop at; its data is not read.

    Raises
    ------
    ValueError
        If the file is not a PNG, is cut short or damaged.
    """
    if file.read(len(SIGNATURE)) != SIGNATURE:
        raise ValueError(f"{path}: no PNG signature found, expected a PNG file")
    kind = b""
    while kind != b"IEND":
        head = file.read(8)
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        if before and kind == before:
            return
        data, check = file.read(length), file.read(4)
        if len(check) < 4:
            raise ValueError(f"{path}: ends too early, expected a whole PNG")
        if check != struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))):
            raise ValueError(
                f"{path}: the checksum of a chunk is wrong, expected an undamaged PNG"
            )
        yield kind, data


def parse_text(kind: bytes, data: bytes) -> dict[str, str]:
    """Return the keyword and the text of a chunk, if it is text as we write it."""
    if kind != b"iTXt" or _SEPARATOR not in data:
        return {}
    keyword, content = data.split(_SEPARATOR, 1)
    return {keyword.decode("latin-1"): content.decode(errors="replace")}


def read_text(path: PathLike) -> dict[str, str]:
    """Read the text in front of the pixels of a PNG file.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is not a PNG, or ends or is damaged before its pixels.
    """
    with open(path, "rb") as file:
        return text_in_front(file, path)


def read_size(path: PathLike) -> tuple[int, int]:
    """Read the width and the height of any PNG file, and no more than its header.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is not a PNG.
    """
    with open(path, "rb") as file:
        kind, data = next(read_chunks(file, path))
    if kind != b"IHDR" or len(data) != 13:
        raise ValueError(f"{path}: no header in front, expected a PNG file")
    width, height = struct.unpack(">II", data[:8])
    return width, height


def text_in_front(file: BinaryIO, path: PathLike) -> dict[str, str]:
    """Return the text in front of the pixels of an open PNG file, as `read_text`."""
    text: dict[str, str] = {}
    for kind, data in read_chunks(file, path, before=b"IDAT"):
        text |= parse_text(kind, data)
    return text


def idat(content: bytes, path: PathLike) -> bytes:
    """Return the compressed image data of the bytes of a PNG file."""
    chunks = read_chunks(BytesIO(content), path)
    return b"".join(data for kind, data in chunks if kind == b"IDAT")
