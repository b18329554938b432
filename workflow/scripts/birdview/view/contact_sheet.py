"""Draw a contact sheet: some images of a data set side by side in one picture."""

from collections.abc import Mapping, Sequence
from math import ceil, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike, write_atomically
from birdview.image import read_image
from birdview.metadata import find_class_maps
from birdview.pixels.classes import Classes
from birdview.pixels.encoding import Encoding
from birdview.view.picture import Colour, find_classes, make_picture

MAX_PICTURES, MAX_COLUMNS = 64, 8
SHEET_WIDTH, MAX_SIDE = 1920, 480
"""Pixels: the width of a full sheet, and the longest side of a picture."""
GAP, LABEL, HEADER = 8, 26, 48
"""Pixels: between pictures, of the label below each, and of the sheet's header."""
LEGEND, SWATCH = 24, 14
"""Pixels: a line of the legend of class maps, and the side of a class's square."""
BACKGROUND, TEXT, MUTED = (19, 14, 11), (239, 232, 227), (181, 164, 152)
"""Colours in OpenCV's order: blue, green, red."""


def choose_evenly(scans: Sequence[str], count: int = MAX_PICTURES) -> list[str]:
    """Choose at most `count` scans, evenly spaced, including the first and the last."""
    if len(scans) <= count:
        return list(scans)
    return [scans[round(k * (len(scans) - 1) / (count - 1))] for k in range(count)]


def draw_contact_sheet(
    path: PathLike,
    images: Mapping[str, PathLike],
    encoding: Encoding,
    total: int,
    palette: Classes | None = None,
) -> None:
    """Draw images side by side, each with the name of its scan, as a PNG.

    Below class maps are the names of the classes that occur, beside their colours.

    Parameters
    ----------
    path : path-like
        The file to write.
    images : mapping of str to path-like
        The image files, by the names of their scans.
    encoding : Encoding
        The images' encoding.
    total : int
        The number of scans that these were chosen from.
    palette : Classes, optional
        The classes of class maps.

    Raises
    ------
    OSError, ValueError
        As `birdview.load` does.
    """
    columns = min(MAX_COLUMNS, ceil(sqrt(len(images))))
    side = min(MAX_SIDE, (SHEET_WIDTH - GAP) // columns - GAP)
    height = HEADER + ceil(len(images) / columns) * (side + LABEL + GAP)
    width = GAP + columns * (side + GAP)
    sheet = np.full((height, width, 3), BACKGROUND, dtype=np.uint8)
    count = f"{len(images)} of {total:,}" if len(images) < total else f"{total:,}"
    put_text(sheet, f"{encoding.name}: {count} scans", (GAP, 31), 20, TEXT, width)
    classes = set[int]()
    for number, (scan, image) in enumerate(images.items()):
        line, column = divmod(number, columns)
        top, left = HEADER + line * (side + LABEL + GAP), GAP + column * (side + GAP)
        planes = read_image(image).planes
        if palette:
            classes |= _list_classes(planes, encoding, palette)
        picture = make_picture(planes, encoding, side, palette=palette)[..., ::-1]
        rows, cols, _ = picture.shape
        y, x = top + (side - rows) // 2, left + (side - cols) // 2
        sheet[top : top + side, left : left + side] = 0
        sheet[y : y + rows, x : x + cols] = picture
        put_text(sheet, scan, (left, top + side + 18), 14, MUTED, side)
    if palette and classes:
        sheet = np.vstack([sheet, _draw_legend(sorted(classes), palette, width)])
    _, png = cv2.imencode(".png", sheet)
    write_atomically(path, png.tobytes())


def _list_classes(
    planes: NDArray[np.uint8], encoding: Encoding, palette: Classes
) -> set[int]:
    """Return the numbers of the classes that class maps among the planes show."""
    found = set[int]()
    for plane in planes[find_class_maps(encoding)]:
        is_class = find_classes(plane, encoding, palette)
        found |= set(np.flatnonzero(np.bincount(plane[is_class])).tolist())
    return found


def _draw_legend(
    numbers: Sequence[int], palette: Classes, width: int
) -> NDArray[np.uint8]:
    """Draw the names of classes beside their colours, in lines."""
    lines = [np.full((LEGEND, width, 3), BACKGROUND, dtype=np.uint8)]
    left, space = GAP, SWATCH + GAP // 2
    for number in numbers:
        name = palette.names[number]
        needed = space + _measure(name, 14)
        if left > GAP and left + needed > width - GAP:
            lines.append(np.full_like(lines[0], BACKGROUND))
            left = GAP
        top = (LEGEND - SWATCH) // 2
        square = lines[-1][top : top + SWATCH, left : left + SWATCH]
        square[:] = palette.colours[number][::-1]
        put_text(lines[-1], name, (left + space, 17), 14, TEXT, width - left - space)
        left += needed + 2 * GAP
    return np.vstack(lines)


def put_text(
    picture: NDArray[np.uint8],
    text: str,
    origin: tuple[int, int],
    size: int,
    colour: Colour,
    width: int,
) -> None:
    """Write a line of text on a picture; keep the end of a text that is too long.

    `origin` is the (x, y) of the text's lower left corner, in pixels.
    """
    while _measure(text, size) > width and len(text) > 2:
        text = f"…{text[2:]}"
    cv2.putText(picture, text, origin, colour, cv2.FontFace(), size)


def _measure(text: str, size: int) -> int:
    """Return the width of a line of text in pixels."""
    _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace(), size)
    return width
