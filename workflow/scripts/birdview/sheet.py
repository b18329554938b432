"""Contact sheets: some scans of a data set at a glance, in one picture."""

from math import ceil, sqrt

import cv2
import numpy as np

from birdview.image import load
from birdview.picture import make_picture
from birdview.render import write

MOST = 64
"""Pictures on a sheet."""
WIDTH, COLUMNS, LARGEST = 1920, 8, 480
"""Pixels of a full sheet, its pictures in a row, and pixels of the largest picture."""
GAP, LABEL, HEAD = 8, 26, 48
"""Pixels between pictures, of the line below each, and of the line above all."""
GROUND, TEXT, MUTED = (19, 14, 11), (239, 232, 227), (181, 164, 152)
"""Colours, blue first, as OpenCV has them."""


def choose_evenly(scans, count=MOST):
    """Choose at most so many scans, evenly spaced, the first and the last included."""
    if len(scans) <= count:
        return list(scans)
    return [scans[round(k * (len(scans) - 1) / (count - 1))] for k in range(count)]


def draw_sheet(path, images, encoding, total):
    """Draw images side by side, each with the name of its scan, as a PNG.

    Parameters
    ----------
    path : path-like
        The file to write.
    images : mapping of str to path-like
        The files of the images, by the names of their scans.
    encoding : Encoding
        That of the images.
    total : int
        The number of scans from which these were chosen.

    Raises
    ------
    OSError, ValueError
        As `birdview.load` does.
    """
    columns = min(COLUMNS, ceil(sqrt(len(images))))
    side = min(LARGEST, (WIDTH - GAP) // columns - GAP)
    lines = ceil(len(images) / columns)
    height = HEAD + lines * (side + LABEL + GAP)
    sheet = np.full((height, GAP + columns * (side + GAP), 3), GROUND, dtype=np.uint8)
    count = f"{len(images)} of {total:,}" if len(images) < total else f"{total:,}"
    put_text(
        sheet, f"{encoding.name}: {count} scans", (GAP, 31), 20, TEXT, sheet.shape[1]
    )
    for number, (scan, image) in enumerate(images.items()):
        line, column = divmod(number, columns)
        top, left = HEAD + line * (side + LABEL + GAP), GAP + column * (side + GAP)
        picture = make_picture(load(image).planes, encoding, side)[..., ::-1]
        rows, cols, _ = picture.shape
        y, x = top + (side - rows) // 2, left + (side - cols) // 2
        sheet[top : top + side, left : left + side] = 0
        sheet[y : y + rows, x : x + cols] = picture
        put_text(sheet, scan, (left, top + side + 18), 14, MUTED, side)
    _, data = cv2.imencode(".png", sheet)
    write(path, data.tobytes())


def put_text(picture, text, place, size, colour, width):
    """Write a line of text on a picture; of one that is too long, its end."""
    font = cv2.FontFace()
    while True:
        _, _, across, _ = cv2.getTextSize((0, 0), text, (0, 0), font, size)
        if across <= width or len(text) < 3:
            break
        text = f"…{text[2:]}"
    cv2.putText(picture, text, place, colour, font, size)
