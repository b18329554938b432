"""Draw the labelled boxes of a scan on its image."""

import hashlib
import zlib
from collections.abc import Sequence

import numpy as np

from birdview.files import PathLike, write_atomically
from birdview.image import read_image
from birdview.metadata import find_class_maps, list_classes
from birdview.pixels.classes import Classes
from birdview.pixels.encoding import Encoding
from birdview.pixels.png import RGB, read_text, write_png
from birdview.provenance import SOFTWARE, digest_modules
from birdview.training.labels.box import Box
from birdview.training.labels.kitti import read_boxes as read_boxes
from birdview.training.selection import outline
from birdview.view.picture import paint_classes, remove_background

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
_SHIFT = 4  # OpenCV takes positions as integers, in units of 1/2**4 pixels


def draw_boxes(
    image: PathLike,
    boxes: Sequence[Box],
    encoding: Encoding,
    picture: PathLike,
    palette: Classes | None = None,
) -> None:
    """Draw the boxes of a scan on its image, and write the result as another PNG.

    The polygons are those that a data set has. An image of three planes is drawn on in
    its colours; of any other, the brightest plane of each pixel is shown in grey, and
    class maps in the colours of the classes. A box's thick edge is its front.

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
    import cv2  # here, because reading boxes does not need it

    planes, _ = read_image(image)
    if palette and find_class_maps(encoding):
        pixels = paint_classes(planes, encoding, palette)
    else:
        planes = remove_background(planes, encoding)
        if len(planes) != 3:
            planes = np.broadcast_to(planes.max(axis=0), (3, *planes.shape[1:]))
        pixels = np.ascontiguousarray(planes.transpose(1, 2, 0))
    for box in boxes:
        colour = COLOURS.get(box.kind, OTHER)
        # OpenCV's (0, 0) is the middle of the first pixel; ours is its corner.
        positions = outline(box, encoding.grid)[:, ::-1] - 0.5
        corners = np.rint(positions * 2**_SHIFT).astype(np.int32)
        cv2.polylines(pixels, [corners], True, colour, 1, cv2.LINE_AA, _SHIFT)
        cv2.polylines(pixels, [corners[:2]], False, colour, 3, cv2.LINE_AA, _SHIFT)
        beside = int(positions[:, 0].max()) + 8, int(positions[:, 1].min()) + 8
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(pixels, box.kind, beside, font, 0.4, colour, 1, cv2.LINE_AA)
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
