"""Draw an image in memory and encode it as PNG."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from birdview.pixels.deflate import deflate
from birdview.pixels.png import CHECK, GREY, RGB, write_png


class Canvas:
    """An image in memory, laid out as a PNG's lines, so that no pixel is copied.

    Attributes
    ----------
    planes : ndarray of uint8, shape (rows, cols, channels)
        To draw on, zeros at first. Three channels are red, green and blue. Any other
        number becomes a grey image with the planes stacked from top to bottom.

    Examples
    --------
    >>> canvas = Canvas((2, 3, 1))
    >>> canvas.planes[:, 1] = 255
    >>> canvas.encode({"Title": "a line"})[1:4]
    b'PNG'
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        rows, cols, channels = shape
        if channels == 3:
            self._shape, self._colour, width = (rows, cols), RGB, 3 * cols
        else:
            self._shape, self._colour, width = (rows * channels, cols), GREY, cols
        # Each line starts with the number of its filter; 0 is none.
        self._lines = np.zeros((self._shape[0], 1 + width), dtype=np.uint8)
        pixels = self._lines[:, 1:]
        self.planes: NDArray[np.uint8]
        if channels == 3:
            self.planes = pixels.reshape(shape)
        else:
            self.planes = pixels.reshape(channels, rows, cols).transpose(1, 2, 0)

    def encode(self, text: Mapping[str, str]) -> bytes:
        """Return the image as a PNG file: the same bytes on every machine.

        Parameters
        ----------
        text : mapping of str to str
            For `birdview.pixels.png.write_png`. `CHECK` is added to it: the Adler-32 of
            the lines, which ends the zlib stream.
        """
        stream = deflate(self._lines.ravel()).tobytes()
        text = {**text, CHECK: stream[-4:].hex()}
        return write_png(self._shape, self._colour, stream, text)
