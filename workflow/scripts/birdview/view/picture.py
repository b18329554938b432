"""Turn the planes of an image into a picture: in colour, forward up.

Class maps are painted in the colours of the classes, other planes beside them in grey.

An image is data; a picture is for looking at. The gallery's page paints the same way.
"""

from collections.abc import Iterator, Sequence
from colorsys import hsv_to_rgb
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from birdview.metadata import find_class_maps
from birdview.pixels.channel import Channel
from birdview.pixels.classes import Classes
from birdview.pixels.encoding import Encoding
from birdview.pixels.grid import Axis

Colour: TypeAlias = tuple[int, int, int]
"""Red, green and blue, from 0 to 255."""

GAMMA = 0.6
"""Below 1 it brightens: most of an image is dark."""
MAX_EXPLAINED = 6
"""Slices whose colours are explained; the others are between them."""
_ALL = 2**31  # a picture has no more pixels than the image


def choose_colours(channels: Sequence[Channel]) -> list[Colour | None]:
    """Choose the colour to paint each plane in.

    Three planes are red, green and blue. With any other number, slices go from blue
    (the lowest) to red; without slices, the channels do, in their order.

    Returns
    -------
    list of (int, int, int) or None
        None for a channel of whole cells next to slices: it is not painted.
    """
    if len(channels) == 3:
        return [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    levels: Sequence[int | None] = [channel.slice_index for channel in channels]
    if all(level is None for level in levels):
        levels = range(len(channels))
    top = max(1, *(level for level in levels if level is not None))
    return [None if level is None else _rainbow(level / top) for level in levels]


def explain_colours(encoding: Encoding) -> list[tuple[str, Colour]]:
    """Explain the colours of planes, without class maps: what is painted in each.

    Returns
    -------
    list of (str, (int, int, int))
        For each colour the names of channels, and the z of their slice if they show
        one. Of more than `MAX_EXPLAINED` slices, some: the lowest, the highest, and
        others evenly between them.
    """
    names: dict[tuple[int | None, Colour], list[str]] = {}
    channels = encoding.channels
    for channel, colour in zip(channels, choose_colours(channels), strict=True):
        if colour is not None:
            names.setdefault((channel.slice_index, colour), []).append(channel.name)
    entries = [*names]
    if len(entries) > MAX_EXPLAINED and encoding.slices:
        steps = np.linspace(0, len(entries) - 1, MAX_EXPLAINED).round().astype(int)
        entries = [entries[step] for step in steps]
    explained = []
    for entry in entries:
        level, colour = entry
        text = ", ".join(names[entry])
        if level is not None and encoding.slices:
            low, span = encoding.slices.lows[level], encoding.slices.spans[level]
            text += f": z {low:.4g} to {low + span:.4g} m"
        explained.append((text, colour))
    return explained


def _rainbow(share: float) -> Colour:
    """Return a colour from blue (0) to red (1)."""
    red, green, blue = hsv_to_rgb(0.66 * (1 - share), 0.8, 1)
    return round(255 * red), round(255 * green), round(255 * blue)


def make_picture(
    planes: NDArray[np.uint8],
    encoding: Encoding,
    longest: int,
    gamma: float = GAMMA,
    palette: Classes | None = None,
) -> NDArray[np.uint8]:
    """Make a picture of an image, with forward up and left on the left.

    Parameters
    ----------
    planes : ndarray of uint8, shape (planes, rows, cols)
        As returned by `birdview.load`.
    encoding : Encoding
        The image's encoding.
    longest : int
        Pixels of the picture's longer side, or fewer if the image has fewer. A pixel of
        the picture shows the maximum of the pixels it covers, so no point disappears;
        of a class map the most frequent class, of several the first.
    gamma : float
        The exponent applied to values in 0..1.
    palette : Classes, optional
        The classes whose colours class maps are painted in; grey like other planes
        unless given.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Red, green and blue.
    """
    rows, cols = encoding.grid
    sizes = np.array([rows.size, cols.size])
    metres = sizes * [rows.cell, cols.cell]  # cells need not be square
    height, width = np.maximum(1, np.minimum(sizes, longest * metres // metres.max()))
    shades = remove_background(planes, encoding)
    small = _shrink(shades, int(height), int(width))
    if palette and (maps := find_class_maps(encoding)):
        for k in maps:
            is_class = find_classes(planes[k], encoding, palette)
            small[k] = _shrink_classes(
                planes[k], is_class, small[k].shape, encoding.background
            )
        picture = paint_classes(small, encoding, palette, gamma)
    else:
        picture = _brighten(gamma)[_paint(small, choose_colours(encoding.channels))]
    if rows.column == 1:  # the rows are y
        picture, rows, cols = picture.transpose(1, 0, 2), cols, rows
    picture = picture[:: -1 if rows.ascending else 1, :: -1 if cols.ascending else 1]
    return np.ascontiguousarray(picture)


def make_large_picture(
    planes: NDArray[np.uint8],
    encoding: Encoding,
    min_side: int,
    palette: Classes | None = None,
) -> NDArray[np.uint8]:
    """Make a picture that shows each pixel of an image, in the ground's proportions.

    Parameters
    ----------
    planes, encoding, palette
        As in `make_picture`.
    min_side : int
        The longer side has at least as many pixels: those of an image are enlarged by
        a whole number, which is 1 for most images.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    most = max(encoding.grid.shape)
    factor = -(-min_side // most)
    picture = make_picture(planes, encoding, _ALL, palette=palette)
    per_metre = factor / min(axis.cell for axis in encoding.grid)
    ahead, left = _by_column(encoding)
    rows, cols = (
        np.arange(round(axis.size * axis.cell * per_metre)) for axis in (ahead, left)
    )
    return np.ascontiguousarray(
        picture[rows * ahead.size // len(rows)][:, cols * left.size // len(cols)]
    )


def find_affine(encoding: Encoding, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return where points are on a picture of an encoding's images.

    Parameters
    ----------
    encoding : Encoding
    shape : (int, int)
        The height and the width of the picture, as made by `make_picture`.

    Returns
    -------
    ndarray of float64, shape (2, 3)
        ``matrix @ (x, y, 1)`` is the position (row, col), as in `Grid.affine`.
    """
    matrix = np.zeros((2, 3))
    for line, axis, size in zip(matrix, _by_column(encoding), shape, strict=True):
        metres = axis.size * axis.cell
        line[axis.column] = -size / metres
        line[2] = size / metres * (axis.origin + axis.first * axis.cell + metres)
    return matrix


def _by_column(encoding: Encoding) -> tuple[Axis, Axis]:
    """Return the axes of x and y, which are up and to the left on a picture."""
    rows, cols = encoding.grid
    return (rows, cols) if rows.column == 0 else (cols, rows)


def remove_background(
    planes: NDArray[np.uint8], encoding: Encoding
) -> NDArray[np.uint8]:
    """Return planes with 0 for the background, which must not cover points."""
    if not encoding.background:
        return planes
    return np.where(planes == encoding.background, np.uint8(0), planes)


def find_classes(
    plane: NDArray[np.uint8], encoding: Encoding, palette: Classes
) -> NDArray[np.bool_]:
    """Return which pixels of a class map have a class of the palette."""
    return (plane != encoding.background) & (plane < len(palette.names))


def paint_classes(
    planes: NDArray[np.uint8], encoding: Encoding, palette: Classes, gamma: float = 1
) -> NDArray[np.uint8]:
    """Paint planes some of which are class maps, in the order of the file.

    Of the other planes, the brightest of each pixel is grey; class maps cover them,
    each those before it.

    Returns
    -------
    ndarray of uint8, shape (rows, cols, 3)
    """
    maps = find_class_maps(encoding)
    others = remove_background(np.delete(planes, maps, axis=0), encoding)
    grey = _brighten(gamma)[others.max(axis=0, initial=0)]
    picture = np.repeat(grey[..., np.newaxis], 3, axis=2)
    colours = np.array(palette.colours, dtype=np.uint8)
    for plane in planes[maps]:
        is_class = find_classes(plane, encoding, palette)
        picture[is_class] = colours[plane[is_class]]
    return picture


def _brighten(gamma: float) -> NDArray[np.uint8]:
    """Return what each value from 0 to 255 becomes."""
    return np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)


def _shrink_classes(
    plane: NDArray[np.uint8],
    is_class: NDArray[np.bool_],
    shape: tuple[int, int],
    background: int,
) -> NDArray[np.uint8]:
    """Shrink a class map; a pixel becomes the most frequent class of those it covers.

    Of several, it is the first. Where there is none, it is the background.
    """
    (rows, cols), (height, width) = plane.shape, shape
    row, col = np.divmod(np.flatnonzero(is_class), cols)  # faster than np.nonzero
    pixels = row * height // rows * width + col * width // cols
    kinds, counts = np.unique(256 * pixels + plane[is_class], return_counts=True)
    small = np.full(height * width, background, dtype=np.uint8)
    # The last of several values for one pixel stays.
    kinds = kinds[np.lexsort((-kinds, counts))]
    small[kinds // 256] = kinds % 256
    return small.reshape(shape)


def _shrink(planes: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Shrink planes; a pixel becomes the maximum of those it covers."""
    # Much faster than np.maximum.reduceat, which does not take many pixels at once.
    first, *others = _runs(planes.shape[1], height)
    lines = planes[:, first]
    for rows in others:
        np.maximum(lines, planes[:, rows], out=lines)
    lines = np.ascontiguousarray(lines)
    first, *others = _runs(planes.shape[2], width)
    small = lines.take(first, axis=2)
    for cols in others:
        np.maximum(small, lines.take(cols, axis=2), out=small)
    return small


def _runs(count: int, size: int) -> Iterator[NDArray[np.int64]]:
    """Yield the first index of each run of indices that become one, then the second...

    Index `i` of `count` goes to ``i * size // count``. Shorter runs repeat their last.
    """
    starts = -(-np.arange(size) * count // size)
    ends = np.append(starts[1:], count) - 1
    for step in range(-(-count // size)):
        yield np.minimum(starts + step, ends)


def _paint(
    planes: NDArray[np.uint8], colours: Sequence[Colour | None]
) -> NDArray[np.uint8]:
    """Take three planes as red, green and blue; lay others over one another."""
    if len(planes) == 3:
        return planes.transpose(1, 2, 0)
    occupied = planes.max(axis=0) > 0  # few pixels are
    painted = np.zeros((np.count_nonzero(occupied), 3), dtype=np.uint16)
    for plane, colour in zip(planes, colours, strict=True):
        if colour is not None:
            value = plane[occupied].astype(np.uint16)[:, None]
            painted = painted * (255 - value) // 255
            painted += np.array(colour, dtype=np.uint16) * value // 255
    picture = np.zeros((*occupied.shape, 3), dtype=np.uint8)
    picture[occupied] = painted
    return picture
