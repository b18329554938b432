"""Draw the labelled boxes of a scan on its image."""

import hashlib
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike, write_atomically
from birdview.image import read_image
from birdview.metadata import list_classes
from birdview.pixels.classes import Classes
from birdview.pixels.encoding import Encoding
from birdview.pixels.png import RGB, read_text, write_png
from birdview.provenance import SOFTWARE, digest_modules
from birdview.training.labels.box import Box
from birdview.training.labels.kitti import read_boxes as read_boxes
from birdview.view.picture import find_affine, make_large_picture

COLOURS = {
    "Car": (255, 209, 102),
    "Van": (255, 159, 67),
    "Truck": (255, 107, 107),
    "Pedestrian": (72, 219, 251),
    "Cyclist": (29, 209, 161),
}
"""Red, green and blue of each kind; other kinds get `OTHER`."""
OTHER = (240, 240, 240)
_SOURCES = "birdview:sources"
MIN_SIDE = 800
"""Pixels of the longer side of a picture, at least."""


def draw_boxes(
    image: PathLike,
    boxes: Sequence[Box],
    encoding: Encoding,
    picture: PathLike,
    palette: Classes | None = None,
) -> None:
    """Draw the boxes of a scan on a picture of its image, as a PNG.

    The picture is that of `make_picture`: brightened, and forward is up. The pixels of
    small images are enlarged. A box's thick edge is its front. Below are a scale and a
    legend.

    Parameters
    ----------
    image : path-like
        The scan's image, for `birdview.load`.
    boxes : sequence of Box
    encoding : Encoding
        The image's encoding.
    picture : path-like
        The file to write.
    palette : Classes, optional
        The classes of class maps.

    Raises
    ------
    OSError, ValueError
        As `birdview.load` does.
    """
    from birdview.view import marks  # here, because reading boxes needs no OpenCV

    planes, _ = read_image(image)
    pixels = make_large_picture(planes, encoding, MIN_SIDE, palette)
    height, width, _ = pixels.shape
    size, thickness = measure_strokes(max(height, width))
    affine = find_affine(encoding, (height, width))
    marks.draw_sensor(pixels, encoding, size)
    outlines = [box.corners[:, :2] @ affine[:, :2].T + affine[:, 2] for box in boxes]
    for box, corners in zip(boxes, outlines, strict=True):
        colour = COLOURS.get(box.kind, OTHER)
        marks.draw_lines(pixels, corners, colour, thickness, closed=True)
        marks.draw_lines(pixels, corners[:2], colour, 2 * thickness + 1)
    _name_boxes(pixels, boxes, outlines, size)
    entries = [
        marks.explain_scale(-affine[1, 1], width),
        marks.explain_sensor(size),
        marks.explain_colour("thick edge: front of a box", OTHER, thickness * 2),
    ]
    legend = marks.draw_legend(entries, width, size)
    pixels = np.vstack([pixels, legend])
    rows, cols, _ = pixels.shape
    # A PNG's lines, each with the number of its filter, 0, in front.
    lines = np.pad(pixels.reshape(rows, 3 * cols), ((0, 0), (1, 0)))
    text = {
        "Software": SOFTWARE,
        "birdview:boxes": str(len(boxes)),
        _SOURCES: _digest_sources(image, boxes, encoding, palette),
    }
    stream = zlib.compress(lines.tobytes(), level=1)  # twice as fast as the default
    write_atomically(picture, write_png((rows, cols), RGB, stream, text))


def measure_strokes(side: int) -> tuple[int, int]:
    """Return the size of text and the thickness of lines for a picture's longer side.

    They grow with it, because large pictures are looked at from farther away.
    """
    return max(14, side // 64), max(1, side // 800)


def _name_boxes(
    pixels: NDArray[np.uint8],
    boxes: Sequence[Box],
    outlines: Sequence[NDArray[np.float64]],
    size: int,
) -> None:
    """Write the kind of each box beside it, inside the picture and on nothing else."""
    from birdview.view import marks

    height, width, _ = pixels.shape
    is_taken = np.zeros((height, width), dtype=np.uint8)
    for corners in outlines:
        marks.fill(is_taken, corners)
    for box, corners in zip(boxes, outlines, strict=True):
        (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
        if bottom < 0 or right < 0 or top > height or left > width:
            continue
        gap, high, wide = size // 2, size * 5 // 4, marks.measure_text(box.kind, size)
        places = [
            ((top + bottom - high) / 2, right + gap),
            ((top + bottom - high) / 2, left - gap - wide),
            (top - gap - high, (left + right - wide) / 2),
            (bottom + gap, (left + right - wide) / 2),
        ]
        limits = max(0, height - high), max(0, width - wide)
        inside = [np.clip(place, 0, limits).astype(int).tolist() for place in places]
        row, col = min(
            inside,
            key=lambda at: is_taken[at[0] : at[0] + high, at[1] : at[1] + wide].sum(),
        )
        area = slice(row, row + high), slice(col, col + wide)
        is_taken[area] = 1
        pixels[area] //= 3  # the name is read on any pixels
        colour = COLOURS.get(box.kind, OTHER)
        marks.put_text(pixels, box.kind, (col, row + size), size, colour, width)


def is_current(
    picture: PathLike,
    image: PathLike,
    boxes: Sequence[Box],
    encoding: Encoding,
    palette: Classes | None = None,
) -> bool:
    """Whether a picture is what `draw_boxes` would draw, by this code.

    Raises
    ------
    OSError
        If the image is missing or cannot be read.
    """
    try:
        drawn = read_text(picture).get(_SOURCES)
    except (OSError, ValueError):
        return False
    return drawn == _digest_sources(image, boxes, encoding, palette)


def _digest_sources(
    image: PathLike,
    boxes: Sequence[Box],
    encoding: Encoding,
    palette: Classes | None,
) -> str:
    """Return the SHA-256 of what makes a picture; of the image, its text counts."""
    text = sorted(read_text(image).items())
    drawn = [(box.kind, box.corners.tolist()) for box in boxes]
    code = digest_modules("birdview.view.boxes")
    classes = list_classes(encoding, palette)
    return hashlib.sha256(repr([code, text, drawn, classes]).encode()).hexdigest()
