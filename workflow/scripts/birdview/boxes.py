"""Boxes: labels of KITTI become outlines on an image.

Source of the format: the development kit of KITTI's object benchmark, readme.txt. Its
boxes are in the frame of the rectified camera: x right, y down, z forward, in metres.
"""

from math import cos, isfinite, sin
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from birdview.image import load
from birdview.png import Canvas
from birdview.provenance import SOFTWARE
from birdview.render import write
from birdview.scan import FARTHEST

COLOURS = {
    "Car": (255, 209, 102),
    "Van": (255, 159, 67),
    "Truck": (255, 107, 107),
    "Pedestrian": (72, 219, 251),
    "Cyclist": (29, 209, 161),
}
"""Red, green and blue of each kind; others are `OTHER`."""
OTHER = (240, 240, 240)
_SHIFT = 4  # OpenCV takes places as whole numbers of 1/2**4 pixels


class Box(NamedTuple):
    """What is labelled in a scan.

    Attributes
    ----------
    kind : str
        ``Car``, ``Pedestrian`` and so on.
    corners : ndarray of float64, shape (4, 3)
        x, y, z in metres in the frame of the scan, of the corners of the box's bottom:
        front left, front right, rear right, rear left.
    """

    kind: str
    corners: np.ndarray


def read_boxes(label, calib):
    """Read the boxes of a scan, without the regions that are labelled `DontCare`.

    Parameters
    ----------
    label, calib : path-like
        The files of the scan in `label_2` and `calib`.

    Returns
    -------
    list of Box

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        If a file is not as KITTI has it; the message names the file and the line.
    """
    try:
        to_scan = np.linalg.inv(_read_transform(calib))
    except np.linalg.LinAlgError:
        raise ValueError(
            f"{calib}: R0_rect and Tr_velo_to_cam have no inverse, expected turns"
        ) from None
    boxes = []
    for number, line in enumerate(_read_lines(label), start=1):
        kind, *words = line.split()
        numbers = _floats(words, f"{label}: line {number}")
        if len(numbers) not in (14, 15):  # with a score, if a detector made it
            raise ValueError(
                f"{label}: line {number}: {len(words) + 1} words, expected 15 or 16"
            )
        if kind != "DontCare":
            corners = _corners(*numbers[7:14]) @ to_scan[:3].T
            if not (np.abs(corners) < FARTHEST).all():
                raise ValueError(
                    f"{label}: line {number}: a box beyond {FARTHEST:g} m, expected "
                    f"metres (or {calib} does not fit it)"
                )
            boxes.append(Box(kind, corners))
    return boxes


def _corners(height, width, length, x, y, z, yaw):
    """Return the corners of a box's bottom in the camera's frame, homogeneous."""
    along = np.array([1, 1, -1, -1]) * length / 2
    across = np.array([1, -1, -1, 1]) * width / 2
    return np.stack(
        [
            x + cos(yaw) * along + sin(yaw) * across,
            np.full(4, y),
            z - sin(yaw) * along + cos(yaw) * across,
            np.ones(4),
        ],
        axis=1,
    )


def _read_transform(calib):
    """Return the matrix, shape (4, 4), from a scan's frame to the camera's."""
    lines = dict(
        line.split(":", 1) for line in _read_lines(calib) if line.count(":") == 1
    )
    matrices = []
    for key, shape in (("R0_rect", (3, 3)), ("Tr_velo_to_cam", (3, 4))):
        numbers = _floats(lines.get(key, "").split(), f"{calib}: {key}")
        if len(numbers) != shape[0] * shape[1]:
            raise ValueError(
                f"{calib}: {key}: {len(numbers)} numbers, expected "
                f"{shape[0] * shape[1]}, as in KITTI's calib folder"
            )
        matrix = np.eye(4)
        matrix[: shape[0], : shape[1]] = np.reshape(numbers, shape)
        matrices.append(matrix)
    return matrices[0] @ matrices[1]


def _read_lines(path):
    try:
        return [line for line in Path(path).read_text().splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise ValueError(f"{path}: no text, expected a file of KITTI's") from None


def _floats(words, where):
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise ValueError(f"{where}: {error}, expected a number") from None
    for word, number in zip(words, numbers, strict=True):
        if not isfinite(number):
            raise ValueError(f"{where}: {word}, expected a finite number")
    return numbers


def draw_boxes(image, label, calib, encoding, picture):
    """Draw the boxes of a scan on its image, and write that as another PNG.

    Three planes are drawn on as red, green and blue, of others the brightest of each
    pixel. The front of a box is its thick edge.

    Parameters
    ----------
    image, label, calib : path-like
        The files of the scan, for `birdview.load` and `read_boxes`.
    encoding : Encoding
        That of the image.
    picture : path-like
        The file to write.

    Raises
    ------
    OSError, ValueError
        As `birdview.load` and `read_boxes` do.
    """
    planes, _ = load(image)
    boxes = read_boxes(label, calib)
    if len(planes) != 3:
        planes = np.broadcast_to(planes.max(axis=0), (3, *planes.shape[1:]))
    canvas = Canvas((*planes.shape[1:], 3))
    pixels = np.ascontiguousarray(planes.transpose(1, 2, 0))
    for box in boxes:
        colour = COLOURS.get(box.kind, OTHER)
        rows, cols = encoding.grid.affine @ [*box.corners[:, :2].T, np.ones(4)]
        # OpenCV's (0, 0) is the middle of the first pixel, ours its corner.
        places = np.stack([cols, rows], axis=1) - 0.5
        outline = np.rint(places * 2**_SHIFT).astype(np.int32)
        cv2.polylines(pixels, [outline], True, colour, 1, cv2.LINE_AA, _SHIFT)
        cv2.polylines(pixels, [outline[:2]], False, colour, 3, cv2.LINE_AA, _SHIFT)
        corner = int(places[:, 0].max()) + 8, int(places[:, 1].min()) + 8
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(pixels, box.kind, corner, font, 0.4, colour, 1, cv2.LINE_AA)
    canvas.planes[:] = pixels
    write(
        picture,
        canvas.encode({"Software": SOFTWARE, "birdview:boxes": str(len(boxes))}),
    )
