"""Images: the file of an image becomes planes again, by name."""

import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from birdview.encoding import MOST
from birdview.inflate import inflate
from birdview.png import CHECK, GREY, RGB, SEPARATOR, SIGNATURE, parse_text


class Image(NamedTuple):
    """What is in the file of an image.

    Attributes
    ----------
    planes : ndarray of uint8, shape (planes, rows, cols)
    channels : tuple of str
        The name of each plane.
    """

    planes: np.ndarray
    channels: tuple[str, ...]


def load(image):
    """Load an image that this package made.

    Parameters
    ----------
    image : path-like
        A PNG file, whatever its encoding.

    Returns
    -------
    Image
        The planes, shape (planes, rows, cols) uint8, and the names of the channels, in
        the order of the encoding's file.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is no whole PNG, or not one of this package.
    """
    text, pixels = decode_image(Path(image).read_bytes(), image)
    names = text.get("birdview:channels")
    if names is None:
        raise ValueError(
            f"{image}: no names of channels found, expected birdview's PNG"
        )
    channels = tuple(names.split())
    planes = np.ascontiguousarray(as_planes(pixels, len(channels)))
    return Image(planes, channels)


def as_planes(pixels, count):
    """View pixels, as `decode_image` returns them, as so many planes."""
    if pixels.ndim == 3:
        return pixels.transpose(2, 0, 1)
    return pixels.reshape(count, -1, pixels.shape[1])


def decode_image(content, path):
    """Decode the bytes of a PNG file; `path` is for the messages alone.

    Returns
    -------
    text : dict of str to str
    pixels : ndarray of uint8, shape (height, width, 3) or (height, width)

    Raises
    ------
    ValueError
        If the file is no whole PNG with 8 bits of RGB or grey, or if the pixels are not
        those that the text was written for.
    """
    head, text, stream = b"", {}, []
    for kind, data in _chunks(content, path):
        if kind == b"IHDR":
            head = data
        elif kind == b"iTXt" and SEPARATOR in data:
            keyword, words = parse_text(data)
            text[keyword] = words
        elif kind == b"IDAT":
            stream.append(data)
    form = struct.unpack(">IIBBBBB", head) if len(head) == 13 else (0,) * 7
    width, height, depth, colour, *_, interlaced = form
    if depth != 8 or colour not in (GREY, RGB) or not 0 < width * height <= MOST:
        raise ValueError(
            f"{path}: {width} x {height} pixels of {depth} bits and colour type "
            f"{colour}, expected 8 bits of RGB or grey, and at most {MOST} of them"
        )
    shape = (height, width, 3) if colour == RGB else (height, width)
    stream = b"".join(stream)
    pixels = None if interlaced else _inflate_lines(stream, shape, path)
    check = stream[-4:].hex()
    if pixels is None:
        pixels = _decode_with_opencv(content, path)
        lines = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0)))
        check = f"{zlib.adler32(lines):08x}"
    if text.get(CHECK, check) != check:
        raise ValueError(
            f"{path}: the pixels are not those that its text was written for"
        )
    return text, pixels


def _chunks(content, path):
    """Yield the kind and the data of each chunk, up to the end of the image."""
    if not content.startswith(SIGNATURE):
        raise ValueError(f"{path}: no PNG signature found, expected a PNG file")
    place, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        head = content[place : place + 8]
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        data = content[place + 8 : place + 8 + length]
        check = content[place + 8 + length : place + 12 + length]
        if len(check) < 4:
            raise ValueError(f"{path}: ends too early, expected a whole PNG")
        if check != struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))):
            raise ValueError(f"{path}: the checksum of a chunk does not fit it")
        yield kind, data
        place += 12 + length


def _decode_with_opencv(content, path):
    """Decode what another program wrote, with filters: several times slower."""
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{path}: the pixels cannot be decoded, expected a whole PNG")
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels


def _inflate_lines(stream, shape, path):
    """Return the pixels, or None if they are filtered."""
    height, width = shape[0], int(np.prod(shape[1:]))
    try:
        data = inflate(np.frombuffer(stream, dtype=np.uint8), height * (1 + width))
    except ValueError as error:
        raise ValueError(f"{path}: {error}, expected a whole PNG") from None
    lines = data.reshape(height, 1 + width)
    return None if lines[:, 0].any() else lines[:, 1:].reshape(shape)
