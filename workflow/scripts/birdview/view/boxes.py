"""Draw the labelled boxes of a scan on its image.

Labels are in KITTI's format: see readme.txt in the development kit of its object
benchmark. Boxes are in the frame of the rectified camera: x right, y down, z forward,
in metres.
"""

import hashlib
import zlib
from math import cos, isfinite, sin
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike, write_atomically
from birdview.image import read_image
from birdview.pixels.encoding import Encoding
from birdview.pixels.frame import Frame
from birdview.pixels.layout import MAX_RANGE
from birdview.pixels.png import RGB, read_text, write_png
from birdview.provenance import SOFTWARE, digest_modules

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
_AS_IT_IS = Frame()
_SHIFT = 4  # OpenCV takes positions as integers, in units of 1/2**4 pixels


class Box(NamedTuple):
    """A labelled box.

    Attributes
    ----------
    kind : str
        ``Car``, ``Pedestrian`` and so on.
    corners : ndarray of float64, shape (4, 3)
        x, y, z in metres in the image's frame, of the corners of the box's bottom:
        front left, front right, rear right, rear left.
    """

    kind: str
    corners: NDArray[np.float64]


def read_boxes(label: PathLike, calib: PathLike, frame: Frame = _AS_IT_IS) -> list[Box]:
    """Read the labelled boxes of a scan, leaving out `DontCare` regions.

    Parameters
    ----------
    label, calib : path-like
        The scan's files in `label_2` and `calib`.
    frame : Frame
        That of the scan's layout; unless given, as KITTI's.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        If a file is not in KITTI's format; the message names the file and the line.
    """
    try:
        to_scan = np.linalg.inv(_read_transform(calib))
    except np.linalg.LinAlgError:
        raise ValueError(
            f"{calib}: R0_rect and Tr_velo_to_cam have no inverse, expected rotations"
        ) from None
    boxes = []
    for number, line in enumerate(_read_lines(label), start=1):
        kind, *words = line.split()
        numbers = _parse_numbers(words, f"{label}: line {number}")
        if len(numbers) not in (14, 15):  # detectors add a score
            raise ValueError(
                f"{label}: line {number}: {len(words) + 1} words, expected 15 or 16"
            )
        if kind != "DontCare":
            corners = _bottom_corners(*numbers[7:14]) @ to_scan[:3].T
            if not (np.abs(corners) < MAX_RANGE).all():
                raise ValueError(
                    f"{label}: line {number}: a box beyond {MAX_RANGE:g} m, expected "
                    f"metres; does {calib} belong to this file?"
                )
            moved = frame.apply([*corners.T]).T
            boxes.append(Box(kind, moved))
    return boxes


def _bottom_corners(
    height: float,
    width: float,
    length: float,
    x: float,
    y: float,
    z: float,
    yaw: float,
) -> NDArray[np.float64]:
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


def _read_transform(calib: PathLike) -> NDArray[np.float64]:
    """Return the matrix, shape (4, 4), from the scan's frame to the camera's."""
    lines = dict(
        line.split(":", 1) for line in _read_lines(calib) if line.count(":") == 1
    )
    matrices = []
    for key, shape in (("R0_rect", (3, 3)), ("Tr_velo_to_cam", (3, 4))):
        numbers = _parse_numbers(lines.get(key, "").split(), f"{calib}: {key}")
        if len(numbers) != shape[0] * shape[1]:
            raise ValueError(
                f"{calib}: {key}: {len(numbers)} numbers, expected "
                f"{shape[0] * shape[1]}, as in KITTI's calib folder"
            )
        matrix = np.eye(4)
        matrix[: shape[0], : shape[1]] = np.reshape(numbers, shape)
        matrices.append(matrix)
    return matrices[0] @ matrices[1]


def _read_lines(path: PathLike) -> list[str]:
    try:
        return [
            line for line in Path(path).read_text("utf-8").splitlines() if line.strip()
        ]
    except UnicodeDecodeError:
        raise ValueError(
            f"{path}: not UTF-8 text, expected a file in KITTI's format"
        ) from None


def _parse_numbers(words: list[str], where: str) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise ValueError(f"{where}: {error}, expected a number") from None
    for word, number in zip(words, numbers, strict=True):
        if not isfinite(number):
            raise ValueError(f"{where}: {word}, expected a finite number")
    return numbers


def draw_boxes(
    image: PathLike,
    label: PathLike,
    calib: PathLike,
    encoding: Encoding,
    picture: PathLike,
    frame: Frame = _AS_IT_IS,
) -> None:
    """Draw the boxes of a scan on its image, and write the result as another PNG.

    An image of three planes is drawn on in its colours; of any other, the brightest
    plane of each pixel is shown in grey. A box's thick edge is its front.

    Parameters
    ----------
    image, label, calib : path-like
        The scan's files, for `birdview.load` and `read_boxes`.
    encoding : Encoding
        The image's encoding.
    picture : path-like
        The file to write.
    frame : Frame
        That of the scan's layout.

    Raises
    ------
    OSError, ValueError
        As `birdview.load` and `read_boxes` do.
    """
    import cv2  # here, because reading boxes does not need it

    planes, _ = read_image(image)
    boxes = read_boxes(label, calib, frame)
    if len(planes) != 3:
        planes = np.broadcast_to(planes.max(axis=0), (3, *planes.shape[1:]))
    pixels = np.ascontiguousarray(planes.transpose(1, 2, 0))
    for box in boxes:
        colour = COLOURS.get(box.kind, OTHER)
        row, col = encoding.grid.affine @ [*box.corners[:, :2].T, np.ones(4)]
        # OpenCV's (0, 0) is the middle of the first pixel; ours is its corner.
        positions = np.stack([col, row], axis=1) - 0.5
        outline = np.rint(positions * 2**_SHIFT).astype(np.int32)
        cv2.polylines(pixels, [outline], True, colour, 1, cv2.LINE_AA, _SHIFT)
        cv2.polylines(pixels, [outline[:2]], False, colour, 3, cv2.LINE_AA, _SHIFT)
        beside = int(positions[:, 0].max()) + 8, int(positions[:, 1].min()) + 8
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(pixels, box.kind, beside, font, 0.4, colour, 1, cv2.LINE_AA)
    rows, cols, _ = pixels.shape
    # A PNG's lines, each with the number of its filter, 0, in front.
    lines = np.pad(pixels.reshape(rows, 3 * cols), ((0, 0), (1, 0)))
    text = {
        "Software": SOFTWARE,
        "birdview:boxes": str(len(boxes)),
        _SOURCES: _digest_sources(image, label, calib),
    }
    stream = zlib.compress(lines.tobytes(), level=1)  # twice as fast as the default
    write_atomically(picture, write_png((rows, cols), RGB, stream, text))


def is_current(
    picture: PathLike, image: PathLike, label: PathLike, calib: PathLike
) -> bool:
    """Whether a picture was drawn from these files as they are, by this code.

    Raises
    ------
    OSError
        If one of the files is missing or cannot be read, but for the picture.
    """
    try:
        drawn = read_text(picture).get(_SOURCES)
    except (OSError, ValueError):
        return False
    return drawn == _digest_sources(image, label, calib)


def _digest_sources(image: PathLike, label: PathLike, calib: PathLike) -> str:
    """Return the SHA-256 of what makes a picture; of the image, its text counts."""
    text = read_text(image)
    parts = [digest_modules("birdview.view.boxes"), str(sorted(text.items()))]
    content = [part.encode() for part in parts]
    content += [Path(path).read_bytes() for path in (label, calib)]
    digests = [hashlib.sha256(part).hexdigest() for part in content]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
