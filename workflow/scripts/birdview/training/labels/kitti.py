"""Read labels of KITTI's object benchmark: see readme.txt in its development kits.

Boxes are in the frame of the rectified camera: x right, y down, z forward, in metres.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.calibration import Calibration, read_calibration
from birdview.pixels.frame import Frame
from birdview.pixels.lines import parse_numbers, read_lines
from birdview.training.labels.box import Box, check_range, check_sizes, lay_bottom

_AS_IT_IS = Frame()


@dataclass(frozen=True)
class Kitti:
    """Labels of KITTI's object benchmark: see `birdview.training.labels.source.Format`.

    Attributes
    ----------
    folder : str
        That of `label_2` and `calib`.
    """

    folder: str
    below: ClassVar[str] = "label_2"
    pattern: ClassVar[str] = "*.txt"
    expected: ClassVar[str] = "KITTI's labels"

    def files(self, scan: str) -> tuple[str, ...]:
        """Return the files of a scan's labels and of its calibration."""
        return (
            f"{self.folder}/label_2/{scan}.txt",
            f"{self.folder}/calib/{scan}.txt",
        )

    def read(self, scan: str, frame: Frame) -> list[Box]:
        """Read the boxes of a scan; raise as `read_boxes`."""
        label, calib = self.files(scan)
        return read_boxes(label, calib, frame)


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
    lines = [(number, line.split()) for number, line in read_lines(label)]
    return parse_boxes(lines, calibration, frame, label)


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


def parse_boxes(
    lines: Iterable[tuple[int, list[str]]],
    calibration: Calibration,
    frame: Frame,
    path: PathLike,
    columns: int = 0,
) -> list[Box]:
    """Return the boxes of a scan's lines, leaving out `DontCare` regions.

    Parameters
    ----------
    lines : iterable of tuple of int and list of str
        The number and the words of each.
    calibration : Calibration
    frame : Frame
    path : path-like
        For error messages.
    columns : int
        How many words there are before the class.

    Raises
    ------
    ValueError
        If a line has not 15 words, or 16, behind these, or a box has no size.
    """
    kinds, numbers, found = [], [], []
    for number, words in lines:
        kind, values = _parse_line(words, columns, f"{path}: line {number}")
        if kind != "DontCare":
            kinds.append(kind)
            numbers.append(values[7:14])
            found.append(number)
    if not kinds:
        return []
    corners = _place(np.array(numbers), calibration, frame, found, f"{path}: line")
    heights = [height for height, *_ in numbers]
    return [*map(Box, kinds, corners, heights, found)]


def _parse_line(
    words: Sequence[str], columns: int, where: str
) -> tuple[str, list[float]]:
    """Return the class in a line, and the numbers behind it."""
    if len(words) - columns not in (15, 16):  # detectors add a score
        rest = " ".join(words[columns + 16 :])
        raise ValueError(
            f"{where}: {len(words)} words, expected {columns + 15} or {columns + 16}"
            f"{f': what is {rest}?' if rest else ''}"
        )
    kind, *values = words[columns:]
    try:
        float(values[0])
    except ValueError:
        raise ValueError(
            f"{where}: {kind} {values[0]}, expected a number after the class, which is "
            f"one word, such as {kind}_{values[0]}"
        ) from None
    return kind, parse_numbers(values, where)


def _place(
    numbers: NDArray[np.float64],
    calibration: Calibration,
    frame: Frame,
    lines: Sequence[int],
    where: str,
) -> NDArray[np.float64]:
    """Return the corners of boxes, as `Box` has them.

    Parameters
    ----------
    numbers : ndarray of float64, shape (N, 7)
        Height, width, length, x, y, z, and the rotation about the camera's y.
    calibration : Calibration
    frame : Frame
    lines : sequence of N int
    where : str
        With the number of the line behind it, begins the message of an error.

    Returns
    -------
    ndarray of float64, shape (N, 4, 3)
    """
    check_sizes(numbers[:, 2::-1], lines, where)
    _, width, length, x, y, z, rotation = numbers.T
    # The camera's y points down, so the rotation goes clockwise, seen from above; and
    # its third axis, to the left of the first, is what is ahead.
    right, ahead = lay_bottom(length, width, -rotation)
    right, down, ahead = x[:, None] + right, y[:, None] + 0 * right, z[:, None] + ahead
    # Without BLAS, which rounds in a way of its own on each machine.
    with np.errstate(over="ignore", invalid="ignore"):
        in_scan = [
            (row[0] * right + row[1] * down + row[2] * ahead + row[3]).ravel()
            for row in calibration.to_scan[:3].tolist()
        ]
        corners = frame.apply(in_scan).T.reshape(-1, 4, 3)
    hint = f"; does {calibration.path} belong to this file?"
    check_range(corners, lines, where, hint)
    return corners
