"""Read labels of KITTI's tracking benchmark, which has one file for each drive.

A line has the number of the frame and of the object in front of what
`birdview.training.labels.kitti` reads.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from birdview.pixels.frame import Frame
from birdview.pixels.lines import read_lines
from birdview.training.labels.box import Box
from birdview.training.labels.kitti import parse_boxes, read_calibration_of

_COLUMNS = 2
"""Words before the class."""
_DIGITS = 19
"""Of the number of a frame, which may be a time in nanoseconds."""
_DRIVES = 8
"""Files that are kept: some threads may each read the scans of a drive."""


@dataclass(frozen=True)
class Tracking:
    """Labels of drives: see `birdview.training.labels.source.Format`.

    Attributes
    ----------
    folder : str
        That of `label_02` and `calib`.
    """

    folder: str
    below: ClassVar[str] = "label_02"
    pattern: ClassVar[str] = "*.txt"
    expected: ClassVar[str] = "KITTI's labels"

    def files(self, scan: str) -> tuple[str, ...]:
        """Return the files of a drive's labels and of its calibration.

        Raises
        ------
        ValueError
            If the scan is in no folder of a drive.
        """
        drive = os.path.dirname(scan)
        if not drive:
            raise ValueError(
                f"labels: {scan} is a scan of no drive, expected <drive>/<frame> with "
                f"{self.folder}/label_02: set scans to the folder of all drives"
            )
        return (
            f"{self.folder}/label_02/{drive}.txt",
            f"{self.folder}/calib/{drive}.txt",
        )

    def read(self, scan: str, frame: Frame) -> list[Box]:
        """Read the boxes of a scan; none if no line has its number.

        Raises
        ------
        OSError
            If a file is missing or cannot be read.
        ValueError
            If the scan's name is no number, a file is not in KITTI's format, or a box
            has no size.
        """
        label, calib = self.files(scan)
        name = os.path.basename(scan)
        if not name.isdecimal():
            raise ValueError(
                f"{label}: no labels for the scan {scan}, expected the number of a "
                f"frame as its name, such as 000000"
            )
        state = os.stat(label)
        frames = _read_frames(label, state.st_mtime_ns, state.st_size)
        calibration = read_calibration_of(label, calib)
        lines = frames.get(int(name), ())
        return parse_boxes(lines, calibration, frame, label, _COLUMNS)


@lru_cache(_DRIVES)
def _read_frames(
    path: str, _modified: int, _size: int
) -> dict[int, list[tuple[int, list[str]]]]:
    """Return the lines of each frame, by its number: the line's own, and its words."""
    frames: dict[int, list[tuple[int, list[str]]]] = {}
    for number, line in read_lines(path):
        words = line.split()
        if not words[0].isdecimal() or len(words[0]) > _DIGITS:
            raise ValueError(
                f"{path}: line {number}: {words[0]}, expected the number of a frame"
            )
        frames.setdefault(int(words[0]), []).append((number, words))
    return frames
