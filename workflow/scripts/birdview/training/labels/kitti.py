"""Read labels in KITTI's format: see readme.txt in its development kits.

Boxes are in the frame of the rectified camera: x right, y down, z forward, in metres.
"""

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.calibration import Calibration, read_calibration
from birdview.pixels.frame import Frame
from birdview.pixels.layout import MAX_RANGE
from birdview.pixels.lines import parse_numbers, read_lines
from birdview.training.labels.box import Box, lay_bottom

_AS_IT_IS = Frame()


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
        If a file is not in KITTI's format, or a box has no size; the message names the
        file and the line.
    """
    calibration = read_calibration(calib)
    boxes = []
    for number, line in read_lines(label):
        kind, *words = line.split()
        where = f"{label}: line {number}"
        numbers = parse_numbers(words, where)
        if len(numbers) not in (14, 15):  # detectors add a score
            raise ValueError(f"{where}: {len(words) + 1} words, expected 15 or 16")
        if kind != "DontCare":
            corners, height = place(numbers[7:14], calibration, frame, where)
            boxes.append(Box(kind, corners, height, number))
    return boxes


def place(
    numbers: list[float], calibration: Calibration, frame: Frame, where: str
) -> tuple[NDArray[np.float64], float]:
    """Return the corners of a box, as `Box` has them, and its height.

    Parameters
    ----------
    numbers : list of 7 float
        Height, width, length, x, y, z, and the rotation about the camera's y.
    calibration : Calibration
    frame : Frame
    where : str
        Begins the message of an error.
    """
    height, width, length, x, y, z, rotation = numbers
    if min(height, width, length) <= 0:
        raise ValueError(
            f"{where}: a box of {length:g} x {width:g} x {height:g} m, expected sizes "
            f"above 0"
        )
    # The camera's y points down, so the rotation goes clockwise, seen from above; and
    # its third axis, to the left of the first, is what is ahead.
    right, ahead = lay_bottom(length, width, -rotation)
    bottom = np.stack([x + right, np.full(4, y), z + ahead, np.ones(4)])
    corners = calibration.to_scan[:3] @ bottom
    if not (np.abs(corners) < MAX_RANGE).all():
        raise ValueError(
            f"{where}: a box beyond {MAX_RANGE:g} m, expected metres; does "
            f"{calibration.path} belong to this file?"
        )
    return frame.apply([*corners]).T, height
