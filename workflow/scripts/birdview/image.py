"""Read a birdview PNG back into named planes."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.png import CHECK, GREY, MAX_PIXELS, RGB, parse_text, read_chunks

if TYPE_CHECKING:  # it needs libraries that reading an image does not
    from birdview.pixels.encoding import Encoding

Inflate: TypeAlias = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]
"""A function that inflates a zlib stream to a known size, or raises `ValueError`."""


class ImageFile(NamedTuple):
    """The file of an image, and what it should show.

    Attributes
    ----------
    path : str
        The PNG file.
    encoding : Encoding
    scan : str
        The name of the scan.
    scan_file : str
        The file of the scan.
    """

    path: str
    encoding: "Encoding"
    scan: str
    scan_file: str


class Image(NamedTuple):
    """The planes of an image, and their names.

    Attributes
    ----------
    planes : ndarray of uint8, shape (planes, rows, cols)
    channels : tuple of str
        The name of each plane.
    """

    planes: NDArray[np.uint8]
    channels: tuple[str, ...]


def read_image(image: PathLike) -> Image:
    """Read an image that birdview rendered, in any encoding.

    This is `birdview.load`.

    Parameters
    ----------
    image : path-like
        A PNG file.

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
        If the file is not a whole PNG, or not one of birdview's.
    ModuleNotFoundError
        If another program has written birdview's image again, with filters, which only
        OpenCV decodes, and OpenCV is not installed.
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


def as_planes(pixels: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """View the pixels of `decode_image` as planes, shape (count, rows, cols)."""
    if pixels.ndim == 3:
        return pixels.transpose(2, 0, 1)
    return pixels.reshape(count, -1, pixels.shape[1])


def inflate_with_zlib(stream: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Inflate a zlib stream; `birdview.inflate` is faster, but needs a compiler."""
    try:
        data = zlib.decompress(stream.data, bufsize=size)
    except zlib.error:
        data = b""
    if len(data) != size:
        raise ValueError("a damaged or cut zlib stream, or one of another size")
    return np.frombuffer(data, dtype=np.uint8)


def read_whole_text(image: PathLike) -> dict[str, str]:
    """Read the text of an image that is whole, without decoding its pixels.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is not a whole PNG, or if the text was not written for its pixels.
    """
    _, text, stream = _read_parts(Path(image).read_bytes(), image)
    if text.get(CHECK) != stream[-4:].hex():
        raise ValueError(f"{image}: its text was written for other pixels")
    return text


def decode_image(
    content: bytes, path: PathLike, inflate: Inflate = inflate_with_zlib
) -> tuple[dict[str, str], NDArray[np.uint8]]:
    """Decode the bytes of a PNG file.

    Parameters
    ----------
    content : bytes
    path : path-like
        For error messages.
    inflate : function

    Returns
    -------
    text : dict of str to str
    pixels : ndarray of uint8, shape (height, width, 3) or (height, width)

    Raises
    ------
    ValueError
        If the file is not a whole PNG with 8 bits of RGB or grey, or if the text was
        not written for these pixels.
    """
    header, text, stream = _read_parts(content, path)
    values = struct.unpack(">IIBBBBB", header) if len(header) == 13 else (0,) * 7
    width, height, depth, colour, *_, interlaced = values
    if depth != 8 or colour not in (GREY, RGB) or not 0 < width * height <= MAX_PIXELS:
        raise ValueError(
            f"{path}: {width} x {height} pixels of {depth} bits and colour type "
            f"{colour}, expected 8 bits of RGB or grey, and at most {MAX_PIXELS} of "
            f"them"
        )
    shape = (height, width, 3) if colour == RGB else (height, width)
    pixels = None if interlaced else _inflate_lines(stream, shape, path, inflate)
    check = stream[-4:].hex()
    if pixels is None:
        pixels = _decode_with_opencv(content, path)
        lines = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0)))
        check = f"{zlib.adler32(lines.data):08x}"
    if text.get(CHECK, check) != check:
        raise ValueError(f"{path}: its text was written for other pixels")
    return text, pixels


def _read_parts(content: bytes, path: PathLike) -> tuple[bytes, dict[str, str], bytes]:
    """Return the header, the text and the compressed pixels of a PNG file."""
    header, chunks = b"", []
    text: dict[str, str] = {}
    for kind, data in read_chunks(BytesIO(content), path):
        if kind == b"IHDR":
            header = data
        elif kind == b"IDAT":
            chunks.append(data)
        text |= parse_text(kind, data)
    return header, text, b"".join(chunks)


def _inflate_lines(
    stream: bytes, shape: tuple[int, ...], path: PathLike, inflate: Inflate
) -> NDArray[np.uint8] | None:
    """Return the pixels, or None if their lines are filtered."""
    height, width = shape[0], prod(shape[1:])
    try:
        data = inflate(np.frombuffer(stream, dtype=np.uint8), height * (1 + width))
    except ValueError as error:
        raise ValueError(f"{path}: {error}, expected a whole PNG") from None
    lines = data.reshape(height, 1 + width)
    return None if lines[:, 0].any() else lines[:, 1:].reshape(shape)


def _decode_with_opencv(content: bytes, path: PathLike) -> NDArray[np.uint8]:
    """Decode what another program wrote, with filters: several times slower."""
    try:
        import cv2
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{path}: another program wrote this PNG, and decoding it needs OpenCV, "
            f"which is not installed: pip install opencv-python-headless",
            name=error.name,
        ) from None

    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{path}: the pixels cannot be decoded, expected a whole PNG")
    rgb = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    return rgb.astype(np.uint8, copy=False)
