"""An image between drawing and encoding: its pixels that are not background."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.pixels.deflate import deflate
from birdview.pixels.png import CHECK, GREY, RGB, write_png


class Drawing(NamedTuple):
    """An image as its pixels that are not background, a few per cent of most images.

    Three planes are the samples of one PNG image: red, green and blue. Any other number
    of planes is stacked from top to bottom, as one grey image of one sample.

    Attributes
    ----------
    shape : (int, int, int)
        The number of rows, columns and planes.
    background : int
        The value of every sample that is not among `shades`.
    pixels : ndarray of int32, shape (n,)
        Numbers of pixels of the PNG image, from left to right and then from top to
        bottom, in ascending order.
    shades : ndarray of uint8, shape (n, samples)
        Their samples, which may have the background's value.

    Examples
    --------
    >>> planes = np.zeros((2, 3, 1), dtype=np.uint8)
    >>> planes[:, 1] = 255
    >>> drawing = trace(planes)
    >>> drawing.pixels.tolist()
    [1, 4]
    >>> drawing.encode({"Title": "a line"})[1:4]
    b'PNG'
    """

    shape: tuple[int, int, int]
    background: int
    pixels: NDArray[np.int32]
    shades: NDArray[np.uint8]

    @property
    def lines(self) -> tuple[int, int]:
        """The number of rows and columns of the PNG image."""
        rows, cols, planes = self.shape
        return (rows if planes == 3 else rows * planes), cols

    def encode(self, text: Mapping[str, str]) -> bytes:
        """Return the image as a PNG file: the same bytes on every machine.

        Parameters
        ----------
        text : mapping of str to str
            For `birdview.pixels.png.write_png`. `CHECK` is added to it: the Adler-32 of
            the lines, which ends the zlib stream.
        """
        stream = deflate(
            *self.lines, self.background, self.pixels, self.shades
        ).tobytes()
        text = {**text, CHECK: stream[-4:].hex()}
        colour = RGB if self.shape[2] == 3 else GREY
        return write_png(self.lines, colour, stream, text)

    def fill(self, planes: NDArray[np.uint8]) -> None:
        """Set all pixels of an array of this shape."""
        planes.fill(self.background)
        rows, cols, count = self.shape
        plane, cell = np.divmod(self.pixels, rows * cols)
        if count == 3:
            planes[np.divmod(cell, cols)] = self.shades
        else:
            planes[(*np.divmod(cell, cols), plane)] = self.shades[:, 0]


def samples_of(shape: tuple[int, int, int]) -> int:
    """Return how many samples a pixel of the PNG image has, of planes of this shape."""
    return 3 if shape[2] == 3 else 1


def trace(planes: NDArray[np.uint8], background: int = 0) -> Drawing:
    """Return the drawing of an image.

    Parameters
    ----------
    planes : ndarray of uint8, shape (rows, cols, planes)
    background : int, optional
        Best is the value that most samples have.
    """
    rows, cols, count = planes.shape
    samples = samples_of(planes.shape)
    if samples == 1:
        planes = planes.transpose(2, 0, 1)
    shades = planes.reshape(-1, samples)
    pixels = np.flatnonzero((shades != background).any(axis=1))
    return Drawing(
        (rows, cols, count), background, pixels.astype(np.int32), shades[pixels]
    )
