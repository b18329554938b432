"""Read labels of KITTI's object benchmark: see readme.txt in its development kits.

Boxes are in the frame of the rectified camera: x right, y down, z forward, in metres.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.calibration import Calibration, read_calibration
from birdview.pixels.frame import Frame
from birdview.pixels.layout import MAX_RANGE
from birdview.pixels.lines import parse_numbers, read_lines
from birdview.training.labels.box import Box, check_size, lay_bottom

_AS_IT_IS = Frame()


@dataclass(frozen=True)
class Kitti:
    """Labels of KITTI's object benchmark: see `birdview.training.labels.source.Format`.

    Attributes
    ----------
    folder : str
        That of `label_2` and `calib`.
    frame : Frame
    """

    folder: str
    frame: Frame
    below: ClassVar[str] = "label_2"
    pattern: ClassVar[str] = "*.txt"
    expected: ClassVar[str] = "KITTI's labels"

    def files(self, scan: str) -> tuple[str, ...]:
        """Return the files of a scan's labels and of its calibration."""
        return (
            f"{self.folder}/label_2/{scan}.txt",
            f"{self.folder}/calib/{scan}.txt",
        )

    def read(self, scan: str) -> list[Box]:
        """Read the boxes of a scan; raise as `read_boxes`."""
        label, calib = self.files(scan)
        return read_boxes(label, calib, self.frame)


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
    calibration = read_calibration_of(label, calib)
    boxes = []
    for number, line in read_lines(label):
        box = parse_box(line.split(), calibration, frame, f"{label}: line {number}")
        if box:
            boxes.append(box._replace(line=number))
    return boxes


def read_calibration_of(label: PathLike, calib: PathLike) -> Calibration:
    """Read a calibration; if there is none, say which labels need it.

    Raises
    ------
    OSError, ValueError
        As `birdview.pixels.calibration.read_calibration`.
    """
    if not os.path.exists(calib):
        raise FileNotFoundError(
            f"{calib}: no such file, expected the calibration of {Path(label)}"
        )
    return read_calibration(calib)


def parse_box(
    words: Sequence[str],
    calibration: Calibration,
    frame: Frame,
    where: str,
    columns: int = 0,
) -> Box | None:
    """Return the box of a line, whose number is still to be set; None for `DontCare`.

    Parameters
    ----------
    words : sequence of str
        Those of the line.
    calibration : Calibration
    frame : Frame
    where : str
        Begins the message of an error.
    columns : int
        How many words there are before the class.

    Raises
    ------
    ValueError
        If these are not 15 words, or 16, or a box has no size.
    """
    if len(words) - columns not in (15, 16):  # detectors add a score
        rest = " ".join(words[columns + 16 :])
        raise ValueError(
            f"{where}: {len(words)} words, expected {columns + 15} or {columns + 16}"
            f"{f': what is {rest}?' if rest else ''}"
        )
    kind, *rest_of_line = words[columns:]
    try:
        float(rest_of_line[0])
    except ValueError:
        raise ValueError(
            f"{where}: {kind} {rest_of_line[0]}, expected a number after the class, "
            f"which is one word, such as {kind}_{rest_of_line[0]}"
        ) from None
    numbers = parse_numbers(rest_of_line, where)
    if kind == "DontCare":
        return None
    corners, height = place(numbers[7:14], calibration, frame, where)
    return Box(kind, corners, height, 0)


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
    check_size(length, width, height, where)
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
