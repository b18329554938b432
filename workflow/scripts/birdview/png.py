"""PNG files: planes become the bytes of a file, with text that says where from.

Source of the format: https://www.w3.org/TR/png-3/
"""

import struct
import zlib

import numpy as np

from birdview.deflate import deflate

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB = 0, 2
SEPARATOR = b"\0\0\0\0\0"
"""Between keyword and text: not compressed, no language, no translated keyword."""
CHECK = "birdview:adler32"
"""The keyword of the checksum of the pixels, which binds the text to them."""


class Canvas:
    """An image in memory, laid out as PNG has it, so that no pixel is copied.

    Attributes
    ----------
    planes : ndarray of uint8, shape (rows, cols, channels)
        To draw on, at first 0. Three channels are red, green and blue. Any other number
        becomes a grey image of as many planes, one below the other.

    Examples
    --------
    >>> canvas = Canvas((2, 3, 1))
    >>> canvas.planes[:, 1] = 255
    >>> canvas.encode({"Title": "a line"})[1:4]
    b'PNG'
    """

    def __init__(self, shape):
        rows, cols, channels = shape
        if channels == 3:
            height, width, colour = rows, 3 * cols, RGB
        else:
            height, width, colour = rows * channels, cols, GREY
        self._header = struct.pack(">IIBBBBB", cols, height, 8, colour, 0, 0, 0)
        # Each line starts with the number of its filter; 0 is none.
        self._lines = np.zeros((height, 1 + width), dtype=np.uint8)
        pixels = self._lines[:, 1:]
        if channels == 3:
            self.planes = pixels.reshape(shape)
        else:
            self.planes = pixels.reshape(channels, rows, cols).transpose(1, 2, 0)

    def encode(self, text):
        """Return the bytes of a PNG file, with text in front of the pixels.

        Parameters
        ----------
        text : mapping of str to str
            Keywords (1 to 79 characters of Latin-1) and what they say, in order. To
            them is added, as `CHECK`, the Adler-32 of the lines, each after a 0.

        Returns
        -------
        bytes
            The same for the same input, on any machine.
        """
        stream = deflate(self._lines.ravel())
        text = {**text, CHECK: stream[-4:].tobytes().hex()}
        chunks = [
            _chunk(b"IHDR", self._header),
            *(_chunk(b"iTXt", _international(*item)) for item in text.items()),
            _chunk(b"IDAT", stream),
            _chunk(b"IEND", b""),
        ]
        return b"".join([SIGNATURE, *chunks])


def read_text(path):
    """Read the text of a PNG file: the part in front of its pixels.

    Returns
    -------
    dict of str to str

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is no PNG, or ends or is damaged before its pixels.
    """
    text = {}
    with open(path, "rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise ValueError(f"{path}: no PNG signature found, expected a PNG file")
        while True:
            head = file.read(8)
            if len(head) < 8:
                raise ValueError(
                    f"{path}: ends before its pixels, expected a whole PNG"
                )
            length, kind = struct.unpack(">I4s", head)
            if kind == b"IDAT":
                return text
            data, check = file.read(length), file.read(4)
            if check != struct.pack(">I", zlib.crc32(kind + data)):
                raise ValueError(f"{path}: the checksum of a chunk does not fit it")
            if kind == b"iTXt" and SEPARATOR in data:
                keyword, content = parse_text(data)
                text[keyword] = content


def parse_text(data):
    """Return the keyword and the content of a chunk of text that has a `SEPARATOR`."""
    keyword, content = data.split(SEPARATOR, 1)
    return keyword.decode("latin-1"), content.decode(errors="replace")


def _international(keyword, content):
    return keyword.encode("latin-1") + SEPARATOR + content.encode()


def _chunk(kind, data):
    check = zlib.crc32(data, zlib.crc32(kind))
    return b"".join(
        [struct.pack(">I4s", len(data), kind), data, struct.pack(">I", check)]
    )
