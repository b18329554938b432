"""Pictures: planes become what people look at, in colours and with ahead up.

Unlike an image, whose pixels are data, a picture is for the eye. The gallery's page
paints in the same way.
"""

from colorsys import hsv_to_rgb

import numpy as np
from numba import njit

GAMMA = 0.6
"""Below 1 it brightens: most of a map is dark."""


def choose_colours(channels):
    """Choose the colour in which each plane is painted.

    Three planes are red, green and blue. Of others, slices go from blue, the lowest, to
    red, or if there are none, all channels do in their order.

    Parameters
    ----------
    channels : sequence of Channel

    Returns
    -------
    list of (int, int, int), from 0 to 255, or None
        None for a channel of whole cells beside slices: it is not painted.
    """
    if len(channels) == 3:
        return [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    steps = [channel.slice for channel in channels]
    if not any(step is not None for step in steps):
        steps = range(len(channels))
    most = max(1, *(step for step in steps if step is not None))
    return [None if step is None else _colour(step / most) for step in steps]


def _colour(share):
    return tuple(round(255 * part) for part in hsv_to_rgb(0.66 * (1 - share), 0.8, 1))


def make_picture(planes, encoding, longest, gamma=GAMMA):
    """Make a picture of an image, with ahead up and left to the left.

    Parameters
    ----------
    planes : ndarray of uint8, shape (planes, rows, cols)
        As `birdview.load` gives them.
    encoding : Encoding
    longest : int
        Pixels of the longer side, if the image has as many: a pixel of the picture
        shows the greatest value of those that it stands for.
    gamma : float
        The exponent of the values in 0..1.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Red, green and blue.
    """
    rows, cols = encoding.grid
    sizes = np.array([rows.size, cols.size])
    metres = sizes * [rows.cell, cols.cell]  # cells may be longer than wide
    height, width = np.maximum(1, np.minimum(sizes, longest * metres // metres.max()))
    colours = choose_colours(encoding.channels)
    shown = [k for k, colour in enumerate(colours) if colour]
    picture = _paint(
        _shrink(planes, np.array(shown), int(height), int(width)),
        np.array([colours[k] for k in shown]),
        len(planes) == 3,
    )
    if rows.column == 1:  # the rows are y
        picture, rows, cols = picture.transpose(1, 0, 2), cols, rows
    picture = picture[:: -1 if rows.ascending else 1, :: -1 if cols.ascending else 1]
    curve = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return curve[picture]


@njit(nogil=True, cache=True)
def _shrink(planes, shown, height, width):
    """Return the greatest values of the parts of those planes that are shown."""
    _, rows, cols = planes.shape
    small = np.zeros((len(shown), height, width), dtype=np.uint8)
    to_col = np.arange(cols) * width // cols
    for k, plane in enumerate(shown):
        for row in range(rows):
            line = small[k, row * height // rows]
            for col in range(cols):
                value = planes[plane, row, col]
                if value > line[to_col[col]]:
                    line[to_col[col]] = value
    return small


@njit(nogil=True, cache=True)
def _paint(planes, colours, add):
    """Add the planes in their colours, or lay each over those before it."""
    count, rows, cols = planes.shape
    picture = np.zeros((rows, cols, 3), dtype=np.uint8)
    for row in range(rows):
        for col in range(cols):
            for k in range(count):
                value = np.int64(planes[k, row, col])
                for part in range(3):
                    below = np.int64(picture[row, col, part])
                    if not add:
                        below = below * (255 - value) // 255
                    painted = colours[k, part] * value // 255
                    picture[row, col, part] = min(255, below + painted)
    return picture
