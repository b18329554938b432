"""Draw a contact sheet: some images of a data set side by side in one picture."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike, write_atomically
from birdview.image import read_image
from birdview.metadata import find_class_maps
from birdview.pixels.classes import Classes
from birdview.pixels.encoding import Encoding
from birdview.view.marks import (
    BACKGROUND,
    GAP,
    MUTED,
    TEXT,
    draw_legend,
    explain_colour,
    explain_scale,
    put_text,
)
from birdview.view.picture import (
    Colour,
    explain_colours,
    find_affine,
    find_classes,
    make_picture,
)

MAX_PICTURES, MAX_COLUMNS = 64, 8
SHEET_WIDTH, MAX_SIDE = 1920, 480
"""Pixels: the width of a full sheet, and the longest side of a picture."""
LABEL, HEADER = 26, 48
"""Pixels of the label below each picture, and of the sheet's header."""
SIZE = 14
"""Pixels of the text of labels and of the legend."""
GREY: Colour = 200, 200, 200
"""In the legend, for the planes that are shown in grey beside class maps."""


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

    Below them are a scale, and what each colour shows: channels, with their slices; of
    class maps, the classes that occur.

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
    count += " scan" if total == 1 else " scans"
    title = f"{encoding.name}: {count}, forward is up"
    put_text(sheet, title, (GAP, 31), 20, TEXT, width)
    classes, per_metre = set[int](), 1.0
    for number, (scan, image) in enumerate(images.items()):
        line, column = divmod(number, columns)
        top, left = HEADER + line * (side + LABEL + GAP), GAP + column * (side + GAP)
        planes = read_image(image).planes
        if palette:
            classes |= _list_classes(planes, encoding, palette)
        picture = make_picture(planes, encoding, side, palette=palette)
        rows, cols, _ = picture.shape
        per_metre = -find_affine(encoding, (rows, cols))[1, 1]
        y, x = top + (side - rows) // 2, left + (side - cols) // 2
        sheet[top : top + side, left : left + side] = 0
        sheet[y : y + rows, x : x + cols] = picture
        put_text(sheet, scan, (left, top + side + 18), SIZE, MUTED, side)
    entries = [
        explain_scale(per_metre, side),
        *(
            explain_colour(text, colour, SIZE)
            for text, colour in _explain(encoding, classes, palette)
        ),
    ]
    sheet = np.vstack([sheet, draw_legend(entries, width, SIZE)])
    _, png = cv2.imencode(".png", sheet[..., ::-1])  # OpenCV's order is the other way
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


def _explain(
    encoding: Encoding, classes: Iterable[int], palette: Classes | None
) -> Iterator[tuple[str, Colour]]:
    """Yield what is painted in each colour."""
    maps = find_class_maps(encoding)
    if not palette or not maps:
        yield from explain_colours(encoding)
        return
    for number in sorted(classes):
        yield palette.names[number], palette.colours[number]
    if len(maps) < len(encoding.channels):
        yield "other channels", GREY
